"""Named reads of what the machine believes, for the layers above."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum

from ingest.fingerprints import INTENT_BITS
from ingest.models import Account, Event, Indicator, Sighting, Template
from investigations.detection.models import (
    Cluster,
    ClusterLineage,
    ClusterResemblance,
    Membership,
    Run,
)

HOT = 70.0


class UnknownRows(ValueError):
    """A reason names a table or a filter that this version does not know."""


def hot_clusters(threshold: float = HOT) -> QuerySet[Cluster]:
    """Live clusters at or above the threshold, the highest first."""
    found = Cluster.objects.filter(live=True, score__gte=threshold)
    return found.order_by("-score", "pk")


def finished_runs(kind: str | None = None) -> QuerySet[Run]:
    """The newest first."""
    done = Run.objects.filter(finished_at__isnull=False).order_by("-pk")
    return done.filter(kind=kind) if kind else done


def latest_full_run() -> Run | None:
    return finished_runs(Run.Kind.FULL).first()


def quick_runs_after(full: Run) -> QuerySet[Run]:
    return finished_runs(Run.Kind.QUICK).filter(pk__gt=full.pk)


def last_drift() -> Run | None:
    """The last full pass that measured how far quick ones had come away."""
    measured = finished_runs(Run.Kind.FULL).filter(counts__has_key="drift")
    return measured.first()


@dataclass(frozen=True, slots=True)
class Passes:
    """The last full pass, how many quick ones came after it, the last of these, and
    the last full pass that measured drift."""

    full: Run
    quick: int
    last_quick: Run | None
    drifted: Run | None

    @property
    def last(self) -> Run:
        return self.last_quick or self.full


def passes() -> Passes | None:
    """None before the first."""
    full = latest_full_run()
    if full is None:
        return None
    after = quick_runs_after(full)
    return Passes(full, after.count(), after.first(), last_drift())


def cluster_members(cluster: Cluster) -> QuerySet[Membership]:
    """Members with account and score at hand, the most suspect first."""
    return (
        cluster.memberships.select_related("account", "account__score")
        .annotate(own_score=F("account__score__score"))
        .order_by(F("own_score").desc(nulls_last=True), "account_id")
    )


def account_reasons(account: Account) -> list[dict[str, Any]]:
    """What speaks about the account, the weightiest first; empty if never scored."""
    score = getattr(account, "score", None)
    return list(score.reasons) if score else []


# What became of a cluster is followed so far; longer chains are made by hand only.
GENERATIONS = 10


def cluster_lineage(clusters: Iterable[int]) -> QuerySet[ClusterLineage]:
    """What any of these clusters came from and became, the newest first."""
    keys = list(clusters)
    told = ClusterLineage.objects.filter(Q(parent__in=keys) | Q(child__in=keys))
    return told.select_related("parent", "child").order_by("-at", "-pk")


def resemblance_of(cluster: Cluster) -> ClusterResemblance | None:
    """The past cluster that it is most like, with what people decided on that one."""
    told = ClusterResemblance.objects.filter(cluster=cluster)
    return told.select_related("past__fingerprint").first()


def successors(cluster: Cluster) -> list[Cluster]:
    """The live clusters in which one that is no longer found lives on, by id."""
    found: dict[int, Cluster] = {}
    seen, ended = {cluster.pk}, [] if cluster.live else [cluster]
    for _ in range(GENERATIONS):
        if not ended:
            break
        since = {each.pk: each.updated_at for each in ended}
        steps = ClusterLineage.objects.filter(parent__in=since, child__isnull=False)
        ended = []
        for step in steps.select_related("child"):
            child, parent = step.child, step.parent_id
            # What went to others while it was still found is not what it became.
            if child is None or parent is None or step.at <= since[parent]:
                continue
            if child.pk in seen:
                continue
            seen.add(child.pk)
            if child.live:
                found[child.pk] = child
            else:
                ended.append(child)
    return [found[key] for key in sorted(found)]


@dataclass(frozen=True, slots=True)
class CommonIndicator:
    """A value that members share. `value` is private to the customers: mask it."""

    pk: int
    kind: str
    value: str
    members: int
    outside: int
    hub: bool
    requests: int


def cluster_indicators(
    cluster: Cluster, *, kinds: Iterable[str] = (), limit: int = 50
) -> list[CommonIndicator]:
    """Values that two or more members show: no hubs first, most shared first."""
    shown = Sighting.objects.filter(account__membership__cluster=cluster)
    wanted = list(kinds)
    if wanted:
        shown = shown.filter(indicator__kind__in=wanted)
    rows = (
        shown.values("indicator", "indicator__kind", "indicator__value")
        .annotate(
            members=Count("account"),
            requests=Sum("count"),
            everyone=F("indicator__profile__accounts"),
            hub=F("indicator__profile__hub"),
        )
        .filter(members__gte=2)
        .order_by("hub", "-members", "indicator")
    )
    return [
        CommonIndicator(
            pk=row["indicator"],
            kind=row["indicator__kind"],
            value=row["indicator__value"],
            members=row["members"],
            outside=max(0, (row["everyone"] or row["members"]) - row["members"]),
            hub=bool(row["hub"]),
            requests=row["requests"],
        )
        for row in rows[:limit]
    ]


def cluster_templates(
    cluster: Cluster, *, limit: int = 20
) -> list[tuple[CommonIndicator, str | None]]:
    """Prompt templates that members share, each with its masked text where kept."""
    found = cluster_indicators(cluster, kinds=[Indicator.Kind.SKELETON], limit=limit)
    texts = dict(
        Template.objects.filter(
            skeleton_hash__in=[int(template.value) for template in found]
        ).values_list("skeleton_hash", "text")
    )
    return [(template, texts.get(int(template.value))) for template in found]


# --- The rows behind a reason -----------------------------------------------------

Rows = QuerySet[Any, Any]


def reason_rows(reason: Mapping[str, Any]) -> Rows:
    """Events, accounts or sightings behind one reason of a score, newest first.

    Takes a reason as it stands in `Score.reasons` and `Cluster.reasons`. Raises
    UnknownRows for one written by a version that knew other words.
    """
    spec = reason["rows"]
    if spec["table"] not in TABLES:
        raise UnknownRows(f"There is no table {spec['table']!r} to show.")
    rows, account = TABLES[spec["table"]]
    found = rows()
    for word, value in spec["filters"].items():
        if word not in FILTERS:
            raise UnknownRows(f"Rows cannot be filtered by {word!r}.")
        found = FILTERS[word](found, account, value)
    return found


def _events() -> Rows:
    return Event.objects.select_related("account").order_by("-occurred_at", "-pk")


def _accounts() -> Rows:
    return Account.objects.order_by("created_at", "pk")


def _sightings() -> Rows:
    related = Sighting.objects.select_related("account", "indicator")
    return related.order_by("indicator", "account")


# Table → its rows in order, and the column that holds the account.
TABLES: dict[str, tuple[Callable[[], Rows], str]] = {
    "event": (_events, "account_id"),
    "account": (_accounts, "pk"),
    "sighting": (_sightings, "account_id"),
}


def _members(cluster: int) -> list[int]:
    """Members today, or the last ones of a cluster that has vanished."""
    found = Cluster.objects.filter(pk=cluster).values_list("last_members", flat=True)
    return list(found.first() or [])


def _intents(rows: Rows, account: str, names: Iterable[str]) -> Rows:
    mask = sum(INTENT_BITS.get(name, 0) for name in names)
    asked: Rows = rows.annotate(asked=F("intents").bitand(mask))
    return asked.filter(asked__gt=0)


Filter = Callable[[Rows, str, Any], Rows]
FILTERS: dict[str, Filter] = {
    "accounts": lambda rows, at, pks: rows.filter(**{f"{at}__in": pks}),
    "cluster": lambda rows, at, pk: rows.filter(**{f"{at}__in": _members(pk)}),
    "kind": lambda rows, at, kind: rows.filter(kind=kind),
    "model": lambda rows, at, model: rows.filter(model=model),
    "since": lambda rows, at, when: rows.filter(occurred_at__gte=moment(when)),
    "until": lambda rows, at, when: rows.filter(occurred_at__lte=moment(when)),
    "signed_up_since": lambda rows, at, when: rows.filter(created_at__gte=moment(when)),
    "indicators": lambda rows, at, pks: rows.filter(indicator__in=pks),
    "intents": _intents,
    "events": lambda rows, at, pks: rows.filter(pk__in=pks),
}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
