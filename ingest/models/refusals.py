"""Requests that were refused as a whole, and runs that send kept lines once more."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ingest.models.sources import IngestKey


class RefusedRequest(models.Model):
    """Requests answered with an error, counted by key, UTC hour and code.

    `key` is None where the key was unknown. `byte_count` is what their senders
    announced: bodies of refused requests are mostly never read.
    """

    key = models.ForeignKey(
        IngestKey, on_delete=models.CASCADE, null=True, related_name="refused_requests"
    )
    hour = models.DateTimeField()
    code = models.CharField(max_length=48)
    status = models.IntegerField()
    count = models.BigIntegerField()
    byte_count = models.BigIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "code", "key"],
                name="refused_request_hourly",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} × {self.count}"


class ReplayRun(models.Model):
    """One order to send every kept line that matches once more, perhaps mended.

    `matching` holds the filters, `fix` what is changed on each line (see
    ingest/mending/fixing.py). The run goes up by the lines' keys; `position` is the
    last one that was looked at, so that a run that was cut off goes on where it
    stopped.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"

    asked_by = models.CharField(max_length=150)
    reason = models.TextField()
    matching = models.JSONField(default=dict)
    fix = models.JSONField(null=True)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    position = models.BigIntegerField(default=0)
    last_line = models.BigIntegerField()
    total = models.IntegerField()
    replayed = models.IntegerField(default=0)
    still_bad = models.IntegerField(default=0)
    batch_ids = ArrayField(models.BigIntegerField(), default=list)
    attempts = models.IntegerField(default=0)
    error = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"replay {self.pk}: {self.state}"
