"""What accounts share, as the columns that linking works on."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from django.db import connection

from ingest.models import Indicator
from investigations.detection.features.clock import DAYS, Clock, day_number, rows
from investigations.detection.features.conversations import handoffs
from investigations.detection.shapes import (
    AccountFeatures,
    Everyone,
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
