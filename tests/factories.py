"""The smallest valid thing of each kind; a test says only what matters to it."""

from datetime import UTC, datetime

import factory

from ingest.models import Account, Source
from investigations.detection.models import Cluster, Exposure, Membership, Score


class SourceFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Source

    name = factory.Sequence(lambda n: f"gateway-{n}")


class AccountFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Account

    external_id = factory.Sequence(lambda n: f"acct-{n:05d}")
    first_seen_at = datetime(2026, 11, 1, tzinfo=UTC)
    created_at = datetime(2026, 11, 1, tzinfo=UTC)


class ScoreFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Score

    account = factory.SubFactory(AccountFactory)
    ruleset_hash = "test"
    as_of = datetime(2026, 11, 18, tzinfo=UTC)


class ClusterFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Cluster

    first_seen_at = datetime(2026, 11, 1, tzinfo=UTC)
    updated_at = datetime(2026, 11, 18, tzinfo=UTC)


class MembershipFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Membership

    cluster = factory.SubFactory(ClusterFactory)
    account = factory.SubFactory(AccountFactory)
    stability = 1.0
    support = 2
    joined_at = datetime(2026, 11, 1, tzinfo=UTC)


class ExposureFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Exposure

    cluster = factory.SubFactory(ClusterFactory)
