"""Who did what, when, to which row."""

from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    """One change or one sensitive look. Append-only: the database refuses the rest.

    Rows form a chain: a trigger sets `sequence`, `previous_hash` and `hash`
    (SHA-256 over the previous hash and the row's own content).
    """

    sequence = models.BigIntegerField(unique=True)
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    # The name and role as they were then: people are renamed and leave.
    actor_name = models.CharField(max_length=150)
    actor_role = models.CharField(max_length=32, default="", blank=True)
    # What happened, as noun.past-participle: case.decided, account.revealed.
    verb = models.CharField(max_length=48)
    object_type = models.CharField(max_length=32)
    object_ref = models.CharField(max_length=160)
    reason = models.TextField(default="", blank=True)
    detail = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, default="", blank=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["object_type", "object_ref"], name="audit_object"),
            models.Index(fields=["-at"], name="audit_at"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.verb} {self.object_ref}"
