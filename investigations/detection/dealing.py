"""Accounts with one value in common whose work is dealt out by one hand.

Links come from what accounts share, and a careful operator shares little: one harness
among dozens of accounts, on cards of their own. That is also how a public tool looks,
or an exercise sheet. What tells them apart is pooled: strangers who use the same tool
are busy when they please, while a relay's accounts take their turns. So every value
that enough customers share is tried, and where their session starts fall more evenly
than dice would have it (or all at the same signals), they are tied by that as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from investigations.detection import evenness
from investigations.detection.combining import side_by_side
from investigations.detection.detectors.synchronised_starts import (
    COMPANY,
    company,
    latest,
    together,
)
from investigations.detection.shapes import (
    Bools,
    Everyone,
    Floats,
    Ints,
    Sightings,
    Value,
)

TIE = "dispatch"
# Kinds that a program or a supplier brings along; places and people's own values are
# shared by those who know one another, whose days are alike for other reasons.
KINDS = ("tools", "system", "skeleton", "client_stack", "email_domain", "referrer")
FEWEST, MOST = 5, 2000  # customers
# X² over its degrees of freedom, of which dice give 1. Of a wording, which is passed
# around among pools and strangers, and together they have 0.56. And while there are
# fewer windows than FULL, when part of a crowd may be even for a few days.
EVEN, EVEN_WORDING, EVEN_SO_FAR, FULL = 0.6, 0.45, 0.3, 7
CHANCE = 0.001  # over all values that were tried
FEW_DRAWS = 64
KNOWN = 0.8  # of the accounts are one cluster: nothing to find
FEWEST_STARTS = 3  # an account, on average
FEWEST_SIGNALS = 6  # of an account
ALL = 0.9  # so many of the value's accounts must take part, or the value says little
# Of those who take part, so few are as uneven: who is odd may be somebody else, and is
# counted against the value; who is foreign is somebody else.
ODD, FOREIGN = 0.001, 0.0001
MOST_SIGNALLED = 300  # customers


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """Positions of the accounts, and the value by which they were found, of a kind."""

    value: int
    accounts: Ints
    kind: str = ""


def candidates(world: Everyone, cluster: Ints) -> list[Hand]:
    """Values worth trying: shared by enough customers who are not one cluster already.

    `cluster` is a number for each account, -1 outside of all."""
    shown = world.sightings
    order = np.argsort(shown.value, kind="stable")
    bounds = np.searchsorted(shown.value[order], np.arange(len(world.values) + 1))
    found: dict[bytes, Hand] = {}
    for at, value in enumerate(world.values):
        if value.kind not in KINDS:
            continue
        if bounds[at + 1] - bounds[at] < FEWEST:
            continue  # most values
        rows = order[bounds[at] : bounds[at + 1]]
        rows = rows[shown.count[rows] >= 3]
        accounts = np.unique(shown.account[rows])
        customers = len(np.unique(world.organization[accounts]))
        if not FEWEST <= customers <= MOST or together_in(cluster[accounts]) > KNOWN:
            continue
        # Tools, prompt and client come together: one try for the same accounts.
        found.setdefault(accounts.tobytes(), Hand(at, accounts, value.kind))
    return list(found.values())


def together_in(cluster: Ints) -> float:
    """The largest part of them that stands in one cluster."""
    inside = cluster[cluster >= 0]
    return float(np.bincount(inside).max() / len(cluster)) if len(inside) else 0.0


def busy(hands: Sequence[Hand], starts: Ints) -> list[Hand]:
    """Those with enough session starts to tell; the others cannot be told apart."""
    return [
        hand
        for hand in hands
        if np.maximum(starts[:, hand.accounts], 0).sum()
        >= FEWEST_STARTS * len(hand.accounts)
    ]


def find_hands(
    hands: Sequence[Hand], starts: Ints, times: Mapping[int, Floats]
) -> list[Hand]:
    """Those of one hand. `times`: session starts of each account, by position."""
    timed = on_timers(times)

    def judged(hand: Hand) -> Ints | None:
        steered = hand.accounts[~np.isin(hand.accounts, timed)]
        if len(steered) < FEWEST:
            return None
        accounts = dealt(steered, starts, len(hands), hand.kind)
        return signalled(steered, times) if accounts is None else accounts

    found = zip(hands, side_by_side(judged, hands), strict=True)
    return [replace(hand, accounts=each) for hand, each in found if each is not None]


def on_timers(times: Mapping[int, Floats]) -> Ints:
    """Positions of accounts that run on timers of their own."""
    places = np.array(list(times), np.int64)
    timed: Ints = np.sort(places[evenness.timers(list(times.values()))])
    return timed


def dealt(accounts: Ints, starts: Ints, tries: int, kind: str) -> Ints | None:
    """Accounts that take turns, where all of them together are even enough.

    Who does not take part is left out only afterwards: choosing the even ones first
    would make any crowd look dealt."""
    counts = counts_of(accounts, starts)
    value = float(evenness.unevenness(counts))
    if np.isnan(value) or value > even_enough(counts, kind):
        return None
    # A few draws tell who is nowhere near: dice alone would be as even at one value or
    # more of those that were tried, and not at one in a thousand such runs.
    if evenness.chance_of(value, counts, FEW_DRAWS) * tries > 1:
        return None
    usual, possible = evenness.alike(counts, (ODD, FOREIGN))
    if not is_most(usual):
        return None
    if evenness.chance_of(value, counts) * tries > CHANCE:
        return None
    return accounts[possible]


def even_enough(counts: Ints, kind: str) -> float:
    """The most that a deal has, by what it was found by and the windows in which
    anybody was there."""
    if (counts >= 0).any(axis=1).sum() < FULL:
        return EVEN_SO_FAR
    return EVEN_WORDING if kind == "skeleton" else EVEN


def is_most(joined: Bools) -> bool:
    """Whether they are most of those who show the value."""
    return int(joined.sum()) >= max(FEWEST, ALL * len(joined))


def signalled(accounts: Ints, times: Mapping[int, Floats]) -> Ints | None:
    """Accounts that start at the same signals."""
    if len(accounts) > MOST_SIGNALLED:
        return None
    each = [times[at] for at in accounts.tolist()]
    of = np.repeat(np.arange(len(each)), [len(own) for own in each])
    at = np.concatenate(each)
    if together(*latest(of, at)) is None:
        return None
    near = np.bincount(of, company(of, at) > 0, minlength=len(each))
    starts = np.bincount(of, minlength=len(each))
    joined = (near >= COMPANY * starts) & (starts >= FEWEST_SIGNALS)
    return accounts[joined] if is_most(joined) else None


def counts_of(accounts: Ints, starts: Ints) -> Ints:
    own = starts[:, accounts]
    return evenness.windows(own, evenness.window_days(own))


@dataclass(frozen=True, slots=True, eq=False)
class Tie:
    """A hand found: the value by which it was, and its accounts by id."""

    text: str
    accounts: Ints


def ties_in(world: Everyone) -> list[Tie]:
    accounts, shown = np.array(world.accounts, np.int64), world.sightings
    return [
        Tie(value.text, accounts[shown.account[shown.value == at]])
        for at, value in enumerate(world.values)
        if value.kind == TIE
    ]


def tied_again(world: Everyone, ties: Sequence[Tie]) -> Everyone:
    """The world with hands that were found before, of those who are still there."""
    hands = []
    accounts = np.array(world.accounts, np.int64)
    known = {
        f"{value.kind} {value.text}": at
        for at, value in enumerate(world.values)
        if value.kind in KINDS
    }
    for tie in ties:
        own = np.sort(tie.accounts)
        at = np.searchsorted(accounts, own)
        still = at[accounts.take(at, mode="clip") == own]
        if tie.text in known and len(still) >= FEWEST:
            hands.append(Hand(known[tie.text], still))
    return tied(world, hands)


def tied(world: Everyone, hands: Sequence[Hand]) -> Everyone:
    """The world in which each hand's accounts show one more value."""
    if not hands:
        return world
    values = list(world.values)
    account, value = [world.sightings.account], [world.sightings.value]
    for hand in hands:
        found_by = world.values[hand.value]
        account.append(hand.accounts)
        value.append(np.full(len(hand.accounts), len(values), np.int64))
        values.append(Value(TIE, f"{found_by.kind} {found_by.text}"))
    added = sum(map(len, account)) - len(world.sightings.account)
    today = np.full(added, world.today, np.int64)
    shown = world.sightings
    return replace(
        world,
        values=values,
        sightings=Sightings(
            np.concatenate(account),
            np.concatenate(value),
            np.concatenate([shown.count, np.full(added, 3, np.int64)]),
            np.concatenate([shown.first_day, today]),
            np.concatenate([shown.last_day, today]),
        ),
    )
