"""The week's numbers, each with the query that gave it, in words a manager can check.

Reads only. Times are UTC and a week runs from Monday 00:00 up to, not including, the
next. Figures about decisions can be counted again for any past week and come out the
same; those about clusters follow what is known of the clusters when they are asked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median

from django.db.models import F, Q, QuerySet, Sum

from investigations import policies
from investigations.detection.models import ClusterHour
from investigations.models import Approval, Case, Decision, Effect, TargetAccount

Value = int | float | None


@dataclass(frozen=True)
class Week:
    """An ISO week in UTC: `start` inclusive, `end` exclusive."""

    monday: date

    @classmethod
    def of(cls, day: date) -> "Week":
        return cls(day - timedelta(days=day.weekday()))

    @classmethod
    def last_full(cls, now: datetime) -> "Week":
        return cls.of(now.astimezone(UTC).date()).before

    @property
    def before(self) -> "Week":
        return Week(self.monday - timedelta(days=7))

    @property
    def start(self) -> datetime:
        return datetime.combine(self.monday, time.min, UTC)

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=7)

    @property
    def name(self) -> str:
        year, week, _ = self.monday.isocalendar()
        return f"{year}-W{week:02d}"


@dataclass(frozen=True)
class Figure:
    """One number: `unit` is what it counts, `query` how to count it again."""

    key: str
    title: str
    unit: str
    query: str
    value: Callable[[Week], Value]


def cases_opened(week: Week) -> int:
    return Case.objects.filter(_within("opened_at", week)).count()


def cases_decided(week: Week) -> int:
    return _verdicts(week).values("case").distinct().count()


def cases_closed(week: Week) -> int:
    return Case.objects.filter(_within("closed_at", week)).count()


def accounts_banned(week: Week) -> int:
    return _accounts_hit(Effect.Kind.BAN, week)


def accounts_restricted(week: Week) -> int:
    return _accounts_hit(Effect.Kind.RESTRICT, week)


def accounts_restored(week: Week) -> int:
    return _accounts_hit(Effect.Kind.RESTORE, week)


def innocents_restored(week: Week) -> int:
    mistaken = Q(decision__ground="mistaken_decision")
    return _accounts_hit(Effect.Kind.RESTORE, week, mistaken)


def accounts_cleared(week: Week) -> int:
    cleared = _verdicts(week).filter(verdict=Decision.Verdict.CLEAR)
    rows = TargetAccount.objects.filter(target_list__decision__in=cleared)
    return rows.values("account").distinct().count()


def exchanges(week: Week) -> int:
    return _total(_hours(week), "requests")


def output_tokens(week: Week) -> int:
    return _total(_hours(week), "output_tokens")


def exchanges_before_flag(week: Week) -> int:
    unseen = Q(cluster__first_flagged_at__isnull=True) | Q(
        hour__lt=F("cluster__first_flagged_at")
    )
    return _total(_hours(week).filter(unseen), "requests")


def exchanges_after_flag(week: Week) -> int:
    seen = Q(hour__gte=F("cluster__first_flagged_at"))
    return _total(_hours(week).filter(seen), "requests")


def hours_to_decision(week: Week) -> float | None:
    """Median over the verdicts that came into force; None where there were none."""
    rows = _verdicts(week).values_list(
        "made_at", "approval__answered_at", "case__opened_at"
    )
    hours = [
        ((answered or made) - opened).total_seconds() / 3600
        for made, answered, opened in rows
    ]
    return round(median(hours), 1) if hours else None


def approvals_waiting(week: Week) -> int:
    asked = Approval.objects.filter(requested_at__lt=week.end)
    still = Q(answered_at__isnull=True) | Q(answered_at__gte=week.end)
    return asked.filter(still, expires_at__gte=week.end).count()


def deliveries_parked(week: Week) -> int:
    parked = Effect.objects.filter(_within("queued_at", week))
    return parked.filter(state=Effect.State.PARKED).count()


def _within(field: str, week: Week) -> Q:
    return Q(**{f"{field}__gte": week.start, f"{field}__lt": week.end})


def _verdicts(week: Week) -> QuerySet[Decision]:
    """Decisions other than restores that came into force in the week."""
    at_once = Q(approval__isnull=True) & _within("made_at", week)
    signed = Q(approval__state=Approval.State.APPROVED) & _within(
        "approval__answered_at", week
    )
    verdicts = Decision.objects.exclude(verdict=Decision.Verdict.RESTORE)
    return verdicts.filter(at_once | signed)


def _accounts_hit(kind: Effect.Kind, week: Week, more: Q | None = None) -> int:
    queued = Effect.objects.filter(_within("queued_at", week), kind=kind)
    counted = queued.filter(more or Q()).exclude(state=Effect.State.SUPERSEDED)
    return counted.values("account").distinct().count()


def _hours(week: Week) -> QuerySet[ClusterHour]:
    return ClusterHour.objects.filter(
        _within("hour", week),
        cluster__live=True,
        cluster__score__gte=policies.HOT_SCORE,
    )


def _total(hours: QuerySet[ClusterHour], field: str) -> int:
    return hours.aggregate(total=Sum(field))["total"] or 0


HOT = f"live clusters that score {policies.HOT_SCORE} or more"
FIGURES: tuple[Figure, ...] = (
    Figure(
        "cases_opened",
        "Cases opened",
        "cases",
        "Cases whose opening time lies in the week.",
        cases_opened,
    ),
    Figure(
        "cases_decided",
        "Cases decided",
        "cases",
        "Cases with a ban, restrict or clear that came into force in the week:"
        " when made, or when the second person signed.",
        cases_decided,
    ),
    Figure(
        "cases_closed",
        "Cases closed",
        "cases",
        "Cases whose closing time lies in the week.",
        cases_closed,
    ),
    Figure(
        "accounts_banned",
        "Accounts banned",
        "accounts",
        "Distinct accounts with a ban queued for the platform in the week, those"
        " overtaken by a newer decision before they arrived left out.",
        accounts_banned,
    ),
    Figure(
        "accounts_restricted",
        "Accounts restricted",
        "accounts",
        "Distinct accounts with a restriction queued in the week, overtaken ones"
        " left out.",
        accounts_restricted,
    ),
    Figure(
        "accounts_cleared",
        "Accounts cleared",
        "accounts",
        "Distinct accounts on the lists of decisions to clear that came into force"
        " in the week.",
        accounts_cleared,
    ),
    Figure(
        "accounts_restored",
        "Accounts restored",
        "accounts",
        "Distinct accounts with a restore queued in the week, overtaken ones left out.",
        accounts_restored,
    ),
    Figure(
        "innocents_restored",
        "Innocents restored",
        "accounts",
        "Those restored in the week because the decision was a mistake.",
        innocents_restored,
    ),
    Figure(
        "exchanges",
        "Exchanges taken",
        "exchanges",
        f"Requests within the week by members of {HOT}.",
        exchanges,
    ),
    Figure(
        "output_tokens",
        "Output tokens taken",
        "tokens",
        f"Output tokens within the week to members of {HOT}.",
        output_tokens,
    ),
    Figure(
        "exchanges_before_flag",
        "Taken before the first flag",
        "exchanges",
        f"Of the exchanges of {HOT}: those in hours before the cluster first"
        " reached that score.",
        exchanges_before_flag,
    ),
    Figure(
        "exchanges_after_flag",
        "Taken after the first flag",
        "exchanges",
        f"Of the exchanges of {HOT}: those in hours after the cluster first"
        " reached that score.",
        exchanges_after_flag,
    ),
    Figure(
        "hours_to_decision",
        "Median time to a decision",
        "hours",
        "Median of the time from a case's opening to each decision that came into"
        " force in the week.",
        hours_to_decision,
    ),
    Figure(
        "approvals_waiting",
        "Waiting for a second person",
        "decisions",
        "Decisions asked for before the week's end and at its end neither answered"
        " nor expired.",
        approvals_waiting,
    ),
    Figure(
        "deliveries_parked",
        "Deliveries parked",
        "effects",
        "Effects queued in the week that the platform refused, or that failed for"
        " three days.",
        deliveries_parked,
    ),
)
