"""One case as it is read: by Ana who works on it, by Vic who only looks."""

import re
from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from ingest.models import Account, Excerpt, Sighting, Source
from investigations import access
from investigations.actions.cases import (
    add_note,
    assign_case,
    open_case,
    open_hot_cases,
)
from investigations.detection.models import Cluster, Membership, Score
from investigations.models import AuditEntry, Case
from tests.dashboard.case_scenes import SKELETONS, campaign
from tests.dashboard.reading import has, the
from tests.investigations.scenes import (
    became,
    case_of,
    cluster_of,
    decide,
    new_accounts,
)

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def case() -> Case:
    return open_case(cluster=campaign(40), by=access.system_account())


def page(client, case: Case, **asked):
    return client.get(reverse("cases:detail", args=[case.ref]), asked)


def shown_accounts(response) -> list[int]:
    return [int(pk) for pk in re.findall(r'id="member-(\d+)"', response.text)]


def test_the_page_opens_with_what_since_when_how_much_and_why_now(signed_in, ana, case):
    Cluster.objects.filter(pk=case.cluster_id).update(size=43, score=99.2)
    text = page(signed_in(ana), case).text
    assert "40 accounts that appear to be one operator harvesting answers." in text
    assert "Active since" in text
    assert "52,000 exchanges with 36.4M output tokens have left" in text
    assert "since then 3 accounts joined and the score rose by 2." in text


def test_the_strongest_innocent_explanation_stands_before_the_evidence(
    signed_in, ana, case
):
    text = page(signed_in(ana), case).text
    assert text.index("The strongest innocent explanation") < text.index(
        'id="evidence-title"'
    )


def test_each_reason_has_its_points_its_innocent_reading_and_its_rows(
    signed_in, ana, case
):
    text = page(signed_in(ana), case).text
    assert "+12" in text
    assert "Innocent if: A family, a small company" in text
    assert reverse("cases:evidence", args=[case.ref, "shared_payment"]) in text


def test_the_rows_behind_a_reason_name_accounts_and_mask_what_they_share(
    signed_in, ana, case
):
    url = reverse("cases:evidence", args=[case.ref, "shared_payment"])
    text = signed_in(ana).get(url).text
    assert Account.objects.earliest("pk").external_id in text
    assert "fp•••" in text
    assert "fp_9f31c2aa01" not in text


def test_a_reason_the_cluster_does_not_have_is_not_found(signed_in, ana, case):
    url = reverse("cases:evidence", args=[case.ref, "palm_reading"])
    assert signed_in(ana).get(url).status_code == 404


@pytest.mark.parametrize("ref", ["C-999999", "C-0", "C-999999999999999999"])
def test_a_case_that_is_not_there_is_not_found(signed_in, ana, ref):
    assert signed_in(ana).get(f"/cases/{ref}/").status_code == 404


def test_no_private_value_is_in_the_page(signed_in, ana, case):
    text = page(signed_in(ana), case).text
    private = ("fp_9f31c2aa01", "mailbox.example", "Northgate Labs", "203.0.113.0")
    assert [value for value in private if value in text] == []


def test_accounts_stand_by_score_and_a_click_on_a_heading_orders_them_anew(
    signed_in, ana, case
):
    client = signed_in(ana)
    by_score = list(
        Score.objects.order_by("-score", "-account").values_list("account", flat=True)
    )
    assert shown_accounts(page(client, case)) == by_score
    by_support = shown_accounts(page(client, case, sort="support"))
    supports = dict(Membership.objects.values_list("account", "support"))
    assert [supports[pk] for pk in by_support] == sorted(
        supports.values(), reverse=True
    )


def test_a_cut_off_by_score_leaves_those_at_or_above_it(signed_in, ana, case):
    shown = shown_accounts(page(signed_in(ana), case, min_score="90"))
    wanted = Score.objects.filter(score__gte=90).values_list("account", flat=True)
    assert set(shown) == set(wanted)
    assert shown


def test_the_accounts_that_share_one_value_can_be_shown_alone(signed_in, ana, case):
    shown = page(signed_in(ana), case)
    link = the(r'class="tie-count" href="([^"#]+)', shown)
    few = shown_accounts(signed_in(ana).get(link))
    assert len(few) == int(the(r'class="tie-count".*?>(\d+) <', shown))


