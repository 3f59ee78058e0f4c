"""Accounts as their own pages read them."""

from dataclasses import dataclass
from datetime import date

from django.db.models import BigIntegerField, F, QuerySet
from django.db.models.functions import Cast, Coalesce, Extract, Round

from ingest.drain import account_history
from ingest.models import Account, AccountDay, Event, Excerpt, Sighting
from ingest.selectors import recent_events
from ingest.texts import excerpts
from investigations.detection.models import Label
from investigations.models import Effect
from investigations.selectors.keyset import Cursor, Slice, slice_of

ACCOUNT_ROWS = 50
# Each order as one whole number, so that a page can be cut at it exactly.
ACCOUNT_SORTS = {
    "score": Cast(Round(Coalesce(F("score__score"), 0.0) * 100.0), BigIntegerField()),
    "first_seen": Cast(Extract("first_seen_at", "epoch"), BigIntegerField()),
}
EVENTS = 50
DAYS = 28
INDICATORS = 40
CHANGES = 40


@dataclass(frozen=True)
class Habits:
    """An account's last days: sums, its 24 hours (UTC), and requests a day by model."""

    days: list[date]
    models: dict[str, list[int]]
    hours: list[int]
    requests: int
    failures: int
    conversations: int
    input_tokens: int
    output_tokens: int


def account_page(
    accounts: QuerySet[Account],
    *,
    sort: str = "score",
    after: Cursor | None = None,
    before: Cursor | None = None,
) -> Slice[Account]:
    """Accounts with score and cluster, the highest or the newest first."""
    ranked = accounts.select_related("score", "membership__cluster").annotate(
        rank=ACCOUNT_SORTS[sort]
    )
    return slice_of(ranked, size=ACCOUNT_ROWS, after=after, before=before)


def excerpts_of(account: Account) -> list[Excerpt]:
    """Its redacted prompts that were drawn for keeping; private, to be masked."""
    return excerpts.of_account(account.pk)


def account_with(external_id: str) -> Account | None:
    related = Account.objects.select_related("score", "membership__cluster")
    return related.filter(external_id=external_id).first()


def habits(account: Account) -> Habits:
    """From rollups alone; the last days with any event, 28 at most."""
    rows = list(AccountDay.objects.filter(account=account).order_by("-day")[:DAYS])
    rows.reverse()
    days = _every_day(rows)
    place = {day: n for n, day in enumerate(days)}
    models: dict[str, list[int]] = {}
    for row in rows:
        for model, requests in row.by_model.items():
            models.setdefault(model, [0] * len(days))[place[row.day]] = requests
    return Habits(
        days=days,
        models=dict(sorted(models.items())),
        hours=[sum(row.hours[hour] for row in rows) for hour in range(24)],
        requests=sum(row.requests for row in rows),
        failures=sum(row.failures for row in rows),
        conversations=sum(row.conversations for row in rows),
        input_tokens=sum(row.input_tokens for row in rows),
        output_tokens=sum(row.output_tokens for row in rows),
    )


def sightings_of(account: Account) -> list[Sighting]:
    """What the account showed that others showed too, the rarest first."""
    shared = Sighting.objects.filter(
        account=account, indicator__profile__accounts__gte=2
    ).exclude(indicator__kind__in=("skeleton", "response"))
    related = shared.select_related("indicator__profile")
    return list(related.order_by("indicator__profile__accounts", "pk")[:INDICATORS])


def last_events(account: Account) -> list[Event]:
    return list(recent_events(account, EVENTS))


def changes_of(account: Account) -> list[account_history.Change]:
    """What its records changed, the newest first."""
    return account_history.changes(account.pk, limit=CHANGES)


def effects_on(account: Account) -> list[Effect]:
    related = Effect.objects.filter(account=account).select_related("decision__case")
    return list(related.order_by("-sequence"))


def labels_of(account: Account) -> list[Label]:
    """What people told the machine about it, the latest word first."""
    return list(Label.objects.filter(account=account).order_by("-given_at", "-pk"))


def _every_day(rows: list[AccountDay]) -> list[date]:
    if not rows:
        return []
    first, last = rows[0].day.toordinal(), rows[-1].day.toordinal()
    # A long silence between two days would make a chart of nothing.
    return [date.fromordinal(n) for n in range(max(first, last - 2 * DAYS), last + 1)]
