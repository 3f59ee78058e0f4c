"""Members of one cluster, grouped anew without some of what they share."""

import numpy as np

from investigations.detection.regrouping import Circle, parts_of, without
from investigations.detection.shapes import Everyone, Value
from tests.detection.worlds import TODAY, Town


def circle(town: Town, **outside: int) -> tuple[Circle, dict[str, int]]:
    """The town as one cluster, and the number of each value; `outside`: customers
    beyond it that show a value."""
    world = town.everyone()
    values = [Value(v.kind, v.text, 1 + at) for at, v in enumerate(world.values)]
    beyond = np.array([outside.get(v.text, 0) for v in values], np.int64)
    inside = np.bincount(world.sightings.value, minlength=len(values))
    numbered = Everyone(
        accounts=world.accounts,
        organization=world.organization,
        stack=world.stack,
        templates=world.templates,
        values=values,
        sightings=world.sightings,
        handoffs=world.handoffs,
        today=TODAY,
    )
    none = np.zeros(len(values), np.int64)
    found = Circle(numbered, beyond, inside + beyond, none, none)
    return found, {v.text: v.indicator or 0 for v in values}


def two_halves() -> Town:
    """Eight accounts on one card with one program; each half has its own card, too."""
    town = Town()
    for n in range(8):
        own = "left" if n < 4 else "right"
        town.move_in(n + 1, payment=f"joint {own}", client_stack="relay")
    return town


def accounts(found: Circle) -> list[tuple[int, ...]]:
    return [part.accounts for part in parts_of(found)]


def test_with_everything_they_are_one():
    found, _ = circle(two_halves())
    assert accounts(found) == [(1, 2, 3, 4, 5, 6, 7, 8)]


def test_without_what_joins_the_halves_two_parts_remain():
    found, number = circle(two_halves())
    assert accounts(without(found, [number["joint"]])) == [(1, 2, 3, 4), (5, 6, 7, 8)]


def test_who_is_tied_by_one_value_alone_falls_away_with_it():
    town = two_halves()
    town.move_in(9, payment="left", phone="one")
    town.move_in(10, payment="left", phone="one")
    found, number = circle(town)
    assert accounts(found) == [tuple(range(1, 11))]

    left = accounts(without(found, [number["left"], number["joint"]]))
    assert left == [(5, 6, 7, 8)]


def test_without_anything_they_share_nobody_hangs_together():
    found, number = circle(two_halves())
    assert accounts(without(found, number.values())) == []


def test_a_value_that_everybody_shows_holds_nobody_together():
    town = Town()
    for n in range(6):
        town.move_in(n + 1, payment="office")

    assert accounts(circle(town)[0]) == [(1, 2, 3, 4, 5, 6)]
    assert accounts(circle(town, office=500)[0]) == []


def test_a_hand_goes_with_the_value_by_which_it_was_found():
    town = Town()
    for n in range(6):
        town.move_in(n + 1, tools="own")
        town.shows(n + 1, dispatch="found")
    found, _ = circle(town)
    values = [
        Value(v.kind, "tools own" if v.kind == "dispatch" else v.text, v.indicator)
        for v in found.world.values
    ]
    [tools] = [v.indicator for v in values if v.kind == "tools"]
    named = Circle(
        Everyone(
            accounts=found.world.accounts,
            organization=found.world.organization,
            stack=found.world.stack,
            templates=found.world.templates,
            values=[
                Value(v.kind, v.text, None if v.kind == "dispatch" else v.indicator)
                for v in values
            ],
            sightings=found.world.sightings,
            handoffs=[],
            today=TODAY,
        ),
        found.outside,
        found.everywhere,
        found.requests,
        found.crowded,
    )
    assert accounts(named) == [(1, 2, 3, 4, 5, 6)]
    assert accounts(without(named, [tools or 0])) == []
