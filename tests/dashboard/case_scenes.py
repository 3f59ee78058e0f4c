"""Campaigns as the pages of cases meet them: scored, linked, counted, with reasons."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from ingest.models import (
    Account,
    AccountDay,
    Indicator,
    ModelRelease,
    Sighting,
    Template,
)
from investigations.detection.models import (
    Band,
    Cluster,
    ClusterHour,
    Exposure,
    IndicatorProfile,
    Membership,
    Score,
)

DAYS = 19
PLANS = ("free", "pay_as_you_go", "pay_as_you_go", "team")
CHECKS = ("none", "email", "email", "phone", "payment")
MODELS = {"meridian-3": 5, "meridian-3-mini": 3, "meridian-4": 2}
SKELETONS = (
    "Solve the task below and write out each step of your reasoning before the "
    "answer.\n\nTask: ⟨text⟩\n\nFormat: numbered steps, then ⟨word⟩.",
    "You are grading an answer. Rubric: ⟨list⟩. Give a score from ⟨number⟩ to "
    "⟨number⟩ and justify each point.",
    "Rewrite the function so that ⟨text⟩. Explain the trade-offs first.",
)
SHARED = (
    (Indicator.Kind.PAYMENT, "fp_9f31c2aa01", 0.45, 0),
    (Indicator.Kind.PAYMENT, "fp_77b0e19c44", 0.3, 0),
    (Indicator.Kind.BLOCK, "203.0.113.0/24", 0.6, 3),
    (Indicator.Kind.BLOCK, "198.51.100.0/24", 0.35, 1),
    (Indicator.Kind.TOOLS, "c41f9e22b7d3a0", 0.8, 0),
    (Indicator.Kind.DEVICE, "dev-5510-aa31", 0.2, 0),
    (Indicator.Kind.REFERRER, "bulk-keys.example", 0.25, 12),
    (Indicator.Kind.CLIENT_STACK, "t13d1516h2|python-requests/2", 0.9, 1400),
)


def campaign(
    size: int = 40,
    *,
    score: float = 97.2,
    verdict: str = Cluster.Verdict.DISTILLATION,
    proposed: float = 0.9,
    seed: int = 7,
    now: datetime | None = None,
) -> Cluster:
    """A live cluster with everything that a case's page shows of one."""
    now = now or timezone.now()
    dice = random.Random(seed)
    accounts = _accounts(size, dice, seed, now)
    cluster = Cluster.objects.create(
        score=score,
        decibans=score / 2,
        band=_band(score),
        verdict=verdict,
        size=size,
        innocent_explanation=(
            "One company could have given each of its teams an account: the tools and "
            "the template would be its product. Against it: 41 sign-ups within two "
            "hours, under names without any link to each other, and a card that pays "
            "for eighteen of them."
        ),
        link_kinds={"payment": 120, "tools": 300},
        first_seen_at=now - timedelta(days=DAYS),
        first_flagged_at=now - timedelta(days=4, hours=5),
        updated_at=now - timedelta(minutes=2),
    )
    _join(cluster, accounts, dice, score, now)
    cluster.reasons = reasons(cluster)
    cluster.last_members = sorted(account.pk for account in accounts)
    cut = round(size * proposed)
    cluster.proposed_ban = sorted(account.pk for account in accounts[:cut])
    cluster.save()
    _measure(cluster, accounts, dice, now)
    # Dice of its own: how often those above were thrown depends on the hour.
    _share(accounts, random.Random(seed), seed, now)
    return cluster


def _band(score: float) -> Band:
    edges = ((90, Band.ACTION), (70, Band.REVIEW), (40, Band.WATCH), (0, Band.NONE))
    return next(band for edge, band in edges if score >= edge)


def _accounts(
    size: int, dice: random.Random, seed: int, now: datetime
) -> list[Account]:
    born = now - timedelta(days=DAYS, hours=2)
    return Account.objects.bulk_create(
        Account(
            external_id=f"acct_{seed:x}{dice.getrandbits(40):010x}",
            first_seen_at=born + timedelta(minutes=3 * n),
            created_at=born + timedelta(minutes=3 * n),
            updated_at=born + timedelta(minutes=3 * n),
            email_domain="mailbox.example",
            plan=dice.choice(PLANS),
            verification=dice.choice(CHECKS),
            organization_id=f"org-{seed}-{n % 9}" if n % 4 == 0 else None,
            organization=f"Northgate Labs {n % 9}" if n % 4 == 0 else None,
        )
        for n in range(size)
    )


def _join(
    cluster: Cluster,
    accounts: Sequence[Account],
    dice: random.Random,
    score: float,
    now: datetime,
) -> None:
    Score.objects.bulk_create(
        Score(
            account=account,
            score=(own := max(5.0, min(99.0, dice.gauss(score - 6, 9)))),
            decibans=own / 3,
            band=_band(own),
            ruleset_hash="4f2a",
            as_of=now,
        )
        for account in accounts
    )
    Membership.objects.bulk_create(
        Membership(
            cluster=cluster,
            account=account,
            stability=1.0 if n % 8 else 0.52,
            support=dice.randint(1, 9),
            x=dice.gauss(0, 1) + (3 if n % 3 == 0 else 0),
            y=dice.gauss(0, 1) + (2 if n % 3 == 1 else 0),
            joined_at=now - timedelta(days=DAYS - 1),
        )
        for n, account in enumerate(accounts)
    )


