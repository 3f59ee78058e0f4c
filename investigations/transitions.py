"""The state machines of judgements: one table each, mirrored in the database.

The migration `0004_states_move_by_the_table` holds the same pairs as a trigger, for
the day that something writes past this module; a test compares the two.
"""

from investigations.errors import AlreadyDecided, IllegalMove
from investigations.models import Approval, Case, Effect

Status = Case.Status

MOVES: dict[str, frozenset[str]] = {
    Status.OPEN: frozenset(
        {
            Status.IN_REVIEW,
            Status.ESCALATED,
            Status.AWAITING_APPROVAL,
            Status.DECIDED,
            Status.CLOSED,
        }
    ),
    Status.IN_REVIEW: frozenset(
        {
            Status.OPEN,
            Status.ESCALATED,
            Status.AWAITING_APPROVAL,
            Status.DECIDED,
            Status.CLOSED,
        }
    ),
    Status.ESCALATED: frozenset(
        {
            Status.IN_REVIEW,
            Status.AWAITING_APPROVAL,
            Status.DECIDED,
            Status.CLOSED,
        }
    ),
    Status.AWAITING_APPROVAL: frozenset({Status.IN_REVIEW, Status.DECIDED}),
    Status.DECIDED: frozenset({Status.OPEN, Status.IN_REVIEW, Status.CLOSED}),
    Status.CLOSED: frozenset({Status.OPEN, Status.IN_REVIEW}),
}

EFFECT_MOVES: dict[str, frozenset[str]] = {
    Effect.State.PENDING: frozenset(
        {Effect.State.DELIVERED, Effect.State.PARKED, Effect.State.SUPERSEDED}
    ),
    Effect.State.PARKED: frozenset({Effect.State.PENDING, Effect.State.SUPERSEDED}),
    Effect.State.DELIVERED: frozenset(),
    Effect.State.SUPERSEDED: frozenset(),
}

APPROVAL_MOVES: dict[str, frozenset[str]] = {
    Approval.State.REQUESTED: frozenset(
        {
            Approval.State.APPROVED,
            Approval.State.REJECTED,
            Approval.State.WITHDRAWN,
            Approval.State.EXPIRED,
        }
    ),
    Approval.State.APPROVED: frozenset(),
    Approval.State.REJECTED: frozenset(),
    Approval.State.WITHDRAWN: frozenset(),
    Approval.State.EXPIRED: frozenset(),
}


def may_move(case: Case, to: str) -> bool:
    return to in MOVES[case.status]


def move(case: Case, to: str) -> None:
    """Set the case's status, or refuse in a sentence. The caller saves."""
    if may_move(case, to):
        case.status = to
        return
    here, there = Status(case.status).label, Status(to).label
    if to in {Status.DECIDED, Status.AWAITING_APPROVAL}:
        raise AlreadyDecided(f"{case.ref} is {here}{_by_whom(case)}.")
    raise IllegalMove(f"{case.ref} is {here} and cannot become {there}.")


def _by_whom(case: Case) -> str:
    last = case.decisions.select_related("made_by").order_by("pk").last()
    if last is None:
        return ""
    return (
        f": {last.made_by.get_username()} sent it at {last.made_at:%Y-%m-%d %H:%M} UTC"
    )
