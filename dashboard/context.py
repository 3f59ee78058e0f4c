"""What the frame of every page needs: who is looking, and where they may go."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from ingest import watching
from investigations import access, selectors
from investigations.models import Case

Entry = tuple[str, str, str, bool, int]


def open_cases(user: User) -> int:
    if not access.can(user, access.WORK):
        return 0
    return Case.objects.filter(status__in=Case.UNFINISHED).count()


def waiting_approvals(user: User) -> int:
    """Those that this person could sign: not their own, not expired."""
    if not access.can(user, access.APPROVE):
        return 0
    return selectors.approvals_waiting_count(user)


def ingest_troubles(user: User) -> int:
    """Parked batches and lines in conflict, for those who may do something about it."""
    return watching.troubles() if access.can(user, access.MEND_INGEST) else 0


def waiting_rules(user: User) -> int:
    """Versions that another person wrote and this one could publish."""
    return selectors.rules_waiting_count(user) if access.can(user, access.RULES) else 0


@dataclass(frozen=True)
class Place:
    """One entry of the navigation. `count` says how much waits there."""

    label: str
    route: str
    icon: str
    verb: str = access.VIEW
    count: Callable[[User], int] | None = None


PLACES = (
    Place("Overview", "overview", "overview"),
    Place("Queue", "cases:queue", "queue", count=open_cases),
    Place("Clusters", "clusters:list", "clusters"),
    Place("Accounts", "accounts:list", "accounts"),
    Place("Shared values", "indicators:list", "network"),
    Place("Approvals", "approvals:list", "approvals", count=waiting_approvals),
    Place("Weekly summary", "reports:list", "weekly"),
    Place(
        "Ingest",
        "ingest:overview",
        "ingest",
        verb=access.WATCH_INGEST,
        count=ingest_troubles,
    ),
    Place("Audit", "audit:list", "audit", verb=access.READ_AUDIT),
    Place("Rules", "settings:rules", "filter", verb=access.RULES, count=waiting_rules),
    Place("Settings", "settings:people", "settings", verb=access.MANAGE),
)
DEMO_PLACE = Place("Demo platform", "demo:platform", "send")


def frame(request: HttpRequest) -> dict[str, object]:
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not user.is_active:
        return {"demo": settings.DEMO}
    return {
        "demo": settings.DEMO,
        "role": access.role_of(user),
        # Counted only on pages that show it.
        "nav": SimpleLazyObject(lambda: navigation(request, user)),
    }


def navigation(request: HttpRequest, user: User) -> list[Entry]:
    places = (*PLACES, DEMO_PLACE) if settings.DEMO else PLACES
    entries = []
    for place in places:
        if access.can(user, place.verb):
            count = place.count(user) if place.count else 0
            here = is_here(request, place)
            address = reverse(place.route)
            entries.append((place.label, address, place.icon, here, count))
    return entries


def is_here(request: HttpRequest, place: Place) -> bool:
    """Whether the page belongs to this place: the same namespace, or the same name."""
    match = request.resolver_match
    if match is None:
        return False
    namespace, _, name = place.route.rpartition(":")
    return match.namespace == namespace if namespace else match.view_name == name
