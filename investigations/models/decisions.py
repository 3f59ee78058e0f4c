"""A person's verdict with its reason, and what it does."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models

from ingest.models import Account
from investigations.models.cases import Case
from investigations.models.targets import TargetList


class DecisionQuerySet(models.QuerySet["Decision"]):
    def in_force(self) -> Self:
        """Those that need no second person, or have that person's approval."""
        return self.filter(
            models.Q(approval__isnull=True) | models.Q(approval__state="approved")
        )


class Decision(models.Model):
    """What someone decided about a case, on which accounts, why. Never edited.

    `form_token` makes a double click one decision. A decision that needs a second
    person has an Approval; its effects are queued when that is given.
    """

    class Verdict(models.TextChoices):
        BAN = "ban", "ban"
        RESTRICT = "restrict", "restrict"
        CLEAR = "clear", "clear"
        RESTORE = "restore", "restore"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=8, choices=Verdict)
    # A policy ground from investigations/policies.py.
    ground = models.CharField(max_length=48)
    reason = models.TextField()
    target_list = models.OneToOneField(
        TargetList, on_delete=models.PROTECT, related_name="decision"
    )
    reverses = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="reversals"
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions"
    )
    made_at = models.DateTimeField()
    form_token = models.UUIDField(unique=True)

    objects = DecisionQuerySet.as_manager()

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        return f"D-{self.pk}"


class Effect(models.Model):
    """One account's part of a decision, on its way to the platform: the outbox.

    `sequence` counts an account's effects, so that a late one cannot overtake a
    newer one. `delivery_key` goes with every try and makes it apply once.
    """

    class Kind(models.TextChoices):
        BAN = "ban", "ban"
        RESTRICT = "restrict", "restrict"
        RESTORE = "restore", "restore"

    class State(models.TextChoices):
        PENDING = "pending", "waiting"
        DELIVERED = "delivered", "delivered"
        PARKED = "parked", "parked"
        SUPERSEDED = "superseded", "superseded"

    decision = models.ForeignKey(
        Decision, on_delete=models.PROTECT, related_name="effects"
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="effects"
    )
    kind = models.CharField(max_length=8, choices=Kind)
    sequence = models.IntegerField()
    delivery_key = models.UUIDField(unique=True, default=uuid.uuid4)
    state = models.CharField(max_length=12, choices=State, default=State.PENDING)
    attempts = models.IntegerField(default=0)
    queued_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    # While this lies ahead, a dispatcher is sending it and no other one may.
    leased_until = models.DateTimeField(null=True)
    # Three days after the first try; what fails after that is parked.
    give_up_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=1000, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "sequence"], name="effect_account_sequence"
            ),
            models.UniqueConstraint(
                fields=["decision", "account"], name="effect_once_per_account"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="effect_pending",
                condition=models.Q(state="pending"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.account_id}"
