"""Doors for the timetable: each finds its own work and is safe to run twice."""

from celery import shared_task
from django.utils import timezone

from ingest.drain import partitions, takeback, writers
from ingest.keeping import retention
from ingest.mending import replay_runs
from ingest.rolling import rollups
from ingest.senders import quotas


@shared_task(name="ingest.store_batch")
def store_batch(pk: int) -> int:
    """Batch `pk` has arrived: it is stored together with what waits beside it."""
    return _store_all()


def _store_all() -> int:
    """Under full load those who store never come to an end: they see to it themselves
    that the sums of what they stored keep pace."""
    stored = 0
    while some := writers.store_pending(limit=writers.MERGED_BATCHES):
        stored += some
        rollups.keep_pace()
    return stored


@shared_task(name="ingest.sweep_batches")
def sweep_batches() -> int:
    """Finds what a lost hint or a dead worker left behind."""
    stored = _store_all()
    partitions.summarise_open_days()
    return stored


@shared_task(name="ingest.refresh_rollups")
def refresh_rollups() -> int:
    return rollups.keep_up()


@shared_task(name="ingest.prepare_partitions")
def prepare_partitions() -> int:
    now = timezone.now()
    made = partitions.prepare(now.date())
    partitions.close_days(now)
    return made


@shared_task(name="ingest.forget_uses")
def forget_uses() -> int:
    """What keys sent in minutes and days that no quota asks for any more."""
    return quotas.forget(timezone.now())


@shared_task(name="ingest.take_back")
def take_back() -> int:
    """Takes up the orders to take out what a key sent, where there are any."""
    return takeback.go_on()


@shared_task(name="ingest.run_replays")
def run_replays() -> int:
    """Takes up the orders to replay kept lines, where there are any."""
    return replay_runs.go_on()


@shared_task(name="ingest.apply_retention")
def apply_retention() -> int:
    """Deletes what is past its day; says how many rows."""
    try:
        return sum(outcome.dropped for outcome in retention.apply())
    except retention.AlreadyRunning:
        return 0
