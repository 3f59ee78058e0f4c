"""A quick pass: what changed since the last pass, and whom that concerns.

Read anew are the accounts whose days, record or labels changed. Of these, who shows
what it showed and sent hardly more stays what it was. Grouped anew are the others,
whoever is tied by a link worth keeping to one whose ties are others now, and the groups
and clusters of all these (touching.py); they are also scored anew, and so are their
clusters. What is kept of the last full pass (`Remembered`) and taken as it was then:

- everybody else's own facts, days, moves and habits, of which norms, cohorts and nulls
  are made;
- hands that deal work out (dealing.py), and the profiles of indicators as pages show
  them. How common a value is, is counted anew, over the kept and the changed;
- of clusters that were there, the hours before yesterday.

So a quick pass is not exact, and the next full pass says by how much (drift.py).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
from django.db.models import Max

from investigations.detection import dealing, features, keeping, shapes
from investigations.detection.clustering import Again
from investigations.detection.dealing import Tie
from investigations.detection.features import Clock, Facts
from investigations.detection.habits import Watched
from investigations.detection.models import (
    ChangedAccounts,
    Label,
    Link,
    Membership,
    Remembered,
    Run,
)
from investigations.detection.population import Population
from investigations.detection.shapes import NEVER, Everyone, Floats, Ints
from investigations.detection.touching import (
    Scene,
    changed_much,
    concerned,
    neighbours,
    restless,
)

# So many accounts are taken on at once, the longest waiting first.
AT_ONCE = 2_000
RECENT = timedelta(days=1)


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What a full pass read and found. `group` as in clustering.Found; `times`: two
    rows, when sessions of accounts in clusters began and ended; `watched` were read for
    their habits, and what they ask about and when they start is a row each."""

    facts: Facts
    group: Ints
    ties: list[Tie]
    timed: Ints
    times: Floats
    timed_account: list[int]
    watched: frozenset[int]
    settings: Mapping[int, Mapping[str, int]]
    asking: list[int]
    subjects: Floats
    starting: list[int]
    start_hours: Floats


CLASSES: keeping.Classes = {
    each.__name__: each
    for each in (
        Kept,
        Tie,
        Facts,
        Clock,
        shapes.AccountFeatures,
        shapes.Everyone,
        shapes.Handoff,
        shapes.Move,
        shapes.Release,
        shapes.Sightings,
        shapes.Value,
    )
}
SHAPE = keeping.shape(CLASSES)


# --- What a full pass leaves --------------------------------------------------------


def remember(run: Run, facts: Facts, everyone: Population) -> None:
    """Keeps what quick passes compare with; what came before is let go."""
    accounts = sorted(everyone.session_times)
    each = [everyone.session_times[account] for account in accounts]
    kept = Kept(
        facts=facts,
        group=everyone.found.group,
        ties=dealing.ties_in(everyone.world),
        timed=np.array([own.shape[1] for own in each], np.int64),
        times=np.concatenate([*each, NEVER], axis=1),
        timed_account=accounts,
        watched=everyone.watched,
        settings=everyone.settings,
        asking=list(everyone.subjects),
        subjects=np.array(list(everyone.subjects.values()), float),
        starting=list(everyone.start_hours),
        start_hours=np.array(list(everyone.start_hours.values()), float),
    )
    Remembered.objects.exclude(run=run).delete()
    Remembered.objects.create(run=run, shape=SHAPE, packed=keeping.pack(kept))


def forget() -> None:
    Remembered.objects.all().delete()


def let_go() -> None:
    """Gives the memory free that a full pass needs, and no quick pass after it."""
    _unpacked.cache_clear()


def remembers(run: Run) -> bool:
    """Whether that full pass left something, in a form that this release reads."""
    return Remembered.objects.filter(run=run, shape=SHAPE).exists()


@dataclass(frozen=True, slots=True, eq=False)
class Recalled:
    """What was kept, and the world as the full pass saw it with ties."""

    kept: Kept
    before: Scene


def recall() -> Recalled:
    newest = Remembered.objects.order_by("-run").values_list("run", "run__finished_at")
    return _unpacked(*newest[0])


# A process that makes one quick pass makes the next: what both compare with is a second
# reading of hundreds of megabytes. The time tells runs of several databases apart.
@lru_cache(maxsize=1)
def _unpacked(run: int, finished_at: datetime) -> Recalled:
    packed = Remembered.objects.values_list("packed", flat=True).get(run=run)
    kept = keeping.unpack(bytes(packed), CLASSES)
    assert isinstance(kept, Kept)
    return Recalled(kept, Scene.of(dealing.tied_again(kept.facts.world, kept.ties)))


# --- What changed -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Changes:
    """Accounts nobody looked at since they changed; those that quick passes did look
    at, whose kept facts are old; and the newest label."""

    fresh: frozenset[int]
    earlier: frozenset[int]
    label: int


def changed_mark() -> int:
    """Rows that a pass about to read the facts may take as seen."""
    newest: int | None = ChangedAccounts.objects.aggregate(pk=Max("pk"))["pk"]
    return newest or 0


def newest_label() -> int:
    newest: int | None = Label.objects.aggregate(pk=Max("pk"))["pk"]
    return newest or 0


def waiting(label: int) -> int:
    """How many accounts changed since the last pass, which knew that label."""
    return len(unseen() | labelled(label))


def unseen() -> set[int]:
    rows = ChangedAccounts.objects.filter(seen=False)
    return {pk for ids in rows.values_list("account_ids", flat=True) for pk in ids}


def labelled(after: int) -> set[int]:
    return set(Label.objects.filter(pk__gt=after).values_list("account_id", flat=True))


