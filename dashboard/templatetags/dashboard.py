"""Filters of every page; the wording itself is in display.py and outside_text.py."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from dashboard import display, outside_text
from investigations.detection.models import Cluster

register = template.Library()

register.filter("mask", display.mask)
register.filter("initials", display.initials)
register.filter("family_icon", display.family_icon)
register.filter("family_words", display.family_words)
register.filter("go_letter", display.go_letter)
register.filter("shown_score", display.shown_score)
register.filter("status_look", display.status_look)


@register.inclusion_tag("components/icon.html")
def icon(name: str, label: str = "") -> dict[str, str]:
    """`{% icon "queue" %}` is decoration; with a label it speaks for itself."""
    return {"name": name, "label": label}


@register.filter
def words(text: str) -> list[str]:
    return text.split()


@register.filter
def message_tone(level: str) -> str:
    """Tone of a notice for the level of one of Django's messages."""
    return {"success": "ok", "warning": "warn", "error": "danger"}.get(level, "info")


@register.filter
def band(score: float | None) -> str:
    """Key for `data-band`; no score yet is the lowest band."""
    return display.band(score or 0)


@register.filter
def starting_points(cluster: Cluster) -> float:
    """What a cluster's score starts from, before any evidence: below zero, since few
    candidates are what they look like."""
    evidence: float = sum(reason["points"] for reason in cluster.reasons)
    return cluster.decibans - evidence


@register.filter
def band_label(key: str) -> str:
    return display.BAND_LABELS.get(key, key)


@register.filter
def ago(then: datetime | None) -> str:
    return display.ago(then, timezone.now()) if then else ""


@register.filter
def compact(number: float | str | None) -> str:
    # What hangs on an absent row (a cluster without its exposure) arrives as "".
    return "–" if number is None or isinstance(number, str) else display.compact(number)


@register.filter
def client_family(stack: str | None) -> str:
    """`openai/python/1` of a client stack; the fingerprint before it is left out."""
    return display.client_family(stack or "")


@register.filter
def duration(span: timedelta | None) -> str:
    return "–" if span is None else display.duration(span)


@register.filter
def waited(seconds: float) -> str:
    """What a queue's oldest entry has waited; nothing for an empty queue."""
    if not seconds:
        return ""
    return f"the oldest for {display.duration(timedelta(seconds=seconds))}"


@register.filter
def capped(number: int) -> str:
    """A count that was taken no further than 999."""
    return f"{number:,}" if number < 999 else "999+"


@register.filter
def refused_words(state: str) -> str:
    """What it means that a key in this state was shown and refused."""
    return "refused elsewhere" if state == "in force" else "still shown"


@register.filter
def rate(number: float) -> str:
    """Per second: two figures below one, so that a slow drip does not read as 0."""
    return f"{number:.2g}" if 0 < number < 1 else display.compact(round(number, 1))


@register.filter
def seconds(number: float | None) -> str:
    return "–" if number is None else f"{number:.1f} s"


@register.filter
def percentile(number: float | None) -> str:
    """The note under a median: where the slowest twentieth begins."""
    return "median" if number is None else f"median; 95% within {number:.1f} s"


@register.filter
def share(part: float, whole: float) -> str:
    """`12%` of a whole; a whole of nothing has no share."""
    return f"{100 * part / whole:.0f}%" if whole else "–"


@register.filter
def visible_controls(value: object) -> SafeString:
    """Text from outside with each hidden character shown as its code point."""
    return format_html_join(
        "",
        "{}",
        (
            (_spelled(run) if silent else run,)
            for silent, run in outside_text.runs(str(value))
        ),
    )


def _spelled(run: str) -> SafeString:
    return format_html_join(
        "",
        '<span class="codepoint" title="{}">{}</span>',
        ((outside_text.character_name(c), outside_text.code_point(c)) for c in run),
    )


@register.filter
def outside(value: object) -> SafeString:
    """As visible_controls, kept in its own writing direction. For anything that a
    customer or an attacker could have typed: `{{ account.display_name|outside }}`."""
    return format_html('<bdi class="outside">{}</bdi>', visible_controls(value))
