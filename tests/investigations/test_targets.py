from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingest.models import AccountDay
from investigations import policies
from investigations.actions.cases import open_case, reopen_case
from investigations.actions.targets import freeze_targets, preview_targets
from investigations.detection.models import Membership, RuleVersion, Score
from investigations.errors import (
    EmptyList,
    ListChanged,
    NotAllowed,
    NotInCase,
    ProtectedAccounts,
)
from investigations.models import TargetList
from tests.investigations.scenes import (
    WHY,
    case_of,
    cluster_of,
    decide,
    members,
    new_account,
)

PROTECTED = [
    {"contract": "reseller"},
    {"contract": "evaluation"},
    {"contract": "distillation_licensed"},
    {"verification": "organization", "plan": "enterprise"},
]
NOT_PROTECTED = [
    {},
    {"plan": "enterprise"},
    {"verification": "organization"},
    {"verification": "identity", "plan": "enterprise"},
]


def test_a_preview_counts_who_would_be_hit(ana):
    now = datetime.now(tz=UTC)
    accounts = [
        new_account(plan="free", created_at=now, organization_id="o1"),
        new_account(plan="free", created_at=now - timedelta(days=3)),
        new_account(plan="team", verification="phone", created_at=None),
    ]
    Score.objects.create(
        account=accounts[0], score=93, band="action", ruleset_hash="x", as_of=now
    )
    for days_ago, requests in ((1, 40), (29, 2), (31, 1000)):
        AccountDay.objects.create(
            account=accounts[0], day=(now - timedelta(days=days_ago)).date(),
            requests=requests, hours=[0] * 24, session_hours=[0] * 24,
        )  # fmt: skip
    case = open_case(cluster=cluster_of(3, accounts=accounts), by=ana)
    Membership.objects.filter(account=accounts[2]).update(support=0)

    seen = preview_targets(case=case, account_ids=members(case), action="ban")

    assert seen.count == 3
    assert seen.by_band == {"none": 2, "action": 1}
    assert seen.by_plan == {"free": 2, "team": 1}
    assert seen.by_verification == {"none": 2, "phone": 1}
    assert seen.by_age == {"under a day": 1, "under a week": 1, "unknown": 1}
    assert seen.exchanges_30_days == 42
    assert seen.organizations == [{"name": "o1", "accounts": 1}]
    assert seen.weak == [accounts[2].external_id]
    assert not seen.needs_second_person


def test_a_preview_writes_nothing(ana):
    case = case_of(3, ana)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        preview_targets(case=case, account_ids=members(case), action="ban")
    assert all(q["sql"].startswith(("SELECT", "DECLARE")) for q in queries)
    assert len(queries) <= 14


def test_the_hash_is_over_the_action_and_the_accounts_in_any_order():
    assert policies.list_sha256("ban", [3, 1, 2, 2]) == policies.list_sha256(
        "ban", [1, 2, 3]
    )
    assert policies.list_sha256("ban", [1, 23]) != policies.list_sha256("ban", [12, 3])
    assert policies.list_sha256("ban", [1]) != policies.list_sha256("restrict", [1])


def test_accounts_outside_the_case_are_named_and_refused(ana):
    case, stranger = case_of(2, ana), new_account()
    with pytest.raises(NotInCase, match=case.ref) as refusal:
        preview_targets(
            case=case, account_ids=[*members(case), stranger.pk], action="ban"
        )
    assert refusal.value.accounts == [stranger.external_id]


def test_an_empty_list_is_refused(ana):
    with pytest.raises(EmptyList):
        preview_targets(case=case_of(2, ana), account_ids=[], action="ban")


@pytest.mark.parametrize("traits", PROTECTED, ids=str)
def test_one_protected_account_stops_the_whole_batch_and_is_named(ana, traits):
    protected = new_account(**traits)
    accounts = [protected, new_account()]
    case = open_case(cluster=cluster_of(2, accounts=accounts), by=ana)
    seen = preview_targets(case=case, account_ids=members(case), action="ban")
    assert [row["account_id"] for row in seen.protected] == [protected.external_id]
    with pytest.raises(ProtectedAccounts, match=protected.external_id):
        decide(case, ana)
    assert not TargetList.objects.exists()
    decide(case, ana, account_ids=[accounts[1].pk])


def test_a_partner_organisation_of_the_live_rules_is_protected(ana, leo):
    accounts = [new_account(organization_id="org-ally"), new_account()]
    case = open_case(cluster=cluster_of(2, accounts=accounts), by=ana)
    now = datetime.now(tz=UTC)
    RuleVersion.objects.create(
        number=1,
        values={"partners": ["org-ally"]},
        state=RuleVersion.State.LIVE,
        reason="They resell under a contract of another kind.",
        author=leo,
        created_at=now,
        changed_at=now,
    )
    seen = preview_targets(case=case, account_ids=members(case), action="ban")
    assert seen.protected == [
        {
            "account_id": accounts[0].external_id,
            "why": "partner organisation by the rules",
        }
    ]


@pytest.mark.parametrize("traits", NOT_PROTECTED, ids=str)
def test_an_ordinary_account_is_not_protected(ana, traits):
    accounts = [new_account(**traits)]
    case = open_case(cluster=cluster_of(1, accounts=accounts), by=ana)
    decide(case, ana)


def test_a_protected_account_may_be_cleared(ana):
    accounts = [new_account(contract="reseller")]
    case = open_case(cluster=cluster_of(1, accounts=accounts), by=ana)
    decide(case, ana, "clear")


def test_a_frozen_list_keeps_score_state_and_preview_of_that_moment(ana):
    case = case_of(2, ana)
    ids = members(case)
    Score.objects.create(
        account_id=ids[0], score=71.5, ruleset_hash="x", as_of=datetime.now(tz=UTC)
    )
    seen = preview_targets(case=case, account_ids=ids, action="ban")
    frozen = freeze_targets(
        case=case, account_ids=ids, action="ban", by=ana, preview_sha256=seen.sha256
    )
    Score.objects.update(score=0)
    rows = frozen.targets.order_by("account").values_list("score", "status_before")
    assert list(rows) == [(71.5, "active"), (0.0, "active")]
    assert frozen.preview["count"] == frozen.count == 2


def test_a_list_that_differs_from_its_preview_is_not_frozen(ana):
    case = case_of(3, ana)
    ids = members(case)
    seen = preview_targets(case=case, account_ids=ids, action="ban")
    with pytest.raises(ListChanged):
        freeze_targets(
            case=case, account_ids=ids[:2], action="ban", by=ana,
            preview_sha256=seen.sha256,
        )  # fmt: skip


def test_a_preview_for_one_action_does_not_serve_another(ana):
    case = case_of(1, ana)
    seen = preview_targets(case=case, account_ids=members(case), action="restrict")
    with pytest.raises(ListChanged):
        decide(case, ana, "ban", preview_sha256=seen.sha256)


def test_vic_may_not_freeze_a_list(ana, vic):
    case = case_of(1, ana)
    with pytest.raises(NotAllowed):
        freeze_targets(
            case=case, account_ids=members(case), action="ban", by=vic,
            preview_sha256="",
        )  # fmt: skip


def test_the_preview_names_accounts_that_are_banned_already(ana):
    case = case_of(2, ana)
    first, second = members(case)
    decide(case, ana, account_ids=[first])
    case = reopen_case(case=case, reason=WHY, by=ana)
    seen = preview_targets(case=case, account_ids=[first, second], action="ban")
    assert len(seen.already_banned) == 1
