"""What is not looked at again would be the same: links after a merge, or a new tie."""

import random

import numpy as np
import pytest

from investigations.detection import clustering, combining
from investigations.detection.clustering import Ground
from investigations.detection.combining import Tied
from investigations.detection.communities import by_leiden
from investigations.detection.dealing import Hand, tied
from investigations.detection.rarity import Rarity
from investigations.detection.shapes import Everyone, Ints
from tests.detection.worlds import Town

WORLDS = range(8)


def crowd(seed: int, size: int = 240) -> Everyone:
    """Cards of few, tools of some, addresses of many, and conversations that move."""
    dice, town = random.Random(seed), Town()
    for account in range(1, size + 1):
        town.move_in(
            account,
            organization=f"firm-{dice.randrange(6)}" if dice.random() < 0.1 else "",
            payment=f"card-{dice.randrange(4 * size)}",
            tools=f"tools-{dice.randrange(2 * size)}",
            block=f"block-{dice.randrange(size // 2)}",
            skeleton=f"ask-{dice.randrange(size // 3)}",
        )
    for _ in range(size // 12):
        giver, taker = dice.sample(range(1, size + 1), 2)
        town.hands_over(giver, taker, dice.randrange(1, 5))
    return town.everyone()


def told(ties: list[Tied], nodes: int) -> list[tuple[float, ...]]:
    links = combining.telling(ties, nodes).links
    columns = (links.a, links.b, links.weight, links.families, links.merges)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def worth(world: Everyone, group: Ints) -> tuple[Ground, Rarity]:
    ground = clustering.prepared(world)
    return ground, clustering.worth_of(world, ground, group)


@pytest.mark.parametrize("seed", WORLDS)
def test_links_that_a_merge_does_not_touch_are_what_they_would_be_anew(seed):
    world = crowd(seed)
    nodes = len(world.accounts)
    alone = np.arange(nodes, dtype=np.int64)
    ground, before = worth(world, alone)
    ties = clustering.ties_between(world, ground.sightings, ground.kinds, before, alone)
    merged = by_leiden(combining.telling(ties, nodes).links, nodes).group
    _, now = worth(world, merged)
    touched = clustering.touched_by(alone, merged, world, ground, before, now)
    anew = clustering.ties_between(world, ground.sightings, ground.kinds, now, merged)
    some = clustering.ties_between(
        world, ground.sightings, ground.kinds, now, merged, touched
    )

    assert len(np.unique(merged)) < nodes
    assert not touched.all()
    assert told([*combining.but_between(ties, touched), *some], nodes) == told(
        anew, nodes
    )


@pytest.mark.parametrize("seed", WORLDS)
def test_a_tie_that_is_found_later_counts_as_if_it_had_been_there(seed):
    world = crowd(seed)
    hand = np.array(sorted(random.Random(seed).sample(range(240), 12)), np.int64)
    more = tied(world, [Hand(0, hand)])
    ties = clustering.ties_with_more(more, clustering.ties_alone(world), world)
    grown = clustering.find_clusters(more, alone=ties)
    anew = clustering.find_clusters(more)

    assert grown.links == anew.links
    assert grown.clusters == anew.clusters
    assert any(
        shared.kind == "dispatch" for link in anew.links for shared in link.evidence
    )
