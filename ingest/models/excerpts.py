"""A few prompts in words, redacted, for people to see what a template stands for."""

from django.db import models

from ingest.models.accounts import Account
from ingest.models.sources import Source


class Excerpt(models.Model):
    """The redacted beginning of one prompt that was drawn for keeping.

    (`source`, `event_id`) is its event; `rank` the keyed hash that drew it. Pages hide
    the text until a reason is given. Whole days are dropped by the retention policy.
    """

    source = models.ForeignKey(
        Source, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )
    event_id = models.CharField(max_length=128)
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, db_constraint=False, db_index=False
    )
    occurred_at = models.DateTimeField()
    day = models.DateField(db_index=True)
    skeleton_hash = models.BigIntegerField()
    rank = models.BigIntegerField()
    text = models.CharField(max_length=500)

    class Meta:
        indexes = [
            models.Index(
                fields=["account", "day", "rank"], name="excerpt_account_day_rank"
            ),
            models.Index(
                fields=["skeleton_hash", "day", "rank"],
                name="excerpt_skeleton_day_rank",
            ),
        ]

    def __str__(self) -> str:
        return self.event_id
