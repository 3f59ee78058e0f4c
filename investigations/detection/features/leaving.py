"""What left through accounts and clusters: sums of all days, and hours."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from ingest.fingerprints import INTENT_BITS
from investigations.detection.exposure import Exposed
from investigations.detection.features.clock import Clock, rows

# Members of clusters, beside a table of theirs: what PostgreSQL sums up for a cluster
# need not be sent by account.
_MEMBERS = """
JOIN unnest(%(accounts)s::bigint[], %(clusters)s::int[]) AS c(account, cluster)
  ON c.account = account_id
"""
TOTALS = f"""
SELECT c.cluster, sum(requests), sum(input_tokens), sum(output_tokens),
       min(first_at), max(last_at), count(DISTINCT day)
FROM {{days}} AS d {_MEMBERS}
WHERE account_id = ANY(%(accounts)s::bigint[]) AND requests > 0
GROUP BY 1
"""  # noqa: S608 - made of constants
COUNTS = f"""
SELECT c.cluster, m.key, sum(m.value::bigint)
FROM {{days}} AS d {_MEMBERS} CROSS JOIN LATERAL jsonb_each_text({{column}}) AS m
WHERE account_id = ANY(%(accounts)s::bigint[])
GROUP BY 1, 2
"""  # noqa: S608 - made of constants
_INTENTS = ", ".join(
    f"count(*) FILTER (WHERE e.intents & {bit} > 0)" for bit in INTENT_BITS.values()
)
HOURS = f"""
SELECT c.cluster, date_trunc('hour', e.occurred_at), e.model, count(*),
       sum(e.output_tokens), {_INTENTS}
FROM ingest_event e {_MEMBERS}
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


def totals(members: Iterable[tuple[int, int]], clock: Clock) -> dict[int, Exposed]:
    """Cluster → what its members ever exchanged, by (account, cluster) pairs. Clusters
    of which no member ever did are not among them."""
    told = named(members)
    by_model = sums_by_key("by_model", told, clock)
    by_intent = sums_by_key("intents", told, clock)
    return {
        cluster: Exposed(
            exchanges=int(requests),
            input_tokens=int(read),
            output_tokens=int(written),
            since=since,
            until=until,
            days=days,
            by_model=by_model.get(cluster, {}),
            by_intent=by_intent.get(cluster, {}),
        )
        for cluster, requests, read, written, since, until, days in rows(
            TOTALS, clock, **told
        )
    }


def sums_by_key(
    column: str, told: Mapping[str, list[int]], clock: Clock
) -> dict[int, dict[str, int]]:
    """Cluster → sums of a map of the rollups."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    sql = COUNTS.replace("{column}", column)
    for cluster, key, count in rows(sql, clock, **told):
        found[cluster][key] = int(count)
    return found


def named(members: Iterable[tuple[int, int]]) -> dict[str, list[int]]:
    pairs = list(members)
    return {"accounts": [p[0] for p in pairs], "clusters": [p[1] for p in pairs]}


def hours(
    members: Iterable[tuple[int, int]], clock: Clock, since: datetime
) -> Iterator[HourOfModel]:
    """Of (account, cluster) pairs, from a full hour on."""
    for cluster, hour, model, requests, tokens, *asked in rows(
        HOURS, clock, **named(members), since=since
    ):
        counts = zip(INTENT_BITS, map(int, asked), strict=True)
        by_intent = {name: count for name, count in counts if count}
        yield HourOfModel(
            cluster, hour, model or "", int(requests), int(tokens or 0), by_intent
        )
