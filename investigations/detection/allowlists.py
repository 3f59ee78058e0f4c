"""What the rules' allowlists take out of the facts before anything is computed.

A public program's tools, system prompt, template or client stack says nothing about
who runs an account: it makes no links and no evidence. A partner organisation's
accounts count like those of one whose identity was checked.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from investigations.detection.rarity import customers_of
from investigations.detection.ruleset import Ruleset
from investigations.detection.shapes import (
    AccountFeatures,
    Bools,
    Everyone,
    Ints,
)


def known_accounts(
    features: Sequence[AccountFeatures], rules: Ruleset
) -> list[AccountFeatures]:
    """The same accounts, marked where a list speaks of them."""
    partners = frozenset(rules.partners)
    public = frozenset(value for kind, value in rules.allowed if kind == "client_stack")
    return [
        replace(own, partner=partner, public_stack=shown)
        if (partner := own.organization in partners)
        | (shown := bool(own.stack) and own.stack in public)
        else own
        for own in features
    ]


def without_public_values(
    world: Everyone, features: Sequence[AccountFeatures], rules: Ruleset
) -> Everyone:
    """The world without sightings of public values; `features` in its order, marked."""
    if not rules.allowed:
        return world
    shown, public = world.sightings, is_public(world, rules)
    known = np.array([not own.public_stack for own in features], bool)
    return replace(
        world,
        stack=np.where(known, world.stack, -1),
        sightings=shown.where(~public[shown.value]),
    )


def is_public(world: Everyone, rules: Ruleset) -> Bools:
    """Of each value, whether the rules list it."""
    listed = frozenset(rules.allowed)
    return np.array([(v.kind, v.text) in listed for v in world.values], bool)


def spread(world: Everyone) -> tuple[Ints, Ints]:
    """Accounts and organisations that show each value, listed or not."""
    shown, size = world.sightings, len(world.values)
    accounts = np.bincount(shown.value, minlength=size).astype(np.int64)
    owners = customers_of(world.organization[shown.account], shown.value, size)
    return accounts, owners
