"""What a cluster's page shows, and its chart."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from dashboard import charts
from dashboard.cases import figures
from dashboard.cases.context import COLUMNS
from dashboard.cases.filters import member_filter
from dashboard.charts import Milestone
from dashboard.days import day_table, series
from dashboard.evidence import linked_reasons
from dashboard.lineage import lineage_context
from dashboard.query import address
from dashboard.resemblance import resembles_context
from investigations import access, selectors
from investigations.detection.models import Cluster
from investigations.selectors.clusters import cases_of, unopened_case

Context = dict[str, object]


def cluster_context(request: HttpRequest, cluster: Cluster) -> Context:
    case = unopened_case(cluster)
    seen = selectors.exposed(case)
    days = selectors.case_days(case)
    cases = cases_of(cluster)
    works = access.can(request.user, access.WORK)
    return {
        "cluster": cluster,
        "cases": cases,
        "may_open": works
        and cluster.live
        and not any(case.is_unfinished for case in cases),
        "reasons": linked_reasons(
            cluster.reasons,
            lambda signal: reverse("clusters:evidence", args=[cluster.ref, signal]),
        ),
        "chart": day_table(days.axis, days.models),
        "models": figures.shares(seen.by_model if seen else []),
        "intents": figures.shares(seen.by_intent if seen else []),
        "indicators": selectors.shared_indicators(case),
        "templates": selectors.shared_templates(case),
        **lineage_context(cluster),
        **resembles_context(cluster),
        **members_context(request, cluster),
    }


def members_context(request: HttpRequest, cluster: Cluster) -> Context:
    """Raises BadQuery for what the address asks and there is not."""
    wanted = member_filter(request.GET)
    page = selectors.member_page(unopened_case(cluster), wanted)
    path, params = reverse("clusters:detail", args=[cluster.ref]), request.GET
    standings = selectors.standings(account.pk for account in page.accounts)
    return {
        "page": page,
        "members": [
            {
                "account": account,
                "standing": standings[account.pk],
                "proposed": account.pk in cluster.proposed_ban,
            }
            for account in page.accounts
        ],
        "columns": [
            column
            | {
                "url": column.get("key")
                and address(path, params, sort=column["key"]) + "#members",
                "sorted": column.get("key") == wanted.sort,
            }
            for column in COLUMNS
        ],
        "filtered": wanted.min_score or wanted.indicator,
        "all_url": address(path, params, min_score="", shares="") + "#members",
        "next_url": page.after and address(path, params, after=page.after) + "#members",
        "previous_url": page.before
        and address(path, params, before=page.before) + "#members",
    }


def daily_chart(cluster: Cluster) -> dict[str, Any]:
    """Exchanges a day by model, with releases, the first flag and cases as lines."""
    days = selectors.case_days(unopened_case(cluster))
    return charts.cluster_days(
        days.axis, series(days.models), milestones(cluster, days.axis)
    )


def milestones(cluster: Cluster, days: list[date]) -> list[Milestone]:
    """What happened within the days that the chart shows, oldest first."""
    if not days:
        return []
    since = datetime.combine(days[0], time(), UTC)
    until = datetime.combine(days[-1], time(), UTC) + timedelta(days=1)
    found = [
        Milestone(release.released_at, f"{release.model} released")
        for release in selectors.releases_between(since, until)
    ]
    if cluster.first_flagged_at:
        found.append(Milestone(cluster.first_flagged_at, "flagged"))
    found += [
        Milestone(case.opened_at, f"{case.ref} opened") for case in cases_of(cluster)
    ]
    within = (each for each in found if since <= each.at < until)
    return sorted(within, key=lambda each: each.at)
