"""One week's summary as it was told."""

from django.conf import settings
from django.db import models


class Report(models.Model):
    """The frozen weekly summary: its figures and the query behind each. Never edited.

    `week` is the Monday it starts on (UTC), `document` the whole summary as JSON.
    """

    week = models.DateField()
    revision = models.IntegerField(default=1)
    document = models.JSONField()
    sha256 = models.CharField(max_length=64)
    frozen_at = models.DateTimeField()
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["week", "revision"], name="report_week_revision"
            )
        ]

    def __str__(self) -> str:
        return f"week of {self.week}"
