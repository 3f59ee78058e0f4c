"""What must not be deleted, what was deleted with age, which days are over."""

from django.db import models
from django.db.models import Q

from ingest.models.sources import Source


class LegalHold(models.Model):
    """Rows that stay, whatever their age, until the hold is released or expires.

    Says who asked for it and why. The database refuses to delete a hold and to change
    what it covers; only its end may be set. `from_day` and `to_day` (UTC, both
    included) bound what it covers; empty is no bound.
    """

    class Scope(models.TextChoices):
        ACCOUNTS = "accounts", "accounts"
        CASE = "case", "accounts of a case"
        ORGANIZATION = "organization", "organisation"
        SOURCE = "source", "source"
        EVERYTHING = "everything", "everything"

    scope = models.CharField(max_length=12, choices=Scope)
    case_ref = models.CharField(max_length=24, default="", blank=True)
    organization_id = models.CharField(max_length=256, null=True)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, null=True)
    from_day = models.DateField(null=True)
    to_day = models.DateField(null=True)
    reason = models.TextField()
    placed_by = models.CharField(max_length=150)
    placed_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)
    released_by = models.CharField(max_length=150, default="", blank=True)
    release_reason = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="legal_hold_names_its_scope",
                condition=(Q(scope="organization") & ~Q(organization_id=None))
                | (Q(scope="source") & ~Q(source=None))
                | Q(scope__in=("accounts", "case", "everything")),
            ),
            models.CheckConstraint(
                name="legal_hold_days_in_order",
                condition=Q(from_day=None)
                | Q(to_day=None)
                | Q(from_day__lte=models.F("to_day")),
            ),
        ]

    def __str__(self) -> str:
        return f"H-{self.pk}"


class LegalHoldAccount(models.Model):
    """An account that a hold names, by itself or with its case."""

    hold = models.ForeignKey(
        LegalHold, on_delete=models.PROTECT, related_name="accounts"
    )
    # No constraint: the hold's word stands even where the account is gone.
    account_id = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hold", "account_id"], name="legal_hold_account"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} by {self.hold_id}"


class RetentionRun(models.Model):
    """What one run deleted of one kind. `before` is the first day that stays."""

    kind = models.CharField(max_length=24)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    before = models.DateField()
    dropped = models.BigIntegerField(default=0)
    # Rows past their day that a hold keeps.
    held = models.BigIntegerField(default=0)
    error = models.TextField(default="", blank=True)

    class Meta:
        indexes = [models.Index(fields=["kind", "-started_at"], name="retention_kind")]

    def __str__(self) -> str:
        return f"{self.kind} before {self.before}"
