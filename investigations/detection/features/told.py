"""Who told what: the values that sources of longer standing vouch for."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import timedelta

from ingest.models import Source
from investigations.detection.features.clock import Clock, rows
from investigations.detection.vouching import Vouched

# A source is established when it has sent for so long, or speaks of so many of the
# accounts that it must be a main gateway.
STANDING = timedelta(days=14)
MAIN = 0.2

REACH = """
SELECT source_id, count(DISTINCT account_id)::float / greatest(1, (
    SELECT count(DISTINCT account_id) FROM ingest_accountday
    WHERE day >= %(first_day)s AND day <= %(today)s))
FROM ingest_event
WHERE occurred_at >= %(since)s AND occurred_at <= %(as_of)s
  AND source_id = ANY(%(young)s::bigint[])
GROUP BY source_id
"""
FROM_EVENTS = """
SELECT DISTINCT account_id, shown.kind, shown.value
FROM ingest_event CROSS JOIN LATERAL (VALUES
    ('payment', payment_fingerprint), ('device', device_id),
    ('address', host(client_ip)),
    ('block', network(set_masklen(
        client_ip, CASE family(client_ip) WHEN 4 THEN 24 ELSE 48 END))::text),
    ('client_stack', client_stack), ('tools', tools_hash), ('system', system_hash),
    ('skeleton', skeleton_hash::text)
) AS shown (kind, value)
WHERE account_id = ANY(%(accounts)s::bigint[]) AND shown.value IS NOT NULL
  AND occurred_at >= %(since)s AND occurred_at <= %(as_of)s
  AND source_id <> ALL(%(newcomers)s)
"""
# What an account record told, by the field of the account that it became.
RECORD_FIELDS = {
    "payment_fingerprint": "payment",
    "phone_hash": "phone",
    "email_hash": "email",
    "email_domain": "email_domain",
    "signup_device_id": "device",
    "referrer": "referrer",
}
FROM_RECORDS = """
SELECT r.account_id, r.told, network(set_masklen(ip, CASE family(ip)
    WHEN 4 THEN 24 ELSE 48 END))::text, host(ip)
FROM ingest_accountrecord r
JOIN ingest_batch b ON b.id = r.batch_id
CROSS JOIN LATERAL (SELECT nullif(r.told ->> 'signup_ip', '')::inet) AS s (ip)
WHERE r.account_id = ANY(%(accounts)s::bigint[]) AND r.excluded_at IS NULL
  AND b.source_id <> ALL(%(newcomers)s)
"""
HANDED = """
SELECT id FROM ingest_event
WHERE id = ANY(%(events)s::bigint[])
  AND occurred_at >= %(since)s AND occurred_at <= %(as_of)s
  AND source_id <> ALL(%(newcomers)s)
"""


def newcomers(clock: Clock) -> list[Source]:
    """Sources that vouch for nothing yet; none where no other is established."""
    sources = list(Source.objects.order_by("pk"))
    young = [s for s in sources if clock.as_of - s.created_at < STANDING]
    if not young or len(sources) < 2:
        return []
    reach: dict[int, float] = dict(
        rows(REACH, clock, young=[source.pk for source in young])
    )
    new = [source for source in young if 0 < reach.get(source.pk, 0.0) < MAIN]
    silent = [source for source in young if source.pk not in reach]
    return new if len(new) + len(silent) < len(sources) else []


def vouched(
    accounts: Collection[int],
    handed: Iterable[int],
    new: Collection[Source],
    clock: Clock,
) -> Vouched:
    """What the others told of these accounts. `handed`: requests that went on with
    another account's answers."""
    asked = {
        "accounts": sorted(accounts),
        "newcomers": [source.pk for source in new],
    }
    told: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for account, kind, value in rows(FROM_EVENTS, clock, **asked):
        told[account].add((kind, value))
    for account, text, block, address in rows(FROM_RECORDS, clock, **asked):
        record = json.loads(text)
        for field, kind in RECORD_FIELDS.items():
            if value := record.get(field):
                told[account].add((kind, str(value)))
        if address:
            told[account] |= {("address", address), ("block", block)}
    found = rows(HANDED, clock, events=sorted(handed), newcomers=asked["newcomers"])
    return Vouched(told, {pk for (pk,) in found}, tuple(source.name for source in new))
