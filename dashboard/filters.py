"""Query string → validated filter: the same names for pages and for the API.

A name nobody knows is refused, never ignored: a filter that was misspelt would show
everything while seeming to narrow. Nothing from the query string reaches the ORM as a
keyword (CVE-2025-64459); each filter below names its own column.
"""

import re
from typing import Any, ClassVar

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

from ingest.models import Account, Indicator
from investigations.detection.models import Band, Cluster, IndicatorProfile
from investigations.errors import DomainError

CLUSTER_REF = re.compile(r"(?:CL-)?([1-9][0-9]{0,17})", re.IGNORECASE)
# What steers a list besides its filters.
STEERING = frozenset({"cursor", "page_size", "format"})


class BadFilter(DomainError):
    """Unknown names or unusable values; `errors` has one entry for each."""

    code = "bad_filter"

    def __init__(self, sentence: str, errors: list[dict[str, str]]) -> None:
        super().__init__(sentence)
        self.errors = errors


def cluster_pk(ref: str) -> int | None:
    """The key behind CL-7 or 7, or None where it is neither."""
    match = CLUSTER_REF.fullmatch(ref)
    return int(match[1]) if match else None


class ChosenField(forms.ChoiceField):
    """A choice whose refusal lists what can be chosen."""

    def validate(self, value: Any) -> None:
        if value and not self.valid_value(value):
            choices: Any = self.choices
            valid = ", ".join(key for key, _ in choices if key)
            raise forms.ValidationError(
                f"{str(value)[:60]!r} is not one of: {valid}.", code="invalid_choice"
            )


class ChosenFilter(django_filters.ChoiceFilter):  # type: ignore[misc]  # no types
    field_class = ChosenField


class StrictFilters(django_filters.FilterSet):  # type: ignore[misc]  # no types
    """A FilterSet that knows when it was asked for something it does not know."""

    # Name of an order → its column; the primary key breaks ties.
    orderings: ClassVar[dict[str, str]]
    text_columns: ClassVar[frozenset[str]] = frozenset()
    default_ordering: ClassVar[str]

    def refuse_bad(self, *, steering: frozenset[str] = STEERING) -> None:
        """Raise BadFilter unless every name is known and every value usable."""
        errors = self._unknown_names(steering)
        if not self.is_valid():
            errors += [
                {"parameter": name, "code": item["code"], "message": item["message"]}
                for name, items in self.errors.get_json_data().items()
                for item in items
            ]
        if errors:
            raise BadFilter(" ".join(error["message"] for error in errors), errors)

    def _unknown_names(self, steering: frozenset[str]) -> list[dict[str, str]]:
        names = self.data if isinstance(self.data, QueryDict) else {}
        known = set(self.base_filters) | steering
        return [
            {
                "parameter": name[:60],
                "code": "unknown_filter",
                "message": f"There is no filter {name[:60]!r}. "
                f"There are: {', '.join(sorted(known))}.",
            }
            for name in names
            if name not in known
        ]

    @property
    def ordering(self) -> str:
        """The chosen order, such as `-score`; call after refuse_bad."""
        return self.form.cleaned_data.get("ordering") or self.default_ordering

    def _keep(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """The page is cut in this order by its paginator, not here."""
        return queryset


def both_ways(*names: str) -> list[tuple[str, str]]:
    return [(sign + name, sign + name) for name in names for sign in ("-", "")]


class AccountFilters(StrictFilters):
    """Over a queryset annotated `shown_score` (findings.accounts)."""

    orderings: ClassVar = {"score": "shown_score", "account_id": "external_id"}
    text_columns = frozenset({"external_id"})
    default_ordering = "-score"

    account_id = django_filters.CharFilter(field_name="external_id", max_length=128)
    min_score = django_filters.NumberFilter(
        method="at_least", min_value=0, max_value=100, label="at least, 0-100"
    )
    band = ChosenFilter(choices=Band.choices, method="in_band")
    status = ChosenFilter(choices=Account.Status.choices)
    cluster_id = django_filters.CharFilter(method="in_cluster", max_length=24)
    ordering = ChosenFilter(choices=both_ways("score", "account_id"), method="_keep")

    class Meta:
        model = Account
        fields: ClassVar[list[str]] = []

    def at_least(
        self, queryset: QuerySet[Account], name: str, value: float
    ) -> QuerySet[Account]:
        # An account that was never scored has nothing against it: score 0.
        return queryset.filter(score__score__gte=value) if value > 0 else queryset

    def in_band(
        self, queryset: QuerySet[Account], name: str, value: str
    ) -> QuerySet[Account]:
        if value == Band.NONE:
            scored = Band.ACTION, Band.REVIEW, Band.WATCH
            return queryset.exclude(score__band__in=scored)
        return queryset.filter(score__band=value)

    def in_cluster(
        self, queryset: QuerySet[Account], name: str, value: str
    ) -> QuerySet[Account]:
        pk = cluster_pk(value)
        if pk is None:
            return queryset.none()
        return queryset.filter(membership__cluster=pk, membership__cluster__live=True)


class IndicatorFilters(StrictFilters):
    """Over profiles of shared values; a page's only, so without an order of its own."""

    orderings: ClassVar = {}
    default_ordering = ""

    kind = ChosenFilter(field_name="indicator__kind", choices=Indicator.Kind.choices)
    reading = ChosenFilter(choices=IndicatorProfile.Reading.choices)
    hub = ChosenFilter(choices=[("all", "all"), ("no", "others")], method="is_hub")

    class Meta:
        model = IndicatorProfile
        fields: ClassVar[list[str]] = []

    def is_hub(
        self, queryset: QuerySet[IndicatorProfile], name: str, value: str
    ) -> QuerySet[IndicatorProfile]:
        return queryset if value == "all" else queryset.filter(hub=False)


class ClusterFilters(StrictFilters):
    orderings: ClassVar = {"score": "score", "size": "size"}
    default_ordering = "-score"

    min_score = django_filters.NumberFilter(
        field_name="score",
        lookup_expr="gte",
        min_value=0,
        max_value=100,
        label="at least, 0-100",
    )
    band = ChosenFilter(choices=Band.choices)
    verdict = ChosenFilter(choices=Cluster.Verdict.choices)
    account_id = django_filters.CharFilter(
        field_name="memberships__account__external_id", max_length=128
    )
    ordering = ChosenFilter(choices=both_ways("score", "size"), method="_keep")

    class Meta:
        model = Cluster
        fields: ClassVar[list[str]] = []
