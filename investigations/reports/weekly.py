"""One week into one document, ready to be frozen.

The document is what a page shows later, and it is all that it shows::

    {"format": "stillwatch.weekly/1",
     "week": "2026-W47", "from": "2026-11-16", "until": "2026-11-22",      # inclusive
     "complete": true,                       # false while the week is still running
     "tlp": "TLP:AMBER+STRICT",
     "summary": ["sentence", …],
     "figures": [{"key", "title", "unit", "value", "previous", "query"}, …],
     "clusters_by_verdict": [{"verdict", "title", "clusters", "accounts"}, …],
     "top_clusters": [{"ref", "verdict", "score", "size", "exchanges",
                       "output_tokens", "first_flagged_at"}, …],
     "tables": {"clusters_by_verdict": "query in words", "top_clusters": "…"}}

`value` and `previous` (the week before) are numbers or null. Exactly the same data
gives exactly the same bytes (`canonical`), which is what the report's SHA-256 is over:
nothing in it tells when or by whom it was made.
"""

from datetime import date, datetime, timedelta
from math import floor
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Sum
from django.utils import timezone

from ingest.models import Batch
from ingest.rolling import marks
from investigations import access, policies
from investigations.actions import reports
from investigations.detection.models import Cluster, ClusterHour, Run
from investigations.detection.selectors import hot_clusters
from investigations.errors import NotYet
from investigations.models import Report
from investigations.reports.figures import FIGURES, HOT, Figure, Week

FORMAT = "stillwatch.weekly/1"
TLP = "TLP:AMBER+STRICT"
TOP = 10
# Telemetry that comes late and claims made of it have settled after this long.
SETTLED_AFTER = timedelta(minutes=5)
STUCK_AFTER = timedelta(seconds=30)

Document = dict[str, Any]


def build(week: date) -> Document:
    """The summary of the week that holds the given day. Reads only."""
    span = Week.of(week)
    figures = [_figure(figure, span) for figure in FIGURES]
    top = _top_clusters(span)
    return {
        "format": FORMAT,
        "week": span.name,
        "from": span.monday.isoformat(),
        "until": (span.monday + timedelta(days=6)).isoformat(),
        "complete": span.end <= timezone.now(),
        "tlp": TLP,
        "summary": _summary({str(f["key"]): f["value"] for f in figures}, top),
        "figures": figures,
        "clusters_by_verdict": _clusters_by_verdict(),
        "top_clusters": top,
        "tables": {
            "clusters_by_verdict": f"All {HOT}, by verdict, with their members.",
            "top_clusters": f"The {TOP} {HOT} with the most requests in the week.",
        },
    }


@transaction.atomic
def freeze_week(*, week: date, by: User) -> Report:
    """Build the week and keep it for good; raises NotYet while it is running."""
    document = build(week)
    if not document["complete"]:
        raise NotYet(f"{document['week']} is not over yet.")
    return reports.freeze_report(week=Week.of(week).monday, document=document, by=by)


def freeze_last_week() -> Report | None:
    """Freeze the last full week once, in the machine's name, when its data is in."""
    week = Week.last_full(timezone.now())
    if Report.objects.filter(week=week.monday).exists() or not is_settled(week):
        return None
    return freeze_week(week=week.monday, by=access.system_account())


def is_settled(week: Week) -> bool:
    """Whether all that arrived about the week has been counted and judged."""
    now = timezone.now()
    judged = Run.objects.filter(
        as_of__gte=week.end, finished_at__lte=now - SETTLED_AFTER
    )
    uncounted = marks.is_uncounted(week.monday, week.end.date())
    stuck = Batch.objects.filter(
        state=Batch.State.PENDING, received_at__lte=now - STUCK_AFTER
    )
    return judged.exists() and not uncounted and not stuck.exists()


def _figure(figure: Figure, week: Week) -> Document:
    return {
        "key": figure.key,
        "title": figure.title,
        "unit": figure.unit,
        "value": figure.value(week),
        "previous": figure.value(week.before),
        "query": figure.query,
    }


def _clusters_by_verdict() -> list[Document]:
    hot = hot_clusters(policies.HOT_SCORE).order_by()
    rows = hot.values_list("verdict").annotate(n=Count("pk"), members=Sum("size"))
    found = {verdict: (n, members) for verdict, n, members in rows}
    return [
        {
            "verdict": verdict.value,
            "title": str(verdict.label),
            "clusters": found.get(verdict, (0, 0))[0],
            "accounts": found.get(verdict, (0, 0))[1],
        }
        for verdict in Cluster.Verdict
    ]


def _top_clusters(week: Week) -> list[Document]:
    rows = (
        ClusterHour.objects.filter(hour__gte=week.start, hour__lt=week.end)
        .filter(cluster__live=True, cluster__score__gte=policies.HOT_SCORE)
        .values("cluster")
        .annotate(exchanges=Sum("requests"), tokens=Sum("output_tokens"))
        .order_by("-exchanges", "cluster")[:TOP]
    )
    clusters = Cluster.objects.in_bulk([row["cluster"] for row in rows])
    return [
        {
            "ref": clusters[row["cluster"]].ref,
            "verdict": clusters[row["cluster"]].verdict,
            # Rounded down, as on every page: 69.97 must not read as 70.
            "score": floor(clusters[row["cluster"]].score * 10) / 10,
            "size": clusters[row["cluster"]].size,
            "exchanges": row["exchanges"],
            "output_tokens": row["tokens"],
            "first_flagged_at": _iso(clusters[row["cluster"]].first_flagged_at),
        }
        for row in rows
    ]


def _iso(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _summary(values: dict[str, object], top: list[Document]) -> list[str]:
    """The week in sentences; no customer's words, no account's name."""
    said = [
        f"{values['cases_opened']} cases were opened, {values['cases_decided']} decided"
        f" and {values['cases_closed']} closed.",
        f"{values['accounts_banned']} accounts were banned,"
        f" {values['accounts_restricted']} restricted, {values['accounts_cleared']}"
        f" cleared and {values['accounts_restored']} given back.",
        f"Suspected clusters took {values['exchanges']:,} exchanges,"
        f" {values['exchanges_before_flag']:,} of them before they were first flagged.",
    ]
    if top:
        said.append(
            f"The largest taker was {top[0]['ref']} ({top[0]['size']} accounts)."
        )
    if values["approvals_waiting"]:
        said.append(
            f"{values['approvals_waiting']} decisions wait for a second person."
        )
    if values["deliveries_parked"]:
        said.append(
            f"{values['deliveries_parked']} deliveries need somebody's attention."
        )
    return said
