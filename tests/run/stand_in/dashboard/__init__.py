from celery import Celery

app = Celery("stand-in", broker="memory://")
app.conf.update(timezone="UTC", beat_schedule_filename="/dev/null")
