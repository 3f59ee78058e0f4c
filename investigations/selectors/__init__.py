"""Named reads, each the shape of one page or of one of its parts."""

from investigations.selectors.approvals import (
    ApprovalPages,
    Drift,
    approval_pages,
    approval_with,
    approvals_waiting,
    approvals_waiting_count,
    drift_of,
    frozen_accounts,
)
from investigations.selectors.calibration import Calibration, Tenth, calibration
from investigations.selectors.cases import Exposed, case_size, case_with, exposed
from investigations.selectors.history import (
    History,
    Outcome,
    case_history,
    case_outcomes,
)
from investigations.selectors.keyset import Cursor, Slice
from investigations.selectors.members import (
    MEMBER_SORTS,
    MemberFilter,
    MemberPage,
    case_accounts,
    fingerprint_of,
    mapped_members,
    matching_ids,
    member_page,
    proposed_ids,
)
from investigations.selectors.milestones import Milestone, milestones
from investigations.selectors.precision import (
    Precision,
    precision_of_detectors,
    precision_of_links,
)
from investigations.selectors.queue import (
    QUEUE_ROWS,
    QUEUE_SORTS,
    QUEUE_TABS,
    QueueFilter,
    QueuePage,
    queue_page,
    staff_in_roles,
)
from investigations.selectors.rules import (
    rule_versions,
    rules_history,
    rules_waiting_count,
    trials_of,
)
from investigations.selectors.standing import standings
from investigations.selectors.ties import (
    SharedIndicator,
    SharedTemplate,
    member_ties,
    shared_indicators,
    shared_templates,
)
from investigations.selectors.traffic import (
    Traffic,
    case_days,
    case_hours,
    releases_between,
)

__all__ = [
    "MEMBER_SORTS",
    "QUEUE_ROWS",
    "QUEUE_SORTS",
    "QUEUE_TABS",
    "ApprovalPages",
    "Calibration",
    "Cursor",
    "Drift",
    "Exposed",
    "History",
    "MemberFilter",
    "MemberPage",
    "Milestone",
    "Outcome",
    "Precision",
    "QueueFilter",
    "QueuePage",
    "SharedIndicator",
    "SharedTemplate",
    "Slice",
    "Tenth",
    "Traffic",
    "approval_pages",
    "approval_with",
    "approvals_waiting",
    "approvals_waiting_count",
    "calibration",
    "case_accounts",
    "case_days",
    "case_history",
    "case_hours",
    "case_outcomes",
    "case_size",
    "case_with",
    "drift_of",
    "exposed",
    "fingerprint_of",
    "frozen_accounts",
    "mapped_members",
    "matching_ids",
    "member_page",
    "member_ties",
    "milestones",
    "precision_of_detectors",
    "precision_of_links",
    "proposed_ids",
    "queue_page",
    "releases_between",
    "rule_versions",
    "rules_history",
    "rules_waiting_count",
    "shared_indicators",
    "shared_templates",
    "staff_in_roles",
    "standings",
    "trials_of",
]
