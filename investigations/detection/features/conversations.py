"""Conversations that changed accounts."""

from collections import defaultdict
from collections.abc import Sequence

from investigations.detection.features.clock import OF_SOME, Clock, Row, rows
from investigations.detection.shapes import AccountFeatures, Handoff

# An answer that more customers than this carry on was passed around, not handed over.
MOST_TAKERS = 3
REPLAYS = f"""
SELECT e.account_id, h.account_id, coalesce(e.conversation_id, h.response_hash),
       e.id, e.occurred_at, h.response_hash
FROM ingest_event e
CROSS JOIN LATERAL unnest(e.prior_response_hashes) AS p(hash)
JOIN ingest_responsehash h ON h.response_hash = p.hash
WHERE e.occurred_at >= %(since)s AND e.occurred_at <= %(as_of)s AND {OF_SOME}
  AND e.prior_response_hashes IS NOT NULL
  AND h.account_id <> e.account_id AND h.occurred_at <= e.occurred_at
  AND NOT EXISTS (
    SELECT 1 FROM ingest_responsehash own
    WHERE own.response_hash = h.response_hash AND own.account_id = e.account_id
      AND own.occurred_at <= e.occurred_at)
"""  # noqa: S608 - made of constants


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
