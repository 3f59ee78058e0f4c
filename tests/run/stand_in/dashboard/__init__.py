import os
from pathlib import Path

from celery import Celery

app = Celery("stand-in", broker="memory://")
app.conf.update(
    timezone="UTC",
    beat_schedule_filename=str(Path(os.environ["STILLWATCH_VAR"]) / "beat-schedule"),
)
