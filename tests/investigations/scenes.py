"""Scenes the tests of judgements begin with: clusters, cases, lists and decisions."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from ingest.models import Account
from investigations.actions.cases import open_case
from investigations.actions.decisions import decide_case
from investigations.actions.targets import preview_targets
from investigations.detection.models import Cluster, ClusterLineage, Membership
from investigations.models import Case, Decision
from tests.factories import AccountFactory

LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)
WHY = "Forty accounts share one card and one prompt template."
GROUNDS = {
    "ban": "model_distillation",
    "restrict": "model_distillation",
    "clear": "innocent_explanation",
}


def new_account(**traits: Any) -> Account:
    account: Account = AccountFactory.create(**traits)
    return account


def new_accounts(count: int) -> list[Account]:
    return [new_account() for _ in range(count)]


def cluster_of(
    size: int, *, score: float = 95.0, accounts: Sequence[Account] = (), **more: Any
) -> Cluster:
    """A live cluster of new accounts (or the given ones), all firm members."""
    cluster = Cluster.objects.create(
        **{
            "score": score,
            "band": "action",
            "verdict": Cluster.Verdict.DISTILLATION,
            "size": size,
            "first_seen_at": LONG_AGO,
            "updated_at": LONG_AGO,
            **more,
        }
    )
    add_members(cluster, list(accounts) or new_accounts(size))
    return cluster


def add_members(cluster: Cluster, accounts: Sequence[Account]) -> None:
    Membership.objects.bulk_create(
        Membership(
            cluster=cluster,
            account=account,
            stability=1.0,
            support=5,
            joined_at=LONG_AGO,
        )
        for account in accounts
    )
    Cluster.objects.filter(pk=cluster.pk).update(size=cluster.memberships.count())
    cluster.refresh_from_db()


def became(parts: list[Cluster], *, into: int = 1, score: float = 97.0) -> Cluster:
    """The parts are found as one cluster, or as several; the first of these."""
    at = timezone.now()
    accounts = [m.account for part in parts for m in part.memberships.all()]
    Membership.objects.filter(cluster__in=parts).delete()
    Cluster.objects.filter(pk__in=[part.pk for part in parts]).update(live=False)
    share = len(accounts) // into
    found = [
        cluster_of(0, accounts=accounts[n * share : (n + 1) * share], score=score)
        for n in range(into)
    ]
    kind = ClusterLineage.Kind.MERGED if into == 1 else ClusterLineage.Kind.SPLIT
    for part in parts:
        for child in found:
            ClusterLineage.objects.create(
                parent=part, child=child, kind=kind, shared=share, at=at
            )
    return found[0]


def case_of(size: int, by: User, **more: Any) -> Case:
    return open_case(cluster=cluster_of(size, **more), by=by)


def members(case: Case) -> list[int]:
    assert case.cluster
    return list(
        case.cluster.memberships.order_by("pk").values_list("account", flat=True)
    )


def decide(case: Case, by: User, verdict: str = "ban", **more: Any) -> Decision:
    """Preview and decide in one go, as a form that was filled in at leisure would."""
    ids = more.pop("account_ids", None) or members(case)
    seen = preview_targets(case=case, account_ids=ids, action=verdict)
    return decide_case(
        **{
            "case": case,
            "verdict": verdict,
            "account_ids": ids,
            "preview_sha256": seen.sha256,
            "ground": GROUNDS.get(verdict),
            "reason": WHY,
            "form_token": uuid.uuid4(),
            "by": by,
            **more,
        }
    )
