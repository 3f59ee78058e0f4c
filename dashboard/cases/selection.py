"""Which of a case's accounts a decision is about, as the form says it.

Three ways to say it: what the machine proposes, everyone, or what was picked in the
table of members. Picking is naming rows one by one, or taking all that match a filter:
for that the page holds a token the server made, with the filter and the accounts that
matched it then. When others match now, the list is refused instead of being widened
behind the analyst's back.
"""

from dataclasses import dataclass

from django.core import signing

from investigations import selectors
from investigations.errors import ListChanged
from investigations.models import Case
from investigations.selectors import MemberFilter

PROPOSED, EVERYONE, PICKED = "proposed", "everyone", "picked"
SCOPES = (PROPOSED, EVERYONE, PICKED)
_SALT = "stillwatch.selection"
# As long as a working day; the count is checked again in any case.
_MAX_AGE = 12 * 60 * 60


@dataclass(frozen=True)
class Selection:
    """What the form said; `token` wins over `named`."""

    scope: str
    named: frozenset[int] = frozenset()
    token: str = ""


def matching_token(case: Case, wanted: MemberFilter) -> str:
    """Stands for every account of the case that matches the filter now."""
    said = {
        "case": case.pk,
        "min_score": wanted.min_score,
        "indicator": wanted.indicator,
        "matched": selectors.fingerprint_of(case, wanted),
    }
    return signing.dumps(said, salt=_SALT)


def selected_ids(case: Case, selection: Selection) -> list[int]:
    """Primary keys of the accounts that are meant. Raises ListChanged."""
    if selection.scope == PROPOSED:
        return selectors.proposed_ids(case)
    if selection.scope == EVERYONE:
        return selectors.matching_ids(case, MemberFilter())
    if selection.token:
        return _still_matching(case, selection.token)
    return sorted(selection.named)


def _still_matching(case: Case, token: str) -> list[int]:
    try:
        said = signing.loads(token, salt=_SALT, max_age=_MAX_AGE)
    except signing.BadSignature:
        raise ListChanged("The selection is too old to be used.") from None
    wanted = MemberFilter(min_score=said["min_score"], indicator=said["indicator"])
    now = selectors.fingerprint_of(case, wanted)
    if said["case"] != case.pk or tuple(said["matched"]) != now:
        raise ListChanged(
            f"Other accounts match the filter now: {now[0]:,}. Select them again."
        )
    return selectors.matching_ids(case, wanted)
