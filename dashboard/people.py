"""Who works here: inviting, changing a role, leaving. Each change is audited."""

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import QuerySet

from dashboard import sign_in
from investigations import access
from investigations.actions import audit
from investigations.errors import DomainError

INVITATION_HOURS = 72


class LastAdmin(DomainError):
    """Nobody would be left who may manage people, keys and the endpoint."""

    status = 409
    code = "last_admin"
    hint = "Make another person admin first."

    def __init__(self) -> None:
        super().__init__("This is the last admin, who must stay one.")


def staff() -> QuerySet[User]:
    """Every person; the machine's own account is none."""
    people = User.objects.exclude(username=access.SYSTEM_USERNAME)
    return people.prefetch_related("groups").order_by("username")


@transaction.atomic
def invite_person(
    *, username: str, name: str, email: str, role: str, by: User
) -> tuple[User, str]:
    """The new person and the path of the link that lets them in once."""
    access.require(by, access.MANAGE)
    user = User.objects.create_user(username, email)
    _set_name(user, name)
    _set_role(user, role)
    _record("person.invited", user, by=by, role=role)
    return user, sign_in.make_link(user, hours=INVITATION_HOURS)


@transaction.atomic
def renew_link(*, person: User, by: User) -> str:
    """The path of a new link, for someone who lost theirs or their password."""
    access.require(by, access.MANAGE)
    _record("person.link_made", person, by=by)
    return sign_in.make_link(person, hours=INVITATION_HOURS)


@transaction.atomic
def change_role(*, person: User, role: str, by: User) -> User:
    access.require(by, access.MANAGE)
    before = access.role_of(person)
    if before == "admin" and role != "admin":
        _keep_an_admin(person)
    _set_role(person, role)
    _record("person.role_changed", person, by=by, before=before, after=role)
    return person


@transaction.atomic
def deactivate_person(*, person: User, by: User) -> User:
    """Sessions end with it: each request asks whether its user is active."""
    access.require(by, access.MANAGE)
    if access.role_of(person) == "admin":
        _keep_an_admin(person)
    person.is_active = False
    person.save(update_fields=["is_active"])
    _record("person.deactivated", person, by=by)
    return person


@transaction.atomic
def reactivate_person(*, person: User, by: User) -> User:
    access.require(by, access.MANAGE)
    person.is_active = True
    person.save(update_fields=["is_active"])
    _record("person.reactivated", person, by=by)
    return person


@transaction.atomic
def ensure_person(username: str, name: str, role: str) -> User:
    """A person of the demo, or the first admin; as they are if they exist already."""
    user, new = User.objects.get_or_create(username=username)
    if new:
        user.set_unusable_password()
        _set_name(user, name)
        _set_role(user, role)
        by = access.system_account()
        _record("person.invited", user, by=by, role=role)
    return user


def admins() -> QuerySet[User]:
    return User.objects.filter(is_active=True, groups__name="admin")


def _keep_an_admin(leaving: User) -> None:
    # The lock on the group's row makes two admins who remove each other take turns.
    Group.objects.select_for_update().get(name="admin")
    if not admins().exclude(pk=leaving.pk).exists():
        raise LastAdmin


def _set_role(user: User, role: str) -> None:
    group, _ = Group.objects.get_or_create(name=role)
    user.groups.set([group])
    # access.role_of remembers the role on the instance.
    user.__dict__.pop("_stillwatch_role", None)


def _set_name(user: User, name: str) -> None:
    user.first_name, _, user.last_name = name.strip().partition(" ")
    user.save()


def _record(verb: str, person: User, *, by: User, **roles: str) -> None:
    name = person.get_username()
    audit.record(verb, by=by, object_type="person", object_ref=name, reason="", **roles)
