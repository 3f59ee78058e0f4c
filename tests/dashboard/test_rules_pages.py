"""Leo drafts rules, Lia publishes them; everybody can read what holds and why."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from ingest.models import Indicator
from investigations.detection import pace, pipeline, rulebook
from investigations.detection.models import RuleTrial, RuleVersion
from investigations.models import AuditEntry
from tests.conftest import make_person
from tests.dashboard.reading import the
from tests.detection.facts import ATTACKERS, NOW, take_in, telemetry

pytestmark = pytest.mark.django_db
LIST = reverse("settings:rules")
WHY = "Three classes were flagged as one campaign last week."
State = RuleVersion.State


@pytest.fixture
def lia(db) -> User:
    """The second lead."""
    return make_person("lia", "lead")


def at(name: str, version: RuleVersion) -> str:
    return reverse(f"settings:{name}", args=[version.number])


def begun(client, **told) -> RuleVersion:
    response = client.post(reverse("settings:draft_rules"), {"reason": WHY, **told})
    assert response.status_code == 302, response.text
    return RuleVersion.objects.latest("number")


def edited(client, version: RuleVersion, **told):
    version.refresh_from_db()
    form = {"reason": WHY, "edition": version.edition, **told}
    return client.post(at("edit_rules", version), form)


def proposed(client, **told) -> RuleVersion:
    version = begun(client)
    assert edited(client, version, **(told or {"fewest_members": 9})).status_code == 302
    response = client.post(at("propose_rules", version))
    assert response.status_code == 302, response.text
    version.refresh_from_db()
    return version


def published(client, version: RuleVersion, **told):
    sha256 = rulebook.edition_of(version).rules.hash
    form = {"reason": WHY, "sha256": sha256, **told}
    return client.post(at("publish_rules", version), form)


def verbs(version: RuleVersion) -> list[tuple[str, str]]:
    entries = AuditEntry.objects.filter(object_type="rules", object_ref=version.ref)
    return list(entries.order_by("sequence").values_list("verb", "actor_name"))


# --- Two people -------------------------------------------------------------------


def test_one_lead_drafts_and_another_publishes_and_each_step_is_audited(
    signed_in, leo, lia
):
    version = proposed(signed_in(leo), fewest_members="9")
    assert rulebook.live().version is None
    assert published(signed_in(lia), version).status_code == 302

    assert rulebook.live().version == version
    assert rulebook.live().rules.fewest_members == 9
    assert verbs(version) == [
        ("rules.drafted", "leo"),
        ("rules.changed", "leo"),
        ("rules.proposed", "leo"),
        ("rules.published", "lia"),
    ]


def test_nobody_publishes_what_they_wrote(signed_in, leo):
    client = signed_in(leo)
    version = proposed(client)
    response = published(client, version)

    assert response.status_code == 403
    assert "another lead publishes them" in response.text
    assert rulebook.live().version is None


@pytest.mark.parametrize("role", ["analyst", "viewer", "manager", "auditor", "admin"])
def test_only_leads_change_rules_and_everybody_reads_them(signed_in, leo, role):
    version = proposed(signed_in(leo))
    client = signed_in(make_person("eve", role))
    assert client.post(reverse("settings:draft_rules")).status_code == 403
    assert published(client, version).status_code == 403
    page = client.get(at("rules_version", version))
    assert "Fewest customers of a cluster" in page.text
    assert "Publish</button>" not in page.text


def test_the_next_version_retires_the_one_before(signed_in, leo, lia):
    first = proposed(signed_in(leo))
    published(signed_in(lia), first)
    second = proposed(signed_in(leo), fewest_members="7")
    published(signed_in(lia), second)

    first.refresh_from_db()
    assert (first.state, rulebook.live().version) == (State.RETIRED, second)


def test_what_lia_looked_at_is_what_she_publishes(signed_in, leo, lia):
    version = proposed(signed_in(leo))
    response = published(signed_in(lia), version, sha256="0" * 64)

    assert response.status_code == 409
    assert "not what you were looking at" in response.text


def test_a_version_is_sent_back_with_a_reason_and_proposed_again(signed_in, leo, lia):
    version = proposed(signed_in(leo))
    back = at("send_back_rules", version)
    assert signed_in(lia).post(back, {"reason": "no"}).status_code == 422
    assert signed_in(lia).post(back, {"reason": WHY}).status_code == 302
    version.refresh_from_db()
    assert version.state == State.DRAFT
    assert published(signed_in(lia), version).status_code == 409


def test_two_versions_cannot_be_in_shadow_at_once(signed_in, leo, lia):
    first = proposed(signed_in(leo))
    second = begun(signed_in(lia))
    response = signed_in(lia).post(at("propose_rules", second))

    assert response.status_code == 409
    assert f"{first.ref} is in shadow already" in response.text


def test_the_list_says_which_rules_the_last_run_went_by(signed_in, leo, lia, vic):
    pipeline.run(as_of=timezone.now())
    version = proposed(signed_in(leo))
    published(signed_in(lia), version)
    page = signed_in(vic).get(LIST).text
    assert f"{version.ref} is live" in page
    assert "went by the built-in ones" in page
    pipeline.run(as_of=timezone.now())
    assert f"went by {version.ref}" in signed_in(vic).get(LIST).text


def test_the_list_says_how_far_quick_passes_came_away(signed_in, vic, monkeypatch):
    assert "Nothing was looked at yet" in signed_in(vic).get(LIST).text
    monkeypatch.setattr(pace, "SHORT", timedelta(0))
    records = telemetry()
    take_in(r for r in records if r["account_id"] != ATTACKERS[0])
    pipeline.run(as_of=NOW)
    take_in(r for r in records if r["account_id"] == ATTACKERS[0])
    assert "no full pass has followed" in signed_in(vic).get(LIST).text
    pipeline.refresh(now=NOW + timedelta(minutes=2))
    assert "1 account changed" in signed_in(vic).get(LIST).text
    pipeline.run(as_of=NOW + timedelta(minutes=2))

    assert "After 1 quick pass, of 72 scores 0 " in signed_in(vic).get(LIST).text


# --- Drafts ----------------------------------------------------------------------


def test_a_draft_made_against_an_older_version_says_so_and_is_brought_up_to_date(
    signed_in, leo, lia
):
    late = begun(signed_in(lia))
    edited(signed_in(lia), late, **{"cap.money": "10", "partners": "org-a"})
    first = proposed(signed_in(leo), fewest_members="9", partners="org-b")
    published(signed_in(lia), first)
    page = signed_in(lia).get(at("rules_version", late))
    assert f"{first.ref} went live since" in page.text
    assert signed_in(lia).post(at("propose_rules", late)).status_code == 409
    assert signed_in(lia).post(at("update_rules", late)).status_code == 302

    late.refresh_from_db()
    rules = rulebook.edition_of(late).rules
    assert rules.fewest_members == 9
    assert rules.family_caps["money"] == 10
    assert rules.partners == ("org-a", "org-b")
    assert signed_in(lia).post(at("propose_rules", late)).status_code == 302


def test_a_form_of_an_older_edition_overwrites_nothing(signed_in, leo):
    client = signed_in(leo)
    version = begun(client)
    edited(client, version, fewest_members="9")
    response = client.post(
        at("edit_rules", version), {"reason": WHY, "edition": 1, "pool_floor": "9"}
    )

    assert response.status_code == 409
    assert "changed in another window" in response.text
    assert 'value="9"' in the(r'(<input[^>]*name="pool_floor"[^>]*>)', response)
    assert rulebook.edition_of(RuleVersion.objects.get()).rules.fewest_members == 9


def test_a_draft_is_its_authors(signed_in, leo, lia):
    version = begun(signed_in(leo))
    response = edited(signed_in(lia), version, fewest_members="9")

    assert response.status_code == 409
    assert "draft" in response.text
    assert RuleVersion.objects.get().values["numbers"] == {}


def test_a_version_keeps_only_what_differs_from_the_built_in_rules(signed_in, leo):
    client = signed_in(leo)
    version = begun(client)
    edited(client, version, fewest_members="4", pool_floor="9.5")
    version.refresh_from_db()
    assert version.values == {
        "numbers": {"pool_floor": 9.5},
        "allowed": [],
        "partners": [],
    }


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"fewest_members": "1"}, "write a number from 3 to 1,000"),
        ({"fewest_members": "5.5"}, "write a whole number"),
        ({"fewest_members": "many"}, "Enter a number"),
        ({"prior_account": "nan"}, "Enter a number"),
        ({"prior_account": "1e400"}, "Enter a number"),
        ({"propose_at": "60"}, "write a number from 90 to 100"),
        ({"weight.continuation.cluster": "-4"}, "write a number from 0 to 40"),
        ({"thin_cap": "60", "uncoordinated_cap": "50"}, "The three caps must rise"),
        ({"thin_cap": "60", "early_cap": "50"}, "less than one with too little"),
        ({"allowed": "payment card-7"}, "cannot be listed"),
        ({"allowed": "tools"}, "After tools comes its value"),
        ({"allowed": "#7 8"}, "is no number of a shared value"),
        ({"allowed": "#4711"}, "There is no shared value #4711"),
        ({"partners": "x" * 600}, "1 to 512 characters"),
        ({"partners": "\n".join(map(str, range(2001)))}, "2,001 entries"),
        ({"reason": "because"}, "too short"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_saved(
    signed_in, leo, told, sentence
):
    client = signed_in(leo)
    version = begun(client)
    response = edited(client, version, **told)

    assert response.status_code == 422
    assert sentence in response.text
    version.refresh_from_db()
    assert version.edition == 1


def test_a_shared_value_is_listed_by_the_number_that_cases_show(signed_in, leo):
    client = signed_in(leo)
    harness = Indicator.objects.create(kind="tools", value="9f2c")
    card = Indicator.objects.create(kind="payment", value="card-7")
    version = begun(client)
    assert edited(client, version, allowed=f"#{card.pk}").status_code == 422
    assert edited(client, version, allowed=f"#{harness.pk}").status_code == 302

    version.refresh_from_db()
    assert version.values["allowed"] == [["tools", "9f2c"]]
    assert "tools 9f2c" in client.get(at("rules_version", version)).text


def test_a_draft_can_be_put_away_and_another_begun_like_it(signed_in, leo, lia):
    client = signed_in(leo)
    version = begun(client)
    edited(client, version, fewest_members="9")
    assert client.post(at("discard_rules", version), {"reason": WHY}).status_code == 302
    again = begun(signed_in(lia), like=version.number)

    assert again.author == lia
    assert rulebook.edition_of(again).rules.fewest_members == 9


def test_markup_in_a_list_or_a_reason_is_shown_as_text(signed_in, leo):
    client = signed_in(leo)
    version = begun(client, reason="<script>alert(1)</script> a long enough reason")
    edited(
        client,
        version,
        partners="<script>alert(2)</script>",
        reason="<script>alert(1)</script> a long enough reason",
    )
    for page in (LIST, at("rules_version", version), at("edit_rules", version)):
        assert "<script>alert(" not in client.get(page).text


# --- Backtests --------------------------------------------------------------------


def test_a_backtest_is_ordered_for_days_of_the_past(signed_in, leo):
    client = signed_in(leo)
    version = begun(client)
    order = {"last_day": "2026-11-20", "count": "3", "step": "7"}
    response = client.post(at("backtest_rules", version), order)
    assert response.status_code == 302

    trial = RuleTrial.objects.get()
    assert [f"{at:%m-%d %H:%M}" for at in trial.instants] == [
        "11-07 00:00",
        "11-14 00:00",
        "11-21 00:00",
    ]
    page = client.get(response["Location"])
    assert "0 of 3 days looked at" in page.text
    assert "data-poll" in page.text


@pytest.mark.parametrize(
    "told",
    [
        {"last_day": "2090-01-01"},
        {"last_day": "0001-01-01"},
        {"count": "13"},
        {"count": "0"},
        {"step": ""},
        {"last_day": "soon"},
    ],
)
def test_a_backtest_that_cannot_be_is_refused(signed_in, leo, told):
    client = signed_in(leo)
    version = begun(client)
    form = {"last_day": "2026-11-20", "count": "3", "step": "7"} | told
    assert client.post(at("backtest_rules", version), form).status_code == 422
    assert not RuleTrial.objects.exists()
