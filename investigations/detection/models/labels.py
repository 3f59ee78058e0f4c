"""What people told the machine."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ingest.models import Account


class Label(models.Model):
    """What people told the machine about an account; the latest one counts.

    It outlives the facts: an account that people spoke of stays, were all that its
    senders told of it taken back.
    """

    class Kind(models.TextChoices):
        CONFIRMED = "confirmed", "confirmed abuse"
        BENIGN = "benign", "found innocent"
        EXEMPT = "exempt", "exempt until a date"

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="labels"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1000, default="", blank=True)
    # The decision's reference, as text: claims do not know judgements.
    given_by = models.CharField(max_length=64)
    given_at = models.DateTimeField()
    # What spoke about the account when it was given: keys of detectors, its own and
    # its cluster's, and kinds of values that tied it to other members. Claims change;
    # whether a detector was right is asked of those that people judged.
    detectors = ArrayField(models.CharField(max_length=48), default=list)
    link_kinds = ArrayField(models.CharField(max_length=32), default=list)
    # What the machine said of it then; null where it had said nothing yet.
    score = models.FloatField(null=True)
    decibans = models.FloatField(null=True)

    class Meta:
        indexes = [models.Index(fields=["account", "-given_at"], name="label_latest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.account_id}"
