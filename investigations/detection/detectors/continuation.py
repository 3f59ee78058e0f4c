"""A conversation begun on one account goes on under another's (X1).

Requests carry keyed hashes of the answers they were given before. When one of them is
an answer that only another customer was given, the conversation has changed accounts.
Relays do this whenever an account is throttled; people practically never do.
"""

from investigations.detection.detectors.base import (
    Detector,
    number,
    percent,
)
from investigations.detection.shapes import (
    AccountView,
    ClusterFeatures,
    Evidence,
    Family,
    Handoff,
    Rows,
)

continuation = Detector(
    key="continuation",
    title="Conversations change accounts",
    family=Family.CONTENT_PROOF,
    version=1,
)

FEWEST_CONVERSATIONS, FEWEST_ACCOUNTS = 3, 3
# So many requests a reason lists, the latest first; its sentence has the whole number.
MOST_LISTED = 1000
INNOCENT = (
    "Somebody pasted a conversation that another person had shared, or one firm has "
    "several accounts that are not known to belong together."
)


@continuation.looks_at_account(decibans=20, alone=True)
def goes_on_elsewhere(seen: AccountView) -> Evidence | None:
    conversations = sum(handoff.conversations for handoff in seen.handoffs)
    if not conversations:
        return None
    own = seen.features.account
    others = {a for h in seen.handoffs for a in (h.giver, h.taker)} - {own}
    return Evidence(
        strength=min(1.0, conversations / FEWEST_CONVERSATIONS) ** 2,
        value=conversations,
        baseline=0,
        sentence=(
            f"{number(conversations)} "
            f"{'conversation' if conversations == 1 else 'conversations'} begun on one "
            f"account went on under another, between this account and "
            f"{number(len(others))} other "
            f"{'customer' if len(others) == 1 else 'customers'}: the requests carried "
            "answers that only the other had been given."
        ),
        innocent=INNOCENT,
        rows=carried_on(seen.handoffs),
    )


@continuation.looks_at_cluster(decibans=20)
def pooled_handoffs(seen: ClusterFeatures) -> Evidence | None:
    conversations = sum(handoff.conversations for handoff in seen.handoffs)
    involved = {a for h in seen.handoffs for a in (h.giver, h.taker)}
    if conversations < FEWEST_CONVERSATIONS or len(involved) < FEWEST_ACCOUNTS:
        return None
    share = len(involved) / seen.size
    return Evidence(
        strength=min(1.0, conversations / 10) * (0.5 + 0.5 * min(1.0, share / 0.5)),
        value=conversations,
        baseline=0,
        sentence=(
            f"{number(conversations)} conversations begun on one account went on under "
            f"another of this cluster; {number(len(involved))} of {number(seen.size)} "
            f"accounts ({percent(share)}) took part."
        ),
        innocent=INNOCENT,
        rows=carried_on(seen.handoffs),
    )


def carried_on(handoffs: tuple[Handoff, ...]) -> Rows:
    """The requests that carried another customer's answers."""
    events = sorted({event for h in handoffs for event in h.events}, reverse=True)
    listed = events[:MOST_LISTED]
    return Rows("event", {"events": listed}, len(listed))
