"""What pages about the rules read."""

from django.contrib.auth.models import User
from django.db.models import QuerySet

from investigations.detection.models import RuleTrial, RuleVersion
from investigations.models import AuditEntry


def rule_versions() -> QuerySet[RuleVersion]:
    """All of them, the newest first, with the people at hand."""
    related = RuleVersion.objects.select_related("author", "published_by", "based_on")
    return related.order_by("-number")


def rules_waiting_count(user: User) -> int:
    """Versions that this person could publish or send back: not their own."""
    shadow = RuleVersion.objects.filter(state=RuleVersion.State.SHADOW)
    return shadow.exclude(author=user).count()


def trials_of(version: RuleVersion) -> QuerySet[RuleTrial]:
    """What trying the version showed, the newest first."""
    related = version.trials.select_related("against", "asked_by")
    return related.order_by("-asked_at", "-pk")


def rules_history(version: RuleVersion) -> QuerySet[AuditEntry]:
    """Who did what to the version, the newest first."""
    entries = AuditEntry.objects.filter(object_type="rules", object_ref=version.ref)
    return entries.order_by("-sequence")
