"""Who takes part in a deal without showing the program by which it was found."""

import numpy as np
import pytest

from investigations.detection import joining
from investigations.detection.dealing import Hand
from investigations.detection.shapes import Everyone, Ints
from tests.detection.test_dealing import DAYS, people, relay, rng
from tests.detection.worlds import Town

POOL, NEW = 30, 31
THEIRS = "one two three"


def town(*, prompts: str = "one two", outside: int = 0) -> Everyone:
    """A pool on one tool and three templates, and an account without that tool that
    sent some of the templates; `outside`: strangers who sent them, too."""
    place = Town()
    for account in range(1, POOL + 1):
        place.move_in(account, tools="t", skeleton=THEIRS)
    place.move_in(NEW, skeleton=prompts, count=1)
    for stranger in range(NEW + 1, NEW + 1 + outside):
        place.move_in(stranger, skeleton=THEIRS)
    return place.everyone()


def starts(own: Ints | None = None, strangers: int = 0) -> Ints:
    """The pool's, and those of the new account: dealt out with them, or `own`."""
    dealt = relay(POOL + 1)
    if own is not None:
        dealt[:, POOL] = own
    return np.hstack([dealt, people(strangers)]) if strangers else dealt


def joined(world: Everyone, began: Ints) -> set[int]:
    hand = Hand(0, np.arange(POOL))
    (found,) = joining.joined(world, [hand], began)
    assert set(range(POOL)) <= set(found.accounts.tolist())
    return set(found.accounts.tolist()) - set(range(POOL))


def test_who_fits_the_deal_and_sends_its_prompts_joins():
    assert joined(town(), starts()) == {POOL}


def test_one_prompt_in_common_is_not_enough():
    assert joined(town(prompts="one"), starts()) == set()


@pytest.mark.parametrize(
    "own",
    [
        pytest.param(people(1)[:, 0], id="moods"),
        pytest.param(rng().poisson(2, DAYS), id="dice"),
        pytest.param(np.full(DAYS, -1), id="never there"),
    ],
)
def test_who_keeps_hours_of_its_own_does_not_join(own):
    assert joined(town(), starts(own)) == set()


def test_of_many_who_keep_their_own_hours_none_joins_by_chance():
    place, pool, others = Town(), 300, 200
    for account in range(1, pool + 1):
        place.move_in(account, tools="t", skeleton=THEIRS)
    for account in range(pool + 1, pool + 1 + others):
        place.move_in(account, skeleton=THEIRS)
    dealt = relay(pool)
    pace = dealt.sum(axis=1) / pool
    dice = rng().poisson(pace[:, None], (DAYS, others))

    hand = Hand(0, np.arange(pool))
    (found,) = joining.joined(place.everyone(), [hand], np.hstack([dealt, dice]))

    assert len(found.accounts) == pool


def test_a_firm_that_deals_its_own_work_out_over_its_keys_does_not_join():
    place = Town()
    for account in range(1, POOL + 1):
        place.move_in(account, tools="t", skeleton=THEIRS)
    for key in range(NEW, NEW + 5):
        place.move_in(key, skeleton=THEIRS, organization="acme")

    assert joined(place.everyone(), relay(POOL + 5)) == set()


def test_prompts_that_many_others_send_say_nothing():
    assert joined(town(outside=POOL), starts(strangers=POOL)) == set()


def test_without_hands_nobody_joins():
    assert joining.joined(town(), [], starts()) == []
