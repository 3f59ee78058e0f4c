"""New models, and who went to them within a day."""

from collections.abc import Iterator
from datetime import UTC, timedelta

from ingest.models import ModelRelease
from investigations.detection.features.clock import OF_SOME, Clock, rows
from investigations.detection.shapes import Move, Release

# A release younger than this has not shown yet who moves.
SETTLED = timedelta(hours=6)
FIRST_DAY = timedelta(hours=24)
FEWEST_REQUESTS = 3


def releases(clock: Clock) -> list[Release]:
    """Releases of the window, the oldest first."""
    found = ModelRelease.objects.filter(
        released_at__gte=clock.since, released_at__lte=clock.as_of - SETTLED
    )
    ordered = found.order_by("released_at", "model")
    return [Release(*row) for row in ordered.values_list("model", "released_at")]


# Who was there before is joined: asked for account by account, PostgreSQL reads all of
# them again for each as soon as they are too many for its memory.
MOVES = f"""
SELECT sent.account_id, sent.requests, sent.moved,
       sent.requests >= %(fewest)s AND before.account_id IS NOT NULL
FROM (
    SELECT e.account_id, count(*) AS requests,
           count(*) FILTER (WHERE e.model = %(model)s) AS moved
    FROM ingest_event e
    WHERE e.kind = 'request' AND {OF_SOME}
      AND e.occurred_at >= %(released)s AND e.occurred_at <= %(until)s
    GROUP BY e.account_id
) AS sent
LEFT JOIN (
    SELECT DISTINCT e.account_id FROM ingest_accountday AS e
    WHERE day >= %(week_before)s AND day < %(release_day)s AND requests > 0
      AND {OF_SOME}
) AS before ON before.account_id = sent.account_id
ORDER BY sent.account_id
"""  # noqa: S608 - made of constants


def moves_at(release: Release, clock: Clock) -> Iterator[Move]:
    """What each account did in the release's first day."""
    released = release.released_at.astimezone(UTC)
    found = rows(
        MOVES,
        clock,
        model=release.model,
        released=released,
        until=min(released + FIRST_DAY, clock.as_of),
        week_before=released.date() - timedelta(days=7),
        release_day=released.date(),
        fewest=FEWEST_REQUESTS,
    )
    for account, requests, moved, counts in found:
        yield Move(account, release.model, requests, moved, counts)
