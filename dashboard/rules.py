"""What the pages about rules show: versions side by side, and what trying them told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from dashboard.evaluation import wilson
from ingest.models import Account, Indicator
from investigations import access, selectors
from investigations.detection import rule_values, rulebook
from investigations.detection.detectors import CATALOGUE, Detector
from investigations.detection.models import RuleTrial, RuleVersion
from investigations.detection.rarity import NAMES
from investigations.detection.ruleset import RULESET, Ruleset
from investigations.selectors import Precision

# Accounts of one list that a page names; the number of all stands beside them.
NAMED = 50
State = RuleVersion.State


# --- Precision --------------------------------------------------------------------


@dataclass(frozen=True)
class ShownPrecision:
    """A share with Wilson's 95 % interval over what the judgements are worth."""

    counts: Precision
    low: float
    high: float

    @property
    def words(self) -> str:
        share = f"{self.counts.share:.0%}"
        return f"{share} ({self.low:.0%} to {self.high:.0%})"

    @property
    def basis(self) -> str:
        many, cases = self.counts.accounts, self.counts.cases
        return f"{many:,} account{'s'[: many > 1]}, {cases:,} case{'s'[: cases > 1]}"


def shown_precision(counts: Precision | None) -> ShownPrecision | None:
    if counts is None:
        return None
    low, high = wilson(counts.share * counts.effective, counts.effective)
    return ShownPrecision(counts, low, high)


def is_detector(signal: str) -> bool:
    """Or else what people checked, membership, size."""
    return any(signal == detector.key for detector in CATALOGUE)


def precision_of(signal: str) -> ShownPrecision | None:
    """Of one detector, for the page that shows what it saw."""
    if not is_detector(signal):
        return None
    return shown_precision(selectors.precision_of_detectors().get(signal))


@dataclass(frozen=True)
class ShownDetector:
    detector: Detector
    account: float | None
    cluster: float | None
    precision: ShownPrecision | None

    @property
    def page(self) -> str:
        return f"docs/detectors/{self.detector.key}.md"


def shown_detectors(rules: Ruleset) -> list[ShownDetector]:
    judged = selectors.precision_of_detectors()
    return [
        ShownDetector(
            each,
            rules.weights[each.key][0] if each.account else None,
            rules.weights[each.key][1] if each.cluster else None,
            shown_precision(judged.get(each.key)),
        )
        for each in CATALOGUE
    ]


# Kinds that are found and not shown.
FOUND = {
    "signup": "sign-up at one time in one manner",
    "dispatch": "work dealt out by one hand",
}


def shown_links() -> list[tuple[str, ShownPrecision | None]]:
    """Kinds of values that tie accounts, in words, each with its precision."""
    judged = selectors.precision_of_links()
    words = {**dict(Indicator.Kind.choices), **FOUND}
    return [
        (str(words.get(kind, kind)), shown_precision(judged.get(kind)))
        for kind in NAMES
    ]


# --- Versions ---------------------------------------------------------------------


def version_context(version: RuleVersion, user: User) -> dict[str, Any]:
    """One version: what it changes, what trying it showed, who did what to it."""
    live, own = rulebook.live(), rulebook.edition_of(version)
    ended = version.state in (State.LIVE, State.RETIRED)
    against = RULESET if ended else live.rules
    open_ = version.state in (State.DRAFT, State.SHADOW)
    mine = version.author_id == user.pk
    return {
        "version": version,
        "sha256": own.rules.hash,
        "live": live,
        "against": "the built-in rules" if ended else live.name,
        "changes": rule_values.changes(against, own.rules),
        "out_of_date": open_ and version.based_on_id != pk_of(live.version),
        "mine": mine,
        "may_rule": access.can(user, access.RULES),
        "trials": [shown_trial(trial) for trial in selectors.trials_of(version)[:20]],
        "history": selectors.rules_history(version)[:100],
        "may_manage": access.can(user, access.MANAGE),
    }


