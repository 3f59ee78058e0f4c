"""Rules that staff own, in versions, and what trying them showed."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


class RuleVersion(models.Model):
    """One version of the rules that staff set. What it says is fixed once it is
    proposed; the version that is live is what every run goes by."""

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        SHADOW = "shadow", "in shadow"  # proposed: runs beside the live one
        LIVE = "live", "live"
        RETIRED = "retired", "retired"
        DISCARDED = "discarded", "discarded"

    number = models.PositiveIntegerField(unique=True)
    # Only what differs from the built-in rules: rule_values.Values.as_json.
    values = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    reason = models.TextField()
    # The version that was live when the draft was begun; none: the built-in rules.
    based_on = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="+"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    # Counts the changes of the draft, so that two windows cannot undo one another.
    edition = models.PositiveIntegerField(default=1)
    proposed_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
    )
    published_at = models.DateTimeField(null=True)
    publish_note = models.TextField(default="", blank=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="live"),
                name="rules_one_live",
            ),
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="shadow"),
                name="rules_one_in_shadow",
            ),
            models.CheckConstraint(
                condition=models.Q(published_by__isnull=True)
                | ~models.Q(published_by=models.F("author")),
                name="rules_second_person",
            ),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        return f"R-{self.number}"


class RuleTrial(models.Model):
    """What a version would have changed, beside the live rules on the same facts."""

    class Kind(models.TextChoices):
        SHADOW = "shadow", "shadow"
        BACKTEST = "backtest", "backtest"

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    version = models.ForeignKey(
        RuleVersion, on_delete=models.PROTECT, related_name="trials"
    )
    # The live version it was held against; none: the built-in rules.
    against = models.ForeignKey(
        RuleVersion, on_delete=models.PROTECT, null=True, related_name="+"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=12, choices=State, default=State.WAITING)
    # Of both, as they were: a draft goes on changing.
    hash = models.CharField(max_length=64)
    against_hash = models.CharField(max_length=64)
    values = models.JSONField(default=dict)
    # Clocks to look back from; a shadow has that of the newest run.
    instants = ArrayField(models.DateTimeField())
    # One Comparison.as_json for each instant that is done, in their order.
    results = models.JSONField(default=list)
    runs = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=1000, default="", blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    touched_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "id"], name="trial_waiting")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} of {self.version}"
