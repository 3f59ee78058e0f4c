"""Prompts cut from templates that nobody outside the cluster uses (B1)."""

from collections.abc import Mapping

from investigations.detection.detectors.base import (
    Detector,
    Own,
    by_member,
    covered,
    indicators,
    number,
    once_a_cluster,
    percent,
)
from investigations.detection.shapes import (
    AccountView,
    ClusterFeatures,
    CommonValue,
    Evidence,
    Family,
    Rows,
)

private_template = Detector(
    key="private_template",
    title="Private template",
    family=Family.CONTENT,
    version=1,
)

# Half of all pooled requests on private templates counts in full.
FULL_SHARE = 0.5
INNOCENT = (
    "One company's customers, or the pupils of one class, use the same program or the "
    "same exercise sheet."
)


def own_templates(seen: ClusterFeatures) -> tuple[CommonValue, ...]:
    """Templates of three or more members of which 90% of all use is the cluster's."""
    return tuple(
        template
        for template in seen.common.get("skeleton", ())
        if len(template.members) >= 3
        and template.member_requests >= 0.9 * template.requests
    )


@private_template.looks_at_cluster(decibans=12)
def pooled_templates(seen: ClusterFeatures) -> Evidence | None:
    templates = own_templates(seen)
    if not templates or seen.organizations < 3 or not seen.template_requests:
        return None
    used = sum(template.member_requests for template in templates)
    share = min(1.0, used / seen.template_requests)
    if share < 0.05:
        return None
    return Evidence(
        strength=min(1.0, share / FULL_SHARE),
        value=share,
        baseline=0.0,
        sentence=(
            f"{percent(share)} of the accounts' most repeated prompts are cut from "
            f"{number(len(templates))} "
            f"{'template' if len(templates) == 1 else 'templates'} that "
            f"{number(len(covered(templates)))} of the {number(seen.size)} accounts "
            "use and practically nobody else does."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "sighting",
            {"members": True, "indicators": indicators(templates)},
            sum(len(template.members) for template in templates),
        ),
    )


@once_a_cluster
def templates_by_member(seen: ClusterFeatures) -> Mapping[int, Own]:
    return by_member(own_templates(seen))


@private_template.looks_at_account(decibans=10)
def uses_cluster_templates(seen: AccountView) -> Evidence | None:
    if seen.place is None or "private_template" not in seen.place.evidence:
        return None
    account = seen.features.account
    own = templates_by_member(seen.place.cluster).get(account)
    if own is None:
        return None
    others, count = own.reach - 1, len(own.values)
    return Evidence(
        strength=seen.place.evidence["private_template"].strength,
        value=count,
        baseline=0,
        sentence=(
            f"Sends prompts cut from {number(count)} "
            f"{'template' if count == 1 else 'templates'} that only its "
            f"cluster uses; {number(others)} other members send them too."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "sighting",
            {"accounts": [account], "indicators": indicators(own.values)},
            count,
        ),
    )
