"""Whom the machine would still propose for a ban, were something dropped. Pure.

Nobody is added to those that the last pass proposed: a what-if can only clear.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from investigations.detection import scoring, verdicts
from investigations.detection.leaving_out import (
    DETECTORS,
    Accused,
    Dropped,
    Known,
    Looks,
    Seen,
    rest,
    weaken,
)
from investigations.detection.ruleset import Ruleset, probability
from investigations.detection.shapes import (
    AccountFeatures,
    AccountView,
    Amount,
    ClusterFeatures,
    FoundCluster,
    Place,
    Scored,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`parts`: groups that still hang together, the largest first; None where that was
    not looked at. `proposed`: accounts still proposed for a ban."""

    scored: Scored
    verdict: str
    proposed: frozenset[int]
    parts: tuple[FoundCluster, ...] | None = None

    @property
    def held(self) -> frozenset[int]:
        return frozenset(a for part in self.parts or () for a in part.accounts)


def still_proposed(
    known: Known,
    dropped: Dropped,
    found: Outcome,
    weighed: tuple[Seen, Looks],
    before: Outcome | None,
    rules: Ruleset,
) -> frozenset[int]:
    """`weighed`: what is left of the cluster's evidence, and how that was seen."""
    sure = found.scored.score >= rules.propose_at and len(found.scored.families) >= 3
    if found.verdict != verdicts.DISTILLATION or not sure:
        return frozenset()
    (seen, looks), lost = weighed, lost_support(found, before)
    views = views_of(known, looks, seen)
    kept = set()
    for accused in known.accused:
        support = accused.support - lost.get(accused.account, 0)
        left = left_of_own(accused, dropped, looks.keys, views)
        own = own_score(accused, left, found, support, amount=known.amount, rules=rules)
        if support >= verdicts.FEWEST_TIES and own.score >= rules.propose_at:
            kept.add(accused.account)
    return frozenset(kept)


def lost_support(found: Outcome, before: Outcome | None) -> dict[int, int]:
    """Account → rare values it no longer shares with others that it hangs together
    with; all of them where it falls away."""
    if before is None or before.parts is None or found.parts is None:
        return {}
    left = {m.account: m.support for part in found.parts for m in part.members}
    return {
        member.account: 1_000
        if member.account not in left
        else max(0, member.support - left[member.account])
        for part in before.parts
        for member in part.members
    }


Views = Mapping[int, tuple[AccountView, AccountView]]


def views_of(known: Known, looks: Looks, seen: Seen) -> Views:
    """Account → how detectors on shared values see it, before and without."""
    full, less = looks.full, looks.less
    if full is None or less is None:
        return {}
    own = {member.account: member for member in known.members}
    return {
        accused.account: (
            view(own[accused.account], full, known.evidence),
            view(own[accused.account], less, seen),
        )
        for accused in known.accused
        if accused.account in own
    }


def view(own: AccountFeatures, cluster: ClusterFeatures, seen: Seen) -> AccountView:
    cards = [
        card.members
        for card in cluster.common.get("payment", ())
        if own.account in card.members
    ]
    return AccountView(
        features=own,
        since=cluster.since,
        until=cluster.until,
        cards=frozenset().union(*cards) - {own.account},
        place=Place(cluster, seen, support=1, probability=0.0),
    )


def left_of_own(
    accused: Accused, dropped: Dropped, keys: Iterable[str], views: Views
) -> Seen:
    """The member's own evidence without what is dropped."""
    seen = {k: e for k, e in accused.evidence.items() if k not in dropped.signals}
    if accused.account in views:
        full, less = views[accused.account]
        for key in keys:
            look = DETECTORS[key].account
            if key in seen and look is not None:
                weaken(seen, key, look.see(full), look.see(less))
    return seen


def own_score(
    accused: Accused,
    seen: Seen,
    found: Outcome,
    support: int,
    *,
    amount: Amount,
    rules: Ruleset,
) -> Scored:
    """The member's own score, with what membership would still add."""
    kept = rest(accused.decibans - accused.membership, accused.evidence, rules, level=0)
    likely = min(probability(found.scored.decibans), found.scored.score / 100)
    joined = replace(kept, points=membership(likely, support, seen, accused, rules))
    reasons = [
        *scoring.capped(scoring.weighed(seen, rules, level=0), rules),
        kept,
        joined,
    ]
    most = verdicts.ceiling(found.verdict, rules, amount=amount)
    return scoring.total(rules.prior_account, reasons, most, rules)


def membership(
    likely: float, support: int, seen: Seen, accused: Accused, rules: Ruleset
) -> float:
    """As scoring.membership has it, and never more than it was."""
    if likely < 0.9 or support <= 0:
        return 0.0
    return min(scoring.member_points(support, seen, rules), accused.membership)
