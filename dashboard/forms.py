"""What people type to sign in, and admins to look after the installation."""

from datetime import timedelta
from typing import Any

from allauth.account.forms import LoginForm
from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.utils import timezone

from ingest.models import IngestKey
from investigations import access

ROLE_CHOICES = [(role, role) for role in access.ROLES]


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth has no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "User name or e-mail"
        for field in self.fields.values():
            # The label says it, and stays when something is typed.
            field.widget.attrs.pop("placeholder", None)


class InvitationForm(forms.Form):
    # ASCII only: a name in look-alike letters could pass for someone else's.
    username = forms.CharField(
        max_length=150,
        label="User name",
        validators=[ASCIIUsernameValidator()],
        help_text="Latin letters, digits and @ . + - _",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    name = forms.CharField(max_length=120, label="Name")
    email = forms.EmailField(required=False, label="E-mail", help_text="Optional.")
    role = forms.ChoiceField(choices=ROLE_CHOICES, initial="analyst")

    def clean_username(self) -> str:
        username = str(self.cleaned_data["username"])
        reserved = username.lower() == access.SYSTEM_USERNAME
        if reserved or User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError(f"{username} is taken. Choose another name.")
        return username


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=ROLE_CHOICES)


class KeyForm(forms.Form):
    """A new key. `expires_at` is the end of the chosen day, or None."""

    source = forms.CharField(
        max_length=128,
        help_text="The sender. Event ids are unique within one; a new name makes one.",
        widget=forms.TextInput(attrs={"list": "sources", "autocomplete": "off"}),
    )
    name = forms.CharField(
        max_length=128, label="Name of the key", help_text="For example: gateway eu-1"
    )
    scopes = forms.MultipleChoiceField(
        choices=IngestKey.Scope.choices,
        initial=[IngestKey.Scope.INGEST_WRITE],
        label="It may",
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.IntegerField(
        min_value=1,
        max_value=3650,
        required=False,
        label="Valid for days",
        help_text="Empty: until it is revoked.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        days = cleaned.get("days")
        cleaned["expires_at"] = timezone.now() + timedelta(days=days) if days else None
        return cleaned


class EndpointForm(forms.Form):
    name = forms.CharField(max_length=128, initial="platform")
    url = forms.CharField(
        max_length=2048,
        label="Address",
        help_text="Where decisions are sent. https, without user name and password.",
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
    )
