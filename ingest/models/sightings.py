"""Values that two accounts can share, and who showed them when."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ingest.models.accounts import Account


class Indicator(models.Model):
    """A shareable value: a card fingerprint, a device, an address, a template."""

    class Kind(models.TextChoices):
        PAYMENT = "payment", "payment instrument"
        PHONE = "phone", "phone number"
        EMAIL = "email", "e-mail address"
        EMAIL_DOMAIN = "email_domain", "e-mail domain"
        DEVICE = "device", "device"
        ADDRESS = "address", "IP address"
        BLOCK = "block", "address block"
        CLIENT_STACK = "client_stack", "client stack"
        TOOLS = "tools", "tool schema"
        SYSTEM = "system", "system prompt"
        SKELETON = "skeleton", "prompt template"
        RESPONSE = "response", "continued answer"
        REFERRER = "referrer", "referrer"

    kind = models.CharField(max_length=16, choices=Kind)
    value = models.CharField(max_length=512)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "value"], name="indicator_kind_value"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


class Sighting(models.Model):
    """One account showing one indicator, over all its days."""

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="sightings", db_constraint=False
    )
    indicator = models.ForeignKey(
        Indicator,
        on_delete=models.CASCADE,
        related_name="sightings",
        db_constraint=False,
        db_index=False,
    )
    first_seen_on = models.DateField()
    last_seen_on = models.DateField()
    count = models.BigIntegerField()
    # How much of `count` is of the last day, so that a day that goes on is replaced.
    last_count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["indicator", "account"], name="sighting_indicator_account"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} showed {self.indicator_id}"


class UnsightedDays(models.Model):
    """Account-days that changed and are not yet in the sightings.

    `part` gathers what is written together. With `whole`, all sightings of the
    accounts are made again: something may have gone, or a record told something else.
    """

    day = models.DateField()
    part = models.SmallIntegerField()
    account_ids = ArrayField(models.BigIntegerField())
    whole = models.BooleanField(default=False)
    marked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "unsighted days"

    def __str__(self) -> str:
        return f"{len(self.account_ids)} on {self.day}"
