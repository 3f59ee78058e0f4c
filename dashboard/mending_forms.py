"""What a person types to mend what was not stored."""

from typing import Any

from django import forms

from dashboard.reveal import RevealForm
from ingest.doors.errors import BadFix
from ingest.mending.fixing import LONGEST_NAME, LONGEST_VALUE, REMOVE, RENAME, SET, Fix

MOST_CHARACTERS = 1024 * 1024


class ReasonForm(RevealForm):
    """Why something is sent once more, or is not worth it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = "Reason"


class MendForm(ReasonForm):
    text = forms.CharField(
        label="The line as it should have been",
        max_length=MOST_CHARACTERS,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text="One JSON object on one line. Texts were replaced by their "
        "fingerprints; leave those as they are.",
    )
    field_order = ("text", "reason")


class FixForm(forms.Form):
    """One change to every line that matches, or none."""

    kind = forms.ChoiceField(
        label="Change",
        required=False,
        choices=[
            ("", "none: send them as they are"),
            (SET, "set a field"),
            (RENAME, "rename a field"),
            (REMOVE, "leave a field out"),
        ],
    )
    name = forms.CharField(label="Field", required=False, max_length=LONGEST_NAME)
    value = forms.CharField(
        label="Value, or new name",
        required=False,
        max_length=LONGEST_VALUE,
        help_text="7, true and null are taken as JSON; anything else as text.",
    )

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or {}
        try:
            told["fix"] = self._fix(told)
        except BadFix as error:
            raise forms.ValidationError(error.sentence) from error
        return told

    def _fix(self, told: dict[str, Any]) -> Fix | None:
        if not told.get("kind"):
            if told.get("name") or told.get("value"):
                raise BadFix("Choose what is to be changed, or empty the fields.")
            return None
        return Fix.typed(told["kind"], told.get("name", ""), told.get("value", ""))
