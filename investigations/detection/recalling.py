"""What is stored of a cluster → what a what-if works on (what_if.py). Writes nothing.

Claims of the last pass are read as they stand; what members show comes from the
sightings. Ties that are no values of their own (signing up together, work dealt out,
conversations that changed hands) are taken from the links that the pass kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.db import connection
from django.db.models import QuerySet, Sum

from ingest.models import Indicator, Sighting
from investigations.detection import allowlists, rarity, selectors
from investigations.detection.detectors import CATALOGUE
from investigations.detection.features.clock import day_number
from investigations.detection.features.sharing import BIRTH_SLOT
from investigations.detection.leaving_out import Accused, Known, unnamed
from investigations.detection.models import Cluster, Membership, Score, Signal
from investigations.detection.regrouping import Circle
from investigations.detection.ruleset import Ruleset
from investigations.detection.shapes import (
    AccountFeatures,
    Amount,
    Everyone,
    Evidence,
    Handoff,
    Ints,
    Sightings,
    Value,
)

# More members than these are not grouped anew while somebody waits.
MOST_MEMBERS = 2_000
KNOWN_DETECTORS = frozenset(detector.key for detector in CATALOGUE)
# Evidence of links that names no indicator.
NAMELESS = """
SELECT l.account_a_id, l.account_b_id, e.tie ->> 'kind', e.tie ->> 'value',
       (e.tie ->> 'weight')::float, (e.tie ->> 'shared_by')::int
FROM detection_link l CROSS JOIN LATERAL jsonb_array_elements(l.evidence) AS e(tie)
WHERE l.account_a_id = ANY(%s::bigint[]) AND l.account_b_id = ANY(%s::bigint[])
  AND e.tie ->> 'indicator' IS NULL
ORDER BY 1, 2, 3, 4
"""


def known_cluster(cluster: Cluster, rules: Ruleset) -> Known:
    members = list(
        Membership.objects.filter(cluster=cluster)
        .order_by("account")
        .values_list(
            "account",
            "account__organization_id",
            "account__contract",
            "account__verification",
            "account__status",
        )
    )
    accounts = [row[0] for row in members]
    evidence = seen_by(Signal.objects.filter(cluster=cluster)).get(cluster.pk, {})
    shown = shown_by(accounts) if len(accounts) <= MOST_MEMBERS else None
    stacks = main_stacks(shown or [])
    features = [
        AccountFeatures(
            account=pk,
            organization=organization or "",
            contract=contract,
            verification=verification,
            status=status,
            stack=stacks.get(pk, ""),
        )
        for pk, organization, contract, verification, status in members
    ]
    # A quick pass counts only those it looked at.
    run = selectors.latest_full_run()
    return Known(
        members=tuple(allowlists.known_accounts(features, rules)),
        evidence=evidence,
        decibans=cluster.decibans,
        amount=Amount(cluster.amount),
        accused=accused_of(cluster),
        population=run.counts.get("accounts", 0) if run else 0,
        as_of=cluster.updated_at,
        circle=None if shown is None else circle_of(cluster, features, shown),
        stacks={
            row.value: row.everywhere
            for row in shown or []
            if row.kind == "client_stack"
        },
    )


# --- Signals and scores ---------------------------------------------------------------


def seen_by(signals: QuerySet[Signal]) -> dict[int, dict[str, Evidence]]:
    """Cluster or account → evidence by detector, of detectors there still are."""
    found: dict[int, dict[str, Evidence]] = {}
    rows = signals.filter(detector__in=KNOWN_DETECTORS).values_list(
        "cluster", "account", "detector", "strength"
    )
    for cluster, account, detector, strength in rows:
        found.setdefault(cluster or account, {})[detector] = unnamed(strength)
    return found


def accused_of(cluster: Cluster) -> tuple[Accused, ...]:
    proposed = cluster.proposed_ban
    signals = seen_by(Signal.objects.filter(account__in=proposed))
    support = dict(
        Membership.objects.filter(account__in=proposed).values_list(
            "account", "support"
        )
    )
    scores = Score.objects.filter(account__in=proposed).order_by("account")
    return tuple(
        Accused(
            account=score.account_id,
            evidence=signals.get(score.account_id, {}),
            decibans=score.decibans,
            membership=sum(
                reason["points"]
                for reason in score.reasons
                if reason["signal"] == "membership"
            ),
            support=support.get(score.account_id, 0),
        )
        for score in scores
    )


# --- What members show ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """One member showing one value, beside what is known of the value."""

    account: int
    indicator: int
    kind: str
    value: str
    count: int
    first: int
    last: int
    everywhere: int
    customers: int
    crowded: bool


def shown_by(accounts: Sequence[int]) -> list[Shown]:
    rows = (
        Sighting.objects.filter(
            account__in=accounts,
            indicator__profile__accounts__gte=2,
            indicator__profile__listed=False,
        )
        .order_by("indicator", "account")
        .values_list(
            "account",
            "indicator",
            "indicator__kind",
            "indicator__value",
            "count",
            "first_seen_on",
            "last_seen_on",
            "indicator__profile__accounts",
            "indicator__profile__organizations",
            "indicator__profile__crowded",
        )
    )
    return [
        Shown(
            account,
            indicator,
            kind,
            value,
            count,
            day_number(first),
            day_number(last),
            everywhere,
            customers,
            bool(crowded),
        )
        for account, indicator, kind, value, count, first, last, *of_value in rows
        for everywhere, customers, crowded in [of_value]
    ]


def template_use(accounts: Sequence[int]) -> dict[int, int]:
    """Account → its prompts that were among a day's most repeated."""
    sent = Sighting.objects.filter(
        account__in=accounts, indicator__kind=Indicator.Kind.SKELETON
    )
    return dict(sent.values_list("account").annotate(total=Sum("count")))