def pk_of(version: RuleVersion | None) -> int | None:
    return version.pk if version else None


# --- Trials -----------------------------------------------------------------------


@dataclass(frozen=True)
class ShownTrial:
    trial: RuleTrial
    stale: bool  # the version or the live rules have changed since
    caught: int
    missed: int
    more: int
    less: int

    @property
    def done(self) -> int:
        return len(self.trial.results)


def shown_trial(trial: RuleTrial) -> ShownTrial:
    """Sums over its instants."""
    results = trial.results
    return ShownTrial(
        trial=trial,
        stale=trial.hash != rulebook.edition_of(trial.version).rules.hash,
        caught=sum(len(result["caught"]) for result in results),
        missed=sum(len(result["missed"]) for result in results),
        more=sum(result["bystanders"]["more"]["count"] for result in results),
        less=sum(result["bystanders"]["less"]["count"] for result in results),
    )


def trial_context(trial: RuleTrial) -> dict[str, Any]:
    """Instant by instant, with the accounts' names where a list names them."""
    names = names_of(trial.results)
    looks = [
        look_of(result, at, names)
        for result, at in zip(trial.results, trial.instants, strict=False)
    ]
    return {
        "trial": trial,
        "version": trial.version,
        "shown": shown_trial(trial),
        "against": trial.against.ref if trial.against else "the built-in rules",
        "looks": looks,
    }


ROWS = (
    ("Clusters", "clusters"),
    ("Clusters at 70 or above", "flagged"),
    ("Clusters at 90 or above", "sure"),
    ("Accounts flagged", "accounts"),
    ("Accounts proposed for a ban", "proposed"),
    ("Bystanders hit", "bystanders"),
)


def look_of(
    result: Mapping[str, Any], at: object, names: Mapping[int, str]
) -> dict[str, Any]:
    proposed, hit = result["proposed"], result["bystanders"]
    return {
        "as_of": at,
        "rows": [
            (title, result["live"][key], result["draft"][key]) for title, key in ROWS
        ],
        "clusters": [
            (title, [shown_cluster(each, names) for each in result[key]])
            for title, key in (
                ("Campaigns caught beyond the live rules", "caught"),
                ("Campaigns the live rules catch and these miss", "missed"),
            )
        ],
        "proposed": [
            (title, proposed[key]["count"], named(proposed[key]["accounts"], names))
            for title, key in (
                ("Newly proposed for a ban", "new"),
                ("No longer proposed", "gone"),
            )
        ],
        "bystanders": [
            (title, hit[key]["count"], named_rows(hit[key]["accounts"], names))
            for title, key in (
                ("Hit harder than by the live rules", "more"),
                ("Let go, or hit less", "less"),
                ("Hit by both alike", "same"),
            )
        ],
    }


def shown_cluster(
    change: Mapping[str, Any], names: Mapping[int, str]
) -> dict[str, Any]:
    return {**change, "names": named(change["accounts"], names)}


def named(accounts: Sequence[int], names: Mapping[int, str]) -> list[str]:
    return [names[pk] for pk in accounts[:NAMED] if pk in names]


def named_rows(
    rows: Sequence[Sequence[Any]], names: Mapping[int, str]
) -> list[tuple[str, str, str]]:
    """(account, why it is known to be innocent, how it is hit)"""
    return [(names[pk], why, how) for pk, why, how in rows[:NAMED] if pk in names]


def names_of(results: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """External ids of all accounts that the page will name, in one query."""
    wanted: set[int] = set()
    for result in results:
        for change in (*result["caught"], *result["missed"]):
            wanted.update(change["accounts"][:NAMED])
        for key in ("new", "gone"):
            wanted.update(result["proposed"][key]["accounts"][:NAMED])
        for key in ("more", "less", "same"):
            wanted.update(
                row[0] for row in result["bystanders"][key]["accounts"][:NAMED]
            )
    found = Account.objects.filter(pk__in=wanted)
    return dict(found.values_list("pk", "external_id"))
