"""Rules that staff own: one person drafts and proposes, another one publishes.

What is proposed runs in shadow beside the live rules until somebody publishes it or
sends it back. All of it waits for one lock, so that no two people number, propose or
publish at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from investigations import access, policies
from investigations.actions import audit
from investigations.detection import rule_merging, rule_values, rulebook
from investigations.detection.models import RuleTrial, RuleVersion
from investigations.detection.rule_values import BadValues, Values
from investigations.errors import (
    BadRules,
    IllegalMove,
    RulesMoved,
    RulesOutOfDate,
    SecondPersonNeeded,
)

State = RuleVersion.State
# Names the lock among all advisory locks of the database ("rules" in ASCII).
LOCK = 0x72756C6573
MOST_INSTANTS = 12


@transaction.atomic
def start_draft(
    *, reason: str, by: User, like: RuleVersion | None = None
) -> RuleVersion:
    """A draft that says what `like` says; None: what the live version says."""
    access.require(by, access.RULES)
    why = policies.clean_reason(reason)
    _lock()
    live, now = _live(), timezone.now()
    source = like or live
    last = RuleVersion.objects.aggregate(last=Max("number"))["last"] or 0
    draft = RuleVersion.objects.create(
        number=last + 1,
        values=source.values if source else Values().as_json(),
        reason=why,
        based_on=live,
        author=by,
        created_at=now,
        changed_at=now,
    )
    _record("rules.drafted", draft, by, why, like=like.ref if like else "")
    return draft


@transaction.atomic
def edit_draft(  # noqa: PLR0913 - each part of a version is named where it is changed
    *,
    version: RuleVersion,
    numbers: Mapping[str, float],
    allowed: Iterable[tuple[str, str]],
    partners: Iterable[str],
    reason: str,
    edition: int,
    by: User,
) -> RuleVersion:
    """Replace what the draft says. `edition` is the one the person was looking at.

    Raises BadRules, BadReason, RulesMoved, NotAllowed.
    """
    draft = _own_draft(version, by)
    if draft.edition != edition:
        raise RulesMoved(
            f"{draft.ref} was changed in another window since this form was opened. "
            "Open it again; what you typed here is still in this form."
        )
    why = policies.clean_reason(reason)
    try:
        values = rule_values.checked(numbers, allowed, partners)
    except BadValues as bad:
        raise BadRules(bad.problems) from bad
    before = draft.values
    _say(draft, values, why)
    _record("rules.changed", draft, by, why, before=before, after=draft.values)
    return draft


@transaction.atomic
def bring_up_to_date(*, version: RuleVersion, by: User) -> RuleVersion:
    """Base the draft on what is live now: its own changes stay, others' come in."""
    draft = _own_draft(version, by)
    base, live = rulebook.edition_of(draft.based_on), rulebook.live()
    merged = rule_merging.merged(
        base=_values(base.version),
        mine=rule_values.from_json(draft.values),
        theirs=_values(live.version),
    )
    try:
        values = rule_values.checked(merged.numbers, merged.allowed, merged.partners)
    except BadValues as bad:
        raise BadRules(bad.problems) from bad
    draft.based_on = live.version
    _say(draft, values, draft.reason)
    _record("rules.brought_up_to_date", draft, by, "", based_on=live.name)
    return draft


@transaction.atomic
def propose(*, version: RuleVersion, by: User) -> RuleVersion:
    """Fix what the draft says and run it in shadow until another person answers."""
    draft = _own_draft(version, by)
    _refuse_if_out_of_date(draft)
    other = RuleVersion.objects.filter(state=State.SHADOW).first()
    if other is not None:
        raise IllegalMove(
            f"{other.ref} is in shadow already; one version at a time. Publish it or "
            "send it back first."
        )
    draft.proposed_at = timezone.now()
    _move(draft, State.SHADOW)
    _record("rules.proposed", draft, by, draft.reason, values=draft.values)
    return draft


@transaction.atomic
def send_back(*, version: RuleVersion, reason: str, by: User) -> RuleVersion:
    """Out of shadow, and a draft again: refused by another lead, or withdrawn."""
    access.require(by, access.RULES)
    why = policies.clean_reason(reason)
    proposed = _locked(version, State.SHADOW)
    proposed.proposed_at = None
    _move(proposed, State.DRAFT)
    _record("rules.sent_back", proposed, by, why)
    return proposed


