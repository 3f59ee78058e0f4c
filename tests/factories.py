"""The smallest valid thing of each kind; a test says only what matters to it."""

from datetime import UTC, datetime

import factory

from ingest.models import Account, Source


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
