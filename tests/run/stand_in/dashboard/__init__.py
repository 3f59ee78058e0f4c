import os
from pathlib import Path

from celery import Celery

var = Path(os.environ["STILLWATCH_VAR"])
folders = {
    "data_folder_in": var / "broker" / "queue",
    "data_folder_out": var / "broker" / "queue",
    "control_folder": var / "broker" / "control",
}
for folder in folders.values():
    folder.mkdir(parents=True, exist_ok=True)

app = Celery("stand-in", broker=os.environ["BROKER_URL"])
app.conf.update(
    timezone="UTC",
    beat_schedule_filename=str(var / "beat-schedule"),
    broker_transport_options={name: str(path) for name, path in folders.items()},
)
