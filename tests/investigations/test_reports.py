"""The week's figures, each against a count of its own in plain SQL."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from ingest.models import StaleDay
from investigations.actions.cases import close_case, open_case
from investigations.actions.decisions import (
    approve_decision,
    reject_decision,
    restore_accounts,
)
from investigations.actions.reports import canonical, freeze_report
from investigations.detection.models import Cluster, ClusterHour, Run
from investigations.errors import NotAllowed, NotYet
from investigations.models import AuditEntry, Case, Decision, Effect, Report
from investigations.reports.figures import FIGURES, Week
from investigations.reports.weekly import build, freeze_last_week, freeze_week
from tests.investigations.scenes import WHY, case_of, cluster_of, decide, new_account

MONDAY = date(2026, 11, 9)
START = datetime(2026, 11, 9, tzinfo=UTC)
AFTER = START + timedelta(days=8, hours=3)
MISTAKE = "It was the school after all."

SQL = {
    "cases_opened": "SELECT count(*) FROM investigations_case"
    " WHERE opened_at >= %(start)s AND opened_at < %(end)s",
    "cases_decided": "SELECT count(DISTINCT d.case_id) FROM investigations_decision d"
    " LEFT JOIN investigations_approval a ON a.decision_id = d.id"
    " WHERE d.verdict <> 'restore' AND (a.id IS NULL OR a.state = 'approved')"
    " AND coalesce(a.answered_at, d.made_at) >= %(start)s"
    " AND coalesce(a.answered_at, d.made_at) < %(end)s",
    "cases_closed": "SELECT count(*) FROM investigations_case"
    " WHERE closed_at >= %(start)s AND closed_at < %(end)s",
    "accounts_banned": "SELECT count(DISTINCT account_id) FROM investigations_effect"
    " WHERE kind = 'ban' AND state <> 'superseded'"
    " AND queued_at >= %(start)s AND queued_at < %(end)s",
    "accounts_restricted": "SELECT count(DISTINCT account_id)"
    " FROM investigations_effect WHERE kind = 'restrict' AND state <> 'superseded'"
    " AND queued_at >= %(start)s AND queued_at < %(end)s",
    "accounts_cleared": "SELECT count(DISTINCT t.account_id)"
    " FROM investigations_targetaccount t"
    " JOIN investigations_decision d ON d.target_list_id = t.target_list_id"
    " LEFT JOIN investigations_approval a ON a.decision_id = d.id"
    " WHERE d.verdict = 'clear' AND (a.id IS NULL OR a.state = 'approved')"
    " AND coalesce(a.answered_at, d.made_at) >= %(start)s"
    " AND coalesce(a.answered_at, d.made_at) < %(end)s",
    "accounts_restored": "SELECT count(DISTINCT account_id) FROM investigations_effect"
    " WHERE kind = 'restore' AND state <> 'superseded'"
    " AND queued_at >= %(start)s AND queued_at < %(end)s",
    "innocents_restored": "SELECT count(DISTINCT e.account_id)"
    " FROM investigations_effect e"
    " JOIN investigations_decision d ON d.id = e.decision_id"
    " WHERE e.kind = 'restore' AND e.state <> 'superseded'"
    " AND d.ground = 'mistaken_decision'"
    " AND e.queued_at >= %(start)s AND e.queued_at < %(end)s",
    "exchanges": "SELECT coalesce(sum(h.requests), 0) FROM detection_clusterhour h"
    " JOIN detection_cluster c ON c.id = h.cluster_id"
    " WHERE c.live AND c.score >= 70 AND h.hour >= %(start)s AND h.hour < %(end)s",
    "output_tokens": "SELECT coalesce(sum(h.output_tokens), 0)"
    " FROM detection_clusterhour h JOIN detection_cluster c ON c.id = h.cluster_id"
    " WHERE c.live AND c.score >= 70 AND h.hour >= %(start)s AND h.hour < %(end)s",
    "exchanges_before_flag": "SELECT coalesce(sum(h.requests) FILTER"
    " (WHERE c.first_flagged_at IS NULL OR h.hour < c.first_flagged_at), 0)"
    " FROM detection_clusterhour h JOIN detection_cluster c ON c.id = h.cluster_id"
    " WHERE c.live AND c.score >= 70 AND h.hour >= %(start)s AND h.hour < %(end)s",
    "exchanges_after_flag": "SELECT coalesce(sum(h.requests) FILTER"
    " (WHERE h.hour >= c.first_flagged_at), 0)"
    " FROM detection_clusterhour h JOIN detection_cluster c ON c.id = h.cluster_id"
    " WHERE c.live AND c.score >= 70 AND h.hour >= %(start)s AND h.hour < %(end)s",
    "hours_to_decision": "SELECT round((percentile_cont(0.5) WITHIN GROUP (ORDER BY"
    " extract(epoch FROM coalesce(a.answered_at, d.made_at) - c.opened_at) / 3600"
    "))::numeric, 1) FROM investigations_decision d"
    " JOIN investigations_case c ON c.id = d.case_id"
    " LEFT JOIN investigations_approval a ON a.decision_id = d.id"
    " WHERE d.verdict <> 'restore' AND (a.id IS NULL OR a.state = 'approved')"
    " AND coalesce(a.answered_at, d.made_at) >= %(start)s"
    " AND coalesce(a.answered_at, d.made_at) < %(end)s",
    "approvals_waiting": "SELECT count(*) FROM investigations_approval"
    " WHERE requested_at < %(end)s AND expires_at >= %(end)s"
    " AND (answered_at IS NULL OR answered_at >= %(end)s)",
    "deliveries_parked": "SELECT count(*) FROM investigations_effect"
    " WHERE state = 'parked' AND queued_at >= %(start)s AND queued_at < %(end)s",
}


def counted(key: str, week: Week) -> float | None:
    with connection.cursor() as cursor:
        cursor.execute(SQL[key], {"start": week.start, "end": week.end})
        value = cursor.fetchone()[0]
    return None if value is None else float(value)


def at(days: float) -> time_machine.travel:
    return time_machine.travel(START + timedelta(days=days), tick=False)


def hours_of(cluster: Cluster, *hours: tuple[datetime, int]) -> None:
    ClusterHour.objects.bulk_create(
        ClusterHour(cluster=cluster, hour=hour, requests=n, output_tokens=n * 900)
        for hour, n in hours
    )


@pytest.fixture
def two_weeks(ana, leo) -> None:
    """Something of each kind in the week, something in the one before, and beside."""
    hot = cluster_of(3, score=96, first_flagged_at=START + timedelta(days=2))
    never_flagged = cluster_of(4, score=71, verdict="resale_pool")
    cold, gone = cluster_of(2, score=69), cluster_of(2, live=False)
    for number, cluster in enumerate((hot, never_flagged, cold, gone)):
        hours_of(
            cluster,
            (START - timedelta(hours=1), 1000 + number),
            (START, 10 + number),
            (START + timedelta(days=2), 200 + number),
            (START + timedelta(days=6, hours=23), 3000 + number),
            (START + timedelta(days=7), 50_000),
        )
    with at(-3):
        decide(open_case(cluster=hot, by=ana), ana)
        early = case_of(26, ana)
        reject_decision(decision=decide(early, ana), by=leo, note=MISTAKE)
    with at(0):
        cleared = case_of(2, ana)
    with at(0.5):
        decide(cleared, ana, "clear")
    with at(1):
        many = case_of(30, ana)
        asked = decide(many, ana)
    with at(1.1):
        approve_decision(decision=asked, by=leo)
    with at(2):
        close_case(case=Case.objects.get(pk=many.pk), outcome="", reason=WHY, by=ana)
        restore_accounts(
            decision=asked,
            account_ids=list(
                asked.effects.order_by("pk").values_list("account", flat=True)[:4]
            ),
            reason=MISTAKE,
            by=ana,
        )
        restore_accounts(
            decision=asked,
            account_ids=list(
                asked.effects.order_by("pk").values_list("account", flat=True)[4:6]
            ),
            reason=MISTAKE,
            ground="customer_remedied",
            by=ana,
        )
    with at(2.5):
        restricted = case_of(5, ana)
    with at(3):
        decide(restricted, ana, "restrict")
        parked = Effect.objects.filter(decision__case=restricted)[:2]
        Effect.objects.filter(pk__in=parked).update(state="parked")
    with at(3.2):
        decide(case_of(5, ana), ana)
    with at(6.95):
        decide(case_of(27, ana), ana)
        decide(case_of(1, ana), ana)
    with at(7.01):
        decide(case_of(2, ana), ana)


def test_every_figure_equals_a_count_of_its_own(two_weeks):
    assert set(SQL) == {figure.key for figure in FIGURES}
    with time_machine.travel(AFTER, tick=False):
        document = build(MONDAY)
    week = Week(MONDAY)
    shown = {f["key"]: (f["value"], f["previous"]) for f in document["figures"]}
    expected = {key: (counted(key, week), counted(key, week.before)) for key in SQL}
    assert shown == expected


def test_the_scene_leaves_hardly_a_figure_at_nought(two_weeks):
    """Otherwise the comparison above would compare noughts with noughts."""
    document = build(MONDAY)
    values = {f["key"]: f["value"] for f in document["figures"]}
    assert all(values.values()), values
    assert values["accounts_banned"] == 30 - 6 + 5 + 1
    assert values["innocents_restored"] == 4
    assert values["exchanges"] == (10 + 200 + 3000) + (11 + 201 + 3001)
    assert values["exchanges_before_flag"] == 10 + (11 + 201 + 3001)


def test_the_same_data_gives_the_same_bytes(two_weeks):
    with time_machine.travel(AFTER, tick=False):
        first = canonical(build(MONDAY))
    with time_machine.travel(AFTER + timedelta(days=3)):
        assert canonical(build(MONDAY + timedelta(days=6))) == first


def test_the_document_says_what_it_is_and_who_may_have_it(two_weeks):
    with time_machine.travel(AFTER, tick=False):
        document = build(MONDAY)
    assert (document["week"], document["from"], document["until"]) == (
        "2026-W46", "2026-11-09", "2026-11-15",
    )  # fmt: skip
    assert document["tlp"] == "TLP:AMBER+STRICT"
    assert document["complete"] is True
    assert [row["exchanges"] for row in document["top_clusters"]] == [3213, 3210]
    assert {r["verdict"]: r["clusters"] for r in document["clusters_by_verdict"]} == {
        "distillation": 9, "resale_pool": 1, "insufficient_evidence": 0,
    }  # fmt: skip
    assert all(figure["query"] for figure in document["figures"])


def test_no_customers_name_is_in_the_document(ana):
    names = {"external_id": "evil-<script>", "display_name": "Bobby Tables"}
    case = open_case(cluster=cluster_of(1, accounts=[new_account(**names)]), by=ana)
    decide(case, ana)
    told = canonical(build(datetime.now(tz=UTC).date())).decode()
    assert "evil" not in told
    assert "Bobby" not in told


@pytest.mark.django_db
def test_a_week_in_which_nothing_happened_has_a_summary_too():
    document = build(MONDAY)
    assert document["summary"][0] == "0 cases were opened, 0 decided and 0 closed."
    assert document["top_clusters"] == []


def test_leo_freezes_a_week_for_good(leo, two_weeks):
    with time_machine.travel(AFTER, tick=False):
        report = freeze_week(week=MONDAY + timedelta(days=3), by=leo)
    assert (report.week, report.revision) == (MONDAY, 1)
    kept = Report.objects.get()
    assert canonical(kept.document) == canonical(report.document)
    assert AuditEntry.objects.get(verb="report.frozen").object_ref == "2026-W46"


def test_freezing_the_same_again_changes_nothing_and_other_figures_are_a_revision(
    leo, ana
):
    with time_machine.travel(AFTER, tick=False):
        first = freeze_week(week=MONDAY, by=leo)
        assert freeze_week(week=MONDAY, by=leo) == first
    with at(2):
        case_of(1, ana)
    with time_machine.travel(AFTER, tick=False):
        assert freeze_week(week=MONDAY, by=leo).revision == 2
    first.refresh_from_db()
    assert first.revision == 1


def test_a_running_week_is_shown_and_not_frozen(leo):
    with at(3):
        assert build(MONDAY)["complete"] is False
        with pytest.raises(NotYet, match="2026-W46"):
            freeze_week(week=MONDAY, by=leo)


def test_ana_may_not_freeze_a_week(ana):
    with pytest.raises(NotAllowed, match="lead, manager"):
        freeze_report(week=MONDAY, document={"week": "2026-W46"}, by=ana)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 11, 22), "2026-W47"),
        (date(2026, 11, 23), "2026-W48"),
        (date(2026, 1, 1), "2026-W01"),
        (date(2027, 1, 3), "2026-W53"),
    ],
)
def test_weeks_are_iso_weeks(day, name):
    assert Week.of(day).name == name


def judged(as_of: datetime, finished_at: datetime) -> None:
    Run.objects.create(as_of=as_of, finished_at=finished_at, ruleset_hash="x")


@pytest.mark.django_db
def test_the_machine_freezes_the_last_week_once_when_its_data_is_in():
    with time_machine.travel(AFTER, tick=False):
        assert freeze_last_week() is None, "nothing was judged yet"
        judged(AFTER, AFTER - timedelta(minutes=4))
        assert freeze_last_week() is None, "what comes late may still come"
        judged(AFTER, AFTER - timedelta(minutes=6))
        StaleDay.objects.create(account_id=1, day=MONDAY + timedelta(days=6))
        assert freeze_last_week() is None, "a day is not counted yet"
        StaleDay.objects.all().delete()
        report = freeze_last_week()
        assert report is not None
        assert report.week == MONDAY
        assert report.frozen_by.get_username() == "stillwatch"
        assert freeze_last_week() is None, "once"


def test_the_figures_in_a_frozen_report_stay_as_they_were_told(leo, ana):
    with at(1):
        decide(case_of(3, ana), ana)
    with time_machine.travel(AFTER, tick=False):
        freeze_week(week=MONDAY, by=leo)
        ban = Decision.objects.get()
        restore_accounts(decision=ban, reason=MISTAKE, by=ana)
    kept = json.loads(canonical(Report.objects.get().document))
    values = {figure["key"]: figure["value"] for figure in kept["figures"]}
    assert values["accounts_banned"] == 3
