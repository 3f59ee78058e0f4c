"""Claims: what the machine believes. All of it can be thrown away and recomputed.

The two exceptions are small and named: `Cluster.id` is carried from run to run by
overlap so that people can talk about a cluster, and `first_flagged_at` is history.
`Label` is what people told the machine; it comes down as data, never as an import.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ingest.models import Account, Indicator


class Band(models.TextChoices):
    ACTION = "action", "propose action"  # 90 and above
    REVIEW = "review", "review"  # 70-89
    WATCH = "watch", "watch"  # 40-69
    NONE = "none", "none"  # below 40


class Run(models.Model):
    """One pass over all that has been ingested, seen with the clock `as_of`."""

    as_of = models.DateTimeField()
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    ruleset_hash = models.CharField(max_length=64)
    # Stage name to seconds.
    stages = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"run {self.pk} as of {self.as_of:%Y-%m-%d %H:%M}"


class Link(models.Model):
    """Two accounts tied together; `account_a` has the smaller id."""

    account_a = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    account_b = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    # Probability of a common operator, 0-1, from all shared indicators together.
    weight = models.FloatField()
    families = models.IntegerField()
    # [{kind, indicator, value, weight, shared_by}] in falling order of weight.
    evidence = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_a", "account_b"], name="link_pair"
            ),
            models.CheckConstraint(
                condition=models.Q(account_a__lt=models.F("account_b")),
                name="link_pair_ordered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_a_id} ~ {self.account_b_id}"


class IndicatorProfile(models.Model):
    """How widely an indicator is shared, and whether it makes links at all."""

    indicator = models.OneToOneField(
        Indicator, on_delete=models.CASCADE, related_name="profile"
    )
    accounts = models.IntegerField()
    organizations = models.IntegerField()
    # More organisations than the cap of its kind: kept and shown, makes no links.
    hub = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.indicator} ({self.accounts} accounts)"


class Cluster(models.Model):
    """Accounts that the machine believes are run together."""

    class Verdict(models.TextChoices):
        DISTILLATION = "distillation", "distillation campaign"
        RESALE_POOL = "resale_pool", "resale pool"
        INSUFFICIENT_EVIDENCE = "insufficient_evidence", "insufficient evidence"

    # Shown as CL-<id>. Carried over by overlap from run to run.
    score = models.FloatField(default=0)
    decibans = models.FloatField(default=0)
    band = models.CharField(max_length=8, choices=Band, default=Band.NONE)
    verdict = models.CharField(
        max_length=24, choices=Verdict, default=Verdict.INSUFFICIENT_EVIDENCE
    )
    size = models.IntegerField(default=0)
    # [{signal, family, points, value, baseline, sentence, innocent, rows}] as in
    # Score.reasons, for the cluster as a whole.
    reasons = models.JSONField(default=list)
    # The strongest innocent explanation, in one sentence, and what speaks against it.
    innocent_explanation = models.TextField(default="", blank=True)
    # Account ids (primary keys) that the machine proposes to ban; often empty.
    proposed_ban = ArrayField(models.BigIntegerField(), default=list)
    # {kind: number of member pairs it ties}
    link_kinds = models.JSONField(default=dict)
    # Who its members were when it was last found: what it is known by in the next
    # run, and what is left to show of a cluster that has vanished.
    last_members = ArrayField(models.BigIntegerField(), default=list)
    live = models.BooleanField(default=True, db_index=True)
    first_seen_at = models.DateTimeField()
    first_flagged_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["-score", "id"], name="cluster_by_score")]

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        return f"CL-{self.pk}"


class Membership(models.Model):
    """One account in one cluster, with its place on the cluster's map."""

    cluster = models.ForeignKey(
        Cluster, on_delete=models.CASCADE, related_name="memberships"
    )
    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, related_name="membership"
    )
    # Share of the Leiden runs in which the account was with this cluster, 0-1.
    stability = models.FloatField()
    # Rare indicators shared with other members; 0 means trimmed soon.
    support = models.IntegerField()
    x = models.FloatField(default=0)
    y = models.FloatField(default=0)
    joined_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.account_id} in {self.cluster_id}"


class Signal(models.Model):
    """One piece of evidence that a detector gave about an account or a cluster."""

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, null=True, related_name="signals"
    )
    cluster = models.ForeignKey(
        Cluster, on_delete=models.CASCADE, null=True, related_name="signals"
    )
    detector = models.CharField(max_length=48)
    version = models.IntegerField()
    family = models.CharField(max_length=16)
    # How strongly it was seen, 0-1, and what that is worth in decibans.
    strength = models.FloatField()
    decibans = models.FloatField()
    value = models.FloatField()
    baseline = models.FloatField(null=True)
    sentence = models.CharField(max_length=1000)
    innocent = models.CharField(max_length=1000, default="", blank=True)
    # The query that finds the rows behind it: {"table", "filters": {…}, "count"}.
    rows = models.JSONField(default=dict)
    as_of = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "detector"], name="signal_account_detector"
            ),
            models.UniqueConstraint(
                fields=["cluster", "detector"], name="signal_cluster_detector"
            ),
            models.CheckConstraint(
                condition=models.Q(account__isnull=True)
                ^ models.Q(cluster__isnull=True),
                name="signal_about_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.detector} {self.strength:.2f}"


class Score(models.Model):
    """0-100 for one account: 100 × the posterior probability, with its reasons."""

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, related_name="score"
    )
    score = models.FloatField(default=0)
    decibans = models.FloatField(default=0)
    band = models.CharField(max_length=8, choices=Band, default=Band.NONE)
    # A list of reasons, as Reason.as_json of shapes.py writes them.
    reasons = models.JSONField(default=list)
    ruleset_hash = models.CharField(max_length=64)
    first_flagged_at = models.DateTimeField(null=True)
    as_of = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["-score", "account"], name="score_by_score")]

    def __str__(self) -> str:
        return f"{self.score:.0f}"


class Exposure(models.Model):
    """What left through a cluster within a window."""

    cluster = models.OneToOneField(
        Cluster, on_delete=models.CASCADE, related_name="exposure"
    )
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    days = models.IntegerField(default=0)
    exchanges = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    # Exchanges by model, and by what they asked for.
    by_model = models.JSONField(default=dict)
    by_intent = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.exchanges} exchanges"


class ClusterHour(models.Model):
    """A cluster's requests of one hour, so that a page never reads raw events."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="hours")
    hour = models.DateTimeField()
    requests = models.IntegerField()
    output_tokens = models.BigIntegerField(default=0)
    by_model = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "hour"], name="cluster_hour")
        ]

    def __str__(self) -> str:
        return f"{self.cluster_id} at {self.hour}"


class Label(models.Model):
    """What people told the machine about an account; the latest one counts."""

    class Kind(models.TextChoices):
        CONFIRMED = "confirmed", "confirmed abuse"
        BENIGN = "benign", "found innocent"
        EXEMPT = "exempt", "exempt until a date"

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="labels"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1000, default="", blank=True)
    # The decision's reference, as text: claims do not know judgements.
    given_by = models.CharField(max_length=64)
    given_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["account", "-given_at"], name="label_latest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.account_id}"
