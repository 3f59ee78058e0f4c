"""The numbers and lists that staff may set, checked before anything runs on them.

A version keeps only what differs from the built-in rules, so that an upgrade's better
default arrives wherever nobody chose otherwise.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from investigations.detection.detectors import CATALOGUE
from investigations.detection.ruleset import LISTABLE, RULESET, Ruleset
from investigations.detection.shapes import Family

MOST_LISTED = 2_000  # entries of one list
LONGEST = 512  # characters of one entry
MOST_POINTS = 40.0  # of one detector or family: four orders of magnitude


@dataclass(frozen=True, slots=True)
class Setting:
    """One number: its key in a version, its words, and what it may be."""

    key: str
    title: str
    unit: str
    low: float
    high: float
    group: str
    whole: bool = False
    built_in: float = 0.0


@dataclass(frozen=True, slots=True)
class Values:
    """What a version says. `numbers`: by key; `allowed`: (kind, value) pairs;
    `partners`: organisation ids. Lists are sorted and hold each entry once."""

    numbers: Mapping[str, float] = field(default_factory=dict)
    allowed: tuple[tuple[str, str], ...] = ()
    partners: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        return {
            "numbers": dict(sorted(self.numbers.items())),
            "allowed": [list(pair) for pair in self.allowed],
            "partners": list(self.partners),
        }


class BadValues(ValueError):
    """Values that may not be. `problems`: key of a setting, "allowed" or "partners" →
    a sentence that says what to change."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)


DB, SHOWN, COUNT = "dB", "of 100", ""
# (field of Ruleset, title, unit, low, high, whole)
THRESHOLDS = (
    ("prior_account", "An account's start, before any evidence", DB, -60, -10, False),
    ("prior_cluster", "A cluster's start, before any evidence", DB, -60, -10, False),
    ("contributes_at", "A family counts as one from", DB, 1, 15, False),
    ("harvest_floor", "A cluster harvests from", DB, 1, 40, False),
    ("pool_floor", "A cluster is a pool from", DB, 1, 40, False),
    ("fewest_members", "Fewest customers of a cluster", COUNT, 3, 1_000, True),
    ("fewest_requests", "Fewest exchanges of a cluster", COUNT, 1, 1_000_000, True),
    ("early_members", "Early: fewer customers than", COUNT, 3, 1_000, True),
    ("early_requests", "Early: fewer exchanges than", COUNT, 1, 1_000_000, True),
    ("early_pool_members", "Early: fewest customers of a pool", COUNT, 3, 1_000, True),
    ("thin_cap", "Most for a cluster with too little", SHOWN, 0, 69, False),
    ("early_cap", "Most for what is seen early", SHOWN, 0, 89, False),
    ("uncoordinated_cap", "Most without signs of coordination", SHOWN, 0, 89, False),
    ("pool_cap", "Most for a pool that harvests nothing", SHOWN, 0, 89, False),
    ("propose_at", "Bans are proposed from", SHOWN, 90, 100, False),
)
MITIGATIONS = (
    ("verified_organization", "Verified or partner organisation"),
    ("reseller", "Reseller contract"),
    ("licensed", "Licensed distillation"),
    ("evaluation", "Evaluation contract"),
    ("aged", "Long-standing customer"),
    ("benign_label", "Found innocent"),
    ("verified_cluster", "More than a fifth of a cluster verified"),
)
BONUSES = (
    ("acting_member_bonus", "Membership by two rare values and coordination"),
    ("member_bonus", "Membership by two rare values"),
    ("weak_member_bonus", "Membership by one rare value"),
    ("size_cap", "Most for a cluster's size"),
)


def most_from(family: Family) -> str:
    return f"Most from {family.value.replace('_', ' ')}"


