"""The frame-up undone: what a stolen key sent is taken back, and nobody can tell from
the scores, ties and clusters that it was ever there (promises.md I12)."""

from typing import Any

import pytest
from django.db import transaction

from ingest.drain import takeback, writers
from ingest.models import Account, Batch, IngestKey, Sighting, Source
from ingest.rolling import rollups
from ingest.senders import keys
from investigations.detection import pipeline
from investigations.detection.models import Cluster, Score
from tests.detection.facts import NOW, PEOPLE, framing, take_in, telemetry
from tests.ingest.records import ndjson

VICTIM = PEOPLE[0]


def claims() -> dict[str, Any]:
    """What the machine believes, by names that are the same in every run."""
    rollups.refresh_stale()
    pipeline.run(as_of=NOW)
    names = dict(Account.objects.values_list("pk", "external_id"))
    scores = {
        names[score.account_id]: (
            score.score,
            score.band,
            [(each["signal"], each["points"]) for each in score.reasons],
        )
        for score in Score.objects.all()
    }
    clusters = sorted(
        sorted(names[each.account_id] for each in cluster.memberships.all())
        for cluster in Cluster.objects.filter(memberships__isnull=False).distinct()
    )
    shown = Sighting.objects.values_list(
        "account__external_id", "indicator__kind", "indicator__value", "count"
    )
    return {"scores": scores, "clusters": clusters, "sightings": sorted(shown)}


@pytest.fixture
def stolen(db) -> IngestKey:
    source = Source.objects.get_or_create(name="gateway")[0]
    return keys.issue_key(source=source, name="stolen", scopes=["ingest:write"])[0]


def send(key: IngestKey, records: list[dict[str, Any]]) -> None:
    origin = writers.Origin(key.source, key)
    writers.store_batch(writers.accept([ndjson(records)], origin).pk)


def test_a_framed_customer_is_cleared_when_the_key_is_taken_back(stolen):
    with transaction.atomic():
        take_in(telemetry())
        without = claims()
        transaction.set_rollback(True)
    take_in(telemetry())
    send(stolen, list(framing(VICTIM)))
    framed = claims()
    assert framed["scores"][VICTIM] != without["scores"][VICTIM]

    sent = Batch.objects.filter(key=stolen)
    takeback.proceed(
        takeback.exclude(sent, by="ada", reason="The key was stolen.", key=stolen)
    )

    assert claims() == without
