"""Clusters, who is in them, where they came from and what they are like."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ingest.models import Account
from investigations.detection.models.bands import Band


class Cluster(models.Model):
    """Accounts that the machine believes are run together."""

    class Verdict(models.TextChoices):
        DISTILLATION = "distillation", "distillation campaign"
        RESALE_POOL = "resale_pool", "resale pool"
        INSUFFICIENT_EVIDENCE = "insufficient_evidence", "insufficient evidence"

    class Amount(models.TextChoices):
        TOO_LITTLE = "too_little", "too little to say anything"
        EARLY = "early", "early"
        EARLY_MANY = "early_many", "early, of many customers"
        ENOUGH = "enough", "enough"

    # Shown as CL-<id>. Carried over by overlap from run to run.
    score = models.FloatField(default=0)
    decibans = models.FloatField(default=0)
    band = models.CharField(max_length=8, choices=Band, default=Band.NONE)
    verdict = models.CharField(
        max_length=24, choices=Verdict, default=Verdict.INSUFFICIENT_EVIDENCE
    )
    # Whether there is enough to judge it by, and to act on.
    amount = models.CharField(max_length=10, choices=Amount, default=Amount.ENOUGH)
    size = models.IntegerField(default=0)
    # [{signal, family, points, value, baseline, sentence, innocent, rows}] as in
    # Score.reasons, for the cluster as a whole.
    reasons = models.JSONField(default=list)
    # The strongest innocent explanation, in one sentence, and what speaks against it.
    innocent_explanation = models.TextField(default="", blank=True)
    # Account ids (primary keys) that the machine proposes to ban; often empty.
    proposed_ban = ArrayField(models.BigIntegerField(), default=list)
    # Those that would be proposed if a new source were believed, and why they are not.
    withheld = ArrayField(models.BigIntegerField(), default=list)
    withheld_because = models.TextField(default="", blank=True)
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


class ClusterLineage(models.Model):
    """Where members of a cluster went, or came from, in one run.

    History, as the id is: what a cluster that is no longer found became of. A cluster
    that vanished has no child, one that was found again no parent.
    """

    class Kind(models.TextChoices):
        SPLIT = "split", "split off"
        MOVED = "moved", "went over"
        MERGED = "merged", "merged"
        VANISHED = "vanished", "no longer found"
        RETURNED = "returned", "found again"

    parent = models.ForeignKey(
        Cluster, on_delete=models.CASCADE, null=True, related_name="descent"
    )
    child = models.ForeignKey(
        Cluster, on_delete=models.CASCADE, null=True, related_name="origins"
    )
    kind = models.CharField(max_length=8, choices=Kind)
    # Members that came along; of one that vanished, all it had.
    shared = models.IntegerField()
    # The clock of the run that found it so.
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["at", "parent", "child", "kind"],
                name="cluster_lineage_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(parent__isnull=False)
                | models.Q(child__isnull=False),
                name="cluster_lineage_of_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.parent_id} {self.kind} {self.child_id}"


class Fingerprint(models.Model):
    """What a cluster was known by, for when its operator comes back with new accounts.

    Kept of every cluster that ever reached 70, and of those that people decided on. It
    holds keyed hashes, sketches, sums and shares, no value and no text, so it may
    outlive the facts; it stops changing with the decision.
    """

    class Outcome(models.TextChoices):
        OPEN = "open", "nobody decided"
        CONFIRMED = "confirmed", "confirmed abuse"
        CLEARED = "cleared", "found innocent"

    cluster = models.OneToOneField(
        Cluster, on_delete=models.CASCADE, related_name="fingerprint"
    )
    # Whose labels say what was decided.
    account_ids = ArrayField(models.BigIntegerField())
    # Portrait.as_json of portraits.py.
    portrait = models.JSONField()
    outcome = models.CharField(
        max_length=9, choices=Outcome, default=Outcome.OPEN, db_index=True
    )
    decided_at = models.DateTimeField(null=True)
    # The clock of the run that saw it so.
    as_of = models.DateTimeField()

    def __str__(self) -> str:
        return f"fingerprint of {self.cluster_id}"


class ClusterResemblance(models.Model):
    """The past cluster that a live one is most like, found by the last run."""

    cluster = models.OneToOneField(
        Cluster, on_delete=models.CASCADE, related_name="resemblance"
    )
    past = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="likened")
    # How many of the parts' likenesses there are on average, 0-1, and the share of
    # `compared` unrelated groups that are as much like any past cluster.
    likeness = models.FloatField()
    quantile = models.FloatField()
    compared = models.IntegerField()
    # [{part, likeness, quantile}] that agree, in the order of portraits.PARTS.
    agreements = models.JSONField(default=list)
    # The first run that found this past cluster.
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.cluster_id} like {self.past_id}"


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
