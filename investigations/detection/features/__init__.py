"""Facts → what the pure steps compute on. The only reader of ingest.

Everything is seen with the run's clock: an event, a sign-up or an answer after it does
not exist. Rollups hold whole days, so the day of the clock is summed anew up to it
wherever an account went on later.
"""

from investigations.detection.features.clock import Clock
from investigations.detection.features.enforcement import hours_of, struck
from investigations.detection.features.facts import Facts, read_facts
from investigations.detection.features.habits import (
    hours_of_day,
    settings_of,
    subjects_of,
)
from investigations.detection.features.leaving import hours, totals
from investigations.detection.features.manner import start_hours_of, wordings_of
from investigations.detection.features.rereading import reread
from investigations.detection.features.sessions import session_times
from investigations.detection.features.sharing import positions
from investigations.detection.features.told import newcomers, vouched

__all__ = [
    "Clock",
    "Facts",
    "hours",
    "hours_of_day",
    "hours_of",
    "newcomers",
    "positions",
    "read_facts",
    "reread",
    "session_times",
    "settings_of",
    "start_hours_of",
    "struck",
    "subjects_of",
    "totals",
    "vouched",
    "wordings_of",
]
