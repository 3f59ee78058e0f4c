"""Doors for the worker: no logic."""

from celery import shared_task
from django.utils import timezone

from investigations.detection import backtesting, pipeline


@shared_task(name="detection.refresh", ignore_result=True)
def refresh() -> None:
    """Claims follow facts. Finds out by itself whether there is anything to do."""
    pipeline.refresh(now=timezone.now())


@shared_task(name="detection.backtest", ignore_result=True)
def backtest() -> None:
    """Tries versions of the rules on the past, where somebody asked for it."""
    backtesting.work_off()