@transaction.atomic
def publish(*, version: RuleVersion, reason: str, sha256: str, by: User) -> RuleVersion:
    """Make what was proposed the rules that hold, as a second person.

    `sha256` is the hash of the rules the person was looking at. Raises NotAllowed,
    SecondPersonNeeded, RulesMoved, RulesOutOfDate, BadReason.
    """
    access.require_now(by, access.RULES)
    why = policies.clean_reason(reason)
    proposed = _locked(version, State.SHADOW)
    if proposed.author_id == by.pk:
        raise SecondPersonNeeded("You wrote these rules; another lead publishes them.")
    _refuse_if_out_of_date(proposed)
    if rulebook.edition_of(proposed).rules.hash != sha256:
        raise RulesMoved(
            f"{proposed.ref} is not what you were looking at. Look at it again."
        )
    now = timezone.now()
    before = _live()
    if before is not None:
        before.retired_at = now
        _move(before, State.RETIRED)
    proposed.published_by, proposed.published_at = by, now
    proposed.publish_note = why
    _move(proposed, State.LIVE)
    _record(
        "rules.published",
        proposed,
        by,
        why,
        author=proposed.author.get_username(),
        replaces=before.ref if before else "",
        values=proposed.values,
        ruleset_sha256=sha256,
    )
    return proposed


@transaction.atomic
def discard(*, version: RuleVersion, reason: str, by: User) -> RuleVersion:
    """Put a draft away for good; it stays to be read."""
    access.require(by, access.RULES)
    why = policies.clean_reason(reason)
    draft = _locked(version, State.DRAFT)
    _move(draft, State.DISCARDED)
    _record("rules.discarded", draft, by, why)
    return draft


@transaction.atomic
def order_backtest(
    *, version: RuleVersion, instants: Sequence[datetime], by: User
) -> RuleTrial:
    """Have a version tried beside the live one at times past; a worker does it."""
    access.require(by, access.RULES)
    _lock()
    chosen = sorted(set(instants))
    if not 1 <= len(chosen) <= MOST_INSTANTS:
        raise BadRules({"instants": f"Choose 1 to {MOST_INSTANTS} days to look at."})
    version.refresh_from_db()
    tried, live = rulebook.edition_of(version), rulebook.live()
    trial = RuleTrial.objects.create(
        version=version,
        against=live.version,
        kind=RuleTrial.Kind.BACKTEST,
        hash=tried.rules.hash,
        against_hash=live.rules.hash,
        values=version.values,
        instants=chosen,
        asked_by=by,
        asked_at=timezone.now(),
    )
    _record(
        "rules.backtest_ordered",
        version,
        by,
        "",
        trial=trial.pk,
        instants=[at.isoformat() for at in chosen],
    )
    return trial


# --- What they share --------------------------------------------------------------


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _locked(version: RuleVersion, state: str) -> RuleVersion:
    """The version as it is now; refused unless it is in the state."""
    _lock()
    found = RuleVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    if found.state != state:
        wanted, now = State(state).label, State(found.state).label
        raise RulesMoved(f"{found.ref} is {now}; this is for one that is {wanted}.")
    return found


def _own_draft(version: RuleVersion, by: User) -> RuleVersion:
    """A draft is its author's, so that whoever publishes it had no part in it."""
    access.require(by, access.RULES)
    draft = _locked(version, State.DRAFT)
    if draft.author_id != by.pk:
        raise RulesMoved(
            f"{draft.ref} is {draft.author.get_username()}'s draft. Begin one of your "
            "own from it, and leave somebody to publish yours."
        )
    return draft


def _refuse_if_out_of_date(version: RuleVersion) -> None:
    live = _live()
    if version.based_on_id != (live.pk if live else None):
        name = live.ref if live else "the built-in rules"
        base = version.based_on.ref if version.based_on else "the built-in rules"
        raise RulesOutOfDate(
            f"{version.ref} was made against {base}, and {name} is live by now: "
            "publishing it would undo what came between."
        )


def _live() -> RuleVersion | None:
    return RuleVersion.objects.filter(state=State.LIVE).first()


def _values(version: RuleVersion | None) -> Values:
    return rule_values.from_json(version.values) if version else Values()


def _say(draft: RuleVersion, values: Values, reason: str) -> None:
    draft.values, draft.reason = values.as_json(), reason
    draft.edition += 1
    draft.changed_at = timezone.now()
    draft.save()


def _move(version: RuleVersion, state: str) -> None:
    version.state, version.changed_at = state, timezone.now()
    version.save()


def _record(
    verb: str, version: RuleVersion, by: User, reason: str, **detail: object
) -> None:
    audit.record(
        verb,
        by=by,
        object_type="rules",
        object_ref=version.ref,
        reason=reason,
        state=version.state,
        **detail,
    )
