"""Between full passes only what changed is looked at, and what that leaves is told."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from ingest.models import Account
from investigations.detection import (
    assessment,
    keeping,
    labels,
    pace,
    pipeline,
    selectors,
)
from investigations.detection.models import (
    ChangedAccounts,
    Cluster,
    ClusterHour,
    Exposure,
    Link,
    Membership,
    Remembered,
    Run,
    Score,
    Signal,
)
from investigations.detection.population import Population
from investigations.detection.shapes import AccountFeatures, Release
from tests.detection.facts import ATTACKERS, NOW, PEOPLE, Record, take_in, telemetry

pytestmark = pytest.mark.django_db

LATER = timedelta(minutes=2)
NEWCOMER = ATTACKERS[-1]


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every full pass is a long one."""
    monkeypatch.setattr(pace, "SHORT", timedelta(0))


@pytest.fixture
def grown(large: None) -> None:
    """A full pass over a pool of eleven; then the twelfth begins to send."""
    early, late = split(telemetry())
    take_in(early)
    pipeline.run(as_of=NOW)
    take_in(late)


def split(records: list[Record]) -> tuple[list[Record], list[Record]]:
    """All but one attacker's, and that one's."""
    late = [record for record in records if record["account_id"] == NEWCOMER]
    return [record for record in records if record not in late], late


def refresh(after: timedelta = LATER) -> Run | None:
    return pipeline.refresh(now=NOW + after)


def quick_pass() -> Run:
    run = refresh()
    assert run is not None and run.kind == Run.Kind.QUICK
    return run


def score_of(name: str) -> Score:
    return Score.objects.get(account__external_id=name)


def members() -> list[str]:
    rows = Membership.objects.values_list("account__external_id", flat=True)
    return sorted(rows)


def claims() -> dict[str, list[Any]]:
    """All that is believed, without ids of rows, and clocks of when it was first."""
    return {
        "scores": sorted(Score.objects.values_list("account", "decibans", "score")),
        "links": sorted(Link.objects.values_list("account_a", "account_b", "weight")),
        "members": sorted(Membership.objects.values_list("account", "support")),
        "clusters": sorted(
            Cluster.objects.filter(live=True).values_list("decibans", "last_members")
        ),
        "signals": sorted(
            Signal.objects.order_by().values_list("detector", "strength", "sentence")
        ),
        "hours": sorted(ClusterHour.objects.values_list("hour", "requests")),
        "exposure": sorted(Exposure.objects.values_list("exchanges", "days")),
    }


def forget_claims() -> None:
    for model in (Signal, Score, Membership, ClusterHour, Exposure, Link, Run, Cluster):
        model.objects.all().delete()


def test_a_changed_account_is_scored_and_joins_its_cluster(grown):
    assert NEWCOMER not in members()
    quick_pass()

    assert members() == ATTACKERS
    assert score_of(NEWCOMER).score > 70
    assert NEWCOMER in names(selectors.hot_clusters().get().proposed_ban)


def names(pks: list[int]) -> list[str]:
    found = Account.objects.filter(pk__in=pks).values_list("external_id", flat=True)
    return sorted(found)


def test_whom_a_change_does_not_concern_is_left_alone(grown):
    before = {name: score_of(name).as_of for name in PEOPLE}
    Score.objects.filter(account__external_id__in=PEOPLE).update(decibans=-99)
    quick_pass()

    assert {name: score_of(name).as_of for name in PEOPLE} == before
    assert {score_of(name).decibans for name in PEOPLE} == {-99.0}


def more(name: str, count: int = 1, **other: Any) -> list[Record]:
    """Further requests of an account, like its last one but for what is told."""
    last = [r for r in telemetry() if r["account_id"] == name and "model" in r][-1]
    told = {"turn": 1, "prior_response_hashes": [], "occurred_at": NOW.isoformat()}
    return [
        {**last, **told, "event_id": f"more-{n}", "conversation_id": f"more-{n}"}
        | {"response_hash": f"more-{n}", **other}
        for n in range(count)
    ]