def _measure(
    cluster: Cluster, accounts: Sequence[Account], dice: random.Random, now: datetime
) -> None:
    today = now.astimezone(UTC).date()
    days = [today - timedelta(days=n) for n in range(DAYS, -1, -1)]
    AccountDay.objects.bulk_create(
        AccountDay(
            account=account,
            day=day,
            requests=(count := dice.randint(8, 60)),
            output_tokens=count * 700,
            input_tokens=count * 90,
            hours=[count // 24] * 24,
            session_hours=[0] * 24,
            by_model={"meridian-3": count},
        )
        for account in accounts[:400]
        for day in days
    )
    start = datetime(days[0].year, days[0].month, days[0].day, tzinfo=UTC)
    hours = [start + timedelta(hours=n) for n in range(24 * DAYS + now.hour)]
    release = now - timedelta(days=6)
    ClusterHour.objects.bulk_create(
        ClusterHour(
            cluster=cluster,
            hour=hour,
            requests=sum(models.values()),
            output_tokens=sum(models.values()) * 700,
            by_model=models,
        )
        for hour in hours
        if (models := _models(len(accounts), hour >= release, dice))
    )
    ModelRelease.objects.get_or_create(
        model="meridian-4", defaults={"released_at": release}
    )
    by_model = {name: len(accounts) * 130 * share for name, share in MODELS.items()}
    exchanges = sum(by_model.values())
    Exposure.objects.create(
        cluster=cluster,
        since=start,
        until=now,
        days=DAYS,
        exchanges=exchanges,
        input_tokens=exchanges * 90,
        output_tokens=exchanges * 700,
        by_model=by_model,
        by_intent={
            "reasoning_elicitation": exchanges // 2,
            "rubric_grading": exchanges // 5,
            "agentic_coding": exchanges // 9,
        },
    )


def _models(size: int, released: bool, dice: random.Random) -> dict[str, int]:
    weights = MODELS if released else {"meridian-3": 7, "meridian-3-mini": 3}
    return {
        name: round(size * weight * dice.uniform(0.04, 0.09))
        for name, weight in weights.items()
    }


def _share(
    accounts: Sequence[Account], dice: random.Random, seed: int, now: datetime
) -> None:
    for kind, value, share, outside in SHARED:
        _sight(accounts, dice, kind, f"{value}{seed}", share, outside, now)
    for n, text in enumerate(SKELETONS):
        skeleton = seed * 1_000_003 - n * 77_777_777_777
        Template.objects.create(
            skeleton_hash=skeleton, text=text, first_seen_at=now - timedelta(days=DAYS)
        )
        share = 0.85 - 0.2 * n
        kind = Indicator.Kind.SKELETON
        _sight(accounts, dice, kind, str(skeleton), share, n, now)


def _sight(
    accounts: Sequence[Account],
    dice: random.Random,
    kind: str,
    value: str,
    share: float,
    outside: int,
    now: datetime,
) -> None:
    indicator = Indicator.objects.create(kind=kind, value=value)
    showing = [account for account in accounts if dice.random() < share]
    Sighting.objects.bulk_create(
        Sighting(
            account=account,
            indicator=indicator,
            first_seen_on=(now - timedelta(days=DAYS)).date(),
            last_seen_on=now.date(),
            count=dice.randint(3, 200),
        )
        for account in showing
    )
    IndicatorProfile.objects.create(
        indicator=indicator,
        accounts=len(showing) + outside,
        organizations=len(showing) + outside,
        hub=outside > 1000,
    )


def reasons(cluster: Cluster) -> list[dict[str, Any]]:
    size = cluster.size
    rows = {"table": "sighting", "filters": {"cluster": cluster.pk}, "count": size}
    return [
        {
            "signal": "private_template",
            "title": "Private template",
            "family": "content",
            "points": 12.0,
            "value": 0.84,
            "baseline": 0.0,
            "sentence": f"84% of the accounts' most repeated prompts are cut from 3 "
            f"templates that {round(size * 0.85)} of the {size} accounts use and "
            "practically nobody else does.",
            "innocent": "One company's customers, or the pupils of one class, use the "
            "same program or the same exercise sheet.",
            "rows": rows,
        },
        {
            "signal": "shared_payment",
            "title": "Shared payment",
            "family": "money",
            "points": 9.4,
            "value": 0.45,
            "baseline": None,
            "sentence": f"{round(size * 0.7)} of {size} accounts pay with 2 shared "
            f"instruments (70%); one of them stands behind {round(size * 0.45)} "
            "accounts.",
            "innocent": "A family, a small company or an agency pays for several "
            "accounts with one card.",
            "rows": rows,
        },
        {
            "signal": "signup_burst",
            "title": "Born together",
            "family": "identity",
            "points": 6.1,
            "value": 0.9,
            "baseline": 0.02,
            "sentence": "90% of the accounts signed up within 10 minutes of two others "
            "of this cluster; among as many other customers it is 2%.",
            "innocent": "A workshop or a launch brings many new customers at once.",
            "rows": {**rows, "table": "account"},
        },
    ]
