"""How values are worded on a page: short, the same everywhere, and without Django."""

from datetime import datetime, timedelta
from math import floor

# Lower edge, key. The keys are those of detection's bands.
_BANDS = ((90, "action"), (70, "review"), (40, "watch"), (0, "none"))
BAND_LABELS = {
    "action": "propose action",
    "review": "review",
    "watch": "watch",
    "none": "none",
}

# Evidence family to icon; a family of a later ruleset still gets a mark.
_FAMILY_ICONS = {
    "money": "money",
    "payment": "money",
    "identity": "identity",
    "network": "network",
    "device": "device",
    "client": "device",
    "content": "content",
    "content_proof": "content",
    "time": "clock",
    "timing": "clock",
    "volume": "volume",
    "economics": "volume",
    "continuation": "link",
    "return": "restore",
}

# Icon of a place in the navigation to the letter that follows `g`.
_GO_LETTERS = {
    "overview": "o",
    "queue": "q",
    "clusters": "c",
    "accounts": "a",
    "network": "h",
    "approvals": "p",
    "weekly": "w",
    "ingest": "i",
    "audit": "u",
    "settings": "s",
}

# Key of a state to its tone and icon, for every kind of thing that has a state.
_STATUS_LOOKS = {
    "open": ("info", "case"),
    "in_review": ("info", "eye"),
    "escalated": ("warn", "escalate"),
    "awaiting_approval": ("warn", "approvals"),
    "decided": ("ok", "check"),
    "closed": ("neutral", "check"),
    "requested": ("warn", "clock"),
    "approved": ("ok", "check"),
    "rejected": ("danger", "close"),
    "withdrawn": ("neutral", "restore"),
    "expired": ("neutral", "clock"),
    "pending": ("info", "clock"),
    "delivered": ("ok", "send"),
    "stored": ("ok", "check"),
    "parked": ("danger", "alert"),
    "superseded": ("neutral", "minus"),
    "active": ("neutral", "check"),
    "restricted": ("warn", "restrict"),
    "banned": ("danger", "ban"),
    "cleared": ("ok", "shield"),
    "distillation": ("danger", "alert"),
    "resale_pool": ("warn", "clusters"),
    "insufficient_evidence": ("neutral", "help"),
}

_UNITS = (
    (timedelta(days=365), "y"),
    (timedelta(days=30), "mo"),
    (timedelta(weeks=1), "w"),
    (timedelta(days=1), "d"),
    (timedelta(hours=1), "h"),
    (timedelta(minutes=1), "m"),
)
_STEPS = ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k"))
_HIDDEN = "•••"


def band(score: float) -> str:
    """Key of the band that a score of 0-100 falls in."""
    return next(key for edge, key in _BANDS if score >= edge or edge == 0)


def shown_score(score: float) -> int:
    """Rounded down: 69.9 must not read as 70 while it stands in the band below."""
    return floor(score)


def family_icon(family: str) -> str:
    return _FAMILY_ICONS.get(family, "flag")


def family_words(family: str) -> str:
    return family.replace("_", " ")


def status_look(key: str) -> dict[str, str]:
    """Tone, icon and word of a state; a state without a look is plainly named."""
    tone, icon = _STATUS_LOOKS.get(key, ("neutral", "info"))
    return {"tone": tone, "icon": icon, "word": key.replace("_", " ")}


def go_letter(icon: str) -> str:
    return _GO_LETTERS.get(icon, "")


def ago(then: datetime, now: datetime) -> str:
    """`3m ago`, `in 2h`, `now`; js/live.js keeps it going in the same words."""
    gap = abs(now - then)
    for size, unit in _UNITS:
        if gap >= size:
            count = f"{gap // size}{unit}"
            return f"{count} ago" if now > then else f"in {count}"
    return "now"


def compact(number: float) -> str:
    """`950`, `12.4k`, `3.1M`: three figures at most, never rounded up a unit."""
    for size, unit in _STEPS:
        if abs(number) >= size:
            value = floor(abs(number) / size * 10) / 10
            sign = "-" if number < 0 else ""
            figures = f"{floor(value)}" if value >= 100 else f"{value:g}"
            return f"{sign}{figures}{unit}"
    return f"{number:g}" if isinstance(number, int) else f"{number:.4g}"


def duration(span: timedelta) -> str:
    """The two largest units: `2d 4h`, `13m`, `<1m`."""
    minutes = int(span.total_seconds()) // 60
    days, minutes = divmod(minutes, 1440)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{n}{u}" for n, u in ((days, "d"), (hours, "h"), (minutes, "m")) if n]
    return " ".join(parts[:2]) or "<1m"


def client_family(stack: str) -> str:
    """Program and major version of a client stack (ingest/records/normalise.py)."""
    family = stack.partition("|")[2]
    return "–" if family in ("", "-") else family


def initials(name: str) -> str:
    """Two letters for a person: `AL` for Ana Lopez, `AN` for ana."""
    words = [word for word in name.replace(".", " ").replace("_", " ").split() if word]
    if not words:
        return "?"
    if len(words) == 1:
        return words[0][:2].upper()
    return (words[0][0] + words[-1][0]).upper()


def mask(value: str) -> str:
    """Enough of a private value to recognise it by, not enough to use it.

    `maria@example.org` → `ma•••@•••`, `4f9c21aa` → `4f•••`. At least three characters
    stay hidden, so a short value shows nothing of itself.
    """
    local, at, _domain = value.partition("@")
    shown = local[:2] if len(local) >= 5 else ""
    return f"{shown}{_HIDDEN}@{_HIDDEN}" if at else f"{shown}{_HIDDEN}"
