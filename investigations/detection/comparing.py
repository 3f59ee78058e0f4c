"""Two versions of the rules on the same facts: what one catches that the other does
not, and whom it hits who is known to be innocent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from investigations.detection.assessment import Assessment
from investigations.detection.clustering import carry_ids
from investigations.detection.ruleset import CONTRACTS
from investigations.detection.shapes import AccountFeatures, ScoredCluster

FLAGGED, SURE = 70.0, 90.0
# Of each list this many are kept to open; the number of all stands beside it.
MOST_KEPT = 500

PROPOSED, IN_CLUSTER, BY_SCORE = "proposed for a ban", "in a flagged cluster", "flagged"
# The worst first.
WAYS = (PROPOSED, IN_CLUSTER, BY_SCORE)


@dataclass(frozen=True, slots=True)
class Side:
    """What one version makes of the facts, in numbers; `hit`: account → how, of all
    that are flagged in some way."""

    clusters: int
    flagged: int
    sure: int
    proposed: frozenset[int]
    hit: Mapping[int, str]

    def as_json(self, innocent: Mapping[int, str]) -> dict[str, int]:
        return {
            "clusters": self.clusters,
            "flagged": self.flagged,
            "sure": self.sure,
            "accounts": len(self.hit),
            "proposed": len(self.proposed),
            "bystanders": len(self.hit.keys() & innocent.keys()),
        }


@dataclass(frozen=True, slots=True)
class ClusterChange:
    """A cluster that crosses 70 or 90 between the two; a score of None: not found."""

    accounts: tuple[int, ...]
    before: float | None
    after: float | None
    verdict: str

    @property
    def is_gain(self) -> bool:
        return (self.after or 0.0) > (self.before or 0.0)

    def as_json(self) -> dict[str, Any]:
        return {
            "size": len(self.accounts),
            "accounts": list(self.accounts[:MOST_KEPT]),
            "before": self.before,
            "after": self.after,
            "verdict": self.verdict,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    live: Side
    draft: Side
    clusters: Sequence[ClusterChange]
    innocent: Mapping[int, str]

    def as_json(self) -> dict[str, Any]:
        return {
            "live": self.live.as_json(self.innocent),
            "draft": self.draft.as_json(self.innocent),
            "caught": [c.as_json() for c in self.clusters if c.is_gain][:MOST_KEPT],
            "missed": [c.as_json() for c in self.clusters if not c.is_gain][:MOST_KEPT],
            "proposed": moved(self.live.proposed, self.draft.proposed),
            "bystanders": self.bystanders(),
        }

    def bystanders(self) -> dict[str, Any]:
        """Innocent accounts that the draft hits, those it hits harder than the live
        rules first, and those it lets go: [account, why innocent, how hit]."""
        rows: dict[str, list[list[Any]]] = {"more": [], "same": [], "less": []}
        for account in sorted(self.innocent):
            old, new = self.live.hit.get(account), self.draft.hit.get(account)
            if old is None and new is None:
                continue
            change = rank(new) - rank(old)
            name = "same" if not change else "more" if change < 0 else "less"
            rows[name].append([account, self.innocent[account], new or old])
        return {
            name: {"count": len(found), "accounts": found[:MOST_KEPT]}
            for name, found in rows.items()
        }


def rank(way: str | None) -> int:
    return len(WAYS) if way is None else WAYS.index(way)


def moved(before: frozenset[int], after: frozenset[int]) -> dict[str, Any]:
    new, gone = sorted(after - before), sorted(before - after)
    return {
        "new": {"count": len(new), "accounts": new[:MOST_KEPT]},
        "gone": {"count": len(gone), "accounts": gone[:MOST_KEPT]},
        "same": len(before & after),
    }


def compare(
    live: Assessment, draft: Assessment, innocent: Mapping[int, str]
) -> Comparison:
    return Comparison(
        side_of(live),
        side_of(draft),
        cluster_changes(live.clusters, draft.clusters),
        innocent,
    )


def side_of(assessed: Assessment) -> Side:
    hit = {a.account: BY_SCORE for a in assessed.accounts if a.scored.score >= FLAGGED}
    flagged = [c for c in assessed.clusters if c.scored.score >= FLAGGED]
    hit |= {account: IN_CLUSTER for c in flagged for account in c.found.accounts}
    proposed = frozenset(pk for c in assessed.clusters for pk in c.proposed_ban)
    return Side(
        clusters=len(assessed.clusters),
        flagged=len(flagged),
        sure=sum(c.scored.score >= SURE for c in flagged),
        proposed=proposed,
        hit=hit | dict.fromkeys(proposed, PROPOSED),
    )


def cluster_changes(
    live: Sequence[ScoredCluster], draft: Sequence[ScoredCluster]
) -> list[ClusterChange]:
    """The clusters that cross 70 or 90, the largest first."""
    before = {at: frozenset(c.found.accounts) for at, c in enumerate(live)}
    kept = carry_ids([frozenset(c.found.accounts) for c in draft], before)
    changes = []
    for cluster, at in zip(draft, kept, strict=True):
        old = None if at is None else live[at].scored.score
        changes.append(change_of(cluster, old, cluster.scored.score))
    found_again = set(kept)
    changes += [
        change_of(cluster, cluster.scored.score, None)
        for at, cluster in enumerate(live)
        if at not in found_again
    ]
    crossing = [c for c in changes if step(c.before) != step(c.after)]
    return sorted(crossing, key=lambda c: (-len(c.accounts), c.accounts))


def change_of(
    cluster: ScoredCluster, before: float | None, after: float | None
) -> ClusterChange:
    return ClusterChange(cluster.found.accounts, before, after, cluster.verdict)


def step(score: float | None) -> int:
    """0 below 70, 1 below 90, 2 from there on."""
    return ((score or 0.0) >= FLAGGED) + ((score or 0.0) >= SURE)


def innocents(
    features: Iterable[AccountFeatures], labels: Mapping[int, str]
) -> dict[int, str]:
    """Who is known not to harvest, and why: people's word today, then what was checked.

    `labels`: the newest word of people by account; who is confirmed is no bystander,
    whatever was checked before.
    """
    spoken = {"benign": "found innocent by people", "exempt": "exempt until a date"}
    known: dict[int, str] = {}
    for own in features:
        label = labels.get(own.account, "")
        if label in spoken:
            known[own.account] = spoken[label]
        elif label != "confirmed" and own.is_verified:
            known[own.account] = (
                "partner organisation" if own.partner else "verified organisation"
            )
        elif label != "confirmed" and own.contract in CONTRACTS:
            known[own.account] = CONTRACTS[own.contract][0].lower()
    return known
