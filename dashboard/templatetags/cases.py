"""Filters of the pages of cases and approvals."""

from django import template
from django.contrib.auth.models import User

register = template.Library()


@register.filter
def plain_words(key: object) -> str:
    """`pay_as_you_go` → `pay as you go`; nothing → `unknown`."""
    return str(key).replace("_", " ") if key else "unknown"


@register.filter
def hidden_words(text: str | None) -> str:
    """How much there would be to read, and nothing of what it says."""
    if text is None:
        return "Its wording was not kept."
    return f"••••• {len(text):,} characters"


@register.filter
def event_words(verb: str) -> str:
    """`case.escalated` → `escalated`, `approval.given` → `approval given`."""
    return verb.removeprefix("case.").replace(".", " ").replace("_", " ")


@register.filter
def person_name(user: User | None) -> str:
    """A person's full name, or their user name; empty for nobody."""
    return (user.get_full_name() or user.get_username()) if user else ""
