"""Who may send telemetry."""

from django.db import models


class Source(models.Model):
    """A sender. Event ids are unique within one source; it may hold several keys."""

    name = models.CharField(max_length=128, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class IngestKey(models.Model):
    """A secret a gateway shows. Only its SHA-256 is kept; the prefix finds the row.

    A plain fast hash is right here: the secret has 256 random bits, so there is
    nothing to guess, and the check stands on the hot path.
    """

    class Scope(models.TextChoices):
        INGEST_WRITE = "ingest:write", "send telemetry"
        READ = "read", "read findings"

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="keys")
    name = models.CharField(max_length=128)
    prefix = models.CharField(max_length=16, unique=True)
    secret_sha256 = models.BinaryField(max_length=32)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}"


class KeyRefusal(models.Model):
    """A key was shown after it had been revoked or had expired: somebody still has it.

    One row a key and hour at most, so that a flood of tries costs one write.
    """

    class Why(models.TextChoices):
        REVOKED = "revoked"
        EXPIRED = "expired"

    key = models.ForeignKey(
        IngestKey, on_delete=models.CASCADE, related_name="refusals"
    )
    why = models.CharField(max_length=8, choices=Why)
    hour = models.DateTimeField()
    refused_at = models.DateTimeField()
    # Set once the refusal is in the audit log, which facts know nothing of.
    audited_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "hour"], name="key_refusal_hourly")
        ]

    def __str__(self) -> str:
        return f"{self.key_id} {self.why}"
