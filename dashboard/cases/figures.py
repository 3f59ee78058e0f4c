"""A case's figures: its chart, its map, its shares."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from dashboard import charts, graph
from dashboard.charts import Milestone, Series
from dashboard.display import mask
from ingest.models import Indicator
from investigations import selectors
from investigations.models import Case, Decision
from investigations.selectors import SharedIndicator, Traffic

# Heading and name of each count of a preview.
TALLIES = (
    ("Score", "by_band"),
    ("Plan", "by_plan"),
    ("Verified", "by_verification"),
    ("Age", "by_age"),
)
Table = dict[str, list[Any]]

# More hours than this are a grey block.
HOURLY_WINDOW = timedelta(days=4)
# Squares on the map; with more of them, ties hide what ties.
INDICATORS_ON_MAP = 30


def daily_chart(case: Case) -> dict[str, Any]:
    """Exchanges a day by model, with releases and what was done as lines."""
    days = selectors.case_days(case)
    return charts.cluster_days(days.axis, _series(days), milestones(case, days.axis))


def hourly_chart(case: Case) -> dict[str, Any]:
    """The last days hour by hour, each model in the colour of the daily chart."""
    hours = selectors.case_hours(case, since=timezone.now() - HOURLY_WINDOW)
    order = list(selectors.case_days(case).models)
    # What the daily chart sums up as "other" comes last.
    series = sorted(
        _series(hours), key=lambda each: (order + [each.name]).index(each.name)
    )
    return charts.events_per_hour(hours.axis, series)


def milestones(case: Case, days: list[date]) -> list[Milestone]:
    """What happened since the first day that the chart shows, oldest first. What was
    done on a day without traffic is told all the same."""
    if not days:
        return []
    since = datetime.combine(days[0], time(), UTC)
    until = datetime.combine(days[-1], time(), UTC) + timedelta(days=1)
    found = [
        Milestone(release.released_at, f"{release.model} released")
        for release in selectors.releases_between(since, until)
    ]
    if case.cluster and case.cluster.first_flagged_at:
        found.append(Milestone(case.cluster.first_flagged_at, "flagged"))
    found.append(Milestone(case.opened_at, "case opened"))
    found += [
        Milestone(decision.made_at, f"{decision.ref} {decision.get_verdict_display()}")
        for decision in Decision.objects.in_force().filter(case=case)
    ]
    return sorted(
        (each for each in found if since <= each.at), key=lambda each: each.at
    )


def daily_table(case: Case) -> Table:
    return _table("Day (UTC)", "%a %-d %b", selectors.case_days(case))


def hourly_table(case: Case) -> Table:
    since = timezone.now() - HOURLY_WINDOW
    return _table(
        "Hour (UTC)", "%a %-d %b %H:00", selectors.case_hours(case, since=since)
    )


def _table(first: str, wording: str, traffic: Traffic[Any]) -> Table:
    """A chart's figures as columns and rows, the newest on top."""
    rows = zip(
        traffic.axis,
        *traffic.models.values(),
        traffic.totals,
        traffic.output_tokens,
        strict=True,
    )
    return {
        "columns": [first, *traffic.models, "All", "Output tokens"],
        "rows": [
            [at.strftime(wording), *(f"{count:,}" for count in counts)]
            for at, *counts in reversed(list(rows))
        ],
    }


def map_of(case: Case) -> dict[str, Any]:
    """Members and what they share, for static/js/graph.js."""
    indicators = [each for each in selectors.shared_indicators(case) if not each.hub][
        :INDICATORS_ON_MAP
    ]
    accounts = selectors.mapped_members(case, limit=graph.MAX_NODES)
    ties = selectors.member_ties(
        case, [each.pk for each in indicators], [each.pk for each in accounts]
    )
    drawn = graph.cluster_graph(
        [_account_node(account) for account in accounts],
        [_indicator_node(each) for each in indicators],
        [
            graph.Tie(f"a{account}", f"i{indicator}", "shows", 1.0)
            for account, indicator in ties
        ],
        names={**dict(Indicator.Kind.choices), "member": "account", "shows": "tie"},
    )
    # Of a large case only some were read; the map says how many there are.
    return drawn | {"total": selectors.case_size(case) + len(indicators)}


def shares(counts: list[tuple[str, int]]) -> list[dict[str, object]]:
    """Name, count and share of the whole, for a small table with bars."""
    whole = sum(count for _, count in counts)
    return [
        {"name": name, "count": count, "percent": round(100 * count / whole)}
        for name, count in counts
        if whole
    ]


def tallies(preview: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, int]]]]:
    """A preview's counts under their headings, the most on top; JSON keeps no order."""
    return [
        (title, sorted(preview.get(name, {}).items(), key=lambda item: -item[1]))
        for title, name in TALLIES
    ]


def _series(traffic: Traffic[Any]) -> list[Series]:
    return [Series(model, counts) for model, counts in traffic.models.items()]


def _account_node(account: Any) -> graph.AccountNode:
    membership = getattr(account, "membership", None)
    score = getattr(account, "score", None)
    return graph.AccountNode(
        id=f"a{account.pk}",
        label=account.external_id,
        score=score.score if score else 0.0,
        group="member",
        x=membership.x if membership else None,
        y=membership.y if membership else None,
    )


def _indicator_node(shared: SharedIndicator) -> graph.IndicatorNode:
    return graph.IndicatorNode(
        id=f"i{shared.pk}",
        label=f"{mask(shared.value)} #{shared.pk}",
        kind=shared.kind,
        accounts=shared.members + shared.outside,
    )
