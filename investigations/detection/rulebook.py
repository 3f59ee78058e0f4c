"""Which version of the rules holds: the one reader of what staff published."""

from dataclasses import dataclass

from investigations.detection import rule_values
from investigations.detection.models import RuleVersion
from investigations.detection.ruleset import RULESET, Ruleset

State = RuleVersion.State


@dataclass(frozen=True, slots=True)
class Edition:
    """A version with the rules it stands for; no version: the built-in rules."""

    version: RuleVersion | None
    rules: Ruleset

    @property
    def name(self) -> str:
        return self.version.ref if self.version else "the built-in rules"


def live() -> Edition:
    """What a run goes by from its beginning to its end."""
    return edition_of(RuleVersion.objects.filter(state=State.LIVE).first())


def in_shadow() -> Edition | None:
    """What runs beside it without effect, if anything does."""
    found = RuleVersion.objects.filter(state=State.SHADOW).first()
    return edition_of(found) if found else None


def edition_of(version: RuleVersion | None) -> Edition:
    if version is None:
        return Edition(None, RULESET)
    values = rule_values.from_json(version.values)
    return Edition(version, rule_values.ruleset_of(values))


def mark() -> str:
    """Changes whenever another version is live or in shadow, and with a release that
    brings other weights."""
    shadow = in_shadow()
    beside = shadow.rules.hash[:16] if shadow else ""
    return f"{live().rules.hash[:16]}|{beside}"
