"""The frozen list of accounts that a decision names, and who else signed it."""

from django.conf import settings
from django.db import models

from ingest.models import Account
from investigations.models.cases import Case


class TargetList(models.Model):
    """Accounts frozen for one action. `sha256` is over the sorted account ids.

    Frozen means: the database refuses any later change of its accounts, so what
    was previewed and approved is what is carried out.
    """

    class Action(models.TextChoices):
        BAN = "ban", "ban"
        RESTRICT = "restrict", "restrict"
        CLEAR = "clear", "clear"
        RESTORE = "restore", "restore"

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="target_lists"
    )
    action = models.CharField(max_length=8, choices=Action)
    count = models.IntegerField()
    sha256 = models.CharField(max_length=64)
    # What the preview showed when the list was frozen: counts by band, plan, age…
    preview = models.JSONField(default=dict)
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    frozen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.action} {self.count} accounts"


class TargetAccount(models.Model):
    """One account on a frozen list, with its score and state at that moment."""

    target_list = models.ForeignKey(
        TargetList, on_delete=models.PROTECT, related_name="targets"
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    score = models.FloatField()
    status_before = models.CharField(max_length=16)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["target_list", "account"], name="target_account_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} on list {self.target_list_id}"


class Approval(models.Model):
    """A second person's word on a decision that hits many accounts."""

    class State(models.TextChoices):
        REQUESTED = "requested", "waiting"
        APPROVED = "approved", "approved"
        REJECTED = "rejected", "rejected"
        WITHDRAWN = "withdrawn", "withdrawn"
        EXPIRED = "expired", "expired"

    decision = models.OneToOneField(
        "investigations.Decision", on_delete=models.PROTECT, related_name="approval"
    )
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # The list's hash as it was when the approval was asked for.
    sha256 = models.CharField(max_length=64)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=1000, default="", blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(answered_by__isnull=True)
                | models.Q(state="withdrawn")
                | ~models.Q(answered_by=models.F("requested_by")),
                name="approver_is_not_proposer",
            )
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.decision_id}"
