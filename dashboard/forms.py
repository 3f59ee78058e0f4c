"""What people type to sign in, and admins to look after the installation."""

from datetime import timedelta
from typing import Any

from allauth.account.forms import LoginForm
from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.utils import timezone

from dashboard import keys
from ingest.models import IngestKey
from ingest.senders import quotas
from ingest.senders.keys import LONGEST_OVERLAP, OVERLAP
from ingest.senders.whereabouts import BadNetwork, parse_networks
from investigations import access
from investigations.policies import MIN_REASON

ROLE_CHOICES = [(role, role) for role in access.ROLES]


def limit_field(label: str) -> forms.IntegerField:
    return forms.IntegerField(
        min_value=0, max_value=10**15, required=False, label=label
    )


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


class BoundsForm(forms.Form):
    """What a key is kept within; cleaned into `bounds`."""

    networks = forms.CharField(
        max_length=4000,
        required=False,
        label="Only from these addresses",
        help_text="One a line: 203.0.113.7, 203.0.113.0/24, 2001:db8::/48. "
        "Empty: from anywhere.",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )
    rows_per_minute = limit_field("Records a minute")
    rows_per_day = limit_field("Records a day")
    bytes_per_minute = limit_field("Bytes a minute")
    bytes_per_day = limit_field("Bytes a day")

    LIMITS = ("rows_per_minute", "rows_per_day", "bytes_per_minute", "bytes_per_day")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        standard = quotas.in_force(IngestKey())
        for name in self.LIMITS:
            self.fields[name].help_text = (
                f"Empty: {standard[name]:,}. 0: no limit."
                if standard[name]
                else "Empty: no limit."
            )

    def clean_networks(self) -> list[str]:
        try:
            return parse_networks(str(self.cleaned_data["networks"]))
        except BadNetwork as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        limits = quotas.Limits(**{name: cleaned.get(name) for name in self.LIMITS})
        cleaned["bounds"] = keys.Bounds(tuple(cleaned.get("networks") or ()), limits)
        return cleaned


class KeyForm(BoundsForm):
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
    field_order = ("source", "name", "scopes", "days")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        days = cleaned.get("days")
        cleaned["expires_at"] = timezone.now() + timedelta(days=days) if days else None
        return cleaned


class RotationForm(forms.Form):
    hours = forms.IntegerField(
        min_value=0,
        max_value=int(LONGEST_OVERLAP.total_seconds() // 3600),
        initial=int(OVERLAP.total_seconds() // 3600),
        label="Hours that both open",
        help_text="Give the sender the new key within them. 0: the old one ends now.",
    )


class TakeBackForm(forms.Form):
    """The order is given by typing the key's prefix, after its figures were read."""

    reason = forms.CharField(
        min_length=MIN_REASON,
        max_length=2000,
        help_text=f"At least {MIN_REASON} characters; it stays in the audit log.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    confirmation = forms.CharField(
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, prefix_of_key: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = prefix_of_key
        self.fields["confirmation"].label = f"Type {prefix_of_key} to confirm"

    def clean_confirmation(self) -> str:
        if self.cleaned_data["confirmation"].strip() != self.wanted:
            raise forms.ValidationError(f"Type {self.wanted}, exactly as it stands.")
        return self.wanted


class EndpointForm(forms.Form):
    name = forms.CharField(max_length=128, initial="platform")
    url = forms.CharField(
        max_length=2048,
        label="Address",
        help_text="Where decisions are sent. https, without user name and password.",
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
    )
