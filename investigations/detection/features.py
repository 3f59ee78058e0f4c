"""Facts → what the pure steps compute on. The only reader of ingest.

Everything is seen with the clock `as_of`: an event, a sign-up or an answer after it
does not exist. Rollups hold whole days, so the day of the clock is summed anew up to
it wherever an account went on later (`open_day`).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection

from ingest import rollups
from ingest.models import Account, Indicator, ModelRelease
from investigations.detection import labels
from investigations.detection.clustering import Everyone
from investigations.detection.exposure import AccountTotals
from investigations.detection.shapes import (
    AccountFeatures,
    Floats,
    Handoff,
    Ints,
    Move,
    Release,
    Sightings,
    Value,
)

WINDOW = timedelta(days=28)
# A release younger than this has not shown yet who moves.
SETTLED = timedelta(hours=6)
FIRST_DAY = timedelta(hours=24)
FEWEST_REQUESTS = 3
# An answer that more accounts than this carry on was passed around, not handed over.
MOST_TAKERS = 3
BIRTH_SLOT = 30 * 60  # seconds

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Clock:
    """The run's window: whole days from `since`, up to the very second of `as_of`."""

    as_of: datetime

    @property
    def since(self) -> datetime:
        start = (self.as_of - WINDOW).date()
        return datetime(start.year, start.month, start.day, tzinfo=UTC)

    @property
    def today(self) -> date:
        return self.as_of.astimezone(UTC).date()

    @property
    def days(self) -> int:
        return (self.today - self.since.date()).days + 1

    def named(self) -> dict[str, Any]:
        return {
            "as_of": self.as_of,
            "since": self.since,
            "first_day": self.since.date(),
            "today": self.today,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What one run sees. `starts`: days × accounts, -1 while an account is absent."""

    clock: Clock
    features: list[AccountFeatures]
    world: Everyone
    starts: Ints
    releases: list[Release]
    moves: list[Move]
    # Accounts that are known but were silent for the whole window.
    silent: list[AccountFeatures]


# The rollups that the clock allows: whole days before today, today where the account
# did nothing after the clock, and what `open_day` summed anew for the others.
DAYS = """(
    SELECT * FROM ingest_accountday
    WHERE day < %(today)s
       OR (day = %(today)s AND (last_at IS NULL OR last_at <= %(as_of)s))
    UNION ALL SELECT * FROM detection_open_day
)"""


def read_facts(as_of: datetime) -> Facts:
    """Everything the pure steps need, accounts in rising order of id."""
    clock = Clock(as_of)
    open_day(clock)
    sums = {row[0]: row for row in rows(SUMS, clock)}
    intents = maps("intents", clock)
    stacks = maps("indicators -> 'client_stack'", clock)
    words = labels.newest(as_of)
    present: list[AccountFeatures] = []
    silent: list[AccountFeatures] = []
    for record in known_accounts(clock):
        own = account_features(record, sums, intents, stacks, words, clock)
        born = own.created_at is not None and own.created_at >= clock.since
        (present if own.requests or born else silent).append(own)
    starts = session_starts(present, clock)
    releases = [
        Release(model, at)
        for model, at in ModelRelease.objects.filter(
            released_at__gte=clock.since, released_at__lte=as_of - SETTLED
        )
        .order_by("released_at", "model")
        .values_list("model", "released_at")
    ]
    return Facts(
        clock=clock,
        features=present,
        world=everyone(present, clock),
        starts=starts,
        releases=releases,
        moves=[move for release in releases for move in moves_at(release, clock)],
        silent=silent,
    )


def rows(sql: str, clock: Clock, **more: Any) -> Iterator[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql.replace("{days}", DAYS), clock.named() | more)
        while part := cursor.fetchmany(10_000):
            yield from part


def open_day(clock: Clock) -> None:
    """Today's rollups, up to the clock, of accounts that went on after it."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.detection_open_day")
        cursor.execute("CREATE TEMP TABLE detection_open_day (LIKE ingest_accountday)")
        cursor.execute("ALTER TABLE detection_open_day ALTER id DROP NOT NULL")
    later = [
        pk
        for (pk,) in rows(
            "SELECT account_id FROM ingest_accountday"
            " WHERE day = %(today)s AND last_at > %(as_of)s",
            clock,
        )
    ]
    if later:
        rollups.sum_open_day(
            "detection_open_day", day=clock.today, accounts=later, until=clock.as_of
        )


# --- Accounts ---------------------------------------------------------------------

SUMS = """
SELECT account_id, sum(requests), sum(conversations), sum(single_shots),
       sum(input_tokens), sum(output_tokens), sum(distinct_skeletons),
       sum(distinct_slots), count(*) FILTER (WHERE requests > 0)
FROM {days} AS d WHERE day >= %(first_day)s GROUP BY account_id
"""
RECORD = (
    "pk",
    "organization_id",
    "created_at",
    "contract",
    "verification",
    "status",
    "email_shape",
    "referrer",
)


def known_accounts(clock: Clock) -> Iterator[Row]:
    """Accounts that had signed up or were seen at work by then."""
    seen = {pk for (pk,) in rows("SELECT DISTINCT account_id FROM {days} AS d", clock)}
    for row in Account.objects.order_by("pk").values_list(*RECORD).iterator(5_000):
        if row[0] in seen or (row[2] is not None and row[2] <= clock.as_of):
            yield row


MAPS = """
SELECT account_id, m.key, sum(m.value::bigint)
FROM {days} AS d, jsonb_each_text(coalesce({path}, '{}')) AS m
WHERE day >= %(first_day)s GROUP BY 1, 2 ORDER BY 1, 2
"""


def maps(path: str, clock: Clock) -> dict[int, dict[str, int]]:
    """Account → {key: sum} of a JSON map of the rollups. `path` is ours, not typed."""
    sql = MAPS.replace("{path}", path)
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for account, key, count in rows(sql, clock):
        found[account][key] = int(count)
    return found


def account_features(
    record: Row,
    sums: Mapping[int, Row],
    intents: Mapping[int, dict[str, int]],
    stacks: Mapping[int, dict[str, int]],
    words: Mapping[int, tuple[str, datetime]],
    clock: Clock,
) -> AccountFeatures:
    pk, organization, created_at, contract, verification, status, shape, referrer = (
        record
    )
    did = [int(n) for n in sums.get(pk, (pk, *[0] * 8))[1:]]
    label, labelled_at = words.get(pk, ("", None))
    used = stacks.get(pk, {})
    return AccountFeatures(
        account=pk,
        organization=organization or "",
        created_at=created_at,
        age_days=(clock.as_of - created_at).total_seconds() / 86400
        if created_at
        else 0,
        contract=contract,
        verification=verification,
        status=status,
        email_shape=manner(shape or ""),
        referrer=referrer or "",
        requests=did[0],
        conversations=did[1],
        single_shots=did[2],
        input_tokens=did[3],
        output_tokens=did[4],
        distinct_skeletons=did[5],
        distinct_slots=did[6],
        active_days=did[7],
        intents=intents.get(pk, {}),
        stack=min(used, key=lambda stack: (-used[stack], stack), default=""),
        label=label,
        labelled_at=labelled_at,
    )


def manner(shape: str) -> str:
    """`a4.a5n2` → `a.an2`: how an address is built, whatever the names' lengths."""
    return re.sub(r"a\d+", "a", shape)


def session_starts(present: Sequence[AccountFeatures], clock: Clock) -> Ints:
    """Days × accounts; -1 while an account was not there for the whole day.

    The days on which it came and went are left out with what lies before and after,
    unless the window's own edge cut them.
    """
    position = {own.account: at for at, own in enumerate(present)}
    starts = np.zeros((clock.days, len(present)), np.int64)
    active = np.zeros_like(starts, bool)
    sql = """
        SELECT account_id, day, (SELECT sum(s) FROM unnest(session_hours) AS s)
        FROM {days} AS d WHERE day >= %(first_day)s AND requests > 0
    """
    for account, day, count in rows(sql, clock):
        if account in position:
            cell = (day - clock.since.date()).days, position[account]
            starts[cell], active[cell] = int(count or 0), True
    came = np.logical_or.accumulate(active, axis=0)
    left = np.logical_or.accumulate(active[::-1], axis=0)[::-1]
    came[1:] &= came[:-1].copy()
    left[:-1] &= left[1:].copy()
    return np.where(came & left, starts, -1)


START_TIMES = """
SELECT account_id, array_agg(extract(epoch FROM occurred_at)::float8
                             ORDER BY occurred_at)
FROM (
    SELECT account_id, occurred_at, turn, occurred_at - lag(occurred_at) OVER (
        PARTITION BY account_id ORDER BY occurred_at) AS pause
    FROM ingest_event
    WHERE kind = 'request' AND account_id = ANY(%(accounts)s)
      AND occurred_at >= %(since)s AND occurred_at <= %(as_of)s
) AS e
WHERE turn = 1 OR pause IS NULL OR pause > interval '30 minutes'
GROUP BY account_id
"""


def start_times(accounts: Sequence[int], clock: Clock) -> dict[int, Floats]:
    """Seconds at which each account's sessions began, in order."""
    found = rows(START_TIMES, clock, accounts=list(accounts))
    return {account: np.array(times, float) for account, times in found}


# --- What accounts share ----------------------------------------------------------

# As ingest keeps it: over all days, and what the account's record told on its day.
SIGHTINGS = "ingest_sighting"
# The same for a clock in the past, from the days and records there were by then. What
# counts as a sighting is still ingest's word: only pairs that it knows are taken.
REPLAYED = """
CREATE TEMP TABLE detection_sighting ON COMMIT DROP AS
WITH shown AS (
    SELECT d.account_id, d.day, k.kind, left(v.key, 512) AS value, v.value::bigint AS n
    FROM {days} AS d
    CROSS JOIN LATERAL jsonb_each(
        d.indicators || jsonb_build_object('skeleton', d.skeletons)) AS k(kind, shown)
    CROSS JOIN LATERAL jsonb_each_text(k.shown) AS v
    UNION ALL
    SELECT a.id, coalesce(a.created_at, a.first_seen_at)::date, o.kind,
           left(o.value, 512), 1
    FROM ingest_account a CROSS JOIN LATERAL (VALUES
        ('payment', payment_fingerprint), ('phone', phone_hash),
        ('email', email_hash), ('email_domain', email_domain),
        ('device', signup_device_id), ('referrer', referrer),
        ('address', host(signup_ip)),
        ('block', network(set_masklen(
            signup_ip, CASE family(signup_ip) WHEN 4 THEN 24 ELSE 48 END))::text)
    ) AS o(kind, value)
    WHERE o.value IS NOT NULL
      AND coalesce(a.created_at, a.first_seen_at) <= %(as_of)s
)
SELECT s.account_id, s.indicator_id, sum(shown.n) AS count,
       min(shown.day) AS first_seen_on, max(shown.day) AS last_seen_on
FROM shown
JOIN ingest_indicator i ON i.kind = shown.kind AND i.value = shown.value
JOIN ingest_sighting s
  ON s.indicator_id = i.id AND s.account_id = shown.account_id
GROUP BY 1, 2
"""
SHARED = """
SELECT account_id, indicator_id, count, first_seen_on, last_seen_on
FROM {sightings} AS s
WHERE last_seen_on >= %(first_day)s - 365 AND indicator_id IN (
    SELECT indicator_id FROM {sightings} AS t GROUP BY 1 HAVING count(*) > 1)
ORDER BY indicator_id, account_id
"""
TEMPLATE_USE = """
SELECT s.account_id, sum(s.count) FROM {sightings} AS s
JOIN ingest_indicator i ON i.id = s.indicator_id
WHERE i.kind = 'skeleton' GROUP BY 1
"""


def sightings_table(clock: Clock) -> str:
    """Ingest's own table, unless something is known that the clock has not seen."""
    later = rows(
        "SELECT 1 FROM ingest_accountday"
        " WHERE day > %(today)s OR (day = %(today)s AND last_at > %(as_of)s) LIMIT 1",
        clock,
    )
    if not any(later):
        return SIGHTINGS
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.detection_sighting")
        cursor.execute(REPLAYED.replace("{days}", DAYS), clock.named())
    return "detection_sighting"


def everyone(present: Sequence[AccountFeatures], clock: Clock) -> Everyone:
    """The columns that linking works on."""
    position = {own.account: at for at, own in enumerate(present)}
    table = sightings_table(clock)
    shared = rows(SHARED.replace("{sightings}", table), clock)
    shown = [row for row in shared if row[0] in position]
    pks = sorted({row[1] for row in shown})
    number = {pk: at for at, pk in enumerate(pks)}
    named = Indicator.objects.in_bulk(pks)
    values = [Value(named[pk].kind, named[pk].value, pk) for pk in pks]
    columns = [
        (position[account], number[pk], int(count), day_number(first), day_number(last))
        for account, pk, count, first, last in shown
    ]
    born, births = birth_slots(present, len(values))
    sightings = np.array(columns + born, np.int64).reshape(-1, 5).T
    templates = np.zeros(len(present), np.int64)
    used = rows(TEMPLATE_USE.replace("{sightings}", table), clock)
    for account, count in used:
        if account in position:
            templates[position[account]] = int(count)
    customers = {own.customer for own in present}
    numbers = {name: at for at, name in enumerate(sorted(customers))}
    programs = {
        name: at for at, name in enumerate(sorted({o.stack for o in present} - {""}))
    }
    return Everyone(
        accounts=[own.account for own in present],
        organization=np.array([numbers[own.customer] for own in present], np.int64),
        stack=np.array([programs.get(own.stack, -1) for own in present], np.int64),
        templates=templates,
        values=[*values, *births],
        sightings=Sightings(*sightings),
        handoffs=handoffs(present, clock),
        today=day_number(clock.today),
    )


def birth_slots(
    present: Sequence[AccountFeatures], base: int
) -> tuple[list[tuple[int, int, int, int, int]], list[Value]]:
    """Signing up in the same half hour in the same manner, as a value of its own."""
    slots: dict[str, list[int]] = defaultdict(list)
    for at, own in enumerate(present):
        if own.created_at is not None and own.email_shape:
            slot = int(own.created_at.timestamp() // BIRTH_SLOT)
            slots[f"{slot}|{own.email_shape}|{own.referrer}"].append(at)
    found: list[tuple[int, int, int, int, int]] = []
    values: list[Value] = []
    for name in sorted(slots):
        if len(slots[name]) < 2:
            continue
        day = int(name.split("|")[0]) * BIRTH_SLOT // 86400
        found += [(at, base + len(values), 1, day, day) for at in slots[name]]
        values.append(Value("signup", name))
    return found, values


def day_number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


REPLAYS = """
SELECT e.account_id, h.account_id, coalesce(e.conversation_id, h.response_hash),
       e.id, e.occurred_at, h.response_hash
FROM ingest_event e
CROSS JOIN LATERAL unnest(e.prior_response_hashes) AS p(hash)
JOIN ingest_responsehash h ON h.response_hash = p.hash
WHERE e.occurred_at >= %(since)s AND e.occurred_at <= %(as_of)s
  AND e.prior_response_hashes IS NOT NULL
  AND h.account_id <> e.account_id AND h.occurred_at <= e.occurred_at
  AND NOT EXISTS (
    SELECT 1 FROM ingest_responsehash own
    WHERE own.response_hash = h.response_hash AND own.account_id = e.account_id
      AND own.occurred_at <= e.occurred_at)
"""


def handoffs(present: Sequence[AccountFeatures], clock: Clock) -> list[Handoff]:
    """Conversations that changed accounts, by the answers their requests carried.

    An answer that several customers were given is a common answer; one that more than
    three carry on is a conversation that was passed around. Both are left out.
    """
    customer = {own.account: own.customer for own in present}
    found = [
        row
        for row in rows(REPLAYS, clock)
        if customer.get(row[0], "") != customer.get(row[1], "")
        and row[0] in customer
        and row[1] in customer
    ]
    givers: dict[str, set[str]] = defaultdict(set)
    takers: dict[str, set[str]] = defaultdict(set)
    for taker, giver, _, _, _, answer in found:
        givers[answer].add(customer[giver])
        takers[answer].add(customer[taker])
    between: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in found:
        if len(givers[row[5]]) == 1 and len(takers[row[5]]) <= MOST_TAKERS:
            between[row[1], row[0]].append(row)
    return [
        Handoff(
            giver=giver,
            taker=taker,
            conversations=len({row[2] for row in replayed}),
            events=tuple(sorted({row[3] for row in replayed})),
            last_at=max(row[4] for row in replayed),
        )
        for (giver, taker), replayed in sorted(between.items())
    ]


# --- New models -------------------------------------------------------------------

MOVES = """
SELECT e.account_id, count(*), count(*) FILTER (WHERE e.model = %(model)s),
       count(*) >= %(fewest)s AND e.account_id IN (
           SELECT account_id FROM ingest_accountday
           WHERE day >= %(week_before)s AND day < %(release_day)s AND requests > 0)
FROM ingest_event e
WHERE e.kind = 'request'
  AND e.occurred_at >= %(released)s AND e.occurred_at <= %(until)s
GROUP BY e.account_id ORDER BY e.account_id
"""


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


# --- What left --------------------------------------------------------------------

TOTALS = """
SELECT account_id, sum(requests), sum(input_tokens), sum(output_tokens),
       min(first_at), max(last_at), array_agg(day)
FROM {days} AS d WHERE account_id = ANY(%(accounts)s) AND requests > 0
GROUP BY account_id
"""
COUNTS = """
SELECT account_id, m.key, sum(m.value::bigint)
FROM {days} AS d, jsonb_each_text({column}) AS m
WHERE account_id = ANY(%(accounts)s) GROUP BY 1, 2
"""
HOURS = """
SELECT c.cluster, date_trunc('hour', e.occurred_at), e.model, count(*),
       sum(e.output_tokens)
FROM ingest_event e
JOIN unnest(%(accounts)s::bigint[], %(clusters)s::int[]) AS c(account, cluster)
  ON c.account = e.account_id
WHERE e.kind = 'request' AND e.occurred_at >= %(since)s AND e.occurred_at <= %(as_of)s
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def totals(accounts: Sequence[int], clock: Clock) -> dict[int, AccountTotals]:
    """Everything these accounts exchanged, ever."""
    counts: dict[str, dict[int, dict[str, int]]] = {}
    for column in ("by_model", "intents"):
        counts[column] = defaultdict(dict)
        sql = COUNTS.replace("{column}", column)
        for account, key, count in rows(sql, clock, accounts=list(accounts)):
            counts[column][account][key] = int(count)
    return {
        row[0]: AccountTotals(
            account=row[0],
            exchanges=int(row[1]),
            input_tokens=int(row[2]),
            output_tokens=int(row[3]),
            since=row[4],
            until=row[5],
            days=frozenset(row[6]),
            by_model=counts["by_model"].get(row[0], {}),
            by_intent=counts["intents"].get(row[0], {}),
        )
        for row in rows(TOTALS, clock, accounts=list(accounts))
    }


def hours(
    members: Iterable[tuple[int, int]], clock: Clock
) -> Iterator[tuple[int, datetime, str, int, int]]:
    """(cluster, hour, model, requests, output tokens) of (account, cluster) pairs."""
    pairs = list(members)
    accounts, clusters = [p[0] for p in pairs], [p[1] for p in pairs]
    for cluster, hour, model, requests, tokens in rows(
        HOURS, clock, accounts=accounts, clusters=clusters
    ):
        yield cluster, hour, model or "", int(requests), int(tokens or 0)
