"""What arrived, what was refused, how far each step has read."""

import uuid

from django.db import models

from ingest.models.accounts import Account
from ingest.models.sources import IngestKey, Source
from ingest.models.takeback import TakeBack


class Batch(models.Model):
    """The inbox: what a 2xx promised, kept until its events are stored.

    `payload` is the body as gzip or zstd of NDJSON, refused lines too, so that line
    numbers hold; it is emptied once the events are stored. `byte_count` is its size
    unpacked.
    received = stored + duplicates + conflicts + quarantined + refused.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        STORED = "stored"
        PARKED = "parked"

    id = models.BigAutoField(primary_key=True)
    batch_id = models.UUIDField(unique=True, default=uuid.uuid4)
    source = models.ForeignKey(Source, on_delete=models.PROTECT)
    key = models.ForeignKey(IngestKey, on_delete=models.PROTECT, null=True)
    way_in = models.CharField(max_length=16, default="http")
    idempotency_key = models.CharField(max_length=256, null=True)
    body_sha256 = models.BinaryField(max_length=32)
    received_at = models.DateTimeField()
    stored_at = models.DateTimeField(null=True)
    state = models.CharField(
        max_length=8, choices=State, default=State.PENDING, db_index=True
    )
    attempts = models.IntegerField(default=0)
    error = models.TextField(default="", blank=True)
    # When a worker took it; after the lease of a dead one it may be taken again.
    claimed_at = models.DateTimeField(null=True)
    payload = models.BinaryField(null=True)
    byte_count = models.BigIntegerField(default=0)
    received = models.IntegerField()
    accepted = models.IntegerField()
    rejected = models.IntegerField()
    stored = models.IntegerField(default=0)
    duplicates = models.IntegerField(default=0)
    conflicts = models.IntegerField(default=0)
    quarantined = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    # How many of `stored` are events, which the ledger finds again among the events;
    # the others are accounts and releases. None where it was not counted.
    stored_events = models.IntegerField(null=True)
    # Of those, how many came from a clock more than ten minutes ahead of ours.
    skewed = models.IntegerField(default=0)
    # What retention has taken away since: events of this batch, and kept lines.
    events_dropped = models.IntegerField(default=0)
    lines_dropped = models.IntegerField(default=0)
    # The order that takes this batch out again, and how many of its stored events are
    # out. They stay counted as stored: what happened, and then what was undone.
    take_back = models.ForeignKey(
        TakeBack, on_delete=models.PROTECT, null=True, related_name="taken"
    )
    excluded = models.IntegerField(default=0)
    unknown_fields = models.JSONField(default=dict)
    # The first answer, word for word, so that a repeated Idempotency-Key gets it.
    answer = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "batches"
        indexes = [
            models.Index(fields=["received_at"], name="batch_received"),
            models.Index(fields=["stored_at"], name="batch_stored"),
            models.Index(
                fields=["received_at"],
                name="batch_unknown_fields",
                condition=~models.Q(unknown_fields={}),
            ),
            models.Index(
                fields=["received_at"],
                name="batch_skewed",
                condition=models.Q(skewed__gt=0),
            ),
            # Whose batches wait: a key's turn comes however many others wait.
            models.Index(
                fields=["key", "id"],
                name="batch_waiting",
                condition=models.Q(state="pending"),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "idempotency_key"],
                name="batch_idempotency_key",
                condition=models.Q(idempotency_key__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return str(self.batch_id)


class QuarantinedLine(models.Model):
    """A line that was not stored, with where it stood and why.

    `raw` is what was sent, its private texts and addresses replaced by their keyed
    hashes (see ingest/mending/masking.py). A line waits until it is replayed or
    discarded.
    """

    class Fate(models.TextChoices):
        REFUSED = "refused"
        QUARANTINED = "quarantined"
        CONFLICT = "conflict"

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="lines")
    fate = models.CharField(max_length=12, choices=Fate)
    line = models.IntegerField()
    byte_offset = models.BigIntegerField(null=True)
    field = models.CharField(max_length=256, default="", blank=True)
    code = models.CharField(max_length=48, db_index=True)
    message = models.CharField(max_length=1000)
    raw = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)
    replayed_at = models.DateTimeField(null=True)
    # The batch that it was replayed with.
    replay_batch_id = models.BigIntegerField(null=True)
    discarded_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["created_at"], name="line_created"),
            models.Index(
                fields=["code", "id"],
                name="line_waiting",
                condition=models.Q(replayed_at=None, discarded_at=None),
            ),
            models.Index(
                fields=["id"],
                name="line_conflict_waiting",
                condition=models.Q(
                    fate="conflict", replayed_at=None, discarded_at=None
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.line} of {self.batch_id}: {self.code}"


class StaleDay(models.Model):
    """An account's day whose rollup must be made again; written with the events.

    There may be several marks for one day. Whoever recomputes it takes the marks it
    sees before it reads the events: a mark written meanwhile stays for the next time.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, db_constraint=False)
    day = models.DateField()
    marked_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.account_id} on {self.day}"


class Watermark(models.Model):
    """How far a step has read."""

    step = models.CharField(max_length=48, primary_key=True)
    position = models.DateTimeField(null=True)
    moved_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.step