def is_scored_anew(name: str) -> bool:
    Score.objects.update(decibans=-99)
    quick_pass()
    return score_of(name).decibans != -99


@pytest.mark.parametrize("name", [ATTACKERS[3], PEOPLE[0]])
def test_a_little_more_of_the_same_leaves_an_account_what_it_was(grown, name):
    quick_pass()
    take_in(more(name))

    assert not is_scored_anew(name)


def test_what_leaves_through_a_cluster_counts_however_little_it_is(grown):
    quick_pass()
    before = Exposure.objects.get(cluster=selectors.hot_clusters().get()).exchanges
    hours = ClusterHour.objects.filter(hour=NOW).count()
    take_in(more(ATTACKERS[3]))
    quick_pass()

    now = Exposure.objects.get(cluster=selectors.hot_clusters().get()).exchanges
    assert (now, ClusterHour.objects.filter(hour=NOW).count()) == (
        before + 1,
        hours + 1,
    )


@pytest.mark.parametrize("name", [ATTACKERS[3], PEOPLE[0]])
def test_who_sends_much_more_is_scored_anew(grown, name):
    quick_pass()
    take_in(more(name, 30))

    assert is_scored_anew(name)


def test_a_new_tie_counts_however_little_was_sent(grown):
    quick_pass()
    take_in(more(PEOPLE[0], tools_hash="private-tools"))

    assert is_scored_anew(PEOPLE[0])


def test_what_another_release_left_is_not_gone_on_from(grown):
    Run.objects.update(finished_at=NOW, started_at=NOW - timedelta(seconds=6))
    Remembered.objects.update(shape="another")

    assert pace.next_pass(NOW + LATER, "changed") is pace.Next.FULL


def test_quick_passes_and_then_a_full_one_end_where_a_full_one_alone_does(grown):
    quick_pass()
    pipeline.run(as_of=NOW + LATER)
    both = claims()
    forget_claims()
    pipeline.run(as_of=NOW + LATER)

    assert claims() == both


def test_the_full_pass_says_how_far_quick_ones_had_come_away(grown):
    quick_pass()
    drift = pipeline.run(as_of=NOW + LATER).counts["drift"]

    assert drift["passes"] == 1
    assert drift["accounts"] == len(ATTACKERS) + len(PEOPLE)
    assert (drift["bands"], drift["clusters"]) == (0, 0)
    assert drift["mean"] < 0.5


def test_a_score_that_is_off_shows_in_the_drift(grown):
    quick_pass()
    Score.objects.filter(account__external_id=PEOPLE[0]).update(score=95, band="action")
    drift = pipeline.run(as_of=NOW + LATER).counts["drift"]

    assert drift["bands"] == 1
    assert drift["mean"] > 1


def test_without_quick_passes_there_is_no_drift_to_tell(large):
    take_in(telemetry())
    pipeline.run(as_of=NOW)

    assert "drift" not in pipeline.run(as_of=NOW).counts


def test_a_label_is_heeded_by_the_next_quick_pass(grown):
    quick_pass()
    account = Account.objects.get(external_id=ATTACKERS[0])
    labels.record(
        account_ids=[account.pk], kind="exempt", reason="", given_by="D-1", at=NOW
    )
    quick_pass()

    assert ATTACKERS[0] not in names(selectors.hot_clusters().get().proposed_ban)


def test_nothing_new_means_no_pass(grown):
    quick_pass()

    assert refresh() is None


def test_what_changed_is_read_again_when_it_concerns_a_later_change(grown):
    """Two quick passes end where one would."""
    quick_pass()
    one = claims()
    account = Account.objects.get(external_id=ATTACKERS[3])
    ChangedAccounts.objects.create(account_ids=[account.pk])
    quick_pass()

    assert claims() == one


