"""A banned operator comes back: facts in, the past cluster told."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from ingest.models import Account
from investigations.detection import labels, pace, pipeline, selectors
from investigations.detection.models import (
    Cluster,
    ClusterResemblance,
    Fingerprint,
    Label,
    Signal,
)
from tests.detection.facts import ATTACKERS, NOW, Record, take_in, telemetry

pytestmark = pytest.mark.django_db

AWAY = timedelta(days=40)
EARLIER = NOW - AWAY
RENAMED = ("event_id", "account_id", "conversation_id", "response_hash", "email")


def then() -> list[Record]:
    """The town as it was forty days before, in which the pool was at work."""
    return [moved(record, -AWAY) for record in telemetry()]


def back(**renewed: str) -> list[Record]:
    """The neighbours go on, and the pool is there with new accounts; `renewed`: what
    else of it is new."""
    return [
        again(record, renewed)
        if record["account_id"] in ATTACKERS
        else {**record, "event_id": f"new-{record['event_id']}"}
        for record in telemetry()
        if record["account_id"] in ATTACKERS or "event_id" in record
    ]


def moved(record: Record, by: timedelta) -> Record:
    times = ("occurred_at", "updated_at", "created_at")
    shifted = {
        name: (datetime.fromisoformat(record[name]) + by).isoformat()
        for name in times
        if name in record
    }
    return {**record, **shifted}


def again(record: Record, renewed: dict[str, Any]) -> Record:
    told = {name: f"new-{record[name]}" for name in RENAMED if name in record}
    carried = [f"new-{each}" for each in record.get("prior_response_hashes", ())]
    fresh = {name: value for name, value in renewed.items() if name in record}
    return {**record, **told, "prior_response_hashes": carried, **fresh}


def pks(prefix: str) -> list[int]:
    found = Account.objects.filter(external_id__startswith=prefix)
    return list(found.values_list("pk", flat=True))


def confirm(prefix: str = "pool", kind: str = "confirmed") -> None:
    labels.record(
        account_ids=pks(prefix),
        kind=kind,
        reason="One operator.",
        given_by="D-1",
        at=EARLIER + timedelta(hours=1),
    )


@pytest.fixture
def banned() -> Cluster:
    """The pool's cluster of forty days ago, which people confirmed."""
    take_in(then())
    pipeline.run(as_of=EARLIER)
    confirm()
    return selectors.hot_clusters().get()


def returned() -> Cluster:
    return Cluster.objects.get(live=True, last_members__contains=pks("new-pool"))


def test_a_cluster_at_70_leaves_a_fingerprint_before_anybody_decides():
    take_in(then())
    pipeline.run(as_of=EARLIER)
    kept = Fingerprint.objects.get()

    assert kept.cluster == selectors.hot_clusters().get()
    assert (kept.outcome, kept.decided_at) == ("open", None)
    assert {"tools", "cards", "addresses"} <= set(kept.portrait["marks"])


def test_a_fingerprint_holds_no_value_of_any_member(banned):
    told = str(Fingerprint.objects.get().portrait)
    shown = ("card-0", "private-tools", "relay/1.0", "10.200.1", "own.example")

    assert [value for value in shown if value in told] == []


def test_a_returned_operator_is_told_with_the_past_cluster(banned):
    take_in(back())
    pipeline.run(as_of=NOW)
    found = ClusterResemblance.objects.get()

    assert (found.cluster, found.past) == (returned(), banned)
    parts = [each["part"] for each in found.agreements]
    assert {"tools", "cards", "templates"} <= set(parts)
    signal = Signal.objects.get(cluster=returned(), detector="re_emergence")
    assert signal.sentence.startswith(f"Resembles {banned.ref} (confirmed on ")
    assert 0 < signal.decibans <= 8


def test_the_reasons_rows_open_as_many_as_they_say(banned):
    take_in(back())
    pipeline.run(as_of=NOW)
    reasons = [
        reason
        for reasons in (
            returned().reasons,
            Account.objects.get(external_id="new-pool-03").score.reasons,
        )
        for reason in reasons
        if reason["signal"] == "re_emergence"
    ]

    assert len(reasons) == 2
    for reason in reasons:
        rows = selectors.reason_rows(reason)
        assert rows.count() == reason["rows"]["count"] > 0
        assert reason["quantile"] < 0.05