def test_turning_the_pages_of_a_large_case_meets_every_account_once(signed_in, ana):
    case = open_case(cluster=campaign(120), by=access.system_account())
    client, seen = signed_in(ana), []
    url = reverse("cases:detail", args=[case.ref])
    for _ in range(2):
        response = client.get(url)
        seen += shown_accounts(response)
        url = the(r'rel="next" href="([^"#]+)', response)
    last = client.get(url)
    seen += shown_accounts(last)
    assert not has('rel="next"', last)
    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize(
    "asked",
    [
        {"min_score": "-1"},
        {"min_score": "101"},
        {"min_score": "९"},
        {"min_score": "1e9"},
        {"shares": "abc"},
        {"shares": "9" * 30},
        {"sort": "organization"},
        {"after": "1;2"},
        {"score__gte": "0"},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(signed_in, ana, case, asked):
    assert page(signed_in(ana), case, **asked).status_code == 400


def test_a_new_page_of_accounts_comes_without_the_rest(signed_in, ana, case):
    url = reverse("cases:detail", args=[case.ref])
    part = signed_in(ana).get(url, headers={**HTMX, "HX-Target": "members"})
    assert part.text.lstrip().startswith('<section class="section" id="members"')
    assert "<html" not in part.text


def test_the_chart_has_releases_and_what_was_done_as_lines(signed_in, ana, case):
    url = reverse("cases:timeline", args=[case.ref, "days"])
    figure = signed_in(ana).get(url).json()
    notes = [note["text"] for note in figure["layout"]["annotations"]]
    assert {"meridian-4 released", "flagged", "case opened"} <= set(notes)
    assert {bars["name"] for bars in figure["data"]} == {
        "meridian-3",
        "meridian-3-mini",
        "meridian-4",
    }


def test_the_charts_figures_stand_beside_it_as_a_table(signed_in, ana, case):
    text = page(signed_in(ana), case).text
    assert re.search(r"<th scope=\"col\"[^>]*>Output tokens</th>", text)
    assert text.count("Show as table") == 2


def test_the_map_ties_accounts_to_what_they_share_and_masks_it(signed_in, ana, case):
    figures = signed_in(ana).get(reverse("cases:graph", args=[case.ref])).json()
    labels = " ".join(figures["nodes"]["label"])
    assert len([n for n in figures["nodes"]["id"] if n.startswith("a")]) == 40
    assert "payment instrument fp•••" in labels
    assert "fp_9f31c2aa01" not in labels
    # A hub is listed and makes no ties.
    assert "client stack" not in labels


def test_templates_are_hidden_until_someone_says_why(signed_in, ana, case):
    client = signed_in(ana)
    assert SKELETONS[0][:20] not in page(client, case).text
    url = reverse("cases:reveal", args=[case.ref])
    refused = client.post(url, {"reason": "curious"}, headers=HTMX)
    assert refused.status_code == 422
    assert "curious" in refused.text
    assert "20 characters" in refused.text
    reason = "Comparing the wording with the campaign of last month."
    revealed = client.post(url, {"reason": reason}, headers=HTMX)
    assert "You are grading an answer. Rubric:" in revealed.text
    entry = AuditEntry.objects.get(verb="case.revealed")
    assert (entry.actor_name, entry.object_ref, entry.reason) == (
        "ana",
        case.ref,
        reason,
    )
    assert SKELETONS[0][:20] not in page(client, case).text


def test_a_revealed_template_comes_with_prompts_of_the_case_only(signed_in, ana, case):
    template = Sighting.objects.filter(indicator__kind="skeleton").earliest("pk")
    member, stranger = template.account, new_accounts(1)[0]
    source = Source.objects.create(name="a gateway")
    for account, text in ((member, "Grade this ode."), (stranger, "Not of the case.")):
        Excerpt.objects.create(
            source=source,
            event_id=text,
            account=account,
            occurred_at=datetime(2026, 11, 18, tzinfo=UTC),
            day=date(2026, 11, 18),
            skeleton_hash=int(template.indicator.value),
            rank=0,
            text=text,
        )
    client = signed_in(ana)
    assert "Grade this ode." not in page(client, case).text
    url = reverse("cases:reveal", args=[case.ref])
    shown = client.post(url, {"reason": "Comparing it with last month's case."}).text
    assert "Grade this ode." in shown
    assert "Not of the case." not in shown
    assert AuditEntry.objects.get(verb="case.revealed").detail["excerpts"] == 1


def test_templates_are_revealed_without_scripts_as_well(signed_in, ana, case):
    url = reverse("cases:reveal", args=[case.ref])
    shown = signed_in(ana).post(url, {"reason": "Comparing it with last month's case."})
    assert "You are grading an answer. Rubric:" in shown.text
    assert "<html" in shown.text


def test_vic_is_neither_offered_nor_given_the_templates(signed_in, vic, case):
    client = signed_in(vic)
    assert "Reveal" not in page(client, case).text
    url = reverse("cases:reveal", args=[case.ref])
    assert client.post(url, {"reason": "I would like to read them."}).status_code == 403
    assert not AuditEntry.objects.filter(verb="case.revealed").exists()


@pytest.mark.parametrize("name", ["vic", "mia", "aud", "ada"])
def test_whoever_only_reads_sees_no_form(request, signed_in, name, case):
    reader: User = request.getfixturevalue(name)
    text = page(signed_in(reader), case).text
    main = text[text.index("<main") :]
    assert "<textarea" not in main
    assert 'method="post"' not in main
    assert "data-select-row" not in main
    assert "You can read along." in main


def test_the_history_tells_who_did_what_and_shows_the_notes(signed_in, ana, leo, case):
    User.objects.filter(pk=ana.pk).update(first_name="Ana", last_name="Lopez")
    assign_case(case=case, to=ana, by=leo)
    add_note(case=case, text="Billing says:\n<i>chargebacks</i>", by=ana)
    text = page(signed_in(leo), case).text
    assert "assigned the case to Ana Lopez" in text
    assert "&lt;i&gt;chargebacks&lt;/i&gt;" in text
    assert "opened the case about" in text


def test_the_history_tells_what_the_cases_cluster_became_part_of(signed_in, leo):
    part = cluster_of(5)
    (case,) = open_hot_cases()
    whole = became([part, cluster_of(15, score=40)])
    open_hot_cases()

    text = page(signed_in(leo), case).text
    assert f"moved the case on: {part.ref} became part of {whole.ref}" in text
    assert "Distillation campaign of 20 accounts" in text


def test_a_case_of_hand_picked_accounts_has_a_page(signed_in, ana):
    case = open_case(by=ana, accounts=new_accounts(3))
    text = page(signed_in(ana), case).text
    assert "3 accounts picked by hand" in text
    assert len(shown_accounts(page(signed_in(ana), case))) == 3
    for name in ("graph", "timeline"):
        more = ["days"] if name == "timeline" else []
        url = reverse(f"cases:{name}", args=[case.ref, *more])
        assert signed_in(ana).get(url).status_code == 200


def test_a_decided_case_keeps_its_page_when_the_cluster_is_gone(signed_in, ana):
    case = case_of(4, by=ana)
    decide(case, ana)
    Membership.objects.all().delete()
    Cluster.objects.update(live=False, size=0)
    text = page(signed_in(ana), case).text
    assert "No accounts are left in this case" in text
    assert "Ban 4 accounts" in text


def test_the_head_is_sent_again_only_when_it_has_changed(signed_in, ana, leo, case):
    client = signed_in(ana)
    seen = the(r'"seen": "(\w+)"', page(client, case))
    url = reverse("cases:head", args=[case.ref])
    assert client.get(url, {"seen": seen}, headers=HTMX).status_code == 204
    assign_case(case=case, to=leo, by=leo)
    again = client.get(url, {"seen": seen}, headers=HTMX)
    assert again.status_code == 200
    assert "in review" in again.text


def test_the_page_costs_the_same_for_ten_accounts_as_for_two_hundred(
    signed_in, ana, django_assert_max_num_queries
):
    client = signed_in(ana)
    for size in (10, 200):
        cluster = campaign(size, seed=size)
        case = open_case(cluster=cluster, by=access.system_account())
        page(client, case)
        with django_assert_max_num_queries(28):
            page(client, case)
