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

    `networks` are the CIDR blocks it may be used from; empty means anywhere. A limit
    that is None is the installation's (settings.INGEST_*_PER_*), and 0 is none.
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
    last_used_from = models.GenericIPAddressField(null=True, blank=True)
    made_by = models.CharField(max_length=150, default="", blank=True)
    # The key that this one took over from; both open until the old one's expiry.
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="successors"
    )
    networks = models.JSONField(default=list)
    rows_per_minute = models.BigIntegerField(null=True)
    rows_per_day = models.BigIntegerField(null=True)
    bytes_per_minute = models.BigIntegerField(null=True)
    bytes_per_day = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}"


class KeyUse(models.Model):
    """What one key sent in one UTC minute or day; written with the batch itself."""

    class Span(models.TextChoices):
        MINUTE = "minute"
        DAY = "day"

    key = models.ForeignKey(IngestKey, on_delete=models.CASCADE, related_name="uses")
    span = models.CharField(max_length=6, choices=Span)
    starts_at = models.DateTimeField()
    rows = models.BigIntegerField()
    bytes = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key", "span", "starts_at"], name="key_use_span"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key_id} in {self.span} {self.starts_at}"


class KeyBlock(models.Model):
    """An address block (/24, /48) that a key was used from, and when.

    `is_alarming` marks one that turned up on a key which had for a week been used
    from one block alone.
    """

    key = models.ForeignKey(IngestKey, on_delete=models.CASCADE, related_name="blocks")
    block = models.CharField(max_length=43)
    first_used_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    is_alarming = models.BooleanField(default=False)
    # Set once an alarm is in the audit log, which facts know nothing of.
    audited_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "block"], name="key_block")
        ]

    def __str__(self) -> str:
        return f"{self.key_id} from {self.block}"


class KeyRefusal(models.Model):
    """A key was shown that does not open: dead, or from an address it may not have.

    Somebody has it who should not. One row a key, reason and hour at most, so that a
    flood of tries costs one write.
    """

    class Why(models.TextChoices):
        REVOKED = "revoked"
        EXPIRED = "expired"
        ADDRESS = "address"

    key = models.ForeignKey(
        IngestKey, on_delete=models.CASCADE, related_name="refusals"
    )
    why = models.CharField(max_length=8, choices=Why)
    hour = models.DateTimeField()
    refused_at = models.DateTimeField()
    address = models.GenericIPAddressField(null=True)
    # Set once the refusal is in the audit log, which facts know nothing of.
    audited_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key", "hour", "why"], name="key_refusal_hourly"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key_id} {self.why}"
