"""Runs, and what one leaves for the next."""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models

from investigations.detection.models.rules import RuleVersion


class Run(models.Model):
    """One pass over what has been ingested, seen with the clock `as_of`.

    A full pass looks at everything; a quick one at what changed since the last pass,
    and at whom that concerns.
    """

    class Kind(models.TextChoices):
        FULL = "full", "full pass"
        QUICK = "quick", "quick pass"

    kind = models.CharField(max_length=5, choices=Kind, default=Kind.FULL)
    as_of = models.DateTimeField()
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    ruleset_hash = models.CharField(max_length=64)
    # The version of the rules it went by; none where the built-in ones were live.
    rules = models.ForeignKey(
        RuleVersion, on_delete=models.PROTECT, null=True, related_name="runs"
    )
    # Stage name to seconds.
    stages = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"run {self.pk} as of {self.as_of:%Y-%m-%d %H:%M}"

    @property
    def took(self) -> timedelta | None:
        return self.finished_at - self.started_at if self.finished_at else None


class ChangedAccounts(models.Model):
    """Accounts whose days or records changed since the last full pass.

    Written by a trigger when ingest has brought their sightings up to date, in the
    same transaction. `seen`: a quick pass has looked at them.
    """

    account_ids = ArrayField(models.BigIntegerField())
    noted_at = models.DateTimeField(auto_now_add=True)
    seen = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "changed accounts"

    def __str__(self) -> str:
        return f"{len(self.account_ids)} accounts"


class Remembered(models.Model):
    """What the last full pass read and found, packed (keeping.py): quick passes
    compare with it, and read no more than what changed."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="remembered")
    shape = models.CharField(max_length=16, default="")  # keeping.shape, when packed
    packed = models.BinaryField()

    class Meta:
        verbose_name_plural = "remembered"

    def __str__(self) -> str:
        return f"{len(self.packed)} bytes of {self.run}"
