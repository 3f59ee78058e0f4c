"""Conversations that change accounts (X1)."""

from investigations.detection.detectors.continuation import (
    MOST_LISTED,
    goes_on_elsewhere,
    pooled_handoffs,
)
from investigations.detection.shapes import Handoff
from tests.detection.worlds import NOW, alone, member, pooled


def handoff(giver: int, taker: int, conversations: int, *events: int) -> Handoff:
    return Handoff(giver, taker, conversations, events or (1,), NOW)


def test_three_conversations_that_came_over_count_in_full():
    seen = goes_on_elsewhere(alone(member(1), handoffs=(handoff(2, 1, 3, 7, 8, 9),)))

    assert seen is not None
    assert seen.strength == 1
    assert seen.rows.filters == {"events": [9, 8, 7]}


def test_a_single_pasted_conversation_is_weak():
    seen = goes_on_elsewhere(alone(member(1), handoffs=(handoff(2, 1, 1),)))

    assert seen is not None
    assert seen.strength < 0.2
    assert seen.sentence.startswith("1 conversation begun on one account went on")


def test_nothing_handed_over_is_no_evidence():
    assert goes_on_elsewhere(alone(member(1))) is None


def test_a_cluster_whose_conversations_wander_tells_how_many_took_part():
    handoffs = tuple(handoff(n, n + 1, 4, n) for n in range(9))
    seen = pooled_handoffs(pooled(map(member, range(20)), handoffs=handoffs))

    assert seen is not None
    assert seen.sentence == (
        "36 conversations begun on one account went on under another of this cluster; "
        "10 of 20 accounts (50%) took part."
    )


def test_two_friends_who_share_chats_make_no_cluster_of_it():
    handoffs = (handoff(1, 2, 9),)

    assert pooled_handoffs(pooled(map(member, range(5)), handoffs=handoffs)) is None


def test_a_request_that_carries_answers_of_two_others_is_listed_once():
    handoffs = (handoff(1, 3, 2, 50), handoff(2, 3, 2, 50))
    seen = goes_on_elsewhere(alone(member(3), handoffs=handoffs))

    assert seen is not None
    assert seen.rows.count == 1


def test_a_reason_lists_the_latest_thousand_requests():
    many = Handoff(1, 2, 2000, tuple(range(2000)), NOW)
    seen = goes_on_elsewhere(alone(member(2), handoffs=(many,)))

    assert seen is not None
    assert seen.rows.count == MOST_LISTED
    assert seen.rows.filters["events"][0] == 1999