def main_stacks(shown: Iterable[Shown]) -> dict[int, str]:
    """Account → the client stack it came with most often."""
    best: dict[int, tuple[int, str]] = {}
    for row in shown:
        if row.kind == Indicator.Kind.CLIENT_STACK:
            found = best.get(row.account)
            if found is None or (-row.count, row.value) < (-found[0], found[1]):
                best[row.account] = row.count, row.value
    return {account: stack for account, (_, stack) in best.items()}


def circle_of(
    cluster: Cluster, features: Sequence[AccountFeatures], shown: list[Shown]
) -> Circle:
    """Values that two or more members show, with their nameless ties."""
    accounts = [own.account for own in features]
    position = {account: at for at, account in enumerate(accounts)}
    today = day_number(cluster.updated_at.date())
    nameless, handoffs = nameless_ties(cluster, accounts, today)
    rows = [row for row in shown + nameless if row.account in position]
    names = sorted({(row.kind, row.value, row.indicator) for row in rows})
    number = {name: at for at, name in enumerate(names)}
    columns = np.array(
        [
            (
                position[row.account],
                number[row.kind, row.value, row.indicator],
                row.count,
                row.first,
                row.last,
            )
            for row in rows
        ],
        np.int64,
    ).reshape(-1, 5)
    numbers = {
        name: at for at, name in enumerate(sorted({own.customer for own in features}))
    }
    sent = template_use(accounts)
    world = Everyone(
        accounts=accounts,
        organization=np.array([numbers[own.customer] for own in features], np.int64),
        stack=np.full(len(accounts), -1, np.int64),
        templates=np.array([sent.get(pk, 0) for pk in accounts], np.int64),
        values=[Value(kind, text, pk or None) for kind, text, pk in names],
        sightings=Sightings(*columns.T),
        handoffs=handoffs,
        today=today,
    )
    return with_others(world, rows, number)


def with_others(
    world: Everyone, rows: list[Shown], number: dict[tuple[str, str, int], int]
) -> Circle:
    """The same beside what everybody shows."""
    known = np.zeros((3, len(number)), np.int64)
    for row in rows:
        at = number[row.kind, row.value, row.indicator]
        known[:, at] = row.everywhere, row.customers, row.crowded
    everywhere, customers, crowded = known
    kinds = rarity.kinds_of(world.values)
    payer = rarity.payers(world.organization, world.sightings, kinds)
    inside = rarity.rarity(
        world.sightings, kinds, world.organization, payer, crowded
    ).customers
    return Circle(
        world=world,
        outside=np.maximum(0, customers - inside),
        everywhere=everywhere,
        requests=requests_of(world.values),
        crowded=crowded,
    )


def requests_of(values: Sequence[Value]) -> Ints:
    """Requests of everybody by prompt template; 0 for other kinds."""
    wanted = [v.indicator for v in values if v.kind == Indicator.Kind.SKELETON]
    sums = dict(
        Sighting.objects.filter(indicator__in=wanted)
        .values_list("indicator")
        .annotate(total=Sum("count"))
    )
    return np.array([sums.get(value.indicator, 0) for value in values], np.int64)


# --- Ties without a value of their own ------------------------------------------------


def nameless_ties(
    cluster: Cluster, accounts: list[int], today: int
) -> tuple[list[Shown], list[Handoff]]:
    """Signing up and being dealt work together, as values; and hand-offs."""
    with connection.cursor() as cursor:
        cursor.execute(NAMELESS, [accounts, accounts])
        rows = cursor.fetchall()
    showing: dict[tuple[str, str], tuple[set[int], int]] = {}
    handoffs = []
    for a, b, kind, value, weight, shared_by in rows:
        if kind == "response":
            handoffs.append(handed(cluster, a, b, weight))
        elif kind in rarity.KINDS:
            pair, most = showing.get((kind, value), (set(), 0))
            showing[kind, value] = pair | {a, b}, max(most, shared_by)
    found = [
        Shown(
            account=account,
            indicator=0,
            kind=kind,
            value=value,
            count=1,
            first=(day := born_on(value) if kind == "signup" else today),
            last=day,
            everywhere=most,
            customers=most,
            crowded=False,
        )
        for (kind, value), (pair, most) in showing.items()
        for account in sorted(pair)
    ]
    return found, handoffs


def born_on(slot: str) -> int:
    """Day of a sign-up slot, as sharing.birth_slots names them."""
    return int(slot.partition("|")[0]) * BIRTH_SLOT // 86400


def handed(cluster: Cluster, giver: int, taker: int, weight: float) -> Handoff:
    """A hand-off that weighs as much as the link says: so long ago as would fade a
    sure one (linking.handoff_pairs) to that."""
    kind = rarity.KINDS["response"]
    faded = -np.log2(max(weight, 1e-6) / kind.chance) * kind.half_life
    last = cluster.updated_at - timedelta(days=max(0.0, float(faded)))
    return Handoff(giver, taker, 3, (), last)
