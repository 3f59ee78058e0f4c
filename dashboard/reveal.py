"""Unmasking what a customer typed: which values, and on what reason."""

from django import forms

from ingest.models import Account
from investigations import policies
from investigations.errors import DomainError

# Field and label. Hashes are not here: they are shown shortened, and name nobody.
PRIVATE_FIELDS = (
    ("display_name", "Display name"),
    ("organization", "Organisation"),
    ("email_domain", "E-mail domain"),
    ("phone_country", "Phone country"),
    ("signup_ip", "Sign-up address"),
    ("signup_user_agent", "Sign-up user agent"),
)


class RevealForm(forms.Form):
    reason = forms.CharField(
        label="Why you need to see it",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="At least 20 characters. It is kept in the audit log.",
    )

    def clean_reason(self) -> str:
        try:
            return policies.clean_reason(self.cleaned_data["reason"])
        except DomainError as error:
            raise forms.ValidationError(error.sentence) from error


# A page shows this much of a raw line; the rest is counted.
SHOWN_BYTES = 64 * 1024


def private_values(account: Account) -> list[tuple[str, str]]:
    return [
        (label, str(getattr(account, field) or "–")) for field, label in PRIVATE_FIELDS
    ]


def readable_bytes(raw: bytes) -> dict[str, object]:
    """`raw_text`, with every byte that is no UTF-8 as `\\xff`, and `raw_hidden`, the
    number of bytes beyond what a page shows."""
    shown = raw[:SHOWN_BYTES].decode(errors="backslashreplace")
    return {"raw_text": shown, "raw_hidden": max(len(raw) - SHOWN_BYTES, 0)}