def test_a_small_installation_goes_on_with_full_passes():
    early, late = split(telemetry())
    take_in(early)
    pipeline.run(as_of=NOW)
    Run.objects.update(finished_at=NOW, started_at=NOW - timedelta(seconds=4))
    take_in(late)
    assert pace.only_full()
    run = refresh()

    assert run is not None and run.kind == Run.Kind.FULL


def test_where_a_full_pass_takes_long_quick_ones_go_between(grown):
    assert not pace.only_full()
    assert pace.next_pass(NOW + LATER, "changed") is pace.Next.QUICK


def test_a_missed_night_makes_the_next_pass_a_full_one(grown):
    Run.objects.update(finished_at=NOW, started_at=NOW - timedelta(seconds=6))

    assert pace.next_pass(NOW + timedelta(days=2), "changed") is pace.Next.FULL


def test_so_many_changes_that_looking_at_everybody_costs_less(grown, monkeypatch):
    monkeypatch.setattr(pace, "MANY", 0)
    Run.objects.update(finished_at=NOW, started_at=NOW - timedelta(seconds=6))

    assert pace.next_pass(NOW + LATER, "changed") is pace.Next.FULL


def test_a_pass_that_fails_leaves_its_changes_for_the_next(grown, monkeypatch):
    def broken(*args: Any) -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "write", broken)
        with pytest.raises(RuntimeError):
            refresh()
    quick_pass()

    assert members() == ATTACKERS


def test_only_the_last_full_pass_is_remembered(grown):
    run = pipeline.run(as_of=NOW + LATER)

    assert Remembered.objects.get().run == run


def test_quick_passes_go_on_from_the_newest_full_one(grown):
    quick_pass()
    pipeline.run(as_of=NOW + LATER)  # the first that knows the newcomer
    take_in(more(ATTACKERS[3], 30))
    quick_pass()

    assert selectors.hot_clusters().get().size == len(ATTACKERS)


def test_how_a_changed_member_works_now_is_read_anew(grown, monkeypatch):
    seen: list[Population] = []

    def watched(everyone: Population, *more: Any) -> assessment.Assessment:
        seen.append(everyone)
        return assess(everyone, *more)

    assess = assessment.assess
    monkeypatch.setattr(assessment, "assess", watched)
    take_in(more(ATTACKERS[3], 30, temperature=1.5))
    quick_pass()
    pipeline.run(as_of=NOW + LATER)
    quick, full = seen
    changed = Account.objects.get(external_id=ATTACKERS[3]).pk

    assert any(used.startswith("1.5") for used in quick.settings[changed])
    assert quick.settings == full.settings
    for name in ("subjects", "start_hours"):
        now, then = getattr(quick, name), getattr(full, name)
        assert now.keys() == then.keys()
        assert all(np.array_equal(now[pk], then[pk]) for pk in now)


def test_what_is_kept_comes_out_as_it_went_in():
    accounts = [
        AccountFeatures(7, created_at=NOW, intents={"código": 3}),
        AccountFeatures(9, organization="acme", age_days=0.1),
    ]
    whole = {7: (accounts, np.arange(3), None, frozenset({1}), [Release("m", NOW)])}
    classes = {"AccountFeatures": AccountFeatures, "Release": Release}
    back = keeping.unpack(keeping.pack(whole), classes)[7]
    mixed = ({"a": 1}, {2: "b"}, [NOW, None], {"deep": (NOW,)}, [{"a": 1}, None])

    assert back[0] == accounts
    assert back[1].tolist() == [0, 1, 2]
    assert back[2:] == (None, frozenset({1}), [Release("m", NOW)])
    assert keeping.unpack(keeping.pack(mixed), {}) == mixed


def test_a_class_that_nobody_named_is_not_made():
    with pytest.raises(KeyError):
        keeping.unpack(keeping.pack(Release("m", NOW)), {})
