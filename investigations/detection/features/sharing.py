"""What accounts share, as the columns that linking works on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection

from ingest.models import Indicator
from investigations.detection.features.clock import (
    DAYS,
    Clock,
    columns,
    day_number,
    rows,
)
from investigations.detection.features.conversations import handoffs
from investigations.detection.shapes import (
    AccountFeatures,
    Bools,
    Everyone,
    Handoff,
    Ints,
    Sightings,
    Value,
)

BIRTH_SLOT = 30 * 60  # seconds
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
SHOWN = """
SELECT account_id, indicator_id, count, first_seen_on - date '1970-01-01',
    last_seen_on - date '1970-01-01'
FROM {sightings} AS s
WHERE last_seen_on >= %(first_day)s - 365 AND {which}
"""
SHARED = """indicator_id IN (
    SELECT indicator_id FROM {sightings} AS t GROUP BY 1 HAVING count(*) > 1)
"""
TEMPLATE_USE = """
SELECT s.account_id, sum(s.count) FROM {sightings} AS s
JOIN ingest_indicator i ON i.id = s.indicator_id
WHERE i.kind = 'skeleton' {and_of_some} GROUP BY 1
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


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What is shown by two or more: account and indicator by id, count, first and last
    day; `values` by indicator."""

    columns: Sequence[Ints]
    values: Mapping[int, Value]
    templates: Mapping[int, int]  # account → prompts among a day's most repeated


def everyone(present: Sequence[AccountFeatures], clock: Clock) -> Everyone:
    """The columns that linking works on."""
    table = sightings_table(clock)
    shared = shown_rows(table, SHARED.replace("{sightings}", table), clock)
    values = named(np.unique(shared[1]).tolist())
    shown = Shown(shared, values, template_use(table, clock))
    return assembled(present, shown, handoffs(present, clock), clock)


def shown_rows(table: str, which: str, clock: Clock, **more: Any) -> list[Ints]:
    """Five columns, by indicator and account. `which` is a condition of ours."""
    sql = SHOWN.replace("{sightings}", table).replace("{which}", which)
    found = columns(sql, clock, 5, **more)
    order = np.lexsort((found[0], found[1]))
    return [column[order] for column in found]


def named(indicators: Iterable[int]) -> dict[int, Value]:
    found = Indicator.objects.filter(pk__in=list(indicators))
    told = found.values_list("pk", "kind", "value")
    return {pk: Value(kind, value, pk) for pk, kind, value in told.iterator(10_000)}


def template_use(table: str, clock: Clock) -> dict[int, int]:
    some = "" if clock.only is None else "AND s.account_id = ANY(%(only)s::bigint[])"
    sql = TEMPLATE_USE.replace("{sightings}", table).replace("{and_of_some}", some)
    return {account: int(count) for account, count in rows(sql, clock)}


def assembled(
    present: Sequence[AccountFeatures],
    shown: Shown,
    handed: Sequence[Handoff],
    clock: Clock,
) -> Everyone:
    """Positions instead of ids; values in order of their ids."""
    accounts = np.array([own.account for own in present], np.int64)
    account, indicator, *rest = shown.columns
    at, known = positions(account, accounts)
    pks, value = np.unique(indicator[known], return_inverse=True)
    values = [shown.values[pk] for pk in pks.tolist()]
    born, births = birth_slots(present, len(values))
    seen = at[known], value, *(column[known] for column in rest)
    added = np.array(born, np.int64).reshape(-1, 5).T
    customers = [own.customer for own in present]
    numbers = {name: at for at, name in enumerate(sorted(set(customers)))}
    programs = {
        name: at for at, name in enumerate(sorted({o.stack for o in present} - {""}))
    }
    return Everyone(
        accounts=accounts.tolist(),
        organization=np.array([numbers[name] for name in customers], np.int64),
        stack=np.array([programs.get(own.stack, -1) for own in present], np.int64),
        templates=np.array(
            [shown.templates.get(own.account, 0) for own in present], np.int64
        ),
        values=[*values, *births],
        sightings=Sightings(*map(np.append, seen, added)),
        handoffs=handed,
        today=day_number(clock.today),
    )


def positions(ids: Ints, among: Ints) -> tuple[Ints, Bools]:
    """Place of each id in `among`, which is in order, and whether it is there."""
    at = np.searchsorted(among, ids).astype(np.int64)
    there = at < len(among)
    there[there] = among[at[there]] == ids[there]
    return at, there


def birth_slots(
    present: Sequence[AccountFeatures], base: int
) -> tuple[list[tuple[int, int, int, int, int]], list[Value]]:
    """Signing up in the same half hour in the same manner, as a value of its own."""
    slots: dict[tuple[int, str, str], list[int]] = defaultdict(list)
    for at, own in enumerate(present):
        if own.created_at is not None and own.email_shape:
            slot = int(own.created_at.timestamp() // BIRTH_SLOT)
            slots[slot, own.email_shape, own.referrer].append(at)
    shared = {key: born for key, born in slots.items() if len(born) > 1}
    found: list[tuple[int, int, int, int, int]] = []
    values: list[Value] = []
    for name, key in sorted(("|".join(map(str, key)), key) for key in shared):
        day = key[0] * BIRTH_SLOT // 86400
        found += [(at, base + len(values), 1, day, day) for at in shared[key]]
        values.append(Value("signup", name))
    return found, values
