"""What passes between the steps of detection. Frozen, and without Django.

Times are aware datetimes in UTC; days are counted from 1 January 1970; shares and
strengths lie between 0 and 1; evidence is in decibans (10 × log10 of a likelihood
ratio). Country, language and nationality have no field here, so no step can lean on
them.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from investigations.detection.used_settings import UsedSettings

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
# When the sessions of an account without any began and ended: two rows.
NEVER: Floats = np.zeros((2, 0))


class Family(StrEnum):
    """Kinds of evidence that do not follow from one another."""

    CONTENT_PROOF = "content_proof"
    MONEY = "money"
    IDENTITY = "identity"
    DEVICE = "device"
    NETWORK = "network"
    CONTENT = "content"
    TIME = "time"
    LIFECYCLE = "lifecycle"


@dataclass(frozen=True, slots=True)
class Rows:
    """The query that finds the rows behind a reason: selectors.reason_rows reads it.

    `table` is "event", "account" or "sighting"; `filters` are the words of
    `selectors.FILTERS`; `count` is how many rows it found at the time.
    """

    table: str
    filters: Mapping[str, Any]
    count: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a detector saw: how strongly, and the sentence an analyst reads.

    `quantile` is the share of chance outcomes at least as extreme, where the detector
    compares with a null; None where it does not.
    """

    strength: float
    value: float
    baseline: float | None
    sentence: str
    innocent: str
    rows: Rows
    quantile: float | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """A value that accounts can share. `indicator` is its row, where it has one."""

    kind: str
    text: str
    indicator: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A table as columns of equal length."""

    def where(self, which: Bools | Ints | slice) -> Self:
        """Those rows of it."""
        return type(self)(*(getattr(self, each.name)[which] for each in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class Sightings(Columns):
    """Who showed what, as columns of equal length.

    `account` and `value` are positions in the run's accounts and values.
    """

    account: Ints
    value: Ints
    count: Ints
    first_day: Ints
    last_day: Ints


@dataclass(frozen=True, slots=True)
class Handoff:
    """Conversations begun on account `giver` that went on under `taker`.

    `events` are the taker's requests that carried the giver's answers as history.
    """

    giver: int
    taker: int
    conversations: int
    events: tuple[int, ...]
    last_at: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Everyone:
    """All that clustering looks at. Positions, not ids; `accounts` has the ids in
    rising order, `organization` and `stack` a number for each (-1: no stack),
    `templates` how many prompts each sent that were among a day's most repeated."""

    accounts: Sequence[int]
    organization: Ints
    stack: Ints
    templates: Ints
    values: Sequence[Value]
    sightings: Sightings
    handoffs: Sequence[Handoff]
    today: int  # days since 1 January 1970


@dataclass(frozen=True, slots=True)
class Release:
    model: str
    released_at: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """One account's requests in the 24 hours after a release, and those to the new
    model. Whoever was silent in the week before, or sends next to nothing, tells
    nothing: `counts` is False."""

    account: int
    model: str
    requests: int
    moved: int
    counts: bool = True


@dataclass(frozen=True, slots=True)
class AccountFeatures:
    """One account's own facts within the window."""

    account: int
    organization: str = ""  # empty where none is known
    created_at: datetime | None = None
    age_days: float = 0.0
    contract: str = "standard"
    verification: str = "none"
    status: str = "active"
    email_shape: str = ""
    email_domain: str = ""
    program: str = "none"
    referrer: str = ""
    requests: int = 0
    active_days: int = 0
    conversations: int = 0
    single_shots: int = 0
    distinct_skeletons: int = 0
    distinct_slots: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    tool_requests: int = 0
    intents: Mapping[str, int] = field(default_factory=dict)
    stack: str = ""  # the client stack it used most
    # What the rules' allowlists say: a partner's account, a program that is public.
    partner: bool = False
    public_stack: bool = False
    # The latest word of people: "confirmed", "benign", "exempt" or empty.
    label: str = ""
    labelled_at: datetime | None = None

    @property
    def customer(self) -> str:
        """Who pays and answers for it: its organisation, else the account itself."""
        return self.organization or f"#{self.account}"

    @property
    def is_verified(self) -> bool:
        """Whether somebody checked the organisation, or counts it among partners."""
        checked = self.verification == "organization" and bool(self.organization)
        return checked or self.partner


@dataclass(frozen=True, slots=True)
class SharedBy:
    """One value that ties two accounts, and what it adds."""

    kind: str
    value: str
    indicator: int | None
    weight: float
    shared_by: int

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "value": self.value,
            "indicator": self.indicator,
            "weight": self.weight,
            "shared_by": self.shared_by,
        }


