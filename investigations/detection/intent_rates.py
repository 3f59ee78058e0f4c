"""How often accounts ask for one thing, beside how often customers do (B6 to B8).

One such request is ordinary. Only how many accounts of a cluster ask unusually often
counts, one voice for each organisation. Three detectors look at one intent each, and
have its name for a key.
"""

from scipy.special import bdtrc

from investigations.detection.detectors.base import (
    from_null,
    number,
    percent,
    window,
)
from investigations.detection.shapes import (
    AccountFeatures,
    AccountView,
    ClusterFeatures,
    Evidence,
    Norm,
    Rows,
)

# An account with fewer requests has no rate worth comparing.
ENOUGH = 20
# A cluster in which next to nobody asks says nothing, however unlikely by chance.
FAINT = 0.1


def asks_often(account: AccountFeatures, intent: str, norm: Norm) -> bool:
    asked = account.intents.get(intent, 0)
    return account.requests >= ENOUGH and asked > norm.high * account.requests


def frequent(seen: ClusterFeatures, intent: str) -> tuple[int, int, float]:
    """(members that ask often, members compared, chance of so many)."""
    norm = seen.norms.get(intent)
    compared = [m for m in seen.members if m.requests >= ENOUGH]
    if norm is None or len({m.customer for m in compared}) < 3:
        return 0, len(compared), 1.0
    often = [m for m in compared if asks_often(m, intent, norm)]
    # One organisation speaks once, however many accounts it has.
    voices = len({m.customer for m in often})
    chance = bdtrc(voices - 1, len({m.customer for m in compared}), norm.exceed)
    return len(often), len(compared), float(chance) if voices else 1.0


def pooled_rate(
    seen: ClusterFeatures, intent: str, *, words: str, innocent: str
) -> Evidence | None:
    """What a cluster's rates of one intent say. `words`: "for worked reasoning"."""
    often, compared, chance = frequent(seen, intent)
    strength = from_null(chance) * often / max(compared, 1)
    if strength <= FAINT:
        return None
    asked = sum(m.intents.get(intent, 0) for m in seen.members)
    norm = seen.norms[intent]
    return Evidence(
        strength=strength,
        value=asked / seen.requests,
        baseline=norm.high,
        sentence=(
            f"{number(often)} of {number(compared)} accounts ask {words} more often "
            f"than {percent(1 - norm.exceed)} of all customers do: "
            f"{percent(asked / seen.requests)} of their {number(seen.requests)} "
            "requests."
        ),
        innocent=innocent,
        rows=Rows(
            "event", {"members": True, "intents": [intent], **window(seen)}, asked
        ),
        quantile=chance,
    )


def own_rate(
    seen: AccountView, intent: str, *, words: str, innocent: str
) -> Evidence | None:
    """The same of one account, where the intent's detector saw it in the cluster."""
    own = seen.features
    if seen.place is None or intent not in seen.place.evidence:
        return None
    norm = seen.place.cluster.norms[intent]
    if not asks_often(own, intent, norm):
        return None
    asked = own.intents[intent]
    return Evidence(
        strength=seen.place.evidence[intent].strength,
        value=asked / own.requests,
        baseline=norm.high,
        sentence=(
            f"Asks {words} in {percent(asked / own.requests)} of "
            f"{number(own.requests)} requests, as the other accounts of its cluster do."
        ),
        innocent=innocent,
        rows=Rows(
            "event",
            {"accounts": [own.account], "intents": [intent], **window(seen)},
            asked,
        ),
    )
