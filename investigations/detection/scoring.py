"""Evidence → score with reasons. Every weight stands in the one table below.

A score is 100 × the posterior probability, from a stated prior and evidence that adds
up in decibans (10 × log10 of a likelihood ratio). The weights are experts' starting
values (detection.md 4.4), not fitted ones. What a score may never lean on has no
column here: country, language, nationality.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from investigations.detection.detectors import CATALOGUE
from investigations.detection.detectors.base import MOST_NAMED
from investigations.detection.shapes import (
    AccountFeatures,
    AccountView,
    ClusterFeatures,
    Evidence,
    Family,
    Reason,
    Rows,
    Scored,
)

DISTILLATION, RESALE_POOL = "distillation", "resale_pool"
INSUFFICIENT = "insufficient_evidence"

# Rare values an account must share itself before a proposal may name it.
FEWEST_TIES = 2
# What ties accounts to one operator, and what shows that answers are being harvested.
POOL = frozenset(
    {
        "continuation",
        "shared_payment",
        "signup_burst",
        "rare_client_stack",
        "egress_concentration",
        "balanced_starts",
        "synchronised_starts",
    }
)
HARVEST = frozenset(
    {
        "private_template",
        "tool_schema",
        "reasoning_elicitation",
        "prompt_sweep",
        "release_pivot",
    }
)
# One customer's product explains money, devices, networks and templates in common.
# It does not explain sessions dealt out like cards, or conversations that wander.
COORDINATION = frozenset({Family.TIME, Family.CONTENT_PROOF})


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Decibans unless it says otherwise."""

    prior_account: float = -30.0  # 1 in 1,000
    prior_cluster: float = -25.0  # 1 in 316, of candidates that linking proposed
    family_caps: Mapping[str, float] = field(
        default_factory=lambda: {
            Family.CONTENT_PROOF: 20.0,
            Family.MONEY: 12.0,
            Family.DEVICE: 8.0,
            Family.NETWORK: 4.0,
            Family.IDENTITY: 8.0,
            Family.CONTENT: 18.0,
            Family.TIME: 15.0,
            Family.LIFECYCLE: 12.0,
        }
    )
    contributes_at: float = 3.0
    # Families that contribute → the most that may be shown.
    display_caps: tuple[float, ...] = (59.0, 59.0, 84.0, 100.0)
    # The most that may be shown: of too few members or exchanges, without evidence of
    # coordination, and of a pool that harvests nothing.
    thin_cap: float = 39.0
    uncoordinated_cap: float = 69.0
    pool_cap: float = 84.0
    bands: tuple[tuple[float, str], ...] = (
        (90.0, "action"),
        (70.0, "review"),
        (40.0, "watch"),
    )
    member_bonus: float = 15.0  # cluster at 0.9 or above, support of two rare values
    weak_member_bonus: float = 5.0
    # What people have checked, and takes away.
    verified_organization: float = -15.0
    reseller: float = -20.0
    licensed: float = -20.0
    evaluation: float = -12.0
    aged: float = -8.0
    benign_label: float = -15.0
    aged_days: float = 365.0
    aged_active_days: int = 10
    verified_cluster: float = -10.0  # more than a fifth of the members verified
    size_slope: float = 3.0  # × log10(customers / 5)
    size_cap: float = 8.0
    # Abstain below these.
    fewest_members: int = 5
    fewest_requests: int = 300
    harvest_floor: float = 6.0
    pool_floor: float = 8.0
    weights: Mapping[str, tuple[float, float]] = field(
        default_factory=lambda: {
            d.key: (
                d.account.decibans if d.account else 0.0,
                d.cluster.decibans if d.cluster else 0.0,
            )
            for d in CATALOGUE
        }
    )

    @property
    def hash(self) -> str:
        """Changes with any weight and with any detector's version."""
        versions = {detector.key: detector.version for detector in CATALOGUE}
        text = json.dumps([asdict(self), versions], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


RULESET = Ruleset()


def probability(decibans: float) -> float:
    return float(1 / (1 + 10 ** (-decibans / 10)))


def band(score: float, rules: Ruleset = RULESET) -> str:
    return next((name for floor, name in rules.bands if score >= floor), "none")


def capped(
    found: Iterable[tuple[str, str, str, float, Evidence]], rules: Ruleset
) -> list[Reason]:
    """Reasons with what each adds: the strongest first, until its family is full."""
    room = dict(rules.family_caps)
    reasons = []
    for key, title, family, points, seen in sorted(
        found, key=lambda item: (-item[3], item[0])
    ):
        added = min(points, room[family])
        room[family] -= added
        reasons.append(Reason(key, title, family, added, seen))
    return reasons


def contributing(reasons: Iterable[Reason], rules: Ruleset = RULESET) -> frozenset[str]:
    """Families that add 3 dB or more."""
    sums: dict[str, float] = {}
    for reason in reasons:
        if reason.family:
            sums[reason.family] = sums.get(reason.family, 0.0) + reason.points
    return frozenset(
        family for family, points in sums.items() if points >= rules.contributes_at
    )


def total(
    prior: float, reasons: list[Reason], ceiling: float, rules: Ruleset
) -> Scored:
    decibans = round(prior + sum(reason.points for reason in reasons), 6)
    families = contributing(reasons, rules)
    shown = rules.display_caps[min(len(families), len(rules.display_caps) - 1)]
    score = round(min(100 * probability(decibans), shown, ceiling), 2)
    ordered = sorted(reasons, key=lambda reason: (-reason.points, reason.signal))
    return Scored(score, decibans, band(score, rules), tuple(ordered), families)


# --- One account ------------------------------------------------------------------


def look_at_account(view: AccountView) -> dict[str, Evidence]:
    return {
        detector.key: seen
        for detector in CATALOGUE
        if detector.account and (seen := detector.account.see(view)) is not None
    }


def score_account(
    view: AccountView,
    evidence: Mapping[str, Evidence],
    rules: Ruleset = RULESET,
    *,
    ceiling: float = 100.0,
) -> Scored:
    """`ceiling` is what the verdict on its cluster allows to be shown."""
    found = [
        (d.key, d.title, d.family, evidence[d.key].strength * rules.weights[d.key][0])
        + (evidence[d.key],)
        for d in CATALOGUE
        if d.key in evidence
    ]
    reasons = capped(found, rules)
    reasons += membership(view, rules)
    reasons += [
        said(key, title, points, sentence, own_row(view.features))
        for key, title, points, sentence in mitigations(view.features, rules)
    ]
    return total(rules.prior_account, reasons, ceiling, rules)


def membership(view: AccountView, rules: Ruleset) -> list[Reason]:
    """What belonging to a cluster adds; never a family of its own."""
    place = view.place
    if place is None or place.probability < 0.9 or not place.support:
        return []
    strong = place.support >= 2
    sentence = (
        f"Belongs to a cluster of {place.cluster.size:,} accounts that is "
        f"{min(place.probability, 0.99):.0%} likely to be one operation, and shares "
        f"{place.support} rare {'values' if strong else 'value'} with other members."
    )
    points = rules.member_bonus if strong else rules.weak_member_bonus
    return [said("membership", "Membership", points, sentence, own_row(view.features))]


def mitigations(
    account: AccountFeatures, rules: Ruleset
) -> list[tuple[str, str, float, str]]:
    """What people have checked about the customer. (key, title, decibans, sentence)"""
    found = []
    if account.verification == "organization" and account.organization:
        found.append(
            (
                "verified_organization",
                "Verified organisation",
                rules.verified_organization,
                "Belongs to an organisation whose identity was checked.",
            )
        )
    if account.contract in CONTRACTS:
        title, attribute, sentence = CONTRACTS[account.contract]
        found.append(
            (account.contract, title, float(getattr(rules, attribute)), sentence)
        )
    if (
        account.age_days > rules.aged_days
        and account.active_days >= rules.aged_active_days
    ):
        sentence = f"Customer for {account.age_days / 365:.1f} years, steadily active."
        found.append(("aged", "Long-standing customer", rules.aged, sentence))
    if account.label == "benign":
        sentence = "A person looked at this account and found it innocent."
        found.append(("benign", "Found innocent", rules.benign_label, sentence))
    return found


CONTRACTS = {
    "reseller": (
        "Reseller contract",
        "reseller",
        "Has a reseller contract: pooling other people's traffic is allowed.",
    ),
    "distillation_licensed": (
        "Licensed distillation",
        "licensed",
        "Has a licence to train on answers.",
    ),
    "evaluation": (
        "Evaluation contract",
        "evaluation",
        "Evaluates models under a contract.",
    ),
}


def own_row(account: AccountFeatures) -> Rows:
    return Rows("account", {"accounts": [account.account]}, 1)


def said(key: str, title: str, points: float, sentence: str, rows: Rows) -> Reason:
    """A reason that is no detector's: what people checked, size, membership."""
    return Reason(key, title, "", points, Evidence(1.0, 1.0, None, sentence, "", rows))


# --- One cluster ------------------------------------------------------------------


def look_at_cluster(cluster: ClusterFeatures) -> dict[str, Evidence]:
    return {
        detector.key: seen
        for detector in CATALOGUE
        if detector.cluster and (seen := detector.cluster.see(cluster)) is not None
    }


def score_cluster(
    cluster: ClusterFeatures,
    evidence: Mapping[str, Evidence],
    rules: Ruleset = RULESET,
) -> tuple[Scored, str]:
    """(score with reasons, verdict); the verdict bounds what may be shown."""
    found = [
        (d.key, d.title, d.family, evidence[d.key].strength * rules.weights[d.key][1])
        + (evidence[d.key],)
        for d in CATALOGUE
        if d.key in evidence
    ]
    reasons = capped(found, rules)
    reasons += cluster_terms(cluster, rules)
    open_score = total(rules.prior_cluster, reasons, 100.0, rules)
    weighed = {key: points for key, _, _, points, _ in found}
    verdict = judge(cluster, open_score, weighed, rules)
    most = ceiling(cluster, verdict, rules)
    return total(rules.prior_cluster, reasons, most, rules), verdict


def ceiling(cluster: ClusterFeatures, verdict: str, rules: Ruleset = RULESET) -> float:
    """The highest score that the verdict lets the cluster and its members show."""
    if is_thin(cluster, rules):
        return rules.thin_cap
    caps = {RESALE_POOL: rules.pool_cap, INSUFFICIENT: rules.uncoordinated_cap}
    return caps.get(verdict, 100.0)


def is_thin(cluster: ClusterFeatures, rules: Ruleset = RULESET) -> bool:
    """Too few customers or exchanges to say anything about."""
    return (
        cluster.organizations < rules.fewest_members
        or cluster.requests < rules.fewest_requests
    )


def cluster_terms(cluster: ClusterFeatures, rules: Ruleset) -> list[Reason]:
    """Size, and what is known for good about the members."""
    terms = []
    everybody = Rows("account", {"members": True}, cluster.size)
    if cluster.organizations > rules.fewest_members:
        growth = math.log10(cluster.organizations / rules.fewest_members)
        points = min(rules.size_cap, rules.size_slope * growth)
        sentence = f"{cluster.organizations:,} separate customers act as one."
        terms.append(said("size", "Size", points, sentence, everybody))
    for key, title, points, known in good_words(cluster, rules):
        share = len(known) / cluster.size
        if share > 0.2:
            sentence = f"{len(known):,} of {cluster.size:,} accounts: {title.lower()}."
            worth = points * min(1.0, share / 0.5)
            rows = Rows("account", {"accounts": known[:MOST_NAMED]}, len(known))
            terms.append(said(key, title, worth, sentence, rows))
    return terms


def good_words(
    cluster: ClusterFeatures, rules: Ruleset
) -> list[tuple[str, str, float, list[int]]]:
    """(key, title, decibans at half of the members, accounts it is true of)."""
    checked, allowed, cleared = [], [], []
    for member in cluster.members:
        if member.verification == "organization" and member.organization:
            checked.append(member.account)
        if member.contract in CONTRACTS:
            allowed.append(member.account)
        if member.label == "benign":
            cleared.append(member.account)
    return [
        ("verified_members", "Verified organisation", rules.verified_cluster, checked),
        ("allowed_members", "Allowed by contract", rules.reseller, allowed),
        ("benign_members", "Found innocent", rules.benign_label, cleared),
    ]


def judge(
    cluster: ClusterFeatures,
    scored: Scored,
    weighed: Mapping[str, float],
    rules: Ruleset = RULESET,
) -> str:
    """Harvest and pool apart: both are a campaign, a pool alone is a resale pool.

    `weighed`: decibans by detector before its family's cap; what a swift move to a
    new model says of the purpose is not less because sessions are balanced, too.
    """
    harvest = sum(points for key, points in weighed.items() if key in HARVEST)
    pool = sum(points for key, points in weighed.items() if key in POOL)
    if is_thin(cluster, rules) or len(scored.families) < 2:
        return INSUFFICIENT
    if not scored.families & COORDINATION:
        return INSUFFICIENT
    if harvest >= rules.harvest_floor:
        return DISTILLATION
    return RESALE_POOL if pool >= rules.pool_floor else INSUFFICIENT


def innocent_explanation(scored: Scored) -> str:
    """The strongest innocent reading, and what speaks against it."""
    told = [reason for reason in scored.reasons if reason.evidence.innocent]
    if not told:
        return "Nothing speaks for a common operator beyond what they share."
    against = [
        reason.title.lower()
        for reason in told[1:]
        if reason.points >= 1 and reason.family != told[0].family
    ]
    if not against:
        return f"{told[0].evidence.innocent} Nothing independent speaks against it."
    return f"{told[0].evidence.innocent} That would not explain: {', '.join(against)}."


# --- What the machine proposes ----------------------------------------------------


def may_be_banned(
    account: AccountFeatures, support: int, *, accused_anew: bool
) -> bool:
    """Whether a proposal may name the account at all.

    Never who was checked or allowed, never on membership alone, and never again who
    was found innocent, unless something new came up since.
    """
    if account.status in ("banned", "closed") or account.contract in CONTRACTS:
        return False
    if account.verification == "organization" and account.organization:
        return False
    if account.label == "exempt" or (account.label == "benign" and not accused_anew):
        return False
    return support >= FEWEST_TIES


def propose_ban(
    scored: Scored,
    verdict: str,
    members: Iterable[tuple[AccountFeatures, int, bool, Scored]],
    rules: Ruleset = RULESET,
) -> tuple[int, ...]:
    """Accounts the machine proposes to ban, in order of id; mostly none.

    `members`: (features, support, evidence newer than its label, own score).
    """
    if verdict != DISTILLATION or scored.score < 90 or len(scored.families) < 3:
        return ()
    return tuple(
        sorted(
            account.account
            for account, support, anew, own in members
            if may_be_banned(account, support, accused_anew=anew)
            and own.score >= rules.bands[0][0]
        )
    )
