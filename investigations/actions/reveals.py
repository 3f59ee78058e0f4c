"""Looking at what customers wrote. It changes nothing, and is written down all the same."""

from django.contrib.auth.models import User
from django.db import transaction

from investigations import access, policies
from investigations.actions import audit
from investigations.models import Case
from investigations.selectors.ties import SharedTemplate, shared_templates


@transaction.atomic
def reveal_templates(*, case: Case, reason: str, by: User) -> list[SharedTemplate]:
    """The prompt templates of a case in clear, once someone has said why.

    Raises NotAllowed, BadReason.
    """
    access.require(by, access.REVEAL)
    why = policies.clean_reason(reason)
    templates = shared_templates(case)
    audit.record(
        "case.revealed",
        by=by,
        object_type="case",
        object_ref=case.ref,
        reason=why,
        templates=[template.skeleton for template in templates],
    )
    return templates
