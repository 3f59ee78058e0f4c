"""What left through accounts and clusters: sums of all days, and hours."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.fingerprints import INTENT_BITS
from investigations.detection.exposure import AccountTotals
from investigations.detection.features.clock import Clock, rows

TOTALS = """
SELECT account_id, sum(requests), sum(input_tokens), sum(output_tokens),
       min(first_at), max(last_at), array_agg(day)
FROM {days} AS d WHERE account_id = ANY(%(accounts)s::bigint[]) AND requests > 0
GROUP BY account_id
"""
COUNTS = """
SELECT account_id, m.key, sum(m.value::bigint)
FROM {days} AS d, jsonb_each_text({column}) AS m
WHERE account_id = ANY(%(accounts)s::bigint[]) GROUP BY 1, 2
"""
_INTENTS = ", ".join(
    f"count(*) FILTER (WHERE e.intents & {bit} > 0)" for bit in INTENT_BITS.values()
)
HOURS = f"""
SELECT c.cluster, date_trunc('hour', e.occurred_at), e.model, count(*),
       sum(e.output_tokens), {_INTENTS}
FROM ingest_event e
JOIN unnest(%(accounts)s::bigint[], %(clusters)s::int[]) AS c(account, cluster)
  ON c.account = e.account_id
WHERE e.kind = 'request' AND e.occurred_at >= %(since)s AND e.occurred_at <= %(as_of)s
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class HourOfModel:
    """What left through one cluster in one hour by one model."""

    cluster: int
    hour: datetime
    model: str
    requests: int
    output_tokens: int
    by_intent: dict[str, int]


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
    members: Iterable[tuple[int, int]], clock: Clock, since: datetime
) -> Iterator[HourOfModel]:
    """Of (account, cluster) pairs, from a full hour on."""
    pairs = list(members)
    accounts, clusters = [p[0] for p in pairs], [p[1] for p in pairs]
    for cluster, hour, model, requests, tokens, *asked in rows(
        HOURS, clock, accounts=accounts, clusters=clusters, since=since
    ):
        counts = zip(INTENT_BITS, map(int, asked), strict=True)
        by_intent = {name: count for name, count in counts if count}
        yield HourOfModel(
            cluster, hour, model or "", int(requests), int(tokens or 0), by_intent
        )