def take(label: int) -> Changes:
    """In the transaction that writes what is made of them: they count as seen."""
    fresh = labelled(label)
    taken: list[int] = []
    rows = ChangedAccounts.objects.filter(seen=False).order_by("pk")
    for pk, ids in rows.values_list("pk", "account_ids"):
        if taken and len(fresh) >= AT_ONCE:
            break
        fresh.update(ids)
        taken.append(pk)
    seen = ChangedAccounts.objects.filter(seen=True)
    earlier = {pk for ids in seen.values_list("account_ids", flat=True) for pk in ids}
    seen.delete()
    ChangedAccounts.objects.filter(pk__in=taken).delete()
    ChangedAccounts.objects.create(account_ids=sorted(earlier | fresh), seen=True)
    return Changes(frozenset(fresh), frozenset(earlier - fresh), newest_label())


# --- Whom it concerns ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Touched:
    """The facts with what changed, the world with kept ties, and who is concerned."""

    facts: Facts
    world: Everyone
    again: Again


def look(recalled: Recalled, changes: Changes, clock: Clock) -> Touched:
    """Reads what changed, and also what changed earlier of those it concerns."""
    kept, before = recalled.kept, recalled.before
    anew = set(changes.fresh)
    anew |= changes.earlier & grouped_with(kept, changes.fresh)
    anew |= tied_since(changes.fresh, changes.earlier)
    while True:
        facts = features.reread(kept.facts, anew, clock)
        touched = touch(kept, before, facts, changes.fresh)
        accounts = np.array(touched.world.accounts, np.int64)
        among = set(accounts[touched.again.among].tolist())
        stale = changes.earlier & (among | tied_since(among, changes.earlier))
        if stale <= anew:
            return touched
        anew |= stale


def grouped_with(kept: Kept, some: Collection[int]) -> set[int]:
    """Who was in one group with one of these in the last full pass."""
    accounts = np.array(kept.facts.world.accounts, np.int64)
    groups = kept.group[np.isin(accounts, list(some))]
    return set(accounts[np.isin(kept.group, groups)].tolist())


def tied_since(among: Collection[int], earlier: Collection[int]) -> set[int]:
    """Whom earlier quick passes tied to these: what is kept knows nothing of it."""
    inside, others = list(among), list(earlier)
    homes = Membership.objects.filter(account__in=inside).values("cluster")
    mates = Membership.objects.filter(cluster__in=homes, account__in=others)
    found = set(mates.values_list("account_id", flat=True))
    forth = Link.objects.filter(account_a__in=inside, account_b__in=others)
    back = Link.objects.filter(account_b__in=inside, account_a__in=others)
    found.update(forth.values_list("account_b_id", flat=True))
    found.update(back.values_list("account_a_id", flat=True))
    return found


def touch(kept: Kept, before: Scene, facts: Facts, fresh: frozenset[int]) -> Touched:
    world = dealing.tied_again(facts.world, kept.ties)
    now, accounts = Scene.of(world), np.array(world.accounts, np.int64)
    tied = neighbours(now, restless(now, before, fresh))
    other = changed_much(facts.features, kept.facts.features, fresh)
    homes = dict(Membership.objects.values_list("account_id", "cluster_id"))
    home = np.array([homes.get(pk, -1) for pk in world.accounts], np.int64)
    # Of those who are not there any more, who is left of their clusters.
    left = [homes[pk] for pk in other - set(world.accounts) if pk in homes]
    changed = np.isin(accounts, list(other)) | np.isin(home, left)
    group = numbered(kept, kept.group, accounts)
    among = concerned(changed, tied, group, home)
    return Touched(facts, world, Again(among, named_by_first(group)))


def numbered(kept: Kept, numbers: Ints, accounts: Ints) -> Ints:
    """Numbers of accounts by their place in the last full pass; one of its own for
    each that was not there."""
    before = np.array(kept.facts.world.accounts, np.int64)
    at, there = features.positions(accounts, before)
    own = int(numbers.max(initial=0)) + 1 + np.arange(len(accounts))
    found: Ints = own.astype(np.int64)
    found[there] = numbers[at[there]]
    return found


def named_by_first(numbers: Ints) -> Ints:
    """The same groups, each named by the place of its first account."""
    _, first, of = np.unique(numbers, return_index=True, return_inverse=True)
    named: Ints = first[of].astype(np.int64)
    return named


def session_times(
    kept: Kept, touched: Touched, members: Collection[int], anew: Collection[int]
) -> dict[int, Floats]:
    """Sessions of members, read for those that changed or were in no cluster."""
    parts = np.split(kept.times, np.cumsum(kept.timed)[:-1], axis=1)
    known = dict(zip(kept.timed_account, parts, strict=False))
    wanted = [pk for pk in members if pk in anew or pk not in known]
    fresh = features.session_times(wanted, touched.facts.clock)
    since = touched.facts.clock.since.timestamp()
    old = {pk: known[pk][:, known[pk][0] >= since] for pk in members if pk in known}
    return old | {pk: fresh.get(pk, NEVER) for pk in wanted}


def habits(kept: Kept, anew: Collection[int]) -> Watched:
    """What was read of accounts that have not changed since."""
    subjects = zip(kept.asking, kept.subjects, strict=True)
    start_hours = zip(kept.starting, kept.start_hours, strict=True)
    return Watched(
        kept.watched.difference(anew), kept.settings, dict(subjects), dict(start_hours)
    )


def recent(as_of: datetime) -> datetime:
    day = as_of - RECENT
    return day.replace(hour=0, minute=0, second=0, microsecond=0)
