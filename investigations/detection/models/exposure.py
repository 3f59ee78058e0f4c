"""What left through clusters."""

from django.db import models

from investigations.detection.models.clusters import Cluster


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
    by_intent = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "hour"], name="cluster_hour")
        ]

    def __str__(self) -> str:
        return f"{self.cluster_id} at {self.hour}"
