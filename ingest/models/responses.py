"""Which answer was given to which account."""

from django.db import models

from ingest.models.accounts import Account


class ResponseHash(models.Model):
    """The keyed hash of one answer, so that one replayed on another account shows."""

    response_hash = models.CharField(max_length=64, db_index=True)
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, db_constraint=False, db_index=False
    )
    conversation_id = models.CharField(max_length=256, null=True)
    occurred_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "response hashes"

    def __str__(self) -> str:
        return self.response_hash