def test_new_cards_and_tools_leave_the_templates_and_the_subject(banned):
    fresh = {"payment_fingerprint": "other-card", "tools_hash": "other-tools"}
    take_in(back(**fresh))
    pipeline.run(as_of=NOW)
    parts = [each["part"] for each in ClusterResemblance.objects.get().agreements]

    assert "templates" in parts
    assert not {"tools", "cards"} & set(parts)


def test_a_fingerprint_does_not_change_once_people_decided(banned):
    pipeline.run(as_of=EARLIER + timedelta(hours=2))
    before = Fingerprint.objects.get()
    pipeline.run(as_of=EARLIER + timedelta(days=9))
    after = Fingerprint.objects.get()

    assert (before.outcome, before.portrait) == ("confirmed", after.portrait)
    assert after.as_of == before.as_of == EARLIER


def test_what_people_found_innocent_is_shown_and_adds_nothing(banned):
    confirm(kind="benign")
    take_in(back())
    pipeline.run(as_of=NOW)

    assert ClusterResemblance.objects.get().past == banned
    assert not Signal.objects.filter(detector="re_emergence").exists()


def test_a_cluster_does_not_match_itself(banned):
    pipeline.run(as_of=EARLIER + timedelta(days=1))

    assert Cluster.objects.get(live=True) == banned
    assert not ClusterResemblance.objects.exists()


def test_a_cluster_does_not_match_what_it_split_from(banned):
    """The half that goes on under a new reference is no return."""
    half = pks("pool")[:6]
    Cluster.objects.filter(pk=banned.pk).update(last_members=pks("pool")[6:])
    new = Cluster.objects.create(
        first_seen_at=EARLIER, updated_at=EARLIER, last_members=half
    )
    new.origins.create(parent=banned, kind="split", shared=6, at=EARLIER)
    Account.objects.filter(external_id__in=ATTACKERS[6:]).update(status="banned")
    pipeline.run(as_of=EARLIER + timedelta(days=1))

    assert not ClusterResemblance.objects.exists()


def test_an_old_clock_knows_no_later_decision(banned):
    take_in(back())
    Label.objects.update(given_at=NOW + timedelta(days=1))
    pipeline.run(as_of=NOW)

    assert not ClusterResemblance.objects.exists()


def test_a_cluster_that_people_acted_on_below_70_is_kept_too():
    take_in(then())
    pipeline.run(as_of=EARLIER)
    Fingerprint.objects.all().delete()
    Cluster.objects.update(first_flagged_at=None)
    confirm()
    pipeline.run(as_of=EARLIER + timedelta(hours=2))

    assert Fingerprint.objects.get().outcome == "confirmed"


def test_a_fingerprint_is_let_go_two_years_after_the_decision(banned):
    pipeline.run(as_of=EARLIER + timedelta(hours=2))
    pipeline.run(as_of=EARLIER + timedelta(days=731))

    assert not Fingerprint.objects.exists()


def test_the_neighbours_resemble_nothing(banned):
    take_in(back())
    pipeline.run(as_of=NOW)

    assert {each.cluster for each in ClusterResemblance.objects.all()} == {returned()}


def test_a_quick_pass_finds_the_past_of_whom_it_looks_at(monkeypatch):
    """Decided after the last full pass; then one of the new accounts goes on."""
    monkeypatch.setattr(pace, "SHORT", timedelta(0))
    take_in(then())
    pipeline.run(as_of=EARLIER)
    old = selectors.hot_clusters().get()
    news = back()
    last = [each for each in news if each["account_id"].startswith("new-pool")][-20:]
    take_in(each for each in news if each not in last)
    pipeline.run(as_of=NOW)
    assert not ClusterResemblance.objects.exists()
    confirm()
    take_in(last)
    done = pipeline.refresh(now=NOW)

    assert done is not None
    assert done.kind == "quick"
    assert ClusterResemblance.objects.get(cluster=returned()).past == old