@cache
def settings() -> dict[str, Setting]:
    """Everything that can be set, by key, in the order people read it."""
    found = [
        Setting(key, title, unit, low, high, "Thresholds", whole=whole)
        for key, title, unit, low, high, whole in THRESHOLDS
    ]
    found += [
        Setting(key, title, DB, -MOST_POINTS, 0, "What speaks for a customer")
        for key, title in MITIGATIONS
    ]
    found += [
        Setting(key, title, DB, 0, MOST_POINTS, "Membership and size")
        for key, title in BONUSES
    ]
    found += [
        Setting(f"cap.{each.value}", most_from(each), DB, 0, MOST_POINTS, "Families")
        for each in Family
    ]
    found += [
        Setting(f"weight.{d.key}.{level}", d.title, DB, 0, MOST_POINTS, "Detectors")
        for d in CATALOGUE
        for level, look in (("account", d.account), ("cluster", d.cluster))
        if look is not None
    ]
    return {
        each.key: replace(each, built_in=number_in(RULESET, each.key)) for each in found
    }


def number_in(rules: Ruleset, key: str) -> float:
    """What the rules say under the key of a setting."""
    kind, _, rest = key.partition(".")
    if kind == "cap":
        return float(rules.family_caps[rest])
    if kind == "weight":
        detector, _, level = rest.rpartition(".")
        return float(rules.weights[detector][level == "cluster"])
    return float(getattr(rules, key))


# --- Checking ---------------------------------------------------------------------


def checked(
    numbers: Mapping[str, float],
    allowed: Iterable[tuple[str, str]],
    partners: Iterable[str],
) -> Values:
    """The values, reduced to what differs from the built-in rules. Raises BadValues."""
    pairs, ids = tuple(sorted(set(allowed))), tuple(sorted(set(partners)))
    problems = {
        key: sentence
        for key, number in numbers.items()
        if (sentence := problem_of(key, number))
    }
    problems |= problems_of_lists(pairs, ids)
    if not problems:
        problems = problems_together(with_numbers(numbers))
    if problems:
        raise BadValues(problems)
    known = settings()
    return Values(
        numbers={k: n for k, n in numbers.items() if n != known[k].built_in},
        allowed=pairs,
        partners=ids,
    )


def problem_of(key: str, number: float) -> str:
    """What is wrong with one number, or an empty string."""
    setting = settings().get(key)
    if setting is None:
        return f"There is no setting {key!r}; leave it out."
    if isinstance(number, bool) or not isinstance(number, int | float):
        return f"{setting.title}: write a number."
    if not math.isfinite(number) or not setting.low <= number <= setting.high:
        low, high = f"{setting.low:,g}", f"{setting.high:,g}"
        return f"{setting.title}: write a number from {low} to {high}."
    if setting.whole and number != int(number):
        return f"{setting.title}: write a whole number."
    return ""


def problems_of_lists(
    allowed: Sequence[tuple[str, str]], partners: Sequence[str]
) -> dict[str, str]:
    problems = {}
    for name, entries in (("allowed", allowed), ("partners", partners)):
        if len(entries) > MOST_LISTED:
            problems[name] = (
                f"{len(entries):,} entries are too many; keep at most {MOST_LISTED:,}."
            )
    for kind, value in allowed:
        if kind not in LISTABLE:
            problems["allowed"] = (
                f"{kind[:40]!r} cannot be listed; a line begins with one of: "
                f"{', '.join(LISTABLE)}."
            )
        elif not value or len(value) > LONGEST:
            problems["allowed"] = (
                f"After {kind} comes its value, of at most {LONGEST} characters."
            )
    if any(not each or len(each) > LONGEST for each in partners):
        problems["partners"] = (
            f"An organisation's id has 1 to {LONGEST} characters; one a line."
        )
    return problems


