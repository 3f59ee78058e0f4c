"""All that one run sees."""

from dataclasses import dataclass
from datetime import datetime

from investigations.detection import labels
from investigations.detection.features.accounts import (
    SUMS,
    account_features,
    known_accounts,
    maps,
)
from investigations.detection.features.clock import Clock, open_day, rows
from investigations.detection.features.releases import moves_at, releases
from investigations.detection.features.sessions import session_starts
from investigations.detection.features.sharing import everyone
from investigations.detection.shapes import (
    AccountFeatures,
    Everyone,
    Ints,
    Move,
    Release,
)


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What one run sees. `starts`: days × accounts, -1 while an account is absent."""

    clock: Clock
    features: list[AccountFeatures]
    world: Everyone
    starts: Ints
    releases: list[Release]
    moves: list[Move]
    # Accounts that are known but were silent for the whole window.
    silent: list[AccountFeatures]


def read_facts(as_of: datetime) -> Facts:
    """Everything the pure steps need, accounts in rising order of id."""
    clock = Clock(as_of)
    open_day(clock)
    present, silent = own_facts(clock)
    starts = session_starts(present, clock)
    new = releases(clock)
    return Facts(
        clock=clock,
        features=present,
        world=everyone(present, clock),
        starts=starts,
        releases=new,
        moves=[move for release in new for move in moves_at(release, clock)],
        silent=silent,
    )


def own_facts(clock: Clock) -> tuple[list[AccountFeatures], list[AccountFeatures]]:
    """Accounts at work in the window or born in it, and the others."""
    sums = {row[0]: row for row in rows(SUMS, clock)}
    intents = maps("intents", clock)
    stacks = maps("indicators -> 'client_stack'", clock)
    words = labels.newest(clock.as_of)
    present: list[AccountFeatures] = []
    silent: list[AccountFeatures] = []
    for record in known_accounts(clock):
        own = account_features(record, sums, intents, stacks, words, clock)
        born = own.created_at is not None and own.created_at >= clock.since
        (present if own.requests or born else silent).append(own)
    return present, silent
