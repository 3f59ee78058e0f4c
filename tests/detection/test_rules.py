"""Versions of the rules: what a run goes by, what a list takes out, what is tried."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from ingest.models import Account, Indicator
from investigations.actions import rules
from investigations.detection import (
    backtesting,
    labels,
    pace,
    pipeline,
    rule_values,
    selectors,
)
from investigations.detection.models import (
    Cluster,
    IndicatorProfile,
    Label,
    Link,
    RuleTrial,
    RuleVersion,
    Run,
    Score,
    Signal,
)
from investigations.detection.ruleset import LISTABLE, RULESET
from tests.detection.facts import ATTACKERS, NOW, take_in, telemetry

pytestmark = pytest.mark.django_db
State = RuleVersion.State
# Too strict for the town's one campaign: it is smaller than that.
STRICT = {"fewest_members": 100}


@pytest.fixture
def town() -> None:
    take_in(telemetry())


def version(author, state: str, *, number: int = 1, **said) -> RuleVersion:
    values = rule_values.checked(
        said.get("numbers", {}), said.get("allowed", ()), said.get("partners", ())
    )
    now = timezone.now()
    return RuleVersion.objects.create(
        number=number,
        values=values.as_json(),
        state=state,
        reason="Tried in a test",
        author=author,
        created_at=now,
        changed_at=now,
    )


def run(**earlier: float) -> Run:
    return pipeline.run(as_of=NOW - timedelta(**earlier))


def hot() -> Cluster:
    return selectors.hot_clusters().get()


# --- What a run goes by -----------------------------------------------------------


def test_without_a_version_the_built_in_rules_hold(town):
    done = run()

    assert done.rules is None
    assert done.ruleset_hash == RULESET.hash


def test_a_run_goes_by_the_live_version_and_says_so(town, leo):
    run()
    before = hot().decibans
    live = version(leo, State.LIVE, numbers={"prior_cluster": -35})
    done = run()

    assert done.rules == live
    assert done.ruleset_hash != RULESET.hash
    assert hot().decibans == pytest.approx(before - 10)


def test_a_weight_changes_what_the_signals_and_the_scores_say(town, leo):
    run()
    assert Signal.objects.filter(detector="shared_payment", decibans__gt=0).exists()
    zero = {"weight.shared_payment.account": 0, "weight.shared_payment.cluster": 0}
    version(leo, State.LIVE, numbers=zero)
    run()

    assert not Signal.objects.filter(detector="shared_payment", decibans__gt=0).exists()


def test_while_it_is_early_a_campaign_is_shown_and_nobody_is_proposed(town, leo):
    run()
    assert hot().proposed_ban
    version(leo, State.LIVE, numbers={"early_requests": 1_000_000})
    run()

    assert hot().score == 84
    assert hot().verdict == "distillation"
    assert hot().proposed_ban == []
    assert "below 5 customers or 1,000,000 exchanges" in hot().withheld_because


def test_drafts_and_retired_versions_change_nothing(town, leo):
    run()
    before = sorted(Score.objects.values_list("account", "decibans"))
    for number, state in enumerate((State.DRAFT, State.RETIRED, State.DISCARDED), 1):
        version(leo, state, number=number, numbers={"prior_account": -50})
    run()

    assert sorted(Score.objects.values_list("account", "decibans")) == before


def test_publishing_is_reason_enough_for_a_new_run(town, leo):
    now = timezone.now() + timedelta(minutes=5)
    pipeline.refresh(now=now)
    assert pipeline.refresh(now=now + timedelta(minutes=5)) is None
    version(leo, State.LIVE, numbers={"prior_account": -35})

    assert pipeline.refresh(now=now + timedelta(minutes=10)) is not None


def test_a_live_version_that_names_a_detector_of_another_release_still_runs(town, leo):
    run()
    before = hot().decibans
    draft = version(leo, State.DRAFT, numbers={"prior_cluster": -26})
    draft.values["numbers"]["weight.gone_detector.cluster"] = 9
    draft.state = State.SHADOW
    draft.save()
    draft.state = State.LIVE
    draft.save()

    assert run().rules == draft
    assert hot().decibans == pytest.approx(before - 1)


# --- Lists ------------------------------------------------------------------------


def harness() -> Indicator:
    return Indicator.objects.get(kind="tools")


def test_a_listed_tool_schema_makes_no_links_and_no_evidence(town, leo):
    run()
    tied = {e["kind"] for link in Link.objects.all() for e in link.evidence}
    assert "tools" in tied
    assert Signal.objects.filter(detector="tool_schema").exists()
    version(leo, State.LIVE, allowed=[("tools", harness().value)])
    run()

    tied = {e["kind"] for link in Link.objects.all() for e in link.evidence}
    assert "tools" not in tied
    assert not Signal.objects.filter(detector="tool_schema").exists()


def test_a_listed_value_says_so_and_is_counted_all_the_same(town, leo):
    version(leo, State.LIVE, allowed=[("tools", harness().value)])
    run()

    profile = IndicatorProfile.objects.get(indicator=harness())
    assert profile.listed
    assert profile.accounts == len(ATTACKERS)
    assert not IndicatorProfile.objects.exclude(pk=profile.pk).filter(listed=True)


def test_a_listed_client_stack_is_no_evidence(town, leo):
    run()
    assert Signal.objects.filter(detector="rare_client_stack").exists()
    shown = Signal.objects.filter(detector="rare_client_stack").count()
    stacks = Indicator.objects.filter(kind="client_stack", value__contains="relay")
    version(leo, State.LIVE, allowed=[("client_stack", s.value) for s in stacks])
    run()

    assert shown
    assert not Signal.objects.filter(detector="rare_client_stack").exists()


def test_a_partner_organisation_counts_like_a_verified_one(town, leo):
    Account.objects.filter(external_id=ATTACKERS[0]).update(organization_id="org-ally")
    version(leo, State.LIVE, partners=["org-ally"])
    run()

    partner = Account.objects.get(external_id=ATTACKERS[0])
    sentences = [reason["sentence"] for reason in partner.score.reasons]
    assert any("list of partners" in sentence for sentence in sentences)
    assert partner.pk not in hot().proposed_ban


# --- In shadow --------------------------------------------------------------------


def test_a_version_in_shadow_is_compared_after_each_run_and_has_no_effect(town, leo):
    run()
    before = hot().score
    shadow = version(leo, State.SHADOW, numbers=STRICT)
    run()
    run(hours=1)

    trial = RuleTrial.objects.get()
    (result,) = trial.results
    assert (trial.version, trial.kind, trial.runs) == (shadow, "shadow", 2)
    assert hot().score == before
    assert [c["size"] for c in result["missed"]] == [len(ATTACKERS)]
    assert result["missed"][0]["cluster"] == hot().pk
    assert result["live"]["proposed"] == len(ATTACKERS)
    assert result["draft"]["proposed"] == 0


def test_a_version_new_in_shadow_is_reason_enough_for_a_full_pass(
    town, leo, monkeypatch
):
    """Where full passes are long they are made at night, and quick ones by day."""
    monkeypatch.setattr(pace, "SHORT", timedelta(0))
    now = timezone.now()
    pipeline.run(as_of=now)
    later = now + timedelta(hours=1)
    assert pipeline.refresh(now=later) is None
    version(leo, State.SHADOW, numbers=STRICT)
    run = pipeline.refresh(now=later)
    assert run is not None and run.kind == "full"
    assert RuleTrial.objects.get().runs == 1
    assert pipeline.refresh(now=later + timedelta(hours=1)) is None


def test_lists_in_shadow_link_and_cluster_anew(town, leo):
    run()
    programs = Indicator.objects.filter(
        kind__in=LISTABLE, profile__accounts=len(ATTACKERS)
    )
    allowed = [(each.kind, each.value) for each in programs]
    version(leo, State.SHADOW, allowed=allowed)
    run()

    (result,) = RuleTrial.objects.get().results
    assert result["draft"]["proposed"] < result["live"]["proposed"]
    assert Signal.objects.filter(detector="tool_schema").exists()


def test_a_bystander_is_named_with_why_and_how(town, leo):
    run()
    innocent = Account.objects.get(external_id=ATTACKERS[3])
    labels.record(
        account_ids=[innocent.pk],
        kind=Label.Kind.BENIGN,
        reason="",
        given_by="D-1",
        at=NOW - timedelta(days=1),
    )
    version(leo, State.SHADOW, numbers=STRICT)
    run()

    (result,) = RuleTrial.objects.get().results
    less = result["bystanders"]["less"]
    assert result["live"]["bystanders"] == 1
    assert less["accounts"][0][:2] == [innocent.pk, "found innocent by people"]


# --- Backtests --------------------------------------------------------------------


def ordered(draft: RuleVersion, *days_ago: int) -> RuleTrial:
    instants = [NOW - timedelta(days=days) for days in days_ago]
    return rules.order_backtest(version=draft, instants=instants, by=draft.author)


def test_a_backtest_shows_what_a_draft_would_have_done_and_writes_no_claim(town, leo):
    draft = version(leo, State.DRAFT, numbers=STRICT)
    trial = ordered(draft, 0, 4)
    assert backtesting.work_off(for_at_most=3600) == 2

    trial.refresh_from_db()
    assert (trial.state, len(trial.results)) == ("done", 2)
    early, late = trial.results
    assert (early["as_of"], late["as_of"]) == tuple(
        at.isoformat() for at in trial.instants
    )
    assert [change["size"] for change in late["missed"]] == [len(ATTACKERS)]
    assert late["proposed"]["gone"]["count"] == len(ATTACKERS)
    assert not Cluster.objects.exists()
    assert not Score.objects.exists()


def test_a_backtest_is_about_the_draft_as_it_was_ordered(town, leo):
    draft = version(leo, State.DRAFT, numbers=STRICT)
    trial = ordered(draft, 0)
    RuleVersion.objects.update(values={})
    backtesting.work_off(for_at_most=3600)

    trial.refresh_from_db()
    assert len(trial.results[0]["missed"]) == 1


def test_a_backtest_goes_on_where_a_worker_left_it(town, leo, monkeypatch):
    trial = ordered(version(leo, State.DRAFT, numbers=STRICT), 0, 4)
    look_back, looks = backtesting.look_back, []

    def once(trial):
        looks.append(trial.pk)
        if len(looks) == 2:
            raise ConnectionError("the worker is gone")
        return look_back(trial)

    monkeypatch.setattr(backtesting, "look_back", once)
    with pytest.raises(ConnectionError):
        backtesting.work_off(for_at_most=3600)
    trial.refresh_from_db()
    assert (trial.state, len(trial.results)) == ("waiting", 1)
    backtesting.work_off(for_at_most=3600)

    trial.refresh_from_db()
    assert (trial.state, len(trial.results), len(looks)) == ("done", 2, 3)


def test_a_long_backtest_lets_other_work_have_its_turn(town, leo):
    trial = ordered(version(leo, State.DRAFT, numbers=STRICT), 0, 4)
    assert backtesting.work_off(for_at_most=0) == 1

    trial.refresh_from_db()
    assert (trial.state, len(trial.results)) == ("waiting", 1)


def test_a_backtest_that_never_ends_is_given_up_and_says_so(leo, monkeypatch):
    trial = ordered(version(leo, State.DRAFT), 0)

    def fails(trial):
        raise MemoryError

    monkeypatch.setattr(backtesting, "look_back", fails)
    for _ in range(3):
        with pytest.raises(MemoryError):
            backtesting.work_off()
    assert backtesting.work_off() == 0

    trial.refresh_from_db()
    assert trial.state == "failed"
    assert "begun 3 times" in trial.error


# --- What stood behind a label ----------------------------------------------------


def test_a_label_keeps_the_detectors_and_links_that_spoke_at_the_time(town):
    run()
    account = Account.objects.get(external_id=ATTACKERS[0])
    labels.record(
        account_ids=[account.pk],
        kind=Label.Kind.CONFIRMED,
        reason="",
        given_by="D-1",
        at=NOW,
    )
    label = Label.objects.get()

    assert {"shared_payment", "tool_schema"} <= set(label.detectors)
    assert {"payment", "tools"} <= set(label.link_kinds)


# --- The database itself ----------------------------------------------------------


def test_what_was_proposed_cannot_be_rewritten(leo):
    proposed = version(leo, State.SHADOW)
    proposed.values = {"numbers": {"prior_account": -10}}
    with pytest.raises(IntegrityError, match="keeps what was written"):
        proposed.save()


def test_nobody_publishes_their_own_version(leo):
    draft = version(leo, State.SHADOW)
    draft.state, draft.published_by = State.LIVE, leo
    with pytest.raises(IntegrityError, match="rules_second_person"):
        draft.save()


def test_a_draft_cannot_go_live_past_its_proposal(leo):
    draft = version(leo, State.DRAFT)
    draft.state = State.LIVE
    with pytest.raises(IntegrityError, match="cannot move from draft to live"):
        draft.save()


def test_there_is_one_live_version_at_most(leo):
    version(leo, State.LIVE)
    with pytest.raises(IntegrityError, match="rules_one_live"):
        version(leo, State.LIVE, number=2)
