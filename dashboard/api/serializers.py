"""The contract's rows, spelt out for the OpenAPI document.

Rows come ready-made from dashboard/findings.py; these classes say what is in them and
let nothing else through.
"""

from typing import Any

from rest_framework import serializers

from ingest.models import Account
from investigations.detection.models import Band, Cluster, ClusterLineage


class ReasonSerializer(serializers.Serializer[Any]):
    signal = serializers.CharField(help_text="Key of the detector.")
    points = serializers.FloatField(help_text="Weight of evidence in decibans.")
    value = serializers.FloatField(allow_null=True)
    baseline = serializers.FloatField(
        allow_null=True, help_text="The same for ordinary accounts."
    )
    sentence = serializers.CharField()


class AccountSerializer(serializers.Serializer[Any]):
    account_id = serializers.CharField()
    score = serializers.FloatField(help_text="0-100.")
    band = serializers.ChoiceField(choices=Band.choices)
    cluster_id = serializers.CharField(allow_null=True)
    cluster_score = serializers.FloatField(allow_null=True)
    status = serializers.ChoiceField(
        choices=Account.Status.choices, help_text="The platform's own state."
    )
    first_flagged_at = serializers.DateTimeField(
        allow_null=True,
        help_text="The first time the score, or the cluster's, reached 70.",
    )
    reasons = ReasonSerializer(many=True)


class ExposureSerializer(serializers.Serializer[Any]):
    exchanges = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()


class LineageSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField(help_text="The clock of the run that found it so.")
    kind = serializers.ChoiceField(choices=ClusterLineage.Kind.choices)
    came_from = serializers.CharField(
        allow_null=True, help_text="Cluster that they left; null of one found again."
    )
    went_to = serializers.CharField(
        allow_null=True, help_text="Where they went; null of one no longer found."
    )
    shared = serializers.IntegerField(help_text="Accounts that came along.")


class ClusterSerializer(serializers.Serializer[Any]):
    cluster_id = serializers.CharField()
    live = serializers.BooleanField(
        help_text="Whether the newest run found it; one that ended is read by its id."
    )
    score = serializers.FloatField(help_text="0-100.")
    band = serializers.ChoiceField(choices=Band.choices)
    verdict = serializers.ChoiceField(choices=Cluster.Verdict.choices)
    size = serializers.IntegerField()
    members = serializers.ListField(
        child=serializers.CharField(), help_text="Account ids."
    )
    proposed_ban = serializers.ListField(
        child=serializers.CharField(),
        help_text="Account ids that the system proposes to ban; empty where none.",
    )
    exposure = ExposureSerializer()
    first_flagged_at = serializers.DateTimeField(allow_null=True)
    link_types = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Kind of shared indicator → pairs of members that it ties.",
    )
    reasons = ReasonSerializer(many=True)
    lineage = LineageSerializer(
        many=True,
        help_text="What it split from or merged with, and became; the newest first.",
    )


class MemberSerializer(AccountSerializer):
    stability = serializers.FloatField(
        help_text="Share of clustering runs in which it was with this cluster, 0-1."
    )
    link_types = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Kind of shared indicator → other members that share it.",
    )
