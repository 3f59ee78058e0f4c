"""What the accounts of a case share, and how many others share it too."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, F, QuerySet, Sum

from ingest.models import Indicator, Sighting, Template
from ingest.texts import excerpts
from investigations.models import Case
from investigations.selectors.members import case_accounts

SHOWN = 30
TEMPLATES = 20


@dataclass(frozen=True)
class SharedIndicator:
    """A value that two or more accounts of the case showed.

    `outside` is how many accounts beyond the case showed it; a hub is shared so
    widely that it makes no links, and what the rules list as a public program's makes
    neither links nor evidence.
    """

    pk: int
    kind: str
    label: str
    value: str
    members: int
    outside: int
    hub: bool
    listed: bool = False


@dataclass(frozen=True)
class SharedTemplate:
    """A prompt skeleton that accounts of the case used. `text` is None where fewer
    than three accounts ever sent it, so that it was never kept."""

    indicator: int
    skeleton: str
    members: int
    requests: int
    outside: int
    text: str | None
    # Redacted prompts in clear: only where somebody said why.
    examples: tuple[str, ...] = ()
    listed: bool = False


def shared_indicators(case: Case, *, limit: int = SHOWN) -> list[SharedIndicator]:
    """Identity, network and client values, those that tie the most members first."""
    rows = (
        _shared(case)
        .exclude(indicator__kind__in=("skeleton", "response"))
        .order_by("indicator__profile__hub", "-members", "indicator")[:limit]
    )
    return [_indicator(row) for row in rows]


def shared_templates(case: Case, *, limit: int = TEMPLATES) -> list[SharedTemplate]:
    """The prompt skeletons that the accounts have in common, most shared first."""
    rows = list(
        _shared(case)
        .filter(indicator__kind=Indicator.Kind.SKELETON)
        .annotate(requests=Sum("count"))
        .order_by("-members", "-requests", "indicator")[:limit]
    )
    hashes = {row["indicator__value"] for row in rows}
    texts = {
        str(template.skeleton_hash): template.text
        for template in Template.objects.filter(
            skeleton_hash__in=[int(value) for value in hashes if _is_hash(value)]
        )
    }
    return [
        SharedTemplate(
            indicator=row["indicator"],
            skeleton=row["indicator__value"],
            members=row["members"],
            requests=row["requests"],
            outside=_outside(row),
            text=texts.get(row["indicator__value"]),
            listed=bool(row["listed"]),
        )
        for row in rows
    ]


def with_examples(
    case: Case, templates: Sequence[SharedTemplate]
) -> list[SharedTemplate]:
    """The templates with redacted prompts of the case's accounts that were drawn."""
    hashes = [int(each.skeleton) for each in templates if _is_hash(each.skeleton)]
    drawn = excerpts.of_templates(hashes, case_accounts(case).values("pk"))
    return [
        replace(
            each,
            examples=tuple(
                excerpt.text
                for excerpt in drawn.get(
                    int(each.skeleton) if _is_hash(each.skeleton) else 0, ()
                )
            ),
        )
        for each in templates
    ]


def member_ties(
    case: Case, indicators: list[int], accounts: list[int]
) -> list[tuple[int, int]]:
    """(account, indicator) pairs among the given ones, for the map."""
    pairs = Sighting.objects.filter(
        indicator__in=indicators, account__in=accounts
    ).order_by("indicator", "account")
    return list(pairs.values_list("account", "indicator"))


def _shared(case: Case) -> QuerySet[Any, Any]:
    return (
        Sighting.objects.filter(account__in=case_accounts(case).values("pk"))
        .values(
            "indicator",
            "indicator__kind",
            "indicator__value",
            hub=F("indicator__profile__hub"),
            listed=F("indicator__profile__listed"),
            everyone=F("indicator__profile__accounts"),
        )
        .annotate(members=Count("account"))
        .filter(members__gte=2)
    )


def _indicator(row: dict[str, Any]) -> SharedIndicator:
    return SharedIndicator(
        pk=row["indicator"],
        kind=row["indicator__kind"],
        label=str(Indicator.Kind(row["indicator__kind"]).label),
        value=row["indicator__value"],
        members=row["members"],
        outside=_outside(row),
        hub=bool(row["hub"]),
        listed=bool(row["listed"]),
    )


def _outside(row: dict[str, Any]) -> int:
    outside: int = (row["everyone"] or 0) - row["members"]
    return max(outside, 0)


def _is_hash(value: str) -> bool:
    return value.lstrip("-").isdigit()
