"""The Celery application and the whole timetable.

A message is only a wake-up hint: the work itself lies in PostgreSQL, so a lost
message or a lost broker loses nothing, and the next beat finds what was forgotten.
"""

import os

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init, worker_init
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

app = Celery("stillwatch")


def broker_options(url: str) -> dict[str, object]:
    """Options of the broker; the file broker keeps its messages below var/."""
    if not url.startswith("filesystem"):
        return {"visibility_timeout": 3600}
    folder = settings.VAR / "broker"
    for name in ("queue", "processed", "control"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "processed_folder": str(folder / "processed"),
        "control_folder": str(folder / "control"),
        "store_processed": False,
        "polling_interval": 0.1,
    }


app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_transport=(
        "dashboard.file_broker:Transport"
        if settings.BROKER_URL.startswith("filesystem")
        else None
    ),
    broker_transport_options=broker_options(settings.BROKER_URL),
    broker_connection_retry_on_startup=True,
    timezone="UTC",
    enable_utc=True,
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=1800,
    # A full pass of detection takes a core and gigabytes for minutes. Telemetry must
    # not wait for it: a worker can be bound to one of the queues (`--queues`), and one
    # that is bound to none serves both.
    task_queues=[Queue("celery"), Queue("detection")],
    task_routes={"detection.*": {"queue": "detection"}},
    worker_prefetch_multiplier=1,
    worker_soft_shutdown_timeout=10,
    worker_hijack_root_logger=False,
    beat_schedule_filename=str(settings.VAR / "beat-schedule"),
    # Seconds between two looks for work. A task that finds none costs one query.
    beat_schedule={
        "store forgotten batches": {"task": "ingest.sweep_batches", "schedule": 5.0},
        "replay kept lines": {"task": "ingest.run_replays", "schedule": 5.0},
        "take back what keys sent": {"task": "ingest.take_back", "schedule": 5.0},
        "forget what keys sent": {"task": "ingest.forget_uses", "schedule": 3600.0},
        "roll up changed days": {"task": "ingest.refresh_rollups", "schedule": 5.0},
        "refresh claims": {"task": "detection.refresh", "schedule": 20.0},
        "try rules on the past": {"task": "detection.backtest", "schedule": 5.0},
        "open cases": {"task": "investigations.open_cases", "schedule": 10.0},
        "deliver effects": {
            "task": "investigations.deliver_effects",
            "schedule": 3.0,
        },
        "audit refused keys": {
            "task": "investigations.audit_refused_keys",
            "schedule": 15.0,
        },
        "freeze last week": {
            "task": "investigations.freeze_weekly_report",
            "schedule": 60.0,
        },
        "delete what is past its day": {
            "task": "ingest.apply_retention",
            "schedule": crontab(hour=1, minute=0),
        },
        "make room for new days": {
            "task": "ingest.prepare_partitions",
            "schedule": 3600.0,
        },
    },
)


@worker_init.connect
@beat_init.connect
def refuse_unsound_database(**kwargs: object) -> None:
    """Neither worker nor beat starts on a database that may lose what it confirmed."""
    from dashboard import checks  # only now are the settings loaded that it reads

    try:
        checks.refuse_unsound_database()
    except ImproperlyConfigured as error:
        # Celery logs what a receiver raises and goes on; this it cannot catch.
        raise SystemExit(str(error)) from None


@worker_init.connect
def spare_what_stays(**kwargs: object) -> None:
    """Before children are forked, so that they go on sharing it with their parent."""
    from dashboard import garbage

    garbage.spare_what_stays()


app.autodiscover_tasks(["ingest", "investigations.detection", "investigations"])
