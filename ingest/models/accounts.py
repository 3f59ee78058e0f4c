"""Who the platform says its customers are."""

from django.db import models


class Account(models.Model):
    """A customer of the API. `external_id` is the contract's `account_id`.

    A request for an account not yet seen makes a stub (`updated_at` empty), which
    its `account` record fills in later. The newest `updated_at` wins.
    """

    class Plan(models.TextChoices):
        FREE = "free"
        PAY_AS_YOU_GO = "pay_as_you_go"
        TEAM = "team"
        ENTERPRISE = "enterprise"

    class Program(models.TextChoices):
        NONE = "none"
        EDUCATION = "education"
        RESEARCH = "research"
        STARTUP = "startup"

    class Verification(models.TextChoices):
        NONE = "none"
        EMAIL = "email"
        PHONE = "phone"
        PAYMENT = "payment"
        IDENTITY = "identity"
        ORGANIZATION = "organization"

    class Contract(models.TextChoices):
        STANDARD = "standard"
        RESELLER = "reseller"
        EVALUATION = "evaluation"
        DISTILLATION_LICENSED = "distillation_licensed"

    class Status(models.TextChoices):
        ACTIVE = "active"
        RESTRICTED = "restricted"
        BANNED = "banned"
        CLOSED = "closed"

    # In byte order, so that one index serves equality and beginnings.
    external_id = models.CharField(max_length=128, db_collation="C")
    updated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField()
    email_domain = models.CharField(max_length=256, null=True)
    email_hash = models.CharField(max_length=256, null=True)
    email_shape = models.CharField(max_length=64, null=True)
    display_name = models.CharField(max_length=256, null=True)
    organization_id = models.CharField(max_length=256, null=True)
    organization = models.CharField(max_length=256, null=True)
    phone_hash = models.CharField(max_length=256, null=True)
    phone_country = models.CharField(max_length=2, null=True)
    payment_fingerprint = models.CharField(max_length=256, null=True)
    payment_country = models.CharField(max_length=2, null=True)
    signup_ip = models.GenericIPAddressField(null=True)
    # Where that address lies, by the table in use when it was told.
    signup_country = models.CharField(max_length=2, null=True)
    signup_asn = models.BigIntegerField(null=True)
    signup_device_id = models.CharField(max_length=256, null=True)
    signup_user_agent = models.CharField(max_length=1024, null=True)
    plan = models.CharField(max_length=16, choices=Plan, null=True)
    program = models.CharField(max_length=16, choices=Program, default=Program.NONE)
    verification = models.CharField(
        max_length=16, choices=Verification, default=Verification.NONE
    )
    contract = models.CharField(
        max_length=24, choices=Contract, default=Contract.STANDARD
    )
    referrer = models.CharField(max_length=256, null=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    # When a field was last told, in microseconds since 1970, where that is not
    # `updated_at`; 0 where a field with a default was never told.
    field_times = models.JSONField(default=dict)
    # Which fields were longer than the contract allows and were cut.
    cut_fields = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["external_id"], name="account_external_id"),
        ]
        # Stubs are made by the thousand, and have none of these to be found by.
        indexes = [
            models.Index(
                fields=["status"],
                condition=~models.Q(status="active"),
                name="account_status",
            ),
            models.Index(
                fields=["organization_id"],
                condition=models.Q(organization_id__isnull=False),
                name="account_organization",
            ),
            models.Index(
                fields=["created_at"],
                condition=models.Q(created_at__isnull=False),
                name="account_created",
            ),
        ]

    def __str__(self) -> str:
        return self.external_id


class AccountRecord(models.Model):
    """One `account` record as it was told: what an account is merged from.

    Rows are added and never changed, but for `excluded_at`, which takes what a bad
    sender told out of the account without losing that it was told. `told` maps the
    fields of `ingest.drain.merging.FIELDS` that the record told to their canonical
    values; a raw e-mail address or phone number is not among them.
    """

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="records", db_index=False
    )
    # Empty for what was known before records were kept.
    batch_id = models.BigIntegerField(null=True)
    updated_at = models.DateTimeField()
    told = models.JSONField()
    # Which of them were cut at the contract's limit.
    cut_fields = models.JSONField(default=list)
    excluded_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["account", "updated_at"], name="account_record_time"),
            models.Index(fields=["batch_id"], name="account_record_batch"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} at {self.updated_at:%Y-%m-%d %H:%M}"
