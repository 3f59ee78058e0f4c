"""The same settings in every request, and the same in all accounts (E2).

People leave the settings alone or try some; programs fix them. That strangers fix the
same ones, which hardly anybody else does, speaks for one program.
"""

from scipy.special import bdtrc

from investigations.detection.detectors.base import (
    FEWEST_PEERS,
    Detector,
    from_null,
    number,
    once_a_cluster,
    percent,
    window,
)
from investigations.detection.shapes import (
    AccountView,
    ClusterFeatures,
    Evidence,
    Family,
    Rows,
)
from investigations.detection.used_settings import entropy, fixed

parameter_fixity = Detector(
    key="parameter_fixity", title="Fixed settings", family=Family.CONTENT, version=1
)

FEWEST = 3
INNOCENT = (
    "A library's or a product's defaults: everybody on it sends the same settings "
    "without having chosen them."
)


@once_a_cluster
def common_setting(seen: ClusterFeatures) -> tuple[str, set[str]]:
    """The setting that most customers inside have fixed, and who has."""
    voices: dict[str, set[str]] = {}
    for member in seen.members:
        if setting := fixed(seen.habits.settings.get(member.account, {})):
            voices.setdefault(setting, set()).add(member.customer)
    none: tuple[str, set[str]] = ("", set())
    return min(voices.items(), key=lambda item: (-len(item[1]), item[0]), default=none)


def words(setting: str) -> str:
    """`1|4096` → "temperature 1, token limit 4096"."""
    temperature, _, limit = setting.partition("|")
    parts = [("temperature", temperature), ("token limit", limit)]
    return ", ".join(f"{name} {value}" for name, value in parts if value != "-")


@parameter_fixity.looks_at_cluster(decibans=1)
def pooled_settings(seen: ClusterFeatures) -> Evidence | None:
    setting, voices = common_setting(seen)
    known = seen.habits
    if len(voices) < FEWEST or len(known.others_settings) < FEWEST_PEERS:
        return None
    same = known.others_settings.with_fixed(setting)
    ordinary = (same + 1) / (len(known.others_settings) + 2)
    quantile = float(bdtrc(len(voices) - 1, seen.organizations, ordinary))
    if not from_null(quantile):
        return None
    mine = {m.account: known.settings.get(m.account, {}) for m in seen.members}
    with_it = [account for account, each in mine.items() if fixed(each) == setting]
    share = len(with_it) / seen.size
    bits, usual = entropy(known.settings.values()), known.others_settings.entropy()
    return Evidence(
        strength=from_null(quantile) * share,
        value=bits,
        baseline=usual,
        sentence=(
            f"{number(len(with_it))} of {number(seen.size)} accounts send nine in ten "
            f"requests with the same settings ({words(setting)}), of other customers "
            f"{percent(ordinary)}; all their settings vary by {bits:.1f} bits, those "
            f"of others by {usual:.1f}."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event",
            {"accounts": with_it, "kind": "request", **window(seen)},
            sum(sum(mine[account].values()) for account in with_it),
        ),
        quantile=quantile,
    )


@parameter_fixity.looks_at_account(decibans=1)
def own_settings(seen: AccountView) -> Evidence | None:
    own = seen.features.account
    if seen.place is None or "parameter_fixity" not in seen.place.evidence:
        return None
    setting, _ = common_setting(seen.place.cluster)
    settings = seen.place.cluster.habits.settings.get(own, {})
    if fixed(settings) != setting:
        return None
    total = sum(settings.values())
    return Evidence(
        strength=seen.place.evidence["parameter_fixity"].strength,
        value=settings[setting] / total,
        baseline=None,
        sentence=(
            f"Sends {percent(settings[setting] / total)} of {number(total)} requests "
            f"with one setting ({words(setting)}), the one that its cluster uses."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event", {"accounts": [own], "kind": "request", **window(seen)}, total
        ),
    )
