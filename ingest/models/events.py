"""Things that happened: exchanges with a model, and what accounts did besides."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from ingest.models.accounts import Account
from ingest.models.sources import Source


class Event(models.Model):
    """One request (an exchange with a model) or one activity of an account.

    The table is partitioned by UTC day of `occurred_at` (see the migration), so
    that dropping a day is dropping a partition. Its one row per (source, event_id)
    is promised by `EventKey`, not by an index here: an index over a partitioned
    table must contain the day, and the same event may claim another one.

    Each commit's rows lie together, by account and time. While a day is open, page
    ranges (BRIN) find an account's or a batch's rows in it; a tree over (account_id,
    occurred_at) is built when the day is closed (`ingest.drain.partitions.close_day`).
    """

    class Kind(models.TextChoices):
        REQUEST = "request"
        SIGNUP = "signup"
        LOGIN = "login"
        PAYMENT_ADDED = "payment_added"
        KEY_CREATED = "key_created"
        KEY_ROTATED = "key_rotated"
        VERIFICATION_PASSED = "verification_passed"

    class Operation(models.TextChoices):
        CHAT = "chat"
        COMPLETION = "completion"
        EMBEDDINGS = "embeddings"
        BATCH = "batch"

    source = models.ForeignKey(
        Source, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )
    event_id = models.CharField(max_length=128)
    batch_id = models.BigIntegerField()
    kind = models.CharField(max_length=24, choices=Kind)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )
    api_key_id = models.CharField(max_length=256, null=True)
    model = models.CharField(max_length=256, null=True)
    operation = models.CharField(max_length=16, choices=Operation, null=True)
    input_tokens = models.BigIntegerField(null=True)
    output_tokens = models.BigIntegerField(null=True)
    cached_input_tokens = models.BigIntegerField(null=True)
    reasoning_tokens = models.BigIntegerField(null=True)
    max_tokens = models.FloatField(null=True)
    temperature = models.FloatField(null=True)
    latency_ms = models.BigIntegerField(null=True)
    http_status = models.IntegerField(null=True)
    finish_reason = models.CharField(max_length=256, null=True)
    stream = models.BooleanField(null=True)
    tool_count = models.IntegerField(null=True)
    image_count = models.IntegerField(null=True)
    conversation_id = models.CharField(max_length=256, null=True)
    turn = models.IntegerField(null=True)
    client_ip = models.GenericIPAddressField(null=True)
    asn = models.BigIntegerField(null=True)
    country = models.CharField(max_length=2, null=True)
    user_agent = models.CharField(max_length=1024, null=True)
    ja4 = models.CharField(max_length=256, null=True)
    device_id = models.CharField(max_length=256, null=True)
    payment_fingerprint = models.CharField(max_length=256, null=True)
    # `ja4|family/major`, see ingest/records/normalise.py.
    client_stack = models.CharField(max_length=512, null=True)
    # What the prompt was, without the prompt: see ingest/fingerprints.py.
    skeleton_hash = models.BigIntegerField(null=True)
    slot_hash = models.BigIntegerField(null=True)
    intents = models.IntegerField(null=True)
    system_hash = models.CharField(max_length=64, null=True)
    tools_hash = models.CharField(max_length=64, null=True)
    response_hash = models.CharField(max_length=64, null=True)
    prior_response_hashes = ArrayField(models.CharField(max_length=64), null=True)
    # Fields cut at the contract's limit, and whether the clock ran ahead.
    cut_fields = ArrayField(models.CharField(max_length=32), null=True)
    skewed = models.BooleanField(default=False)

    class Meta:
        # The table is made by hand in the migration, partitioned.
        db_table = "ingest_event"

    def __str__(self) -> str:
        return self.event_id


class EventKey(models.Model):
    """The one row that says an event was already received.

    `digest` is the first 16 bytes of SHA-256 over the source's id and the event id;
    `content` the same over the canonical record: equal digest with other content is
    a conflict, where the first one wins and the second goes to quarantine. Records
    without an id of their own (accounts, model releases) have their content for one,
    so that every stored record has exactly one row here and the ledger can count.
    """

    digest = models.UUIDField(primary_key=True)
    content = models.UUIDField()
    batch_id = models.BigIntegerField()
    occurred_on = models.DateField()

    class Meta:
        # Rows lie in the order of their commits: page ranges find a batch's keys, and
        # cost nothing to keep, unlike a tree over every one of them.
        indexes = [
            BrinIndex(fields=["batch_id"], name="event_key_batches", pages_per_range=16)
        ]

    def __str__(self) -> str:
        return str(self.digest)