def problems_together(rules: Ruleset) -> dict[str, str]:
    """What is wrong with numbers that are right one by one."""
    if not rules.thin_cap <= rules.uncoordinated_cap <= rules.pool_cap:
        return {
            "uncoordinated_cap": "The three caps must rise: too little, then without "
            "coordination, then a pool."
        }
    if rules.thin_cap > rules.early_cap:
        return {
            "early_cap": "What is seen early cannot be held at less than one with "
            "too little to say anything: raise it, or lower the other."
        }
    if rules.member_bonus > rules.acting_member_bonus:
        return {
            "member_bonus": "Two rare values cannot be worth more than the same with "
            "coordination: lower it, or raise the other."
        }
    if rules.weak_member_bonus > rules.member_bonus:
        return {
            "weak_member_bonus": "One rare value cannot be worth more than two: lower "
            "it, or raise the other."
        }
    return {}


# --- Values → rules ---------------------------------------------------------------


def ruleset_of(values: Values) -> Ruleset:
    """The rules a version stands for. A number of a detector that this release does
    not have any more is passed over: detection goes on without it."""
    return replace(
        with_numbers({k: n for k, n in values.numbers.items() if k in settings()}),
        allowed=values.allowed,
        partners=values.partners,
    )


def with_numbers(numbers: Mapping[str, float]) -> Ruleset:
    caps, weights = dict(RULESET.family_caps), dict(RULESET.weights)
    fields: dict[str, float] = {}
    for key, number in numbers.items():
        kind, _, rest = key.partition(".")
        if kind == "cap":
            caps[Family(rest)] = float(number)
        elif kind == "weight":
            detector, _, level = rest.rpartition(".")
            account, cluster = weights[detector]
            weights[detector] = (
                (account, float(number))
                if level == "cluster"
                else (float(number), cluster)
            )
        else:
            whole = settings()[key].whole
            fields[key] = int(number) if whole else float(number)
    return replace(RULESET, family_caps=caps, weights=weights, **fields)  # type: ignore[arg-type]


def from_json(stored: Mapping[str, object]) -> Values:
    """What `as_json` wrote."""
    numbers, allowed, partners = (
        stored.get(name) for name in ("numbers", "allowed", "partners")
    )
    return Values(
        numbers={str(k): float(n) for k, n in _mapping(numbers).items()},
        allowed=tuple((str(kind), str(value)) for kind, value in _list(allowed)),
        partners=tuple(str(each) for each in _list(partners)),
    )


def _mapping(told: object) -> Mapping[str, float]:
    return told if isinstance(told, Mapping) else {}


def _list(told: object) -> Sequence[Sequence[str]]:
    return told if isinstance(told, list) else []


# --- Two versions side by side ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """What differs between two versions. `before` and `after` are words."""

    group: str
    title: str
    before: str
    after: str


LEVELS = {"account": "of an account", "cluster": "of a cluster"}


def changes(before: Ruleset, after: Ruleset) -> list[Change]:
    """In the order people read settings; what a list gained and lost comes last."""
    found = [
        Change(each.group, full_title(each), shown(each, old), shown(each, new))
        for each in settings().values()
        if (old := number_in(before, each.key)) != (new := number_in(after, each.key))
    ]
    lists: Iterable[tuple[str, set[str], set[str]]] = (
        ("Public programs", _lines(before), _lines(after)),
        ("Partner organisations", set(before.partners), set(after.partners)),
    )
    for group, old_lines, new_lines in lists:
        found += [Change(group, e, "", "listed") for e in sorted(new_lines - old_lines)]
        found += [Change(group, e, "listed", "") for e in sorted(old_lines - new_lines)]
    return found


def full_title(setting: Setting) -> str:
    level = setting.key.rpartition(".")[2]
    words = LEVELS.get(level) if setting.group == "Detectors" else None
    return f"{setting.title}, {words}" if words else setting.title


def shown(setting: Setting, number: float) -> str:
    return f"{number:,g} {setting.unit}".strip()


def _lines(rules: Ruleset) -> set[str]:
    return {f"{kind} {value}" for kind, value in rules.allowed}
