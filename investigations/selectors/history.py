"""What was done in a case, and what became of its decisions."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Case as Choice
from django.db.models import Count, Q, QuerySet, When

from investigations.models import AuditEntry, Case, Decision, Effect, Note

ENTRIES = 200
DELIVERIES = 50


@dataclass(frozen=True)
class History:
    """Audit entries of a case and its decisions, newest first, and its notes' texts.

    `older` is how many entries lie before those that are given.
    """

    entries: list[AuditEntry]
    notes: dict[int, str]
    older: int


@dataclass(frozen=True)
class Outcome:
    """A decision, the second person's word if it needed one, and its deliveries.

    `states` maps a state of delivery to a number of accounts; `effects` are the first
    of them, those that need a person on top.
    """

    decision: Decision
    states: dict[str, int]
    effects: list[Effect]
    reversed_accounts: int

    @property
    def total(self) -> int:
        return sum(self.states.values())

    @property
    def delivered(self) -> int:
        return self.states.get(Effect.State.DELIVERED, 0)

    @property
    def is_moving(self) -> bool:
        return bool(self.states.get(Effect.State.PENDING))


def case_history(case: Case) -> History:
    decisions = [f"D-{pk}" for pk in case.decisions.values_list("pk", flat=True)]
    entries = AuditEntry.objects.filter(
        Q(object_type="case", object_ref=case.ref)
        | Q(object_type="decision", object_ref__in=decisions)
    ).order_by("-sequence")
    shown = list(entries[: ENTRIES + 1])
    notes = Note.objects.filter(case=case).values_list("pk", "text")
    return History(
        entries=shown[:ENTRIES],
        notes=dict(notes),
        older=entries.count() - ENTRIES if len(shown) > ENTRIES else 0,
    )


def case_outcomes(case: Case) -> list[Outcome]:
    """Every decision of a case, the newest first; three queries and one for each."""
    decisions = list(
        case.decisions.select_related(
            "target_list", "made_by", "approval__answered_by", "reverses"
        ).order_by("-pk")
    )
    states = _states(decisions)
    restored = dict(
        Decision.objects.filter(reverses__in=decisions)
        .values_list("reverses")
        .annotate(accounts=Count("effects"))
    )
    return [
        Outcome(
            decision=decision,
            states=states[decision.pk],
            effects=_shown_effects(decision) if states[decision.pk] else [],
            reversed_accounts=restored.get(decision.pk, 0),
        )
        for decision in decisions
    ]


def _states(decisions: list[Decision]) -> dict[int, Counter[str]]:
    found: dict[int, Counter[str]] = {decision.pk: Counter() for decision in decisions}
    rows = (
        Effect.objects.filter(decision__in=decisions)
        .values_list("decision", "state")
        .annotate(n=Count("pk"))
    )
    for decision, state, n in rows:
        found[decision][state] = n
    return found


def _shown_effects(decision: Decision) -> list[Effect]:
    urgency = Choice(
        When(state=Effect.State.PARKED, then=0),
        When(state=Effect.State.PENDING, then=1),
        default=2,
    )
    effects: QuerySet[Effect] = decision.effects.select_related("account")
    return list(effects.order_by(urgency, "-attempts", "pk")[:DELIVERIES])
