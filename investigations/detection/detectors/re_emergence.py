"""A cluster much like one that people confirmed and that fell silent (R1).

What it is compared in, and with what null, stands in resembling.py. Likeness is no
proof: it is worth less than any family needs to propose a ban, and a past cluster that
people found innocent is worth nothing, however much alike.
"""

from investigations.detection.detectors.base import (
    Detector,
    from_null,
    number,
    percent,
    window,
)
from investigations.detection.portraits import PARTS
from investigations.detection.shapes import (
    AccountView,
    ClusterFeatures,
    Evidence,
    Family,
    Resemblance,
    Rows,
)

re_emergence = Detector(
    key="re_emergence", title="Back again", family=Family.LIFECYCLE, version=1
)

ENOUGH_WAYS = 3  # that agree count in full
INNOCENT = (
    "Customers of one vendor, or of one library, look alike without having to do with "
    "one another, and a rented address or a used card has had other owners."
)


def listed(words: list[str]) -> str:
    """["a", "b", "c"] → "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def sentence(seen: Resemblance) -> str:
    ways = [PARTS[each.part] for each in seen.agreements]
    return (
        f"Resembles CL-{seen.cluster} (confirmed on {seen.decided_at:%-d %B %Y}) in "
        f"{number(len(ways))} ways: {listed(ways)}. Of {number(seen.compared)} other "
        f"clusters, random groups and customers {percent(seen.quantile)} are as much "
        "like a past cluster."
    )


@re_emergence.looks_at_cluster(decibans=8)
def pooled_likeness(seen: ClusterFeatures) -> Evidence | None:
    found = seen.resembles
    if found is None or not found.guilty or not from_null(found.quantile):
        return None
    members, count = {"members": True}, sum(found.showing.values())
    if found.indicators:
        shared = {**members, "indicators": list(found.indicators)}
        rows = Rows("sighting", shared, count)
    else:
        asked = {**members, "kind": "request", **window(seen)}
        rows = Rows("event", asked, seen.requests)
    ways = len(found.agreements)
    return Evidence(
        strength=from_null(found.quantile) * min(1.0, ways / ENOUGH_WAYS),
        value=found.likeness,
        baseline=None,
        sentence=sentence(found),
        innocent=INNOCENT,
        rows=rows,
        quantile=found.quantile,
    )


@re_emergence.looks_at_account(decibans=4)
def shows_what_the_past_one_did(seen: AccountView) -> Evidence | None:
    if seen.place is None or "re_emergence" not in seen.place.evidence:
        return None
    found, own = seen.place.cluster.resembles, seen.features.account
    if found is None or own not in found.showing:
        return None
    shown = found.showing[own]
    return Evidence(
        strength=seen.place.evidence["re_emergence"].strength,
        value=shown,
        baseline=0,
        sentence=(
            f"Shows {number(shown)} rare {'value' if shown == 1 else 'values'} that "
            f"CL-{found.cluster} was known by, which people confirmed on "
            f"{found.decided_at:%-d %B %Y}."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "sighting",
            {"accounts": [own], "indicators": list(found.indicators)},
            shown,
        ),
        quantile=seen.place.evidence["re_emergence"].quantile,
    )
