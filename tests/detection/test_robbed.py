"""Customers whose keys were stolen are looked at, and not proposed for a ban."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from investigations.detection import robbed
from investigations.detection.clustering import find_clusters
from investigations.detection.population import Population
from investigations.detection.shapes import (
    FoundCluster,
    Member,
    Scored,
    ScoredCluster,
)
from tests.detection.worlds import Town, member, pooled, population

DAYS, STOLEN_FOR = 20, 6
THIEVES, VICTIM = (1, 2, 3, 4), 9


def town(*, own: int = 300, before: int = DAYS) -> Population:
    """Four accounts of an operator with one program, and a customer on whom it turned
    up six days ago; `own` exchanges of its own, `before` days of work."""
    place = Town()
    for account in THIEVES:
        place.move_in(account, client_stack="relay", count=100, days_ago=STOLEN_FOR)
    place.move_in(VICTIM, client_stack="relay", count=100, days_ago=STOLEN_FOR)
    place.move_in(11, client_stack="sdk")
    place.shows(VICTIM, client_stack="sdk", count=own, days_ago=before - 1)
    people = [member(account) for account in (*THIEVES, 11)]
    people.append(member(VICTIM, requests=100 + own))
    starts = np.zeros((DAYS, 6), np.int64)
    starts[-before:, 4] = 2
    starts[-STOLEN_FOR:, :4] = 2
    world = place.everyone()
    everybody = population(people)
    customers = np.bincount(world.sightings.value)
    found = replace(everybody.found, customers=customers)
    return replace(everybody, world=world, found=found, starts=starts)


def accused() -> ScoredCluster:
    accounts = (*THIEVES, VICTIM)
    return ScoredCluster(
        FoundCluster(tuple(Member(account, 1.0, 3) for account in accounts)),
        pooled(member(account) for account in accounts),
        {},
        Scored(99.0, 20.0, "action", (), frozenset()),
        "distillation",
        "",
        proposed_ban=accounts,
    )


def test_who_worked_before_and_goes_on_is_held_back_with_what_to_do():
    spared = robbed.spare(town(), accused())

    assert spared.proposed_ban == THIEVES
    assert spared.withheld == (VICTIM,)
    assert "revoked" in spared.withheld_because


def test_who_sends_much_through_others_is_held_back_however_new():
    newcomer = town(own=60, before=STOLEN_FOR)

    assert robbed.spare(newcomer, accused()).withheld == (VICTIM,)


def test_a_program_that_was_there_a_day_before_is_work_before():
    """The day an account came is no whole day, and counts no sessions."""
    came = town(own=25, before=STOLEN_FOR + 2)
    came = replace(came, starts=np.zeros_like(came.starts))

    assert robbed.spare(came, accused()).withheld == (VICTIM,)


def test_who_does_hardly_anything_of_its_own_is_no_victim():
    assert robbed.spare(town(own=10), accused()).proposed_ban == (*THIEVES, VICTIM)


def test_a_program_that_everybody_uses_is_not_the_clusters():
    """Or every old customer who tried another client would be a victim."""
    everybodys = town()
    found = replace(everybodys.found, customers=np.array([500, 500]))

    spared = robbed.spare(replace(everybodys, found=found), accused())
    assert spared.proposed_ban == (*THIEVES, VICTIM)


def test_who_came_with_the_program_and_sends_little_else_is_no_victim():
    newcomer = town(own=25, before=STOLEN_FOR)

    assert robbed.spare(newcomer, accused()).proposed_ban == (*THIEVES, VICTIM)


def test_where_most_have_a_life_of_their_own_nobody_with_the_program_is_proposed():
    """The thief works through others: one that does little is one of those."""
    robbed_ones = town()
    place = Town()
    for account in (*THIEVES, VICTIM):
        place.move_in(account, client_stack="relay", count=100, days_ago=STOLEN_FOR)
    place.move_in(11, client_stack="sdk")
    for account in (*THIEVES[:-1], VICTIM):
        place.shows(account, client_stack="sdk", count=300, days_ago=DAYS - 1)
    people = [member(each, requests=400) for each in (*THIEVES[:-1], VICTIM)]
    people += [member(THIEVES[-1], requests=105), member(11)]
    people.sort(key=lambda each: each.account)
    mostly = replace(
        population(people),
        world=place.everyone(),
        found=replace(robbed_ones.found, customers=np.array([5, 500])),
        starts=robbed_ones.starts,
    )

    spared = robbed.spare(mostly, accused())
    assert spared.proposed_ban == ()
    assert spared.withheld == (*THIEVES, VICTIM)
    assert "nothing tells" in spared.withheld_because


SISTERS = (21, 22)


def hanging_on(*, thieves: Iterable[int] = range(1, 11), **shared: Any) -> FoundCluster:
    """What is left of a cluster of the thief's accounts, the victim, and two firms that
    share this with the victim."""
    place = Town()
    for account in thieves:
        place.move_in(
            account, client_stack="relay", tools="own", count=100, days_ago=STOLEN_FOR
        )
    for account in (VICTIM * 10, *SISTERS):
        place.move_in(account, client_stack="sdk", **shared)
    place.shows(VICTIM * 10, client_stack="relay", count=100, days_ago=STOLEN_FOR)
    others = range(31, 51)
    for account in others:
        place.move_in(account, client_stack="sdk")
    world = place.everyone()
    people = [member(account) for account in (*thieves, *SISTERS, *others)]
    people.append(member(VICTIM * 10, requests=1000))
    found = find_clusters(world)
    everybody = population(people)
    customers = np.bincount(world.sightings.value)
    everybody = replace(
        everybody, world=world, found=replace(found, customers=customers)
    )
    inside = (*thieves, *SISTERS, VICTIM * 10)
    cluster = FoundCluster(tuple(Member(pk, 1.0, 3) for pk in inside))
    return robbed.without_company(everybody, cluster)


def test_a_victims_sister_firms_leave_the_cluster():
    assert hanging_on(payment="card", skeleton="weekly-report").accounts == (
        *range(1, 11),
        VICTIM * 10,
    )


def test_a_thief_with_few_accounts_is_no_company():
    thieves = (1, 2)

    left = hanging_on(thieves=thieves, payment="card", skeleton="weekly-report")
    assert set(left.accounts) >= {*thieves, VICTIM * 10}


def test_who_also_shares_the_thiefs_tools_stays():
    assert set(SISTERS) < set(hanging_on(payment="card", tools="own").accounts)


def test_an_account_that_a_new_source_accuses_stays_held_back_too():
    held = replace(
        accused(), withheld=(20,), withheld_because="Told by new telemetry alone."
    )
    spared = robbed.spare(town(), held)

    assert spared.withheld == (VICTIM, 20)
    assert spared.withheld_because.startswith("Told by new telemetry alone. 1 account")
