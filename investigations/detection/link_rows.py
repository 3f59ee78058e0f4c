"""Links as columns → their table, which has millions of rows in a large installation.

So none of them is made an object, and what is known already is compared where it lies.
"""

from collections.abc import Collection, Iterator

from django.db import connection

from investigations.detection.clustering import Found
from investigations.detection.linking import by_link, shared_by
from investigations.detection.rarity import NAMES
from investigations.detection.storing import written

AT_ONCE = 20_000  # links
FRESH = """
CREATE TEMP TABLE detection_fresh_link ON COMMIT DROP AS
SELECT account_a_id, account_b_id, weight, families, evidence FROM detection_link
WITH NO DATA
"""
COPY = "COPY detection_fresh_link FROM STDIN"
KNOWN = """known.account_a_id = fresh.account_a_id
    AND known.account_b_id = fresh.account_b_id"""
# Of a quick pass only what is between accounts that it looked at.
STALE = f"""
DELETE FROM detection_link AS known
WHERE NOT EXISTS (SELECT FROM detection_fresh_link AS fresh WHERE {KNOWN})
  AND (%(within)s::bigint[] IS NULL
    OR (account_a_id = ANY(%(within)s::bigint[])
        AND account_b_id = ANY(%(within)s::bigint[])))
"""  # noqa: S608 - made of constants
# Only what is new or different: who is locked to be left as it is, is written too.
UPSERT = f"""
INSERT INTO detection_link (account_a_id, account_b_id, weight, families, evidence)
SELECT fresh.* FROM detection_fresh_link AS fresh
LEFT JOIN detection_link AS known ON {KNOWN}
WHERE known.id IS NULL OR (known.weight, known.families, known.evidence)
    IS DISTINCT FROM (fresh.weight, fresh.families, fresh.evidence)
ORDER BY fresh.account_a_id, fresh.account_b_id
ON CONFLICT (account_a_id, account_b_id) DO UPDATE SET
    weight = excluded.weight, families = excluded.families,
    evidence = excluded.evidence
"""  # noqa: S608 - made of constants


def store(found: Found, within: Collection[int] | None = None) -> int:
    """How many rows were written or removed. `within`: links between others stay."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.detection_fresh_link")
        cursor.execute(FRESH)
        with cursor.copy(COPY) as copy:
            for lines in as_lines(found):
                copy.write(lines)
        cursor.execute("ANALYZE detection_fresh_link")
        only = None if within is None else list(within)
        cursor.execute(STALE, {"within": only})
        removed: int = cursor.rowcount
        cursor.execute(UPSERT)
        return removed + int(cursor.rowcount)


def as_lines(found: Found) -> Iterator[str]:
    """Rows as COPY reads them, many to a part."""
    kept, ids = found.kept, found.world.accounts
    shared = as_texts(found)
    columns = zip(
        kept.links.a.tolist(),
        kept.links.b.tolist(),
        kept.links.weight.tolist(),
        kept.links.families.tolist(),
        kept.starts[:-1].tolist(),
        kept.starts[1:].tolist(),
        strict=True,
    )
    lines = []
    for a, b, weight, families, start, end in columns:
        evidence = ",".join(shared[start:end])
        told = f"{ids[a]}\t{ids[b]}\t{round(weight, 4)!r}\t{families}\t[{evidence}]\n"
        lines.append(told)
        if len(lines) == AT_ONCE:
            yield "".join(lines)
            lines = []
    yield "".join(lines)


def as_texts(found: Found) -> list[str]:
    """What ties each pair, as JSON; the strongest of each link first."""
    kept, values = found.kept, found.world.values
    heads: dict[int, str] = {}
    texts = []
    places = zip(
        kept.kind.tolist(), kept.value.tolist(), shared_by(kept, values), strict=True
    )
    for kind, at, (text, indicator, weight, customers) in places:
        # A value that ties many pairs is quoted once; ties that are none, by kind.
        if (key := at if at >= 0 else -1 - kind) not in heads:
            told = {"kind": NAMES[kind], "value": text, "indicator": indicator}
            heads[key] = written(told)[:-1].replace("\\", "\\\\")
        texts.append(f'{heads[key]}, "weight": {weight!r}, "shared_by": {customers}}}')
    return [texts[at] for at in by_link(kept, values).tolist()]
