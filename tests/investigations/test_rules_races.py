"""Two leads at once: one wins, the other is told, and the audit log has both right."""

import pytest

from investigations.actions import rules
from investigations.detection import rulebook
from investigations.detection.models import RuleVersion
from investigations.errors import RulesMoved
from investigations.models import AuditEntry
from tests.conftest import make_person
from tests.investigations.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "Twelve classes were flagged as one campaign last week."
State = RuleVersion.State


def proposed(by) -> RuleVersion:
    return rules.propose(version=rules.start_draft(reason=WHY, by=by), by=by)


def published(version: RuleVersion, by) -> RuleVersion:
    sha256 = rulebook.edition_of(version).rules.hash
    return rules.publish(version=version, reason=WHY, sha256=sha256, by=by)


def test_of_publishing_and_sending_back_at_once_one_happens(leo):
    lia, kim = make_person("lia", "lead"), make_person("kim", "lead")
    version = proposed(leo)
    results = at_once(
        lambda: published(version, lia),
        lambda: rules.send_back(version=version, reason=WHY, by=kim),
    )
    assert sum(isinstance(each, RulesMoved) for each in results) == 1
    version.refresh_from_db()
    told = AuditEntry.objects.latest("sequence").verb
    assert {State.LIVE: "rules.published", State.DRAFT: "rules.sent_back"}[
        State(version.state)
    ] == told


def test_drafts_begun_at_once_get_numbers_of_their_own(leo):
    lia = make_person("lia", "lead")
    begun = at_once(*[lambda: rules.start_draft(reason=WHY, by=lia)] * 4)

    assert sorted(version.number for version in begun) == [1, 2, 3, 4]


def test_two_drafts_proposed_at_once_do_not_both_go_into_shadow(leo):
    lia = make_person("lia", "lead")
    drafts = [rules.start_draft(reason=WHY, by=by) for by in (leo, lia)]
    at_once(*[lambda d=d: rules.propose(version=d, by=d.author) for d in drafts])

    assert RuleVersion.objects.filter(state=State.SHADOW).count() == 1
