"""Evidence and scores."""

from django.db import models

from ingest.models import Account
from investigations.detection.models.bands import Band
from investigations.detection.models.clusters import Cluster


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
