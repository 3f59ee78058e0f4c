"""Accounts that take part in a deal without showing the program by which it was found.

A careful operator lets each account do part of the work only, so that some never send
the pool's tools. They still send a few of the prompts that hardly anybody but the pool
sends, and their sessions fall into the deal as if made for it: they are busy when the
dealer has work, by their share of it. Neither alone says much, both together do.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import gammainc

from investigations.detection import evenness
from investigations.detection.dealing import Hand
from investigations.detection.rarity import PROGRAM
from investigations.detection.shapes import (
    Bools,
    Everyone,
    Floats,
    Ints,
    Sightings,
)

# Of what a program brings along: most who show such a value stand in hands, and at
# least so many.
MOST, FEWEST_SHOWING = 0.6, 5
FEWEST_VALUES = 2  # of those, that an account must show
# Of those who join, the share expected to fit by dice, over all hands tried.
FALSE_DISCOVERY_RATE = 0.05
FIRM = 5  # accounts of one organisation, which deals its own work out over them


def joined(world: Everyone, hands: Sequence[Hand], starts: Ints) -> list[Hand]:
    """The hands, each with those who fit into its deal and show what comes with it."""
    dealt = np.zeros(len(world.accounts), bool)
    for hand in hands:
        dealt[hand.accounts] = True
    may = ~dealt & (np.bincount(world.organization)[world.organization] < FIRM)
    shown = brought_along(world, dealt)
    found = []
    for hand in hands:
        asked = showing_its(shown, hand, may)
        if len(asked):
            fits = proven(fit(hand.accounts, asked, starts) * len(hands))
            hand = replace(hand, accounts=np.union1d(hand.accounts, asked[fits]))
        found.append(hand)
    return found


def brought_along(world: Everyone, dealt: Bools) -> Sightings:
    """Who shows values most of whose accounts are in hands."""
    shown, values = world.sightings, len(world.values)
    everybody = np.bincount(shown.value, minlength=values)
    inside = np.bincount(shown.value[dealt[shown.account]], minlength=values)
    program = np.array([value.kind in PROGRAM for value in world.values], bool)
    theirs = program & (inside >= FEWEST_SHOWING) & (inside >= MOST * everybody)
    return shown.where(theirs[shown.value])


def showing_its(shown: Sightings, hand: Hand, may: Bools) -> Ints:
    """Positions of those who may join that show enough of what this hand's show."""
    mine = np.isin(shown.account, hand.accounts)
    value, count = np.unique(shown.value[mine], return_counts=True)
    its = np.isin(shown.value, value[count >= FEWEST_SHOWING])
    own = np.bincount(shown.account[its & may[shown.account]], minlength=len(may))
    found: Ints = np.flatnonzero(own >= FEWEST_VALUES)
    return found


def fit(accounts: Ints, asked: Ints, starts: Ints) -> Floats:
    """Of each of those asked, the chance that starts by dice would follow the deal of
    these accounts as closely: X² against what the deal let expect is chi-squared then,
    with a degree for each window that it was there but one. 1 where that is too few."""
    days = evenness.window_days(starts[:, accounts])
    pace = pace_of(evenness.windows(starts[:, accounts], days))
    counts = evenness.windows(starts[:, asked], days)
    there = (counts >= 0) & (pace > 0)[:, None]
    own = np.where(there, counts, 0)
    due = np.where(there, pace[:, None], 0.0)
    due *= own.sum(axis=0) / np.maximum(due.sum(axis=0), 1e-9)
    gap = np.divide((own - due) ** 2, due, out=np.zeros_like(due), where=due > 1e-9)
    freedom = there.sum(axis=0) - 1
    chance: Floats = gammainc(np.maximum(freedom, 1) / 2, gap.sum(axis=0) / 2)
    enough = (freedom + 1 >= evenness.FEWEST_WINDOWS) & (own.sum(axis=0) > 0)
    return np.where(enough, chance, 1.0)


def proven(chance: Floats) -> Bools:
    """Those so unlikely to fit by dice that hardly any of them does (Benjamini and
    Hochberg, 1995): of the many who are asked, a few always look dealt."""
    # As scipy.stats has it, which alone would take a second to import.
    order = np.argsort(chance, kind="stable")
    bound = FALSE_DISCOVERY_RATE * np.arange(1, len(chance) + 1) / len(chance)
    enough = np.flatnonzero(chance[order] <= bound)
    found = np.zeros(len(chance), bool)
    found[order[: enough[-1] + 1 if len(enough) else 0]] = True
    return found


def pace_of(counts: Ints) -> Floats:
    """How much work there was in each window for an account of average share."""
    here = counts >= 0
    seen = np.where(here, counts, 0).astype(float)
    work = seen.sum(axis=1)
    offered = np.maximum((here * work[:, None]).sum(axis=0), 1e-9)
    share = seen.sum(axis=0) / offered
    pace: Floats = work / np.maximum((here * share).sum(axis=1), 1e-9)
    return pace
