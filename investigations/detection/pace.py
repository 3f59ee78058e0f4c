"""Which pass comes next: a full one, a quick one, or none yet.

Where a full pass takes no longer than a few seconds there are only full ones. Else a
full pass is made each night by the timetable, and quick ones in between.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from investigations.detection import quick, rulebook, trials
from investigations.detection.models import Run
from investigations.detection.selectors import finished_runs, latest_full_run

SHORT = timedelta(seconds=5)  # a full pass up to this leaves no use for quick ones
NIGHTLY_AT_LATEST = timedelta(hours=26)
# Changed accounts from which looking at everybody costs less.
MANY = 20_000
# After a full pass of t seconds the next one waits 4 × t, so that claims that never
# stop changing take a fifth of one core at most; short ones no longer than a minute.
PAUSE_FACTOR, LONGEST_PAUSE = 4, timedelta(seconds=60)


class Next(StrEnum):
    FULL = "full"
    QUICK = "quick"
    NOTHING = "nothing"


def took(run: Run) -> timedelta:
    assert run.took is not None
    return run.took


def only_full() -> bool:
    """Whether this installation is so small that every pass is a full one."""
    full = latest_full_run()
    return full is None or took(full) <= SHORT


def next_pass(now: datetime, mark: str) -> Next:
    """`mark` changes with the facts; the last pass left the one it saw."""
    full, last = latest_full_run(), finished_runs().first()
    if full is None or last is None or last.finished_at is None:
        return Next.FULL
    if took(full) <= SHORT:
        pause = min(LONGEST_PAUSE, PAUSE_FACTOR * took(full))
        due = last.counts.get("facts") != mark and now - last.finished_at >= pause
        return Next.FULL if due else Next.NOTHING
    if must_be_full(full, now):
        rested = now - last.finished_at >= PAUSE_FACTOR * took(full)
        return Next.FULL if rested else Next.NOTHING
    waiting = quick.waiting(last.counts.get("label", 0))
    return Next.QUICK if waiting else Next.NOTHING


def must_be_full(full: Run, now: datetime) -> bool:
    if not quick.remembers(full):
        return True
    if full.ruleset_hash != rulebook.live().rules.hash or trials.shadow_waits():
        return True
    late = now - full.as_of > NIGHTLY_AT_LATEST
    return late or quick.waiting(full.counts.get("label", 0)) > MANY
