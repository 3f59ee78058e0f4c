"""What left through accounts and clusters: sums of all days, and hours."""

import json
from collections.abc import Iterable, Iterator
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


def _summed(column: str) -> str:
    """Sums by key of a map of the rollups: one map for each cluster."""
    return f"""(
        SELECT cluster, jsonb_object_agg(key, n) AS {column} FROM (
            SELECT cluster, m.key, sum(m.value::bigint) AS n
            FROM told CROSS JOIN LATERAL jsonb_each_text({column}) AS m GROUP BY 1, 2
        ) AS sums GROUP BY 1
    ) AS {column} USING (cluster)"""  # noqa: S608 - made of constants


# The days are read once: nearly each of them lies on a page of its own.
TOTALS = f"""
WITH told AS MATERIALIZED (
    SELECT c.cluster, day, requests, input_tokens, output_tokens, first_at, last_at,
           by_model, intents
    FROM {{days}} AS d {_MEMBERS} WHERE account_id = ANY(%(accounts)s::bigint[])
)
SELECT cluster, exchanges, input, output, since, until, days, by_model, intents
FROM (
    SELECT cluster, sum(requests) AS exchanges, sum(input_tokens) AS input,
           sum(output_tokens) AS output, min(first_at) AS since,
           max(last_at) AS until, count(DISTINCT day) AS days
    FROM told WHERE requests > 0 GROUP BY 1
) AS sums
LEFT JOIN {_summed("by_model")} LEFT JOIN {_summed("intents")}
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
    found = {}
    for cluster, exchanges, read, written, *when, by_model, by_intent in rows(
        TOTALS, clock, **named(members)
    ):
        sums = int(exchanges), int(read), int(written)
        maps = (json.loads(each or "{}") for each in (by_model, by_intent))
        found[cluster] = Exposed(*sums, *when, *maps)
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
