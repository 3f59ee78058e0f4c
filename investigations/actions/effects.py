"""The outbox: what a decision does to each account, on its way to the platform.

An account's effects are numbered. A newer one supersedes whatever of the older ones
has not arrived, and is not sent while an older one is still on the wire, so the
platform's last word is the last decision.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Exists, F, Max, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from ingest.models import Account
from investigations import access, policies
from investigations.actions import audit
from investigations.errors import IllegalMove
from investigations.models import Decision, Effect
from investigations.selectors.standing import one_of, standings

State = Effect.State

# Decisions queue one at a time: numbering an account's effects needs it, and
# decisions are rare. An arbitrary number, used for nothing else.
QUEUE_LOCK = 0x5717_0001

LEASE = timedelta(seconds=30)
GIVE_UP_AFTER = timedelta(hours=72)
FIRST_WAIT_SECONDS = 4
LONGEST_WAIT_SECONDS = 3600

# An account in one of these states has nothing more to lose by such an effect.
ALREADY: dict[str, frozenset[str]] = {
    Effect.Kind.BAN: frozenset({Account.Status.BANNED}),
    Effect.Kind.RESTRICT: frozenset({Account.Status.BANNED, Account.Status.RESTRICTED}),
    Effect.Kind.RESTORE: frozenset(),
}

_dice = SystemRandom()


@dataclass(frozen=True)
class Answer:
    """How one try ended: `delivered`, to be tried again, or `parked` for people.

    `wait` is how many seconds the receiver asked us to stay away.
    """

    fate: State
    sentence: str = ""
    wait: int = 0


def queue_effects(decision: Decision) -> list[Effect]:
    """Put a decision's effects into the outbox, in the decision's transaction.

    Accounts that already are what the verdict wants get none. Older effects that
    have not arrived are superseded.
    """
    kind = policies.EFFECTS[decision.verdict]
    if kind is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [QUEUE_LOCK])
    targets = decision.target_list.targets.order_by("account")
    ids = list(targets.values_list("account", flat=True))
    status = standings(ids)
    ids = [pk for pk in ids if status[pk] not in ALREADY[kind]]
    _supersede(ids)
    numbers = dict(
        Effect.objects.filter(account__in=one_of(ids))
        .values_list("account")
        .annotate(last=Max("sequence"))
    )
    now = timezone.now()
    return Effect.objects.bulk_create(
        (
            Effect(
                decision=decision,
                account_id=pk,
                kind=kind,
                sequence=numbers.get(pk, 0) + 1,
                queued_at=now,
                next_attempt_at=now,
            )
            for pk in ids
        ),
        batch_size=5_000,
    )


def _supersede(account_ids: list[int]) -> None:
    # Locked in order of id, as the dispatcher does, so that the two cannot deadlock.
    waiting = (
        Effect.objects.select_for_update(of=("self",))
        .filter(
            account__in=one_of(account_ids), state__in=(State.PENDING, State.PARKED)
        )
        .order_by("pk")
    )
    held = list(waiting.values_list("pk", flat=True))
    Effect.objects.filter(pk__in=one_of(held)).update(state=State.SUPERSEDED)


def still_acting(decision: Decision) -> list[int]:
    """Accounts (primary keys) it took from, which nothing newer has touched."""
    newer = Effect.objects.filter(
        account=OuterRef("account"), sequence__gt=OuterRef("sequence")
    )
    acting = decision.effects.exclude(kind=Effect.Kind.RESTORE).exclude(
        state=State.SUPERSEDED
    )
    return list(
        acting.filter(~Exists(newer))
        .order_by("account")
        .values_list("account", flat=True)
    )


@transaction.atomic
def claim(limit: int) -> list[Effect]:
    """Take due effects for sending: leased, so that a dead dispatcher loses none.

    Only the first unfinished one of an account is taken, and none while an older
    one is on the wire. Claimed rows are free again when the lease runs out.
    """
    now = timezone.now()
    older = Effect.objects.filter(
        account=OuterRef("account"), sequence__lt=OuterRef("sequence")
    ).filter(Q(state=State.PENDING) | Q(leased_until__gt=now))
    due = (
        Effect.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(state=State.PENDING, next_attempt_at__lte=now)
        .filter(Q(leased_until__isnull=True) | Q(leased_until__lte=now))
        .filter(~Exists(older))
        .order_by("next_attempt_at", "pk")[:limit]
    )
    taken = list(due.values_list("pk", flat=True))
    Effect.objects.filter(pk__in=taken).update(
        leased_until=now + LEASE,
        attempts=F("attempts") + 1,
        give_up_at=Coalesce("give_up_at", now + GIVE_UP_AFTER),
    )
    claimed = Effect.objects.filter(pk__in=taken).order_by("next_attempt_at", "pk")
    return list(claimed.select_related("account", "decision__case"))


@transaction.atomic
def record_deliveries(results: Iterable[tuple[Effect, Answer]]) -> int:
    """Write down how sending ended, by effect; how many were delivered."""
    answers = {effect.pk: answer for effect, answer in results}
    rows = (
        Effect.objects.select_for_update(of=("self",))
        .select_related("decision", "account")
        .filter(pk__in=answers)
        .order_by("pk")
    )
    now = timezone.now()
    kept = [_keep_answer(effect, answers[effect.pk], now) for effect in rows]
    _write_down(kept)
    return sum(effect.state == State.DELIVERED for effect in kept)


def _keep_answer(effect: Effect, answer: Answer, now: datetime) -> Effect:
    effect.leased_until = None
    effect.last_error = answer.sentence[:1000]
    if effect.state == State.PENDING:  # it may have been superseded while on the wire
        _move(effect, answer, now)
    effect.save()
    return effect


def _move(effect: Effect, answer: Answer, now: datetime) -> None:
    if answer.fate == State.DELIVERED:
        effect.state, effect.delivered_at = State.DELIVERED, now
    elif answer.fate == State.PARKED:
        effect.state = State.PARKED
    elif effect.give_up_at and effect.give_up_at <= now:
        effect.state = State.PARKED
        effect.last_error = f"Given up after 72 hours. {answer.sentence}"[:1000]
    else:
        effect.next_attempt_at = now + _wait(effect.attempts, answer.wait)


def _wait(attempts: int, asked: int) -> timedelta:
    """Twice as long after each try, up to an hour, with jitter against stampedes."""
    seconds = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(attempts - 1, 12))
    asked = min(asked, LONGEST_WAIT_SECONDS)
    return timedelta(seconds=max(asked, seconds * _dice.uniform(0.5, 1.0)))


def _write_down(effects: list[Effect]) -> None:
    """One entry for each decision and end, naming the accounts: not one a row."""
    ends: dict[tuple[Decision, str], list[Effect]] = {}
    for effect in effects:
        if effect.state in {State.DELIVERED, State.PARKED}:
            ends.setdefault((effect.decision, effect.state), []).append(effect)
    for (decision, state), group in ends.items():
        audit.record(
            f"effects.{state}",
            by=access.system_account(),
            object_type="decision",
            object_ref=decision.ref,
            accounts=[effect.account.external_id for effect in group],
            errors=sorted({effect.last_error for effect in group} - {""}),
        )


@transaction.atomic
def replay_effect(*, effect: Effect, reason: str, by: User) -> Effect:
    """Send a parked effect again, with its old delivery key and three new days."""
    access.require(by, access.DECIDE)
    why = policies.clean_reason(reason)
    effect = Effect.objects.select_for_update(of=("self",)).get(pk=effect.pk)
    if effect.state != State.PARKED:
        raise IllegalMove(f"This effect is {State(effect.state).label}, not parked.")
    effect.state = State.PENDING
    effect.attempts, effect.give_up_at = 0, None
    effect.next_attempt_at = timezone.now()
    effect.save()
    audit.record(
        "effect.replayed",
        by=by,
        object_type="decision",
        object_ref=effect.decision.ref,
        reason=why,
        accounts=[effect.account.external_id],
    )
    return effect
