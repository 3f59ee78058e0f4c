"""The audit log, newest first, as the page reads it."""

from dataclasses import dataclass

from investigations.models import AuditEntry

PAGE = 100


@dataclass(frozen=True)
class AuditPage:
    """One page of entries; `older` is the sequence to go on from, if there is more."""

    entries: list[AuditEntry]
    older: int | None
    verbs: list[str]


def audit_page(
    *, verb: str = "", actor: str = "", about: str = "", before: int | None = None
) -> AuditPage:
    """Entries below `before`, narrowed by what happened, by whom, to what."""
    entries = AuditEntry.objects.order_by("-sequence")
    if verb:
        entries = entries.filter(verb=verb)
    if actor:
        entries = entries.filter(actor_name=actor)
    if about:
        entries = entries.filter(object_ref=about)
    if before is not None:
        entries = entries.filter(sequence__lt=before)
    found = list(entries[: PAGE + 1])
    verbs = AuditEntry.objects.order_by("verb").values_list("verb", flat=True)
    return AuditPage(
        entries=found[:PAGE],
        older=found[PAGE - 1].sequence if len(found) > PAGE else None,
        verbs=list(verbs.distinct()),
    )
