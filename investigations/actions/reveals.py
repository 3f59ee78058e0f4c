"""Looking at what customers wrote: it changes nothing, and is written down."""

from django.contrib.auth.models import User
from django.db import transaction

from ingest.models import Account, Excerpt, Indicator, QuarantinedLine
from ingest.texts import excerpts
from investigations import access, policies
from investigations.actions import audit
from investigations.models import Case
from investigations.selectors.ties import (
    SharedTemplate,
    shared_templates,
    with_examples,
)


@transaction.atomic
def reveal_templates(*, case: Case, reason: str, by: User) -> list[SharedTemplate]:
    """The prompt templates of a case in clear, with a few redacted prompts of its
    accounts, once someone has said why.

    Raises NotAllowed, BadReason.
    """
    access.require(by, access.REVEAL)
    why = policies.clean_reason(reason)
    templates = with_examples(case, shared_templates(case))
    audit.record(
        "case.revealed",
        by=by,
        object_type="case",
        object_ref=case.ref,
        reason=why,
        templates=[template.skeleton for template in templates],
        excerpts=sum(len(template.examples) for template in templates),
    )
    return templates


@transaction.atomic
def reveal_account(*, account: Account, reason: str, by: User) -> None:
    """Note that someone is about to read what a customer said about themselves.

    Raises NotAllowed, BadReason.
    """
    access.require(by, access.REVEAL)
    audit.record(
        "account.revealed",
        by=by,
        object_type="account",
        object_ref=account.external_id,
        reason=policies.clean_reason(reason),
    )


@transaction.atomic
def reveal_excerpts(*, account: Account, reason: str, by: User) -> list[Excerpt]:
    """An account's redacted prompts in clear, once someone has said why.

    Raises NotAllowed, BadReason.
    """
    access.require(by, access.REVEAL)
    why = policies.clean_reason(reason)
    found = excerpts.of_account(account.pk)
    audit.record(
        "account.excerpts_revealed",
        by=by,
        object_type="account",
        object_ref=account.external_id,
        reason=why,
        events=[excerpt.event_id for excerpt in found],
    )
    return found


@transaction.atomic
def reveal_indicator(*, indicator: Indicator, reason: str, by: User) -> None:
    """Note that someone is about to read a value that customers share.

    Raises NotAllowed, BadReason.
    """
    access.require(by, access.REVEAL)
    audit.record(
        "indicator.revealed",
        by=by,
        object_type="indicator",
        object_ref=str(indicator.pk),
        reason=policies.clean_reason(reason),
        kind=indicator.kind,
    )


@transaction.atomic
def reveal_line(*, line: QuarantinedLine, reason: str, by: User) -> bytes:
    """A line that was not stored, byte for byte, once someone has said why.

    Raises NotAllowed, BadReason.
    """
    access.require(by, access.REVEAL)
    audit.record(
        "line.revealed",
        by=by,
        object_type="line",
        object_ref=str(line.pk),
        reason=policies.clean_reason(reason),
        batch=str(line.batch.batch_id),
    )
    return bytes(line.raw)
