"""What may be decided on which ground, what it does, and when two people must agree.

Everything here is data or a pure rule; nothing reads or writes the database.
"""

import hashlib
from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import timedelta

from ingest.models import Account
from investigations.errors import BadGround, BadReason, BadVerdict, TooLong
from investigations.models import Case, Decision, Effect

Verdict = Decision.Verdict

# A decision about more accounts than this waits for a second person.
SECOND_PERSON_ABOVE = 25
APPROVAL_HOURS = 4
MIN_REASON = 20
MAX_REASON = 5_000
MAX_NOTE = 20_000

# A cluster this sure of itself opens a case without being asked.
HOT_SCORE = 70
# A finished case's cluster is worth a new case once it has gained this much.
REGROWTH_MEMBERS = 5
REGROWTH_SHARE = 0.10
# A cluster new by name, whose accounts are those of earlier decisions, is no news.
JUDGED_SHARE = 0.9

# Members whose place in the cluster is doubtful: seen with it in too few runs, or
# sharing at most one rare thing with the others.
WEAK_STABILITY = 0.6
WEAK_SUPPORT = 1

# Giving service back needs no second signature: waiting for one would keep people
# who were wrongly banned locked out, and the restore is audited like all else.
SECOND_PERSON_FOR = frozenset({Verdict.BAN, Verdict.RESTRICT, Verdict.CLEAR})
TAKES_AWAY = frozenset({Verdict.BAN, Verdict.RESTRICT})

EFFECTS: dict[str, Effect.Kind | None] = {
    Verdict.BAN: Effect.Kind.BAN,
    Verdict.RESTRICT: Effect.Kind.RESTRICT,
    Verdict.CLEAR: None,
    Verdict.RESTORE: Effect.Kind.RESTORE,
}
OUTCOMES: dict[str, Case.Outcome] = {
    Verdict.BAN: Case.Outcome.BANNED,
    Verdict.RESTRICT: Case.Outcome.RESTRICTED,
    Verdict.CLEAR: Case.Outcome.CLEARED,
}


@dataclass(frozen=True)
class Ground:
    """Why the platform's policy allows a verdict; `key` is the code sent with it."""

    key: str
    title: str
    clause: str
    verdicts: frozenset[str]


GROUNDS: tuple[Ground, ...] = (
    Ground(
        "model_distillation",
        "Harvesting answers to train another model",
        "Usage policy 4.1: outputs may not be used to develop competing models.",
        TAKES_AWAY,
    ),
    Ground(
        "reasoning_extraction",
        "Eliciting hidden reasoning at scale",
        "Usage policy 4.2: hidden reasoning may not be extracted systematically.",
        TAKES_AWAY,
    ),
    Ground(
        "fake_accounts",
        "One operator behind many accounts",
        "Terms 2.3: one customer may not open accounts to get round limits.",
        TAKES_AWAY,
    ),
    Ground(
        "unauthorised_resale",
        "Reselling access without an agreement",
        "Terms 2.5: access may not be resold without a reseller contract.",
        TAKES_AWAY,
    ),
    Ground(
        "payment_fraud",
        "Paying with cards that belong to others",
        "Terms 6.2: payment instruments must be the customer's own.",
        TAKES_AWAY,
    ),
    Ground(
        "innocent_explanation",
        "An honest explanation holds",
        "Enforcement policy 3.1: no action where an honest explanation holds.",
        frozenset({Verdict.CLEAR}),
    ),
    Ground(
        "licensed_use",
        "The use is allowed by contract",
        "Enforcement policy 3.2: agreed uses are no violation.",
        frozenset({Verdict.CLEAR}),
    ),
    Ground(
        "not_enough_evidence",
        "The evidence does not suffice",
        "Enforcement policy 3.3: in doubt, for the customer.",
        frozenset({Verdict.CLEAR}),
    ),
    Ground(
        "mistaken_decision",
        "The decision was a mistake",
        "Enforcement policy 5.1: mistakes are put right at once.",
        frozenset({Verdict.RESTORE}),
    ),
    Ground(
        "customer_remedied",
        "The customer has put it right",
        "Enforcement policy 5.2: service returns when the cause is gone.",
        frozenset({Verdict.RESTORE}),
    ),
)
GROUND_BY_KEY = {ground.key: ground for ground in GROUNDS}


def grounds_for(verdict: str) -> list[Ground]:
    return [ground for ground in GROUNDS if verdict in ground.verdicts]


def check_verdict(verdict: str) -> None:
    if verdict not in OUTCOMES:
        able = ", ".join(OUTCOMES)
        raise BadVerdict(f"The accounts of a case get one of these verdicts: {able}.")


def check_ground(key: str, verdict: str) -> Ground:
    """The ground, if it can carry the verdict; else a sentence naming those."""
    ground = GROUND_BY_KEY.get(key)
    if ground is None or verdict not in ground.verdicts:
        able = ", ".join(g.key for g in grounds_for(verdict))
        raise BadGround(f"To {verdict} takes one of these policy grounds: {able}.")
    return ground


def needs_second_person(verdict: str, count: int) -> bool:
    return verdict in SECOND_PERSON_FOR and count > SECOND_PERSON_ABOVE


def clean_reason(text: str) -> str:
    """The reason without stray blanks; refused when it says nothing.

    Twenty letters or digits of at least eight kinds: "asdf" or a row of full stops
    explains a ban to nobody, while twenty characters suffice in any script.
    """
    reason = " ".join(clean_text(text, MAX_REASON).split())
    meaningful = [letter for letter in reason.casefold() if letter.isalnum()]
    if len(meaningful) < MIN_REASON or len(set(meaningful)) < 8:
        raise BadReason("The reason is too short to be understood by someone else.")
    return reason


def clean_text(text: str, longest: int) -> str:
    """Plain text without NUL (PostgreSQL keeps none) and blanks at its ends."""
    if len(text) > longest:
        raise TooLong(f"The text has {len(text)} characters; the limit is {longest}.")
    return text.replace("\x00", "").strip()


def list_sha256(action: str, account_ids: Iterable[int]) -> str:
    """SHA-256 over the action and the sorted account ids (primary keys)."""
    ids = ",".join(str(pk) for pk in sorted(set(account_ids)))
    return hashlib.sha256(f"{action}:{ids}".encode()).hexdigest()


def protection_of(account: Account, partners: Set[str] = frozenset()) -> str:
    """Why the account may not be swept up by a bulk decision, or an empty string.

    `partners`: ids of the organisations that the live rules list as partners.
    """
    by_contract = {
        Account.Contract.RESELLER: "reseller by contract",
        Account.Contract.EVALUATION: "evaluation agreed by contract",
        Account.Contract.DISTILLATION_LICENSED: "licensed to distil",
    }
    if account.contract in by_contract:
        return by_contract[Account.Contract(account.contract)]
    if (
        account.verification == Account.Verification.ORGANIZATION
        and account.plan == Account.Plan.ENTERPRISE
    ):
        return "verified organisation on the enterprise plan"
    if account.organization_id in partners:
        return "partner organisation by the rules"
    return ""


def has_regrown(*, size: int, low_water: int) -> bool:
    """Whether a cluster gained enough since its last case was finished.

    `low_water` is the smallest that it has been since, so one that died down and
    came back counts as grown.
    """
    return size - low_water >= max(REGROWTH_MEMBERS, REGROWTH_SHARE * low_water)


def approval_window() -> timedelta:
    return timedelta(hours=APPROVAL_HOURS)
