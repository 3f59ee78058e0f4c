"""Scores → verdicts, what a verdict lets be shown, and whom the machine may propose.

Harvest and pool are kept apart: a pool that harvests is a distillation campaign, a pool
alone a resale pool, and too little of either is said to be insufficient evidence.
"""

from collections.abc import Iterable, Mapping

from investigations.detection.ruleset import CONTRACTS, RULESET, Ruleset
from investigations.detection.shapes import (
    AccountFeatures,
    Amount,
    ClusterFeatures,
    Family,
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
        "programme_farming",
        "signup_burst",
        "rare_client_stack",
        "parameter_fixity",
        "egress_concentration",
        "balanced_starts",
        "synchronised_starts",
        "re_emergence",
        "stop_and_start",
        "ban_response",
    }
)
HARVEST = frozenset(
    {
        "private_template",
        "tool_schema",
        "reasoning_elicitation",
        "capability_concentration",
        "sameness",
        "rubric_grading",
        "sensitive_rewrite",
        "prompt_sweep",
        "release_pivot",
    }
)
# One customer's product explains money, devices, networks and templates in common.
# It does not explain sessions dealt out like cards, or conversations that wander.
COORDINATION = frozenset({Family.TIME, Family.CONTENT_PROOF})
# What is told before there is enough to act on.
TOLD_EARLY = {
    Amount.EARLY: frozenset({DISTILLATION}),
    Amount.EARLY_MANY: frozenset({DISTILLATION, RESALE_POOL}),
}


def amount_of(cluster: ClusterFeatures, rules: Ruleset = RULESET) -> Amount:
    customers, exchanges = cluster.organizations, cluster.requests
    if customers < rules.fewest_members or exchanges < rules.fewest_requests:
        return Amount.TOO_LITTLE
    if customers >= rules.early_members and exchanges >= rules.early_requests:
        return Amount.ENOUGH
    many = customers >= rules.early_pool_members
    return Amount.EARLY_MANY if many else Amount.EARLY


def judge(
    scored: Scored,
    weighed: Mapping[str, float],
    rules: Ruleset = RULESET,
    *,
    amount: Amount,
) -> str:
    """Harvest and pool apart: both are a campaign, a pool alone is a resale pool.

    `weighed`: decibans by detector before its family's cap; what a swift move to a
    new model says of the purpose is not less because sessions are balanced, too.
    Small teams look like pools until they are known: early, of few customers only a
    campaign is told.
    """
    harvest = sum(points for key, points in weighed.items() if key in HARVEST)
    pool = sum(points for key, points in weighed.items() if key in POOL)
    if amount is Amount.TOO_LITTLE or len(scored.families) < 2:
        return INSUFFICIENT
    if not scored.families & COORDINATION:
        return INSUFFICIENT
    if harvest >= rules.harvest_floor:
        return DISTILLATION
    if amount is Amount.EARLY:
        return INSUFFICIENT
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


def ceiling(verdict: str, rules: Ruleset = RULESET, *, amount: Amount) -> float:
    """The highest score that the verdict lets the cluster and its members show."""
    caps = {RESALE_POOL: rules.pool_cap, INSUFFICIENT: rules.uncoordinated_cap}
    most = caps.get(verdict, 100.0)
    if amount is Amount.ENOUGH:
        return most
    early = is_told_early(verdict, amount)
    return min(most, rules.early_cap) if early else rules.thin_cap


def is_told_early(verdict: str, amount: Amount) -> bool:
    return verdict in TOLD_EARLY.get(amount, ())


def early_words(cluster: ClusterFeatures, rules: Ruleset = RULESET) -> str:
    """Why what is seen early is held back, for who looks at it.

    Nobody is proposed below 90, which the cap for it cannot reach.
    """
    return (
        f"Seen early, with {cluster.organizations:,} customers and "
        f"{cluster.requests:,} exchanges: below {rules.early_members:,} customers or "
        f"{rules.early_requests:,} exchanges the score is held at "
        f"{rules.early_cap:.0f} and nobody is proposed for a ban."
    )


def may_be_banned(
    account: AccountFeatures, support: int, *, accused_anew: bool
) -> bool:
    """Whether a proposal may name the account at all.

    Never who was checked or allowed, never on membership alone, and never again who
    was found innocent, unless something new came up since.
    """
    if account.status in ("banned", "closed") or account.contract in CONTRACTS:
        return False
    if account.is_verified:
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
    sure = scored.score >= rules.propose_at and len(scored.families) >= 3
    if verdict != DISTILLATION or not sure:
        return ()
    return tuple(
        sorted(
            account.account
            for account, support, anew, own in members
            if may_be_banned(account, support, accused_anew=anew)
            and own.score >= rules.propose_at
        )
    )
