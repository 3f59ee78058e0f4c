"""Facts in, claims out: the whole run over a small town."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from ingest.models import Account, AccountDay, Event, Sighting
from investigations.detection import labels, pipeline, selectors
from investigations.detection.models import (
    Cluster,
    ClusterHour,
    Exposure,
    IndicatorProfile,
    Label,
    Link,
    Membership,
    Run,
    Score,
    Signal,
)
from tests.detection.facts import ATTACKERS, NOW, PEOPLE, take_in, telemetry

pytestmark = pytest.mark.django_db


@pytest.fixture
def town() -> None:
    take_in(telemetry())


def run(**earlier: float) -> Run:
    return pipeline.run(as_of=NOW - timedelta(**earlier))


def hot() -> Cluster:
    return selectors.hot_clusters().get()


def names(pks: Iterable[int]) -> list[str]:
    found = Account.objects.filter(pk__in=pks).values_list("external_id", flat=True)
    return sorted(found)


def scores() -> dict[str, tuple[float, float]]:
    rows = Score.objects.values_list("account__external_id", "score", "decibans")
    return {name: (score, decibans) for name, score, decibans in rows}


def claims() -> list[list[tuple[object, ...]]]:
    """All that a run believes, without the rows' own numbers and clocks."""
    return [
        sorted(Score.objects.values_list("account", "decibans", "first_flagged_at")),
        sorted(Link.objects.values_list("account_a", "account_b", "weight")),
        sorted(Membership.objects.values_list("account", "cluster", "x", "y")),
        sorted(Cluster.objects.values_list("pk", "decibans", "verdict", "live")),
        sorted(
            Signal.objects.values_list("detector", "strength", "sentence").order_by()
        ),
        sorted(ClusterHour.objects.values_list("cluster", "hour", "requests")),
    ]


def test_the_campaign_is_one_hot_cluster_and_its_neighbours_are_in_none(town):
    run()

    assert names(hot().last_members) == ATTACKERS
    assert hot().verdict == "distillation"
    assert not Membership.objects.filter(account__external_id__in=PEOPLE).exists()


def test_members_are_proposed_for_a_ban_and_nobody_else(town):
    run()

    assert names(hot().proposed_ban) == ATTACKERS


def test_neighbours_stay_near_the_prior(town):
    run()

    assert max(scores()[name][0] for name in PEOPLE) < 5


def test_every_reason_opens_as_many_rows_as_it_says(town):
    run()

    reasons = [*hot().reasons, *Score.objects.order_by("-score")[0].reasons]
    assert len(reasons) > 8
    for reason in reasons:
        rows = selectors.reason_rows(reason)
        assert rows.count() == reason["rows"]["count"] > 0, reason["signal"]


def test_a_reason_of_an_unknown_kind_is_refused_by_name(town):
    reason = {"rows": {"table": "event", "filters": {"mood": "bad"}, "count": 1}}

    with pytest.raises(selectors.UnknownRows, match="mood"):
        selectors.reason_rows(reason)


def test_the_same_facts_give_the_same_claims(town):
    run()
    first = claims()
    run()

    assert claims() == first


def test_a_run_that_finds_nothing_new_leaves_the_rows_alone(town):
    run()
    before = set(Score.objects.values_list("pk", "as_of"))
    run()

    assert set(Score.objects.values_list("pk", "as_of")) == before


def test_countries_change_no_score():
    take_in(telemetry(country="DE"))
    run()
    before = scores()
    Account.objects.update(phone_country="XX", payment_country="YY")
    Event.objects.update(country="ZZ")
    run()

    assert scores() == before


def test_names_change_no_score(town):
    run()
    before = scores()
    Account.objects.update(display_name="王 Müller Иванов", organization="Ünïted")
    run()

    assert scores() == before


def test_nothing_after_the_clock_is_seen(town):
    """A replay at noon gives what a run at noon gave, to the last decimal."""
    noon = NOW - timedelta(days=3, minutes=7)
    pipeline.run(as_of=noon)
    replayed = claims()
    forget_claims()

    later = Event.objects.filter(occurred_at__gt=noon)
    touched = set(later.values_list("account_id", "occurred_at__date"))
    later._raw_delete(later.db)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ingest_responsehash WHERE occurred_at > %s", [noon])
        cursor.executemany(
            "INSERT INTO ingest_staleday (account_id, day, marked_at)"
            " VALUES (%s, %s, now())",
            sorted(touched),
        )
    call_command("detect", as_of=noon.isoformat(), stdout=StringIO())

    assert without_ids(claims()) == without_ids(replayed)


