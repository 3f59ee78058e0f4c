"""What a lead types to place a legal hold, and to release it."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from ingest.models import LegalHold
from investigations import policies
from investigations.actions.holds import Covered
from investigations.errors import DomainError

Scope = LegalHold.Scope
_CHOICES = (
    (Scope.ACCOUNTS, "Accounts"),
    (Scope.CASE, "Accounts of a case"),
    (Scope.ORGANIZATION, "Accounts of an organisation"),
    (Scope.SOURCE, "Everything from a source"),
    (Scope.EVERYTHING, "Everything"),
)
_WANTED = {
    Scope.ACCOUNTS: ("accounts", "Name at least one account."),
    Scope.CASE: ("case_ref", "Name the case, such as C-12."),
    Scope.ORGANIZATION: ("organization_id", "Name the organisation's id."),
    Scope.SOURCE: ("source", "Name the source."),
}
MOST_ACCOUNTS = 10_000


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=policies.MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=f"At least {policies.MIN_REASON} characters; it stays in the audit "
        "log. Name the request or the proceeding.",
    )

    def clean_reason(self) -> str:
        try:
            return policies.clean_reason(self.cleaned_data["reason"])
        except DomainError as error:
            raise forms.ValidationError(error.sentence) from error


def day_field(label: str, help_text: str = "") -> forms.DateField:
    return forms.DateField(
        required=False,
        label=label,
        help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}),
    )


def line_field(label: str, **more: Any) -> forms.CharField:
    return forms.CharField(
        required=False,
        max_length=256,
        label=label,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        **more,
    )


class HoldForm(ReasonForm):
    """Cleaned into `covered` and `expires_at`, the end of the chosen UTC day."""

    scope = forms.ChoiceField(choices=_CHOICES, label="What must stay")
    accounts = forms.CharField(
        required=False,
        label="Account ids",
        help_text="One a line.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )
    case_ref = line_field("Case")
    organization_id = line_field("Organisation id")
    source = line_field("Source")
    from_day = day_field("From day")
    to_day = day_field("To day", "UTC, both included. Empty: all days.")
    expires_on = day_field("Expires", "Empty: until somebody releases it.")
    field_order = (
        "scope",
        "accounts",
        "case_ref",
        "organization_id",
        "source",
        "from_day",
        "to_day",
        "expires_on",
        "reason",
    )

    def clean_accounts(self) -> list[str]:
        lines = str(self.cleaned_data["accounts"]).splitlines()
        found = sorted({line.strip() for line in lines if line.strip()})
        if len(found) > MOST_ACCOUNTS:
            raise forms.ValidationError(
                f"{len(found):,} accounts are too many for one hold; "
                f"place several of at most {MOST_ACCOUNTS:,}."
            )
        return found

    def clean_case_ref(self) -> str:
        return str(self.cleaned_data["case_ref"]).strip().upper()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        scope = cleaned.get("scope")
        if scope in _WANTED and not cleaned.get(_WANTED[Scope(scope)][0]):
            name, sentence = _WANTED[Scope(scope)]
            if name not in self.errors:
                self.add_error(name, sentence)
        first, last = cleaned.get("from_day"), cleaned.get("to_day")
        if first and last and first > last:
            self.add_error("to_day", "The last day lies before the first.")
        cleaned["expires_at"] = self._expiry(cleaned)
        cleaned["covered"] = Covered(
            scope=str(scope),
            accounts=cleaned.get("accounts") or (),
            case_ref=cleaned.get("case_ref") or "",
            organization_id=cleaned.get("organization_id") or "",
            source=cleaned.get("source") or "",
            from_day=first,
            to_day=last,
        )
        return cleaned

    def _expiry(self, cleaned: dict[str, Any]) -> datetime | None:
        day = cleaned.get("expires_on")
        if not day:
            return None
        end = datetime.combine(day, time(), UTC) + timedelta(days=1)
        if end <= timezone.now():
            self.add_error("expires_on", "This day is over already.")
        return end
