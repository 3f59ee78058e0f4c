"""What a lead types about the rules."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from dashboard.hold_forms import ReasonForm, day_field
from ingest.models import Indicator
from investigations.actions.rules import MOST_INSTANTS
from investigations.detection import rule_values
from investigations.detection.rule_values import Setting, Values
from investigations.detection.ruleset import LISTABLE

FIRST_DAY = date(2020, 1, 1)  # nothing was recorded before


class WhyForm(ReasonForm):
    """The reason for a step of a version."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = (
            "What should be caught or let go, and how you know. It stays in the audit "
            "log."
        )


class PublishForm(WhyForm):
    sha256 = forms.CharField(max_length=64, widget=forms.HiddenInput)


class RuleForm(WhyForm):
    """Every number and list of a draft; an empty number is the built-in one.

    Cleaned into `numbers`, `allowed` and `partners`.
    """

    allowed = forms.CharField(
        required=False,
        label="Public programs",
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        help_text="One a line: the kind and its value, such as “tools 9f2c…”, or the "
        "number that cases show beside a shared value, such as “#1234”. Kinds: "
        f"{', '.join(LISTABLE)}. A listed value makes no links and no evidence.",
    )
    partners = forms.CharField(
        required=False,
        label="Partner organisations",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="Organisation ids, one a line. Their accounts count like those of "
        "an organisation whose identity was checked.",
    )
    edition = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for setting in rule_values.settings().values():
            self.fields[setting.key] = number_field(setting)
        self.order_fields([*rule_values.settings(), "allowed", "partners", "reason"])

    def clean_allowed(self) -> list[tuple[str, str]]:
        lines = lines_of(self.cleaned_data["allowed"])
        if len(lines) > rule_values.MOST_LISTED:
            raise forms.ValidationError(
                f"{len(lines):,} lines are too many; keep at most "
                f"{rule_values.MOST_LISTED:,}."
            )
        numbered = indicators_of(lines)
        return [
            numbered[line] if line.startswith("#") else pair_of(line) for line in lines
        ]

    def clean_partners(self) -> list[str]:
        return lines_of(self.cleaned_data["partners"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["numbers"] = {
            key: cleaned[key]
            for key in rule_values.settings()
            if cleaned.get(key) is not None
        }
        return cleaned

    def refuse(self, problems: Mapping[str, str]) -> None:
        """Say what is wrong beside the field that it is about."""
        for key, sentence in problems.items():
            self.add_error(key if key in self.fields else None, sentence)

    def groups(self) -> Iterator[tuple[str, list[tuple[Setting, Any]]]]:
        """Everything but the detectors' weights, group by group."""
        found: dict[str, list[tuple[Setting, Any]]] = {}
        for setting in rule_values.settings().values():
            if setting.group != "Detectors":
                found.setdefault(setting.group, []).append((setting, self[setting.key]))
        yield from found.items()

    def list_fields(self) -> list[Any]:
        return [self[name] for name in ("allowed", "partners", "reason")]

    def weight(self, detector: str, level: str) -> Any:
        key = f"weight.{detector}.{level}"
        return self[key] if key in self.fields else None


def number_field(setting: Setting) -> forms.FloatField:
    label = rule_values.full_title(setting)
    return forms.FloatField(
        required=False,
        label=label,
        widget=forms.NumberInput(
            attrs={
                "step": "1" if setting.whole else "any",
                "min": f"{setting.low:g}",
                "max": f"{setting.high:g}",
                "placeholder": f"{setting.built_in:g}",
                "aria-label": label,
            }
        ),
    )


def lines_of(text: str) -> list[str]:
    lines = (line.strip() for line in str(text).replace("\x00", "").splitlines())
    return sorted({line for line in lines if line})


def pair_of(line: str) -> tuple[str, str]:
    kind, _, value = line.partition(" ")
    return kind, value.strip()


def indicators_of(lines: Iterable[str]) -> dict[str, tuple[str, str]]:
    """`#number` → (kind, value) of the shared value that pages show by this number."""
    asked = {line: line[1:] for line in lines if line.startswith("#")}
    for line, number in asked.items():
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            raise forms.ValidationError(f"{line[:40]} is no number of a shared value.")
    known = Indicator.objects.in_bulk([int(number) for number in asked.values()])
    found = {}
    for line, number in asked.items():
        indicator = known.get(int(number))
        if indicator is None:
            raise forms.ValidationError(f"There is no shared value {line}.")
        found[line] = (indicator.kind, indicator.value)
    return found


def initial_of(values: Values, *, reason: str, edition: int) -> dict[str, Any]:
    """What the form shows of a draft."""
    return {
        **{key: f"{number:g}" for key, number in values.numbers.items()},
        "allowed": "\n".join(f"{kind} {value}" for kind, value in values.allowed),
        "partners": "\n".join(values.partners),
        "reason": reason,
        "edition": edition,
    }


class BacktestForm(forms.Form):
    """Cleaned into `instants`: ends of UTC days, none of them in the future."""

    last_day = day_field("Last day", "UTC. Empty: today, as far as it has come.")
    count = forms.IntegerField(
        label="Looks", min_value=1, max_value=MOST_INSTANTS, initial=4
    )
    step = forms.IntegerField(label="Days apart", min_value=1, max_value=28, initial=7)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        now = timezone.now()
        last = cleaned["last_day"] or now.date()
        if not FIRST_DAY <= last <= now.date():
            self.add_error("last_day", "Choose a day of the past.")
            return cleaned
        ends = (
            datetime.combine(last, time(), UTC)
            + timedelta(days=1 - back * cleaned["step"])
            for back in range(cleaned["count"])
        )
        cleaned["instants"] = [min(end, now) for end in ends]
        return cleaned
