"""One pass → profiles of the values that many customers share."""

import numpy as np

from investigations.detection import features, profiles
from investigations.detection.believing import Believed
from investigations.detection.population import spread
from investigations.detection.profiles import Profile

# Accounts whose hours are read, of all values together.
MOST_ACCOUNTS = 20_000


def profiles_of(believed: Believed) -> dict[int, Profile]:
    """Position of each value in `believed.world` → who stands behind it."""
    world = believed.world
    found = profiles.crowds(world, believed.everyone.found.hub > 0)
    timed = [crowd.timed for crowd in found]
    at = np.unique(np.concatenate(timed)) if timed else np.zeros(0, np.int64)
    read = [world.accounts[one] for one in spread(at, MOST_ACCOUNTS).tolist()]
    hours = features.hours_of_day(read, believed.facts.clock)
    return profiles.profiled(world, believed.facts.features, found, hours)
