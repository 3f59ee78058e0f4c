"""Values that two accounts can share, and who showed them when."""

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
        Account, on_delete=models.CASCADE, related_name="sightings"
    )
    indicator = models.ForeignKey(
        Indicator, on_delete=models.CASCADE, related_name="sightings"
    )
    first_seen_on = models.DateField()
    last_seen_on = models.DateField()
    count = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["indicator", "account"], name="sighting_indicator_account"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} showed {self.indicator_id}"
