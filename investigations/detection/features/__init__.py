"""Facts → what the pure steps compute on. The only reader of ingest.

Everything is seen with the run's clock: an event, a sign-up or an answer after it does
not exist. Rollups hold whole days, so the day of the clock is summed anew up to it
wherever an account went on later.
"""

from investigations.detection.features.clock import Clock
from investigations.detection.features.facts import Facts, read_facts
from investigations.detection.features.leaving import hours, totals
from investigations.detection.features.sessions import start_times

__all__ = ["Clock", "Facts", "hours", "read_facts", "start_times", "totals"]