def forget_claims() -> None:
    for model in (Signal, Score, Membership, ClusterHour, Exposure, Link, Run, Cluster):
        model.objects.all().delete()


def without_ids(parts: list[list[tuple[object, ...]]]) -> list[list[object]]:
    """A cluster found anew has another number."""
    scored, links, members, clusters, signals, hours = parts
    return [
        list(scored),
        list(links),
        [(row[0], *row[2:]) for row in members],
        [row[1:] for row in clusters],
        list(signals),
        [row[1:] for row in hours],
    ]


def test_an_account_is_flagged_at_the_first_clock_that_sees_it(town):
    run(days=4)
    early = Score.objects.get(account__external_id=ATTACKERS[0]).first_flagged_at
    run()

    flagged = Score.objects.get(account__external_id=ATTACKERS[0]).first_flagged_at
    assert flagged == early == NOW - timedelta(days=4)
    assert hot().first_flagged_at == early


def test_a_replay_may_find_that_it_could_have_been_seen_earlier(town):
    run()
    run(days=4)

    assert hot().first_flagged_at == NOW - timedelta(days=4)


def test_a_cluster_keeps_its_id_and_its_map_from_run_to_run(town):
    run(days=4)
    before = {m.account_id: (m.cluster_id, m.x, m.y) for m in Membership.objects.all()}
    run()

    after = {m.account_id: (m.cluster_id, m.x, m.y) for m in Membership.objects.all()}
    assert {pk: after[pk] for pk in before} == before


def test_a_cluster_that_vanishes_keeps_its_name_and_its_last_members(town):
    run()
    ref, members = hot().ref, hot().last_members
    Sighting.objects.all().delete()
    Event.objects.update(prior_response_hashes=None)
    run()

    gone = Cluster.objects.get(pk=int(ref.removeprefix("CL-")))
    assert not gone.live
    assert gone.proposed_ban == []
    assert gone.last_members == members
    assert not gone.memberships.exists()


def test_what_left_adds_up_to_the_members_events(town):
    run()
    exchanges = Event.objects.filter(account__external_id__in=ATTACKERS).count()

    assert hot().exposure.exchanges == exchanges
    assert sum(hot().hours.values_list("requests", flat=True)) == exchanges
    assert hot().exposure.output_tokens == 640 * exchanges


def test_links_tell_what_ties_the_two_accounts(town):
    run()
    pair = Account.objects.filter(external_id__in=ATTACKERS[:2]).order_by("pk")
    link = Link.objects.get(account_a=pair[0], account_b=pair[1])

    assert {"payment", "tools"} <= {item["kind"] for item in link.evidence}
    assert hot().link_kinds["payment"] == 18  # three cards, six pairs each


def test_shared_values_have_a_profile(town):
    run()
    card = IndicatorProfile.objects.get(indicator__value="card-0")

    assert (card.accounts, card.organizations, card.hub) == (4, 4, False)


def test_the_members_of_a_cluster_come_with_the_most_suspect_first(town):
    run()
    found = [each.account.score.score for each in selectors.cluster_members(hot())]

    assert len(found) == len(ATTACKERS)
    assert found == sorted(found, reverse=True)


def test_the_values_that_members_share_are_listed_with_who_else_shows_them(town):
    run()
    found = {
        (each.kind, each.value): (each.members, each.outside)
        for each in selectors.cluster_indicators(hot())
    }

    assert found["tools", "private-tools"] == (12, 0)


def test_the_templates_of_a_cluster_come_with_their_masked_text(town):
    run()
    template, text = selectors.cluster_templates(hot())[0]

    assert template.members == 12
    assert text is not None and "show every intermediate step" in text.lower()


def test_an_account_about_which_nothing_is_known_has_no_reasons():
    assert selectors.account_reasons(Account(external_id="nobody")) == []


# --- Labels -----------------------------------------------------------------------


def label(name: str, kind: str, **ago: float) -> None:
    account = Account.objects.get(external_id=name)
    labels.record(
        account_ids=[account.pk],
        kind=kind,
        reason="Looked at it.",
        given_by="D-1",
        at=NOW - timedelta(**ago),
    )


def test_who_was_found_innocent_is_not_proposed_again(town):
    run()
    label(ATTACKERS[0], Label.Kind.BENIGN, minutes=1)
    run()

    assert names(hot().proposed_ban) == ATTACKERS[1:]


