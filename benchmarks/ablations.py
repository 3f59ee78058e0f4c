"""What a world's detection would be without each part of it (detection.md 5.4).

    DATABASE_URL=… python -m benchmarks.ablations --truth truth.ndjson --as-of TIME

The world must be ingested; nothing is written. Each family of evidence is taken out in
turn (scores and verdicts are worked out again from the same facts), then the safeguards
of linking: the cap on hubs, and Leiden inside what hangs together. One JSON object a
line. What rules and facts make of a world here is what `detect` makes of it.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dashboard.evaluation import Answer
    from investigations.detection.believing import Believed


@dataclass(frozen=True, slots=True)
class World:
    """What everybody is (by the platform's id), and the rows' names."""

    answer: "Answer"
    name: dict[int, str]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablations")
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--as-of", type=datetime.fromisoformat, required=True)
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django

    django.setup()
    for row in ablations(asked.truth, asked.as_of):
        sys.stdout.write(json.dumps(row) + "\n")


def ablations(truth: Path, as_of: datetime) -> Iterator[dict[str, Any]]:
    from django.db import transaction

    from dashboard.evaluation import answer_of
    from ingest.demo.output import read_truth
    from ingest.models import Account
    from investigations.detection import believing, clustering, communities, features
    from investigations.detection.ruleset import RULESET
    from investigations.detection.shapes import Family

    world = World(
        answer_of([dict(row) for row in read_truth(truth)]),
        dict(Account.objects.values_list("pk", "external_id")),
    )
    with transaction.atomic():
        facts = features.read_facts(as_of)
        whole = believing.believe(facts, RULESET, believing.Stopwatch())
        yield told("everything", whole, world)
        for family in Family:
            caps = {**RULESET.family_caps, family: 0.0}
            rules = replace(RULESET, family_caps=caps)
            less = believing.believe(facts, rules, believing.Stopwatch(), like=whole)
            yield told(f"without {family.value.replace('_', ' ')}", less, world)
        as_it_is = clustering.find_clusters
        for name, how in {
            "without the cap on hubs": partial(as_it_is, hub_cap=False),
            "components, not Leiden": partial(
                as_it_is, partition=communities.by_components
            ),
        }.items():
            clustering.find_clusters = how
            less = believing.believe(facts, RULESET, believing.Stopwatch())
            yield told(name, less, world)
        clustering.find_clusters = as_it_is


def told(name: str, believed: "Believed", world: World) -> dict[str, Any]:
    """Recall and precision at 70, and innocents where they should not be."""
    answer = world.answer
    scored = believed.assessed.accounts
    flagged = {world.name[each.account] for each in scored if each.scored.score >= 70}
    flagged -= answer.grey
    clusters = believed.assessed.clusters
    hot = [each for each in clusters if each.scored.score >= 90]
    inside = {world.name[pk] for each in hot for pk in each.found.accounts}
    innocent = answer.population.keys() - answer.guilty - answer.grey
    largest = max(
        (
            len(innocent & {world.name[pk] for pk in each.found.accounts})
            for each in clusters
        ),
        default=0,
    )
    return {
        "ablation": name,
        "recall": len(flagged & answer.guilty) / len(answer.guilty),
        "precision": len(flagged & answer.guilty) / len(flagged) if flagged else 1.0,
        "innocents_in_clusters_90": len(inside & innocent),
        "most_innocents_in_a_cluster": largest,
        "proposed": sum(len(each.proposed_ban) for each in clusters),
    }


if __name__ == "__main__":
    main()
