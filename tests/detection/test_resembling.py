"""What a cluster is known by, and which past one a new one is most like."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from investigations.detection import painting, portraits, resembling
from investigations.detection.clustering import find_clusters
from investigations.detection.population import Population
from investigations.detection.portraits import Mark, Portrait
from investigations.detection.resembling import Null, Past, compare
from investigations.detection.shapes import Wording
from tests.detection.worlds import NOW, TODAY, Town

DAY = timedelta(days=1)


def portrait(day: int = TODAY, **marks: dict[str, float]) -> Portrait:
    """`marks`: part={"kind:value": weight}, all shown on that day."""
    told = {
        part: {name: Mark(weight, day) for name, weight in each.items()}
        for part, each in marks.items()
    }
    return Portrait(size=10, day=day, marks=told)


def strangers(count: int = 200) -> list[Portrait]:
    return [
        portrait(cards={f"payment:own-{n}": 0.9}, tools={f"tools:own-{n}": 0.6})
        for n in range(count)
    ]


def null(*rows: Portrait) -> Null:
    return Null(rows or strangers(), np.zeros(0), np.zeros(0))


def past(cluster: int, known: Portrait, *, guilty: bool = True) -> Past:
    return Past(cluster, guilty, NOW - 40 * DAY, known)


OLD = portrait(
    TODAY - 40,
    cards={"payment:a": 0.4, "payment:b": 0.4},
    tools={"tools:x": 0.6},
    system={"system:y": 0.4},
)
BACK = portrait(
    cards={"payment:a": 0.4, "payment:new": 0.4},
    tools={"tools:x": 0.6},
    system={"system:other": 0.4},
)


def test_a_returned_operator_is_most_like_its_own_past_cluster():
    other = portrait(cards={"payment:z": 0.5}, tools={"tools:z": 0.5})
    (found,) = compare([BACK], [past(3, other), past(7, OLD)], [set()], null())

    assert found is not None
    assert found.cluster == 7
    assert [each.part for each in found.agreements] == ["tools", "cards"]
    assert found.quantile == pytest.approx(1 / 201)


def test_who_has_nothing_in_common_with_the_past_resembles_nothing():
    assert compare([strangers(1)[0]], [past(7, OLD)], [set()], null()) == [None]


def test_a_cluster_never_matches_itself_nor_what_it_comes_from():
    other = portrait(TODAY - 9, cards={"payment:a": 0.2}, tools={"tools:x": 0.1})
    (found,) = compare([BACK], [past(3, other), past(7, OLD)], [{7}], null())

    assert found is not None
    assert found.cluster == 3
    assert compare([BACK], [past(7, OLD)], [{7, 9}], null()) == [None]


def test_with_too_few_to_compare_with_nothing_is_said():
    few = null(*strangers(resembling.FEWEST_PEERS - 1))

    assert compare([BACK], [past(7, OLD)], [set()], few) == [None]


def test_likeness_that_many_strangers_share_is_chance():
    alike = [replace(BACK, size=n) for n in range(60)]

    assert compare([BACK], [past(7, OLD)], [set()], null(*alike)) == [None]


def test_one_card_of_the_past_among_many_makes_no_resemblance():
    """Whoever shows a stranger's card must not become that stranger's heir."""
    own = {f"payment:{n}": 0.9 for n in range(20)}
    framed = portrait(cards={**own, "payment:a": 0.05}, tools={"tools:own": 0.6})

    assert compare([framed], [past(7, OLD)], [set()], null()) == [None]


def test_the_vendors_clients_are_more_like_the_ones_found_innocent():
    """Clients of one vendor share its tools and prompt with a campaign among them."""
    vendor: Any = {"tools": {"tools:vendor": 0.6}, "system": {"system:vendor": 0.4}}
    campaign = portrait(TODAY - 30, cards={"payment:bad": 0.9}, **vendor)
    cleared = portrait(
        TODAY - 30,
        sign_up={"referrer:vendor": 2.0},
        client={"client_stack:vendor": 2.0},
        **vendor,
    )
    new = portrait(
        sign_up={"referrer:vendor": 2.0},
        client={"client_stack:vendor": 2.0},
        cards={"payment:fresh": 0.9},
        **vendor,
    )
    known = [past(3, campaign), past(7, cleared, guilty=False)]
    (found,) = compare([new], known, [set()], null())

    assert found is not None
    assert (found.cluster, found.guilty) == (7, False)


@pytest.mark.parametrize(
    ("kind", "days"),
    [("address", 7), ("block", 30), ("skeleton", 90), ("tools", 180), ("payment", 365)],
)
def test_marks_halve_by_their_kind(kind, days):
    left = portraits.faded(Mark(0.8, TODAY - days), f"{kind}:v", TODAY)

    assert left == pytest.approx(0.4)


def test_a_setting_does_not_fade_within_a_year():
    left = portraits.faded(Mark(1.0, TODAY - 365), "setting:1|4096", TODAY)

    assert left > 0.9


def test_reworded_templates_are_still_alike():
    sketch = bytes(range(60))
    near = bytes([*range(40), *[255] * 20])
    far = bytes(range(100, 160))
    row = replace(portrait(), templates=((near, 1.0),))
    other = replace(portrait(), templates=((far, 1.0),))
    known = replace(portrait(), templates=((sketch, 1.0),))
    table = resembling.coverage([row, other], [known])

    assert table[0, 0] == pytest.approx(40 / 60)
    assert table[1, 0] == 0


def test_subjects_and_hours_count_from_what_is_usual():
    usual = np.array([1.0, 1.0, 0.0])
    here = np.array([1.0, 1.0, 0.5])
    table = resembling.cosine(
        [here, None], [here * [1, 1, 2], -here + 2 * usual], usual
    )

    assert table[0, 0] == pytest.approx(1)
    assert table[0, 1] < 0
    assert table[1].tolist() == [0, 0]


# --- Drawing ----------------------------------------------------------------------


def painter(town: Town, **known: Any) -> painting.Painter:
    world = town.everyone()
    features = [town.features[pk] for pk in world.accounts]
    everyone = Population(
        features=features,
        world=world,
        found=find_clusters(world),
        starts=np.zeros((0, len(features)), np.int64),
        since=NOW - 28 * DAY,
        until=NOW,
        **known,
    )
    return painting.Painter(everyone, lambda text: f"<{hash(text)}>")


@pytest.fixture
def town() -> Town:
    town = Town()
    for n in range(6):
        town.move_in(n + 1, payment=f"card-{n // 3}", tools="own-tools", block="10/24")
    for n in range(400):
        town.move_in(n + 100, payment=f"card-x{n}", block=f"b{n}", system="chat")
    return town


def test_a_portrait_holds_no_value_in_the_clear(town):
    told = str(painter(town).draw(range(6)).as_json())

    assert "card-" not in told
    assert "own-tools" not in told
    assert "tools:<" in told


def test_a_portrait_comes_back_from_json_as_it_was(town):
    drawn = painter(town).draw(range(6))
    back = portraits.from_json(drawn.as_json())

    assert back.as_json() == drawn.as_json()
    assert set(back.marks) == {"tools", "cards", "addresses"}


def test_what_everybody_shows_is_no_mark(town):
    assert "system" not in painter(town).draw(range(6, 12)).marks


def test_a_verified_member_lends_no_marks(town):
    for pk in (1, 2, 3):
        town.features[pk] = replace(
            town.features[pk], organization="firm", verification="organization"
        )

    assert painter(town).draw(range(3)).size == 0
    assert painter(town).draw(range(6)).size == 3


def test_the_most_used_private_templates_are_kept(town):
    public = Wording(5, bytes(60), 900)
    own = Wording(6, bytes(range(60)), 30)
    for n in range(300):
        town.shows(n + 100, skeleton="5")
    town.shows(1, skeleton="5")
    drawn = painter(town, wordings={1: (public, own)}).draw(range(6))

    assert drawn.templates == ((own.sketch, 1.0),)
