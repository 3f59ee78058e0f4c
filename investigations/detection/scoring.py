"""Evidence → score with reasons.

A score is 100 × the posterior probability, from a stated prior and evidence that adds
up in decibans. Every weight stands in `ruleset.py`.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from investigations.detection import verdicts
from investigations.detection.detectors import CATALOGUE
from investigations.detection.detectors.base import MOST_NAMED
from investigations.detection.ruleset import (
    CONTRACTS,
    RULESET,
    Ruleset,
    band,
    probability,
)
from investigations.detection.shapes import (
    AccountFeatures,
    AccountView,
    Amount,
    ClusterFeatures,
    Evidence,
    Reason,
    Rows,
    Scored,
)

LOOKS = [(d.key, d.account) for d in CATALOGUE if d.account]
# Most accounts stand alone, and most detectors ask for the cluster first of all.
LOOKS_ALONE = [(key, look) for key, look in LOOKS if look.alone]
COORDINATES = {d.key: d.family in verdicts.COORDINATION for d in CATALOGUE}

Weighed = tuple[str, str, str, float, Evidence]  # key, title, family, decibans


def weighed(
    evidence: Mapping[str, Evidence], rules: Ruleset, *, level: int
) -> list[Weighed]:
    """What each detector's evidence is worth, the strongest first.

    `level`: 0 for an account, 1 for a cluster. Detectors that see one thing from
    several sides share a cap.
    """
    found = [
        (
            d.key,
            d.title,
            d.family,
            evidence[d.key].strength * rules.weights[d.key][level],
        )
        + (evidence[d.key],)
        for d in CATALOGUE
        if d.key in evidence
    ]
    left = dict(rules.joint_caps)
    joined = {key: keys for keys in left for key in keys}
    worth: list[Weighed] = []
    for key, title, family, points, seen in sorted(
        found, key=lambda item: (-item[3], item[0])
    ):
        if (keys := joined.get(key)) is not None:
            points = min(points, left[keys])
            left[keys] -= points
        worth.append((key, title, family, points, seen))
    return worth


def capped(found: Iterable[Weighed], rules: Ruleset) -> list[Reason]:
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


def leaving_one_out(
    scored: Scored,
    evidence: Mapping[str, Evidence],
    rescore: Callable[[Mapping[str, Evidence]], float],
) -> Scored:
    """The same, each detector's reason with the score that would be without it, where
    that is another one in whole points."""
    reasons = []
    for reason in scored.reasons:
        if reason.signal in evidence:
            less = {key: e for key, e in evidence.items() if key != reason.signal}
            score = rescore(less)
            if math.floor(score) != math.floor(scored.score):
                reason = replace(reason, without=score)
        reasons.append(reason)
    return replace(scored, reasons=tuple(reasons))


VERIFIED = (
    "Verified organisation",
    "Belongs to an organisation whose identity was checked.",
)
PARTNER = (
    "Partner organisation",
    "Belongs to an organisation on the rules' list of partners, which counts like one "
    "whose identity was checked.",
)


# --- One account ------------------------------------------------------------------


def look_at_account(view: AccountView) -> dict[str, Evidence]:
    looks = LOOKS if view.place is not None else LOOKS_ALONE
    return {key: seen for key, look in looks if (seen := look.see(view)) is not None}


def score_account(
    view: AccountView,
    evidence: Mapping[str, Evidence],
    rules: Ruleset = RULESET,
    *,
    ceiling: float = 100.0,
) -> Scored:
    """`ceiling` is what the verdict on its cluster allows to be shown."""
    reasons = capped(weighed(evidence, rules, level=0), rules) if evidence else []
    reasons += membership(view, evidence, rules)
    reasons += [
        said(key, title, points, sentence, own_row(view.features))
        for key, title, points, sentence in mitigations(view.features, evidence, rules)
    ]
    return total(rules.prior_account, reasons, ceiling, rules)


def membership(
    view: AccountView, evidence: Mapping[str, Evidence], rules: Ruleset
) -> list[Reason]:
    """What belonging to a cluster adds; never a family of its own."""
    place = view.place
    if place is None or place.probability < 0.9 or not place.support:
        return []
    sentence = (
        f"Belongs to a cluster of {place.cluster.size:,} accounts that is "
        f"{min(place.probability, 0.99):.0%} likely to be one operation, "
    )
    points = member_points(place.support, evidence, rules)
    if place.support == 1:
        sentence += "and shares 1 rare value with other members."
    elif not acts(evidence):
        sentence += f"and shares {place.support} rare values with other members."
    else:
        sentence += f"shares {place.support} rare values with other members, and takes "
        sentence += "part in what coordinates them."
    return [said("membership", "Membership", points, sentence, own_row(view.features))]


def member_points(support: int, evidence: Collection[str], rules: Ruleset) -> float:
    """`evidence`: keys of what the member's own detectors gave."""
    if support < 2:
        return rules.weak_member_bonus if support else 0.0
    # Who shows what a campaign shows may be framed; who also takes its turn, less.
    return rules.acting_member_bonus if acts(evidence) else rules.member_bonus


def acts(evidence: Collection[str]) -> bool:
    """Whether the member takes part in what coordinates its cluster."""
    return any(COORDINATES.get(key, False) for key in evidence)


def mitigations(
    account: AccountFeatures, evidence: Collection[str], rules: Ruleset
) -> list[tuple[str, str, float, str]]:
    """What people have checked about the customer. (key, title, decibans, sentence)

    `evidence`: keys of what the account's own detectors gave. Old accounts are for
    sale: age counts for who works like a person, and not for who takes turns.
    """
    found = []
    if account.is_verified:
        title, sentence = PARTNER if account.partner else VERIFIED
        found.append(
            ("verified_organization", title, rules.verified_organization, sentence)
        )
    if account.contract in CONTRACTS:
        title, attribute, sentence = CONTRACTS[account.contract]
        found.append(
            (account.contract, title, float(getattr(rules, attribute)), sentence)
        )
    if (
        account.age_days > rules.aged_days
        and account.active_days >= rules.aged_active_days
        and not acts(evidence)
    ):
        sentence = (
            f"Customer for {account.age_days / 365:.1f} years, active on "
            f"{account.active_days} of the days looked at, and takes no turns."
        )
        found.append(("aged", "Long-standing customer", rules.aged, sentence))
    if account.label == "benign":
        sentence = "A person looked at this account and found it innocent."
        found.append(("benign", "Found innocent", rules.benign_label, sentence))
    return found


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
    terms = cluster_terms(cluster, rules)
    amount = verdicts.amount_of(cluster, rules)
    return score_terms(evidence, terms, rules, amount=amount)


def score_terms(
    evidence: Mapping[str, Evidence],
    terms: Iterable[Reason],
    rules: Ruleset,
    *,
    amount: Amount,
) -> tuple[Scored, str]:
    """The same from evidence and what is no detector's."""
    found = weighed(evidence, rules, level=1)
    reasons = [*capped(found, rules), *terms]
    open_score = total(rules.prior_cluster, reasons, 100.0, rules)
    points = {key: points for key, _, _, points, _ in found}
    verdict = verdicts.judge(open_score, points, rules, amount=amount)
    most = verdicts.ceiling(verdict, rules, amount=amount)
    return total(rules.prior_cluster, reasons, most, rules), verdict


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
        if member.is_verified:
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
