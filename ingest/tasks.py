"""Doors for the timetable: each finds its own work and is safe to run twice."""

from celery import shared_task
from django.utils import timezone

from ingest import partitions, rollups, writers


@shared_task(name="ingest.store_batch")
def store_batch(pk: int) -> int:
    """Batch `pk` has arrived: it is stored together with what waits beside it."""
    return writers.store_pending()


@shared_task(name="ingest.sweep_batches")
def sweep_batches() -> int:
    """Finds what a lost hint or a dead worker left behind."""
    return writers.store_pending()


@shared_task(name="ingest.refresh_rollups")
def refresh_rollups() -> int:
    return rollups.refresh_stale()


@shared_task(name="ingest.prepare_partitions")
def prepare_partitions() -> int:
    return partitions.prepare(timezone.now().date())
