"""Each account's own facts within the window."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime

from django.db.models import Q

from ingest.models import Account
from investigations.detection.features.clock import Clock, Row, rows
from investigations.detection.shapes import AccountFeatures

SUMS = """
SELECT account_id, sum(requests), sum(conversations), sum(single_shots),
       sum(input_tokens), sum(output_tokens), sum(distinct_skeletons),
       sum(distinct_slots), count(*) FILTER (WHERE requests > 0),
       sum(tool_requests)
FROM {days} AS d WHERE day >= %(first_day)s GROUP BY account_id
"""
SEEN = """
SELECT DISTINCT account_id FROM {days} AS d
WHERE account_id = ANY(%(doubtful)s::bigint[])
"""
RECORD = (
    "pk",
    "organization_id",
    "created_at",
    "contract",
    "verification",
    "status",
    "email_shape",
    "email_domain",
    "referrer",
    "program",
)


def known_accounts(clock: Clock) -> Iterator[Row]:
    """Accounts that had signed up or were seen at work by then."""
    known = Account.objects.order_by("pk")
    if clock.only is not None:
        known = known.filter(pk__in=clock.only)
    signed_up = Q(created_at__isnull=False, created_at__lte=clock.as_of)
    # Of most a record tells when they signed up, and no day has to be looked for.
    doubtful = list(known.exclude(signed_up).values_list("pk", flat=True))
    seen = {pk for (pk,) in rows(SEEN, clock, doubtful=doubtful)} if doubtful else set()
    for row in known.values_list(*RECORD).iterator(5_000):
        if (row[2] is not None and row[2] <= clock.as_of) or row[0] in seen:
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
    pk, organization, created_at, *told = record
    contract, verification, status, shape, domain, referrer, program = told
    did = [int(n) for n in sums.get(pk, (pk, *[0] * 9))[1:]]
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
        email_domain=domain or "",
        program=program,
        referrer=referrer or "",
        requests=did[0],
        conversations=did[1],
        single_shots=did[2],
        input_tokens=did[3],
        output_tokens=did[4],
        distinct_skeletons=did[5],
        distinct_slots=did[6],
        active_days=did[7],
        tool_requests=did[8],
        intents=intents.get(pk, {}),
        stack=min(used, key=lambda stack: (-used[stack], stack), default=""),
        label=label,
        labelled_at=labelled_at,
    )


def manner(shape: str) -> str:
    """`a4.a5n2` → `a.an2`: how an address is built, whatever the names' lengths."""
    return re.sub(r"a\d+", "a", shape)