def test_who_was_found_innocent_before_new_ties_came_up_may_be_proposed_again(town):
    label(ATTACKERS[0], Label.Kind.BENIGN, days=8)
    run()

    assert ATTACKERS[0] in names(hot().proposed_ban)


def test_who_is_exempt_is_not_proposed(town):
    label(ATTACKERS[0], Label.Kind.EXEMPT, days=8)
    run()

    assert ATTACKERS[0] not in names(hot().proposed_ban)


def test_the_newest_label_counts_and_one_that_ran_out_does_not(town):
    label(ATTACKERS[0], Label.Kind.BENIGN, days=2)
    label(ATTACKERS[0], Label.Kind.CONFIRMED, days=1)
    label(ATTACKERS[1], Label.Kind.EXEMPT, days=2)
    Label.objects.filter(kind="exempt").update(until=NOW - timedelta(days=1))

    found = {kind for kind, _ in labels.newest(NOW).values()}
    assert found == {"confirmed"}


# --- When it runs -----------------------------------------------------------------


def finished() -> datetime:
    at = Run.objects.latest("pk").finished_at
    assert at is not None
    return at


@pytest.fixture
def later() -> Callable[[], datetime]:
    """A clock past the pause that follows a run."""
    return lambda: finished() + timedelta(minutes=2)


def test_a_refresh_without_new_facts_does_nothing(town, later):
    run()

    assert pipeline.refresh(now=later()) is None


def test_a_refresh_follows_new_facts(town, later):
    run()
    take_in([record | {"event_id": "new"} for record in telemetry()[-1:]])

    assert pipeline.refresh(now=later()) is not None


def test_a_refresh_follows_a_label(town, later):
    run()
    label(ATTACKERS[0], Label.Kind.BENIGN, minutes=1)

    assert pipeline.refresh(now=later()) is not None


def test_refreshes_leave_time_for_other_work(town):
    run()
    label(ATTACKERS[0], Label.Kind.BENIGN, minutes=1)

    assert pipeline.refresh(now=finished()) is None


def another_connection() -> psycopg.Connection:
    settings = connection.get_connection_params()
    wanted = ("host", "port", "user", "dbname", "password")
    given = {key: settings[key] for key in wanted if settings.get(key)}
    return psycopg.connect(**given, autocommit=True)


@pytest.fixture
def another_run_under_way() -> Iterator[None]:
    with another_connection() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [pipeline.LOCK])
        yield


def test_two_runs_never_overlap(another_run_under_way):
    assert pipeline.refresh(now=NOW) is None
    assert not Run.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_pass_that_loses_its_connection_says_so_and_holds_up_no_other(monkeypatch):
    def lose_it(*_: object) -> None:
        with another_connection() as other, connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            other.execute("SELECT pg_terminate_backend(%s)", cursor.fetchone())
            cursor.execute("SELECT 1")

    with monkeypatch.context() as patch, pytest.raises(OperationalError) as told:
        patch.setattr(pipeline, "_run", lose_it)
        run()
    assert "terminating connection" in str(told.value)
    assert pipeline.refresh(now=NOW) is not None


def test_an_empty_installation_runs_too():
    assert run().counts["accounts"] == 0


def test_runs_of_long_ago_are_forgotten():
    old = run()
    Run.objects.update(started_at=old.started_at - timedelta(days=40))
    run()

    assert not Run.objects.filter(pk=old.pk).exists()


def test_a_run_tells_how_long_each_stage_took(town):
    assert {"features", "links and clusters", "scores"} <= set(run().stages)


# --- The command ------------------------------------------------------------------


def test_detect_prints_the_seconds_of_each_stage_and_opens_the_case(town, capsys):
    call_command("detect", as_of=NOW.isoformat())
    told = capsys.readouterr().out

    assert "s  rollups" in told
    assert "s  links and clusters" in told
    assert "1 case opened" in told
    assert hot().cases.count() == 1


@pytest.mark.parametrize(
    ("text", "hint"), [("yesterday", "Write it like"), ("2026-11-18T12:00", "Add one")]
)
def test_detect_says_how_to_write_the_clock(text, hint):
    with pytest.raises(CommandError, match=hint):
        call_command("detect", as_of=text)


def test_rollups_are_brought_up_to_date_first(town):
    AccountDay.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ingest_staleday (account_id, day, marked_at)"
            " SELECT DISTINCT account_id, occurred_at::date, now() FROM ingest_event"
        )
    call_command("detect", as_of=NOW.isoformat())

    assert names(hot().last_members) == ATTACKERS
