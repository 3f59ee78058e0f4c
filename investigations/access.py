"""Who may do what. Roles are Django groups; the table below is all there is to them."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AnonymousUser, User

from investigations.errors import NotAllowed, NotFound
from investigations.models import Case

SYSTEM_USERNAME = "stillwatch"

VIEW = "view"  # cases, clusters, accounts, weekly summaries; private values masked
REVEAL = "reveal"  # unmask a private value, with a reason, audited
WORK = "work"  # open, assign, note, escalate, close a case
DECIDE = "decide"  # ban, restrict or clear; above the limit a second person signs
APPROVE = "approve"  # be that second person
REPORT = "report"  # freeze a weekly summary
READ_AUDIT = "read_audit"
WATCH_INGEST = "watch_ingest"  # what arrives, and what was refused and why
MEND_INGEST = "mend_ingest"  # mend, replay and discard kept lines; try batches again
RULES = "rules"  # draft, propose and try rules; publish those of another person
HOLD = "hold"  # place and release legal holds
MANAGE = "manage"  # people, ingest keys, the webhook endpoint

ROLES: dict[str, frozenset[str]] = {
    "viewer": frozenset({VIEW}),
    "analyst": frozenset({VIEW, REVEAL, WORK, DECIDE}),
    "lead": frozenset(
        {
            VIEW,
            REVEAL,
            WORK,
            DECIDE,
            APPROVE,
            REPORT,
            RULES,
            WATCH_INGEST,
            MEND_INGEST,
            HOLD,
        }
    ),
    "manager": frozenset({VIEW, REPORT}),
    "auditor": frozenset({VIEW, READ_AUDIT, WATCH_INGEST}),
    "admin": frozenset({VIEW, WATCH_INGEST, MEND_INGEST, HOLD, MANAGE, READ_AUDIT}),
}

# What the machine does in its own name: it opens cases and freezes summaries, and
# never decides.
SYSTEM = "system"
SYSTEM_MAY = frozenset({WORK, REPORT})

Anyone = User | AnonymousUser | AbstractBaseUser


def role_of(user: Anyone) -> str:
    """The user's role, or an empty string. A person has one role."""
    if not (isinstance(user, User) and user.is_active):
        return ""
    if not hasattr(user, "_stillwatch_role"):
        name = user.groups.order_by("name").values_list("name", flat=True).first()
        user._stillwatch_role = name or ""  # type: ignore[attr-defined]
    return str(user._stillwatch_role)  # type: ignore[attr-defined]


def is_system(user: Anyone) -> bool:
    return user.get_username() == SYSTEM_USERNAME


def can(user: Anyone, verb: str) -> bool:
    if is_system(user):
        return verb in SYSTEM_MAY
    return verb in ROLES.get(role_of(user), frozenset())


def require(user: Anyone, verb: str) -> None:
    """Refuse with a sentence that names who could do it."""
    if not can(user, verb):
        able = ", ".join(sorted(r for r, verbs in ROLES.items() if verb in verbs))
        raise NotAllowed(f"Your role may not do this. These may: {able}.")


def require_now(user: User, verb: str) -> None:
    """As `require`, but read anew: the role may have gone since the page was shown."""
    require(User.objects.get(pk=user.pk), verb)


def case_for(user: Anyone, ref: str) -> Case:
    """The case `C-<number>`, for someone who may see cases."""
    require(user, VIEW)
    number = ref.removeprefix("C-")
    found = None
    if number.isascii() and number.isdigit() and len(number) < 19:
        found = Case.objects.filter(pk=int(number)).first()
    if found is None:
        raise NotFound("There is no such case.")
    return found


def case_for_change(user: Anyone, ref: str) -> Case:
    """The case, for someone who may work on cases."""
    require(user, WORK)
    return case_for(user, ref)


def system_account() -> User:
    """The account in whose name the machine itself acts; nobody can sign in as it."""
    user, _ = User.objects.get_or_create(
        username=SYSTEM_USERNAME,
        defaults={
            "is_active": False,
            "first_name": "Stillwatch",
            "password": make_password(None),
        },
    )
    return user
