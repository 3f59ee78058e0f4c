"""The work item: one case about one cluster, or about accounts picked by hand."""

from typing import Self

import pghistory
from django.conf import settings
from django.db import models

from ingest.models import Account
from investigations.detection.models import Cluster


class CaseQuerySet(models.QuerySet["Case"]):
    def unfinished(self) -> Self:
        return self.filter(status__in=Case.UNFINISHED)

    def finished(self) -> Self:
        return self.exclude(status__in=Case.UNFINISHED)


# Its row history, with who and why. Left out is what moves without anybody's doing
# (priority, low water, the time of the last note) and what never moves.
@pghistory.track(
    exclude=["priority", "low_water", "opened_on", "changed_at"], append_only=True
)
class Case(models.Model):
    """Work for an analyst. `status` is where it is, `outcome` what it came to."""

    class Status(models.TextChoices):
        OPEN = "open", "open"
        IN_REVIEW = "in_review", "in review"
        ESCALATED = "escalated", "escalated"
        AWAITING_APPROVAL = "awaiting_approval", "awaiting approval"
        DECIDED = "decided", "decided"
        CLOSED = "closed", "closed"

    class Outcome(models.TextChoices):
        BANNED = "banned", "banned"
        RESTRICTED = "restricted", "restricted"
        CLEARED = "cleared", "cleared"
        DUPLICATE = "duplicate", "duplicate"
        NO_ACTION = "no_action", "no action"

    # Open work, of which a cluster has at most one.
    UNFINISHED = (
        Status.OPEN,
        Status.IN_REVIEW,
        Status.ESCALATED,
        Status.AWAITING_APPROVAL,
    )

    cluster = models.ForeignKey(
        Cluster, on_delete=models.SET_NULL, null=True, related_name="cases"
    )
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=20, choices=Status, default=Status.OPEN)
    outcome = models.CharField(max_length=12, choices=Outcome, default="", blank=True)
    # The cluster's score when the case was last looked at by the machine; live.
    priority = models.FloatField(default=0)
    # What the case was opened on, kept as it was then: score, verdict, size, reasons.
    opened_on = models.JSONField(default=dict)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="cases",
    )
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    # When a verdict came into force; a reopened case is decided again.
    decided_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    # The smallest that the cluster has been since the case was finished: growth
    # above it is what opens a new case.
    low_water = models.IntegerField(null=True)
    # Counts every change, so that a stale tab is told so instead of overwriting.
    version = models.IntegerField(default=1)

    objects = CaseQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["-priority", "id"], name="case_by_priority")]
        constraints = [
            models.UniqueConstraint(
                fields=["cluster"],
                name="one_unfinished_case_per_cluster",
                condition=models.Q(
                    status__in=["open", "in_review", "escalated", "awaiting_approval"],
                    cluster__isnull=False,
                ),
            )
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        return f"C-{self.pk}"

    @property
    def is_unfinished(self) -> bool:
        return self.status in self.UNFINISHED


class CaseAccount(models.Model):
    """An account put into a case by hand, beside its cluster's members."""

    case = models.ForeignKey(
        Case, on_delete=models.CASCADE, related_name="picked_accounts"
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "account"], name="case_account_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} in {self.case_id}"


class Note(models.Model):
    """What someone wrote about a case. Plain text; never edited."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    text = models.TextField()
    written_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"note on {self.case_id}"
