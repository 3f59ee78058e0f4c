"""What one account did in one day, small enough to add up over a cluster."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ingest.models.accounts import Account


class AccountDay(models.Model):
    """Sums of one account's events of one UTC day.

    Everything adds up: a cluster's day is the sum of its members' rows. A day is
    recomputed whole from its events, never added to, so repeating it is harmless.

    `hours` and `session_hours` hold 24 counts of requests and of session starts (a
    session starts with a conversation's first turn, or after 30 idle minutes).
    `by_model` maps model to requests; `intents` maps an intent's name to requests;
    `indicators` maps an indicator's kind to {value: requests}; `skeletons` maps the
    day's 20 most used prompt skeletons (signed 64-bit, as text) to requests.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="days")
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

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "day"], name="account_day")
        ]
        indexes = [models.Index(fields=["day"], name="account_day_day")]

    def __str__(self) -> str:
        return f"{self.account_id} on {self.day}"
