"""Audit entries of a case as lines that a person reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from investigations.access import SYSTEM_USERNAME
from investigations.models import AuditEntry

Detail = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """One thing that happened, for components/timeline.html."""

    icon: str
    tone: str
    who: str
    what: str
    text: str
    at: datetime


def _assigned(detail: Detail) -> str:
    if not detail.get("to"):
        return "gave the case back to nobody"
    if detail["to"] == detail["by"]:
        return "took the case"
    return f"assigned the case to {detail['to_name']}"


def _asked(detail: Detail) -> str:
    return f"asked for a second person to {_verdict(detail)}"


def _decided(detail: Detail) -> str:
    return f"decided to {_verdict(detail)}"


def _approved(detail: Detail) -> str:
    return f"approved {detail.get('decision', '')}: {_verdict(detail)}"


def _verdict(detail: Detail) -> str:
    return f"{detail.get('verdict', 'decide')} {_accounts(detail)}"


def _restored(detail: Detail) -> str:
    return f"restored {_accounts(detail)} of {detail.get('reverses', '')}"


def _delivered(detail: Detail) -> str:
    return f"delivered {_accounts(detail)} to the platform"


def _parked(detail: Detail) -> str:
    return f"could not deliver {_accounts(detail)}; a person must look"


def _opened(detail: Detail) -> str:
    cluster = detail.get("cluster")
    return f"opened the case about {cluster}" if cluster else "opened the case"


def _followed(detail: Detail) -> str:
    before, cluster = detail.get("before"), detail.get("cluster")
    return f"moved the case on: {before} became part of {cluster}"


def _accounts(detail: Detail) -> str:
    given = detail.get("accounts", 0)
    count = given if isinstance(given, int) else len(given)
    return f"{count:,} account{'' if count == 1 else 's'}"


def _plain(words: str) -> Callable[[Detail], str]:
    return lambda detail: words


# Verb of the audit entry → icon, tone, words after the person's name.
LOOKS: dict[str, tuple[str, str, Callable[[Detail], str]]] = {
    "case.opened": ("case", "info", _opened),
    "case.followed": ("case", "info", _followed),
    "case.assigned": ("identity", "neutral", _assigned),
    "case.noted": ("note", "neutral", _plain("noted")),
    "case.escalated": ("escalate", "warn", _plain("escalated the case")),
    "case.closed": ("check", "neutral", _plain("closed the case")),
    "case.reopened": ("restore", "info", _plain("reopened the case")),
    "case.revealed": ("eye", "warn", _plain("revealed the templates")),
    "approval.requested": ("approvals", "warn", _asked),
    "approval.given": ("check", "ok", _approved),
    "approval.rejected": ("close", "danger", _plain("rejected the decision")),
    "approval.withdrawn": ("restore", "neutral", _plain("withdrew the decision")),
    "approval.expired": ("clock", "neutral", _plain("let the approval expire")),
    "case.decided": ("flag", "ok", _decided),
    "case.restored": ("restore", "info", _restored),
    "effects.delivered": ("send", "ok", _delivered),
    "effects.parked": ("alert", "danger", _parked),
    "effect.replayed": ("send", "info", _plain("sent a delivery again")),
}


def history_lines(
    entries: list[AuditEntry], notes: Mapping[int, str], names: Mapping[str, str]
) -> list[Line]:
    """`notes` maps a note to its text, `names` a username to the person's name."""
    return [_line(entry, notes, names) for entry in entries]


def _line(
    entry: AuditEntry, notes: Mapping[int, str], names: Mapping[str, str]
) -> Line:
    icon, tone, words = LOOKS.get(
        entry.verb, ("info", "neutral", _plain(entry.verb.replace(".", " ")))
    )
    detail = {
        **entry.detail,
        "by": entry.actor_name,
        "to_name": names.get(entry.detail.get("to", "")) or entry.detail.get("to"),
    }
    text = entry.reason or "; ".join(entry.detail.get("errors", []))
    if "note" in entry.detail:
        text = notes.get(entry.detail["note"], "")
    return Line(
        icon=icon,
        tone=tone,
        who=_who(entry, names),
        what=words(detail),
        text=text,
        at=entry.at,
    )


def _who(entry: AuditEntry, names: Mapping[str, str]) -> str:
    if entry.actor_name == SYSTEM_USERNAME:
        return "Stillwatch"
    return names.get(entry.actor_name) or entry.actor_name
