"""What one account did in one day, small enough to add up over a cluster."""

from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ingest.models.accounts import Account


class AccountDay(models.Model):
    """Sums of one account's events of one UTC day.

    Everything adds up: a cluster's day is the sum of its members' rows. A row is a
    function of the set of events, so it is the same whatever came first and however
    it was split; a batch is added once (see `UnsummedBatch`).

    `hours` and `session_hours` hold 24 counts of requests and of session starts: a
    session starts with a conversation's first turn, or after 30 idle minutes, and
    `session_hours` takes the day as if it stood alone. `resumed_at` is the start of
    the five minutes of the first request, where that opened no conversation: what
    began there may have begun the evening before.
    `conversations`, `single_shots`, `distinct_skeletons` and `distinct_slots` are
    exact below 256 a day and estimates above (ingest/rolling/sketches.py).
    `by_model` maps model to requests; `intents` maps an intent's name to requests;
    `params` maps temperature and token limit to requests; `indicators` maps an
    indicator's kind to {value: events}, 200 values at most; `skeletons` maps the
    day's 20 most used prompt skeletons (signed 64-bit, as text) to requests, of 256
    known. `state` is all that is needed to add more (ingest/rolling/days.py).

    Plain sums come first: `requests` to `image_requests`, `hours`, `first_at` and
    `last_at` are there within seconds, the rest may follow later under full load.
    """

    # Made by the hundred thousand from events that are there: nothing to check.
    account = models.ForeignKey(
        Account,
        on_delete=models.CASCADE,
        related_name="days",
        db_constraint=False,
        db_index=False,
    )
    day = models.DateField()
    requests = models.IntegerField(default=0)
    failures = models.IntegerField(default=0)
    conversations = models.IntegerField(default=0)
    single_shots = models.IntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cached_input_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0)
    tool_requests = models.IntegerField(default=0)
    image_requests = models.IntegerField(default=0)
    distinct_skeletons = models.IntegerField(default=0)
    distinct_slots = models.IntegerField(default=0)
    hours = ArrayField(models.IntegerField(), size=24)
    session_hours = ArrayField(models.IntegerField(), size=24)
    by_model = models.JSONField(default=dict)
    params = models.JSONField(default=dict)
    intents = models.JSONField(default=dict)
    indicators = models.JSONField(default=dict)
    skeletons = models.JSONField(default=dict)
    first_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    resumed_at = models.DateTimeField(null=True)
    state = models.BinaryField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "day"], name="account_day")
        ]
        indexes = [models.Index(fields=["day"], name="account_day_day")]

    def __str__(self) -> str:
        return f"{self.account_id} on {self.day}"


ALL_HOURS: Final = (1 << 24) - 1


class UnsummedBatch(models.Model):
    """A batch whose events are stored and not yet all in the account-days.

    Written with the events; `is_summed` is set with the account-days' sums that have
    them, and the row deleted with what else they show: so each event is added exactly
    once. The days say where to look for the events.
    """

    batch_id = models.BigIntegerField(primary_key=True)
    events = models.IntegerField()
    first_on = models.DateField()
    last_on = models.DateField()
    hours = models.IntegerField(default=ALL_HOURS)
    marked_at = models.DateTimeField(auto_now_add=True)
    is_summed = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "unsummed batches"

    def __str__(self) -> str:
        return str(self.batch_id)
