"""Strangers who have special access on weak proof, many in one cluster (I5).

Education, research and startup programmes give what attackers pay for. A school's
own students have it for good reason, so all customers of one mail domain that mostly
has it speak as one.
"""

from collections.abc import Container, Iterable

from scipy.special import bdtrc

from investigations.detection.detectors.base import (
    MOST_NAMED,
    Detector,
    from_null,
    number,
    percent,
)
from investigations.detection.shapes import (
    AccountFeatures,
    AccountView,
    ClusterFeatures,
    Evidence,
    Family,
    Rows,
)

programme_farming = Detector(
    key="programme_farming",
    title="Programme farming",
    family=Family.MONEY,
    version=1,
)

ORDINARY = ("", "none")
STRONG_PROOF = ("identity", "organization")
# Half of the customers on programmes counts in full.
FULL_SHARE = 0.5
INNOCENT = (
    "A school, a research group or an incubator brought its people along; those of one "
    "mail domain that mostly has such access count as one here."
)


def has_weak_access(account: AccountFeatures) -> bool:
    """On a programme, though nobody checked who they are."""
    return account.program not in ORDINARY and account.verification not in STRONG_PROOF


def voice(account: AccountFeatures, schools: Container[str]) -> str:
    """Its customer, or the school that its mail domain stands for."""
    domain = account.email_domain
    return f"@{domain}" if domain in schools else account.customer


def voices(accounts: Iterable[AccountFeatures], schools: Container[str]) -> set[str]:
    return {voice(account, schools) for account in accounts}


@programme_farming.looks_at_cluster(decibans=3)
def pooled_access(seen: ClusterFeatures) -> Evidence | None:
    known = seen.programmes
    on_it = [m for m in seen.members if has_weak_access(m)]
    heard = voices(on_it, known.schools)
    everybody = voices(seen.members, known.schools)
    if len(heard) < 3:
        return None
    ordinary = (known.others_on_it + 1) / (known.others + 2)
    quantile = float(bdtrc(len(heard) - 1, len(everybody), ordinary))
    if not from_null(quantile):
        return None
    share = len(heard) / len(everybody)
    return Evidence(
        strength=from_null(quantile) * min(1.0, share / FULL_SHARE),
        value=share,
        baseline=ordinary,
        sentence=(
            f"{number(len(on_it))} of {number(seen.size)} accounts have special access "
            f"({listed(on_it)}) without a check of who they are{signed_up(on_it)}; of "
            f"other customers {percent(ordinary)} do."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "account",
            {"accounts": [m.account for m in on_it][:MOST_NAMED]},
            min(len(on_it), MOST_NAMED),
        ),
        quantile=quantile,
    )


def listed(accounts: Iterable[AccountFeatures]) -> str:
    """education, startup: the programmes in order of the alphabet."""
    return ", ".join(sorted({account.program for account in accounts}))


def signed_up(accounts: Iterable[AccountFeatures]) -> str:
    born = [each.created_at for each in accounts if each.created_at is not None]
    if not born:
        return ""
    return f", signed up between {min(born):%-d %B %Y} and {max(born):%-d %B %Y}"


@programme_farming.looks_at_account(decibans=3)
def on_it_with_cluster(seen: AccountView) -> Evidence | None:
    own = seen.features
    if seen.place is None or "programme_farming" not in seen.place.evidence:
        return None
    if not has_weak_access(own):
        return None
    pooled = seen.place.evidence["programme_farming"]
    return Evidence(
        strength=pooled.strength,
        value=1.0,
        baseline=pooled.baseline,
        sentence=(
            f"Has special access ({own.program}) with no more proof than "
            f"{own.verification}, as {percent(pooled.value)} of its cluster's "
            "customers have."
        ),
        innocent=INNOCENT,
        rows=Rows("account", {"accounts": [own.account]}, 1),
    )
