"""The one table of weights, in decibans (10 × log10 of a likelihood ratio).

They are experts' starting values (detection.md 4.4), not fitted ones. What a score may
never lean on has no column here: country, language, nationality.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from investigations.detection.detectors import CATALOGUE
from investigations.detection.shapes import Family

# Kinds of values that an allowlist may name: chosen by whoever wrote a program, and
# not by who uses it.
LISTABLE = ("tools", "system", "skeleton", "client_stack")


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
    # Detectors that see one thing from several sides, and the most they add together.
    joint_caps: tuple[tuple[tuple[str, ...], float], ...] = (
        (("reasoning_elicitation", "rubric_grading", "sensitive_rewrite"), 6.0),
        (("sameness", "capability_concentration"), 4.0),
        (("synchronised_starts", "stop_and_start"), 12.0),
    )
    contributes_at: float = 3.0
    # Families that contribute → the most that may be shown.
    display_caps: tuple[float, ...] = (59.0, 59.0, 84.0, 100.0)
    # The most that may be shown: of too few members or exchanges, of what is seen
    # early, without evidence of coordination, and of a pool that harvests nothing.
    thin_cap: float = 39.0
    early_cap: float = 84.0
    uncoordinated_cap: float = 69.0
    pool_cap: float = 84.0
    bands: tuple[tuple[float, str], ...] = (
        (90.0, "action"),
        (70.0, "review"),
        (40.0, "watch"),
    )
    # Cluster at 0.9 or above. By two rare values, and part of what coordinates it; by
    # two rare values; by one.
    acting_member_bonus: float = 20.0
    member_bonus: float = 15.0
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
    fewest_members: int = 4
    fewest_requests: int = 100
    # Below these it is early: a campaign is told, but nobody is proposed. A pool is
    # told from so many customers on: more than a small team that shares a card.
    early_members: int = 5
    early_requests: int = 300
    early_pool_members: int = 10
    harvest_floor: float = 6.0
    pool_floor: float = 8.0
    # The score from which a cluster and its member may be proposed for a ban.
    propose_at: float = 90.0
    # Public programs' values, (kind, value) in order, and ids of partner organisations.
    allowed: tuple[tuple[str, str], ...] = ()
    partners: tuple[str, ...] = ()
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


# A contract that allows what would be suspect: title, weight in the ruleset, sentence.
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

RULESET = Ruleset()


def probability(decibans: float) -> float:
    return float(1 / (1 + 10 ** (-decibans / 10)))


def band(score: float, rules: Ruleset = RULESET) -> str:
    return next((name for floor, name in rules.bands if score >= floor), "none")