@dataclass(frozen=True, slots=True)
class WeightedLink:
    """Probability that two accounts have one operator. a < b, account ids."""

    a: int
    b: int
    weight: float
    families: int
    evidence: tuple[SharedBy, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """`stability`: share of the partition's runs that kept it with its cluster.
    `support`: rare values it shares with other members' organisations."""

    account: int
    stability: float
    support: int


@dataclass(frozen=True, slots=True)
class FoundCluster:
    """Members in rising order of account id."""

    members: tuple[Member, ...]

    @property
    def accounts(self) -> tuple[int, ...]:
        return tuple(member.account for member in self.members)


@dataclass(frozen=True, slots=True)
class CommonValue:
    """A value that members of two or more organisations in a cluster show.

    `accounts` and `requests` count everybody who shows it, inside and outside;
    `crowded` marks a place shared by all sorts of customers (a campus, a VPN).
    """

    kind: str
    value: str
    indicator: int | None
    members: frozenset[int]
    accounts: int
    member_requests: int
    requests: int
    crowded: bool = False

    @property
    def purity(self) -> float:
        """Share of the accounts showing it that belong to the cluster."""
        return len(self.members) / self.accounts


@dataclass(frozen=True, slots=True)
class ReleaseMoves:
    """Who moved to a new model within a day: members, and others on the same client.

    `each` has the members whose move counts, `moved` those of them who moved; of
    `cohort` other customers `cohort_moved` did. `requests` to the new model are all
    members' of that day.
    """

    release: Release
    requests: int
    each: tuple[Move, ...]
    moved: frozenset[int]
    cohort: int
    cohort_moved: int


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Some rows of a table that is too large to be copied for each cluster."""

    table: Floats
    rows: Ints

    @classmethod
    def all(cls, table: Floats) -> "Chosen":
        return cls(table, np.arange(len(table)))

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, places: Ints) -> Floats:
        """The rows at these places among the chosen."""
        found: Floats = self.table[self.rows[places]]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Habits:
    """What customers do with the model: members, and comparable others outside, one
    row each. `asked`: share of requests by capability, in the order of
    detectors/capability_concentration.py. `settings`: member → temperature and token
    limit → requests. `subjects`: member → mean embedding of its prompts."""

    asked: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    others_asked: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    settings: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    others_settings: UsedSettings = field(default_factory=lambda: UsedSettings.of(()))
    subjects: Mapping[int, Floats] = field(default_factory=dict)
    others_subjects: "Chosen" = field(
        default_factory=lambda: Chosen.all(np.zeros((0, 0)))
    )


@dataclass(frozen=True, slots=True)
class Wording:
    """A template as somebody uses it: its hash, its MinHash sketch, how often."""

    skeleton: int
    sketch: bytes
    requests: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """One way in which two clusters are alike. `part` as in portraits.PARTS;
    `likeness` between 0 and 1, which a share `quantile` of the others reach."""

    part: str
    likeness: float
    quantile: float


@dataclass(frozen=True, slots=True)
class Resemblance:
    """The past cluster that one is most like, and how.

    `guilty`: people confirmed it, and did not find it innocent; `decided_at` is when.
    `quantile`: share of `compared` unrelated clusters, random groups and customers
    that are as much like any past cluster. `indicators` are rows of values that both
    showed, and `showing` has the members that show them, with how many each.
    """

    cluster: int
    guilty: bool
    decided_at: datetime
    likeness: float
    quantile: float
    compared: int
    agreements: tuple[Agreement, ...]
    indicators: tuple[int, ...] = ()
    showing: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Programmes:
    """Who has special access on weak proof. `schools`: mail domains whose customers
    mostly have it; all customers of one speak as one. Of `others` voices outside
    `others_on_it` have it."""

    schools: frozenset[str] = frozenset()
    others: int = 0
    others_on_it: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Aftermath:
    """What went on around bans and restrictions of members; empty where there were
    none. `struck`: place in `members` → second since 1970. `hours` counts requests by
    hour from `since` on (rows) and member (columns), `others` the same for customers
    outside."""

    struck: Mapping[int, float] = field(default_factory=dict)
    hours: Ints = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    others: Ints = field(default_factory=lambda: np.zeros((0, 0), np.int64))


@dataclass(frozen=True, slots=True)
class Norm:
    """How often customers in general show an intent.

    `high` is the rate that 5 in 100 accounts exceed (share of requests, at least
    0.05), `exceed` the share of accounts that do exceed it.
    """

    high: float
    exceed: float


@dataclass(frozen=True, eq=False)
class ClusterFeatures:
    """What the members have in common, pooled, beside what others look like.

    `starts` counts session starts by day (rows) and member (columns, in the order of
    `members`), -1 where the member was not yet or no longer there; `peers` is the
    same for accounts outside. `start_of`, `start_at` and `stop_at` are the members'
    sessions one by one: position in `members`, second since 1970 of the first request
    and of the last answer. `births` are sign-up times in minutes, of members and of
    others. Of `others_compared` customers outside
    `others_sweeping` work through prompts as detectors/prompt_sweep.py has it.
    """

    members: tuple[AccountFeatures, ...]
    population: int
    since: datetime
    until: datetime
    common: Mapping[str, tuple[CommonValue, ...]] = field(default_factory=dict)
    stacks: Mapping[str, int] = field(default_factory=dict)
    template_requests: int = 0
    others_compared: int = 0
    others_sweeping: int = 0
    norms: Mapping[str, Norm] = field(default_factory=dict)
    starts: Ints = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    peers: Ints = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    start_of: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    start_at: Floats = field(default_factory=lambda: np.zeros(0))
    stop_at: Floats = field(default_factory=lambda: np.zeros(0))
    births: Floats = field(default_factory=lambda: np.zeros(0))
    other_births: Floats = field(default_factory=lambda: np.zeros(0))
    moves: tuple[ReleaseMoves, ...] = ()
    handoffs: tuple[Handoff, ...] = ()
    programmes: Programmes = Programmes()
    habits: Habits = field(default_factory=Habits)
    aftermath: Aftermath = field(default_factory=Aftermath)
    resembles: Resemblance | None = None

    @property
    def size(self) -> int:
        return len(self.members)

    @cached_property
    def position(self) -> dict[int, int]:
        """Account id → place in `members`."""
        return {member.account: at for at, member in enumerate(self.members)}

    @cached_property
    def organizations(self) -> int:
        """Distinct customers: one organisation's accounts count once."""
        return len({member.customer for member in self.members})

    @cached_property
    def requests(self) -> int:
        return sum(member.requests for member in self.members)


@dataclass(frozen=True, slots=True)
class Place:
    """What an account's own detectors may know of the cluster it belongs to.

    `evidence` is what the cluster's detectors gave, by detector key.
    """

    cluster: ClusterFeatures
    evidence: Mapping[str, Evidence]
    support: int
    probability: float


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as its detectors see it: own facts, shared values, its place.

    `cards` are the other customers on its payment instruments; `born_with` the other
    customers who signed up within ten minutes in the same manner, `born_expected`
    how many would by chance; `handoffs` those it took part in.
    """

    features: AccountFeatures
    since: datetime
    until: datetime
    cards: frozenset[int] = frozenset()
    born_with: frozenset[int] = frozenset()
    born_expected: float = 0.0
    handoffs: tuple[Handoff, ...] = ()
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of a score: what was seen and what it added, in decibans. `without` is
    what the score would be had the detector seen nothing; None where it would be the
    same, or nobody asked."""

    signal: str
    title: str
    family: str
    points: float
    evidence: Evidence
    without: float | None = None

    def as_json(self) -> dict[str, Any]:
        seen = self.evidence
        return {
            "signal": self.signal,
            "title": self.title,
            "family": self.family,
            "points": round(self.points, 1),
            "value": seen.value,
            "baseline": seen.baseline,
            "quantile": seen.quantile,
            "sentence": seen.sentence,
            "innocent": seen.innocent,
            "without": self.without,
            "rows": {
                "table": seen.rows.table,
                "filters": dict(seen.rows.filters),
                "count": seen.rows.count,
            },
        }


@dataclass(frozen=True, slots=True)
class Scored:
    """0-100 with its reasons; `families` are those that contributed 3 dB or more."""

    score: float
    decibans: float
    band: str
    reasons: tuple[Reason, ...]
    families: frozenset[str]


@dataclass(frozen=True, slots=True)
class ScoredAccount:
    account: int
    evidence: Mapping[str, Evidence]
    scored: Scored


class Amount(StrEnum):
    """How much there is to judge a cluster by."""

    TOO_LITTLE = "too_little"  # to say anything
    EARLY = "early"  # enough to tell of a campaign, too little to act on
    EARLY_MANY = "early_many"  # the same, of too many customers for a small team
    ENOUGH = "enough"


@dataclass(frozen=True, slots=True, eq=False)
class ScoredCluster:
    """`evidence` by detector key; `proposed_ban` has account ids in rising order, and
    `withheld` those that would be in it if a new source were to be believed; `amount`
    says whether there is enough to act on."""

    found: FoundCluster
    features: ClusterFeatures
    evidence: Mapping[str, Evidence]
    scored: Scored
    verdict: str
    innocent_explanation: str
    amount: Amount = Amount.ENOUGH
    proposed_ban: tuple[int, ...] = ()
    withheld: tuple[int, ...] = ()
    withheld_because: str = ""

    def withholding(self, accounts: Set[int], because: str) -> "ScoredCluster":
        """The same without these in the proposal; what is said adds up."""
        said = (self.withheld_because, because)
        return replace(
            self,
            proposed_ban=tuple(a for a in self.proposed_ban if a not in accounts),
            withheld=tuple(sorted({*self.withheld, *accounts})),
            withheld_because=" ".join(filter(None, said)),
        )
