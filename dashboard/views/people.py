"""/settings/people/: who works here, and in which role."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from dashboard import people as staff
from dashboard.forms import InvitationForm, RoleForm
from investigations import access
from investigations.errors import DomainError


class BadRole(DomainError):
    code = "bad_role"

    def __init__(self) -> None:
        super().__init__(f"Choose one of: {', '.join(access.ROLES)}.")


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.MANAGE)
    return page(request, InvitationForm())


@require_POST
def invite(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.MANAGE)
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return page(request, form, status=422)
    person, link = staff.invite_person(**form.cleaned_data, by=who(request))
    return page(request, InvitationForm(), person=person, link=link)


@require_POST
def renew_link(request: HttpRequest, username: str) -> HttpResponse:
    access.require(request.user, access.MANAGE)
    person = found(username)
    link = staff.renew_link(person=person, by=who(request))
    return page(request, InvitationForm(), person=person, link=link)


@require_POST
def change_role(request: HttpRequest, username: str) -> HttpResponse:
    access.require(request.user, access.MANAGE)
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise BadRole
    role = form.cleaned_data["role"]
    person = staff.change_role(person=found(username), role=role, by=who(request))
    messages.success(request, f"{person.get_full_name() or person} is now {role}.")
    return redirect("settings:people")


@require_POST
def deactivate(request: HttpRequest, username: str) -> HttpResponse:
    access.require(request.user, access.MANAGE)
    person = staff.deactivate_person(person=found(username), by=who(request))
    messages.success(request, f"{person.get_full_name() or person} cannot sign in now.")
    return redirect("settings:people")


@require_POST
def reactivate(request: HttpRequest, username: str) -> HttpResponse:
    access.require(request.user, access.MANAGE)
    person = staff.reactivate_person(person=found(username), by=who(request))
    messages.success(request, f"{person.get_full_name() or person} can sign in again.")
    return redirect("settings:people")


def who(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def found(username: str) -> User:
    return get_object_or_404(staff.staff(), username=username)


def page(
    request: HttpRequest,
    form: InvitationForm,
    *,
    person: User | None = None,
    link: str = "",
    status: int = 200,
) -> HttpResponse:
    """The list and the form; a link just made is shown here once and nowhere else."""
    context = {
        "people": staff.staff(),
        "roles": list(access.ROLES),
        "form": form,
        "invited": person,
        "link": f"{settings.BASE_URL}{link}" if link else "",
        "link_hours": staff.INVITATION_HOURS,
    }
    return render(request, "settings/people.html", context, status=status)
