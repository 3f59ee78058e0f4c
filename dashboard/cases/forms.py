"""What a person may type into a case. Refusals are sentences beside what was typed."""

import uuid
from typing import Any

from django import forms
from django.contrib.auth.models import User

from dashboard.cases.selection import EVERYONE, PICKED, PROPOSED, Selection
from investigations import access, policies, selectors
from investigations.actions.cases import UNDECIDED_OUTCOMES
from investigations.errors import DomainError
from investigations.models import Case, Decision

Verdict = Decision.Verdict
REASON_HINT = (
    f"At least {policies.MIN_REASON} characters: what you saw, and why it matters. "
    "It is kept for good and may be read to the customer."
)
# The roles whose people can be given a case.
WORKERS = [role for role, verbs in access.ROLES.items() if access.WORK in verbs]
# PostgreSQL's largest bigint has 19 digits; longer numbers name nothing.
LONGEST_PK = 18


class Reason(forms.CharField):
    """A reason that the domain accepts; its rule stands in policies alone."""

    def __init__(self, **given: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 4, "maxlength": policies.MAX_REASON})
        super().__init__(**{"widget": widget, "help_text": REASON_HINT, **given})

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if not text and not self.required:
            return ""
        try:
            return policies.clean_reason(text)
        except DomainError as refused:
            raise forms.ValidationError(f"{refused.sentence} {refused.hint}") from None


class Person(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: User) -> str:
        return obj.get_full_name() or obj.get_username()


class CaseForm(forms.Form):
    """Any form about a case carries the version that its writer was looking at."""

    version = forms.IntegerField(
        required=False,
        min_value=0,
        widget=forms.HiddenInput(attrs={"data-case-version": True}),
    )

    def __init__(self, *args: Any, case: Case, **given: Any) -> None:
        given.setdefault("initial", {}).setdefault("version", case.version)
        super().__init__(*args, **given)
        self.case = case


class AssignForm(CaseForm):
    to = Person(
        queryset=User.objects.none(),
        required=False,
        label="Who works on it",
        empty_label="Nobody",
    )

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        to = self.fields["to"]
        assert isinstance(to, Person)
        to.queryset = selectors.staff_in_roles(WORKERS)
        self.initial.setdefault("to", self.case.assignee_id)


class NoteForm(CaseForm):
    text = forms.CharField(
        label="Note",
        max_length=policies.MAX_NOTE,
        widget=forms.Textarea(attrs={"rows": 2, "data-key": "n"}),
        error_messages={"required": "The note is empty."},
    )


class EscalateForm(CaseForm):
    reason = Reason(label="Why a lead should look at it")


class CloseForm(CaseForm):
    outcome = forms.ChoiceField(
        label="What it came to",
        choices=[
            (key, label)
            for key, label in Case.Outcome.choices
            if key in UNDECIDED_OUTCOMES
        ],
    )
    reason = Reason(label="Why")

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        if self.case.status == Case.Status.DECIDED:
            # A decided case keeps the outcome of its decision.
            del self.fields["outcome"]


class ReopenForm(CaseForm):
    reason = Reason(label="Why it is taken up again")


class RevealForm(CaseForm):
    reason = Reason(
        label="Why you need to read it",
        help_text="Prompts and identifiers belong to customers. Your name and this "
        "reason are written to the audit log.",
    )


class DecisionForm(CaseForm):
    """A verdict on some of the case's accounts.

    `for_preview` asks only for what the preview needs, so that people can look at who
    is hit before they have found words for the reason.
    """

    verdict = forms.ChoiceField(
        choices=[(v, v.label) for v in (Verdict.BAN, Verdict.RESTRICT, Verdict.CLEAR)],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose to ban, to restrict or to clear."},
    )
    scope = forms.ChoiceField(
        choices=[(key, key) for key in (PROPOSED, EVERYONE, PICKED)],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose which accounts this is about."},
    )
    ground = forms.ChoiceField(
        label="Policy ground",
        choices=[(ground.key, ground.title) for ground in policies.GROUNDS],
        error_messages={"required": "Choose the policy ground."},
    )
    reason = Reason(label="Reason")
    form_token = forms.UUIDField(widget=forms.HiddenInput)
    preview_sha256 = forms.CharField(
        widget=forms.HiddenInput,
        error_messages={"required": "Look at the preview before you decide."},
    )
    selection = forms.CharField(required=False, max_length=2000)

    def __init__(self, *args: Any, for_preview: bool = False, **given: Any) -> None:
        super().__init__(*args, **given)
        self.initial.setdefault("form_token", uuid.uuid4())
        if for_preview:
            for name in ("ground", "reason", "form_token", "preview_sha256"):
                self.fields[name].required = False

    def clean_ground(self) -> str:
        key: str = self.cleaned_data["ground"]
        verdict = self.cleaned_data.get("verdict")
        if key and verdict and self.fields["ground"].required:
            try:
                policies.check_ground(key, verdict)
            except DomainError:
                raise forms.ValidationError(
                    f"This ground does not allow to {verdict}; choose another."
                ) from None
        return key

    @property
    def named(self) -> frozenset[int]:
        """Rows that were ticked one by one; what is no number names nothing."""
        given = self.data.getlist("account") if self.is_bound else []  # type: ignore[attr-defined]
        return frozenset(
            int(pk)
            for pk in given
            if pk.isascii() and pk.isdigit() and len(pk) <= LONGEST_PK
        )

    def chosen(self) -> Selection:
        return Selection(
            scope=self.cleaned_data["scope"],
            named=self.named,
            token=self.cleaned_data["selection"],
        )

    def judgement(self) -> dict[str, Any]:
        """What decide_case takes, but for the case, its accounts and who decides."""
        other = {"scope", "selection"}
        return {k: v for k, v in self.cleaned_data.items() if k not in other}


class ReplayForm(CaseForm):
    reason = Reason(label="What has changed, that it will arrive now")


class RestoreForm(CaseForm):
    ground = forms.ChoiceField(
        label="Policy ground",
        choices=[(g.key, g.title) for g in policies.grounds_for(Verdict.RESTORE)],
    )
    reason = Reason(label="Reason")
    form_token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.initial.setdefault("form_token", uuid.uuid4())


class AnswerForm(forms.Form):
    """The second person's word: approving may be silent, rejecting says why."""

    APPROVE, REJECT = "approve", "reject"

    answer = forms.ChoiceField(choices=[(APPROVE, "Approve"), (REJECT, "Reject")])
    note = forms.CharField(
        label="Note",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Needed to reject: it goes back to the person who asked.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("answer") == self.REJECT:
            try:
                policies.clean_reason(cleaned.get("note", ""))
            except DomainError as refused:
                self.add_error("note", f"{refused.sentence} {refused.hint}")
        return cleaned
