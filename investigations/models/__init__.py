from investigations.models.audit import AuditEntry
from investigations.models.cases import Case, CaseAccount, Note
from investigations.models.decisions import Decision, Effect
from investigations.models.endpoints import Endpoint
from investigations.models.reports import Report
from investigations.models.targets import Approval, TargetAccount, TargetList

__all__ = [
    "Approval",
    "AuditEntry",
    "Case",
    "CaseAccount",
    "Decision",
    "Effect",
    "Endpoint",
    "Note",
    "Report",
    "TargetAccount",
    "TargetList",
]
