"""Groups of accounts → portraits: what they show, weighed by how rare it is. Pure."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from investigations.detection.detectors.base import MOST_NAMED
from investigations.detection.evenness import (
    FEWEST_ACCOUNTS,
    unevenness,
    window_days,
    windows,
)
from investigations.detection.population import Population
from investigations.detection.portraits import PART_OF, Mark, Portrait
from investigations.detection.rarity import KINDS
from investigations.detection.ruleset import CONTRACTS
from investigations.detection.shapes import AccountFeatures, Bools, Ints

MOST_MARKS, MOST_TEMPLATES = 200, 16  # of one part; the weightiest are kept
FEWEST_STARTS = 8  # sessions a member, before it is asked how evenly they fall
# A setting, mail domain or program that every third shows tells next to nothing.
TELLS_NOTHING = 1.0
Keyed = Callable[[str], str]


@dataclass(frozen=True, eq=False)
class Painter:
    """Draws portraits of groups in one population. `keyed` hashes a value."""

    everyone: Population
    keyed: Keyed

    def draw(self, positions: Iterable[int], *, dealt: bool = False) -> Portrait:
        """The group at these positions; `dealt`: with its balance, which costs."""
        everyone = self.everyone
        members = [at for at in positions if may_be_accused(everyone.features[at])]
        if not members:
            return Portrait(0, everyone.world.today)
        asked = [
            everyone.subjects[pk] for pk in self.ids(members) if pk in everyone.subjects
        ]
        begun = [
            everyone.start_hours[pk]
            for pk in self.ids(members)
            if pk in everyone.start_hours
        ]
        return Portrait(
            size=len(members),
            day=everyone.world.today,
            marks=self.marks(members),
            subjects=np.sum(asked, axis=0) if asked else np.zeros(0),
            asked=len(asked),
            hours=np.sum(begun, axis=0) if begun else np.zeros(24),
            templates=self.templates(members),
            balance=balance(everyone.starts[:, members]) if dealt else math.nan,
        )

    def ids(self, members: Iterable[int]) -> list[int]:
        return [self.everyone.world.accounts[at] for at in members]

    def marks(self, members: Sequence[int]) -> dict[str, dict[str, Mark]]:
        found: dict[str, dict[str, Mark]] = {}
        for value, (holders, day) in self.shown(members).items():
            weight = self.rarity(value, holders) * holders / len(members)
            if weight > 0:
                part = PART_OF[self.everyone.world.values[value].kind]
                found.setdefault(part, {})[self.name(value)] = Mark(weight, day)
        found |= self.habits(members)
        return {part: weightiest(marks) for part, marks in found.items() if marks}

    def shown(self, members: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Value → how many of the members show it, and the last day."""
        sightings = self.everyone.world.sightings
        rows = self.everyone.sightings_of(*members)
        rows = rows[self.counts[sightings.value[rows]]]
        values, at = np.unique(sightings.value[rows], return_inverse=True)
        days = np.zeros(len(values), np.int64)
        np.maximum.at(days, at, sightings.last_day[rows])
        holders = np.bincount(at, minlength=len(values))
        each = zip(values.tolist(), holders.tolist(), days.tolist(), strict=True)
        return {value: (count, day) for value, count, day in each}

    @cached_property
    def counts(self) -> Bools:
        """Of each value, whether it may be a mark: of a kind that counts, and no place
        where all sorts of customers are."""
        kinds = [value.kind in PART_OF for value in self.everyone.world.values]
        crowded = self.everyone.found.crowded > 0
        found: Bools = np.array(kinds, bool) & ~crowded
        return found

    def shared(
        self, members: Sequence[int], past: Portrait, parts: Collection[str]
    ) -> tuple[tuple[int, ...], dict[int, int]]:
        """Rows of the values that are marks of the past one too, in these parts, those
        of most members first; and account → how many of them it shows."""
        known = {name for part in parts for name in past.marks.get(part, ())}
        values, sightings = self.everyone.world.values, self.everyone.world.sightings
        common = [
            (-holders, values[at].indicator or 0, at)
            for at, (holders, _) in self.shown(members).items()
            if values[at].indicator and self.name(at) in known
        ]
        chosen = [at for _, _, at in sorted(common)[:MOST_NAMED]]
        inside = np.isin(sightings.account, members) & np.isin(sightings.value, chosen)
        showing = Counter(self.ids(sightings.account[inside].tolist()))
        return tuple(values[at].indicator or 0 for at in chosen), dict(showing)

    def name(self, value: int) -> str:
        known = self.everyone.world.values[value]
        return f"{known.kind}:{self.keyed(f'{known.kind} {known.text}')}"

    def rarity(self, value: int, holders: int) -> float:
        """Chance that strangers who show it are one operator; 0 for a hub."""
        kind = KINDS[self.everyone.world.values[value].kind]
        outside = int(self.everyone.value_totals[0][value]) - holders
        fade = 1 - math.log(1 + max(0, outside)) / math.log(kind.cap)
        return kind.chance * max(0.0, fade)

    # --- Habits: client, sign-up, settings ------------------------------------------

    def habits(self, members: Sequence[int]) -> dict[str, dict[str, Mark]]:
        everyone, today = self.everyone, self.everyone.world.today
        own = [everyone.features[at] for at in members]
        told = {
            "client": shares(client(f) for f in own),
            "sign_up": shares(signing_up(f) for f in own),
            "settings": self.settings(self.ids(members)),
        }
        usual = {"client": self.clients, "sign_up": self.sign_ups}
        found: dict[str, dict[str, Mark]] = {part: {} for part in told}
        for part, each in told.items():
            for name, share in each.items():
                rare = self.usual_settings if part == "settings" else usual[part]
                weight = share * max(0.0, -math.log(rare(name)) - TELLS_NOTHING)
                if weight > 0:
                    found[part][self.hidden(name)] = Mark(weight, today)
        return found

    def hidden(self, name: str) -> str:
        """The name with its value hashed; what says nothing of anybody stays."""
        kind, _, value = name.partition(":")
        if kind in ("shape", "setting"):
            return name
        return f"{kind}:{self.keyed(f'{kind} {value}')}"

    def settings(self, accounts: Iterable[int]) -> dict[str, float]:
        """Share of the members' requests with each setting, one voice a member."""
        each = [
            self.everyone.settings[pk]
            for pk in accounts
            if pk in self.everyone.settings
        ]
        found: dict[str, float] = defaultdict(float)
        for used in each:
            total = sum(used.values())
            for setting, count in used.items():
                found[f"setting:{setting}"] += count / total / len(each)
        return found

    @cached_property
    def voices(self) -> list[AccountFeatures]:
        return [self.everyone.features[at] for at in self.everyone.voices.tolist()]

    @cached_property
    def _clients(self) -> Counter[str]:
        return Counter(name for own in self.voices for name in client(own))

    @cached_property
    def _sign_ups(self) -> Counter[str]:
        return Counter(name for own in self.voices for name in signing_up(own))

    @cached_property
    def _settings(self) -> Counter[str]:
        used = self.everyone.settings.values()
        return Counter(f"setting:{name}" for each in used for name in each)

    def clients(self, name: str) -> float:
        return (self._clients[name] + 1) / (len(self.voices) + 1)

    def sign_ups(self, name: str) -> float:
        return (self._sign_ups[name] + 1) / (len(self.voices) + 1)

    def usual_settings(self, name: str) -> float:
        return (self._settings[name] + 1) / (len(self.everyone.settings) + 1)

    # --- Templates ------------------------------------------------------------------

    def templates(self, members: Sequence[int]) -> tuple[tuple[bytes, float], ...]:
        """The most used ones that are neither listed nor everybody's."""
        used: Counter[int] = Counter()
        sketches: dict[int, bytes] = {}
        for pk in self.ids(members):
            for wording in self.everyone.wordings.get(pk, ()):
                if wording.skeleton not in self.public:
                    used[wording.skeleton] += wording.requests
                    sketches[wording.skeleton] = wording.sketch
        total = sum(used.values())
        most = sorted(used.items(), key=lambda item: (-item[1], item[0]))
        return tuple((sketches[s], n / total) for s, n in most[:MOST_TEMPLATES])

    @cached_property
    def public(self) -> frozenset[int]:
        """Templates that the rules list, or that many use who are in no cluster."""
        everyone, shown = self.everyone, self.everyone.world.sightings
        inside = np.zeros(len(everyone.features), bool)
        for cluster in everyone.found.clusters:
            inside[[everyone.position[pk] for pk in cluster.accounts]] = True
        size = len(everyone.world.values)
        outside = np.bincount(shown.value[~inside[shown.account]], minlength=size)
        listed = everyone.value_totals[0] == 0
        many = (outside > KINDS["skeleton"].cap) | listed
        return frozenset(
            int(value.text)
            for value, is_public in zip(everyone.world.values, many, strict=True)
            if value.kind == "skeleton" and is_public
        )


