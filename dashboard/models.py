"""The only state that pages keep."""

from django.conf import settings
from django.db import models


class SignInLink(models.Model):
    """A link that signs one person in once. Only the token's SHA-256 is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    token_sha256 = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"link for {self.user_id}"


class PlatformState(models.Model):
    """What the demo's pretend platform has applied to one account.

    It stands for the provider's own system, which lies outside Stillwatch: rows
    are written by the demo receiver alone, from signed webhooks.
    """

    account_id = models.CharField(max_length=128, primary_key=True)
    status = models.CharField(max_length=16)
    sequence = models.IntegerField()
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.account_id}: {self.status}"


class ReceivedWebhook(models.Model):
    """One webhook as the pretend platform received it."""

    webhook_id = models.CharField(max_length=128, unique=True)
    account_id = models.CharField(max_length=128)
    action = models.CharField(max_length=16)
    sequence = models.IntegerField()
    body = models.JSONField()
    times_received = models.IntegerField(default=1)
    applied = models.BooleanField()
    received_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["-received_at"], name="webhook_received")]

    def __str__(self) -> str:
        return self.webhook_id
