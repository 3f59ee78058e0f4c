"""What the address asks of the queue and of a case's members."""

from django.http import QueryDict

from dashboard.query import (
    PLACE,
    address,
    choice,
    cursor,
    refuse_unknown,
    text,
    whole_number,
)
from investigations.detection.models import Band, Cluster
from investigations.selectors import (
    MEMBER_SORTS,
    QUEUE_SORTS,
    QUEUE_TABS,
    MemberFilter,
    QueueFilter,
)

# What a page showed when it asks for itself again; no filter, so not named as one.
SEEN = "seen"


def queue_filter(params: QueryDict) -> QueueFilter:
    """Raises BadQuery with a sentence."""
    known = {"tab", "verdict", "band", "assignee", "sort", *PLACE}
    refuse_unknown(_without_seen(params), known)
    tab = choice(params, "tab", QUEUE_TABS) or "open"
    usual = "changed" if tab == "done" else "loss"
    return QueueFilter(
        tab=tab,
        verdict=choice(params, "verdict", Cluster.Verdict.values),
        band=choice(params, "band", Band.values),
        assignee=text(params, "assignee", longest=150),
        sort=choice(params, "sort", QUEUE_SORTS) or usual,
        after=cursor(params, "after"),
        before=cursor(params, "before"),
    )


def member_filter(params: QueryDict) -> MemberFilter:
    """Raises BadQuery with a sentence."""
    refuse_unknown(_without_seen(params), {"min_score", "shares", "sort", *PLACE})
    return MemberFilter(
        min_score=whole_number(params, "min_score", least=0, most=100) or 0,
        indicator=whole_number(params, "shares"),
        sort=choice(params, "sort", MEMBER_SORTS) or "score",
        after=cursor(params, "after"),
        before=cursor(params, "before"),
    )


def same(path: str, params: QueryDict) -> str:
    """The same page once more, at the same place."""
    place = {name: params[name] for name in PLACE if name in params}
    return address(path, params, **place)


def _without_seen(params: QueryDict) -> QueryDict:
    asked = params.copy()
    asked.pop(SEEN, None)
    return asked