def may_be_accused(own: AccountFeatures) -> bool:
    """Not so whom people checked: what a vendor's customers have in common with a
    campaign among them is no mark of the campaign."""
    cleared = own.label in ("benign", "exempt")
    return not (own.is_verified or own.contract in CONTRACTS or cleared)


def signing_up(own: AccountFeatures) -> list[str]:
    told = {
        "shape": own.email_shape,
        "email_domain": own.email_domain,
        "referrer": own.referrer,
    }
    return [f"{kind}:{value}" for kind, value in told.items() if value]


def client(own: AccountFeatures) -> list[str]:
    known = own.stack and not own.public_stack
    return [f"client_stack:{own.stack}"] if known else []


def shares(named: Iterable[Iterable[str]]) -> dict[str, float]:
    """Share of a group that shows each name."""
    rows = list(named)
    counts = Counter(name for names in rows for name in names)
    return {name: n / len(rows) for name, n in counts.items()}


def weightiest(marks: Mapping[str, Mark]) -> dict[str, Mark]:
    most = sorted(marks.items(), key=lambda item: (-item[1].weight, item[0]))
    return dict(most[:MOST_MARKS])


def balance(starts: Ints) -> float:
    """The unevenness of session starts (evenness.py); nan with too few of them."""
    members, begun = starts.shape[1], np.maximum(starts, 0).sum()
    if members < FEWEST_ACCOUNTS or begun < FEWEST_STARTS * members:
        return math.nan
    return float(unevenness(windows(starts, window_days(starts))))
