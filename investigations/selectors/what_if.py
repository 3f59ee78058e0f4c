"""A cluster without some of what speaks against it, computed anew and kept nowhere."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ingest.models import Account, Indicator
from investigations.detection import rulebook, what_if
from investigations.detection.accusing import Outcome
from investigations.detection.leaving_out import NOTHING, Dropped, Known
from investigations.detection.models import Cluster
from investigations.detection.recalling import known_cluster
from investigations.detection.ruleset import Ruleset
from investigations.detection.what_if import Single

# Values that are tried one by one: those that most members show.
VALUES, TEMPLATES = 8, 2
# More members than these, and each value alone is not tried while somebody waits.
MOST_ALONE = 300
FALLEN = 30


@dataclass(frozen=True)
class Tie:
    """A value that members show. `others`: accounts beyond the cluster that do."""

    pk: int
    label: str
    value: str
    members: int
    others: int


@dataclass(frozen=True)
class Study:
    """A cluster as the last pass left it, ready to be weighed without this or that."""

    cluster: Cluster
    known: Known
    rules: Ruleset
    before: Outcome
    # Every value that two or more members show, those of most members first.
    ties: Mapping[int, Tie]

    @property
    def tried(self) -> list[int]:
        """Values to try one by one."""
        if len(self.known.members) > MOST_ALONE:
            return []
        template = Indicator.Kind.SKELETON.label
        own = [pk for pk, tie in self.ties.items() if tie.label != template]
        theirs = [pk for pk, tie in self.ties.items() if tie.label == template]
        return own[:VALUES] + theirs[:TEMPLATES]


def study_of(cluster: Cluster) -> Study:
    rules = rulebook.live().rules
    known = known_cluster(cluster, rules)
    before = what_if.outcome(known, NOTHING, rules)
    return Study(cluster, known, rules, before, ties_of(known))


def without(study: Study, dropped: Dropped) -> Outcome:
    return what_if.outcome(study.known, dropped, study.rules, before=study.before)


def one_at_a_time(study: Study, *, also: Collection[int] = ()) -> list[Single]:
    """Each signal alone and each value alone, what it costs most on top."""
    values = dict.fromkeys([*study.tried, *also])
    return what_if.one_at_a_time(
        study.known, study.known.evidence, values, study.rules, study.before
    )


def fallen_away(study: Study, after: Outcome) -> tuple[list[Account], int]:
    """Members that do not hang together any more: the first of them, and how many."""
    gone = what_if.fallen(study.before, after)
    return list(Account.objects.filter(pk__in=gone[:FALLEN]).order_by("pk")), len(gone)


def ties_of(known: Known) -> dict[int, Tie]:
    if known.circle is None:
        return {}
    world, shown = known.circle.world, known.circle.world.sightings
    holders: dict[int, int] = {}
    for at in shown.value.tolist():
        holders[at] = holders.get(at, 0) + 1
    ranked = sorted(holders, key=lambda at: (-holders[at], at))
    found = {}
    for at in ranked:
        value = world.values[at]
        if value.indicator is not None and holders[at] > 1:
            everywhere = int(known.circle.everywhere[at])
            found[value.indicator] = Tie(
                pk=value.indicator,
                label=str(Indicator.Kind(value.kind).label),
                value=value.text,
                members=holders[at],
                others=max(0, everywhere - holders[at]),
            )
    return found
