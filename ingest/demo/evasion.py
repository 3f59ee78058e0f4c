"""How hard a campaign tries not to be found: cumulative levels (detection.md 5.3)."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Evasion:
    """What an operator does about each kind of evidence.

    `cover` is the share of exchanges that are somebody's ordinary questions;
    `wordings` how many ways each template is worded (0: anew for every prompt).
    `hand_over` and `returns` are chances that a conversation goes on under another
    account, at a turn and after a long pause. `shares` is the spread (sigma of a
    log-normal) of the accounts' shares of the work, `spare` the part of them that
    gets next to none. `framed` is the part of the accounts that show an innocent's
    card or address. `pool_size` is how many accounts each pool of the hydra has at
    least (None: by the world's size). Days and hours are those of the world.
    """

    level: int
    cover: float = 0.0
    a_card: int = 12  # accounts on one card
    a_block: int = 25  # accounts in one rented block of addresses
    own_network: bool = False  # one household's address for each account
    wordings: int = 1
    jitters: bool = False  # temperature and length limit vary
    hand_over: float = 0.0
    returns: float = 0.0
    sign_up_days: float = 0.0  # 0: in sittings, a card at a time
    aged: bool = False  # bought accounts, months old
    personas: bool = False  # hours, tasks and client program of its own
    pivot_days: float = 0.0  # how long the move to a new model is spread
    shares: float = 0.0
    spare: float = 0.0
    own_tools: bool = False
    framed: float = 0.0
    replaced_within: float = 30.0  # minutes
    pool_size: int | None = None


FRAMED = 0.1  # the part of the accounts, where an operator frames innocents
# What the demo shows: a relay of today, between the first two levels.
DEMO = Evasion(1, cover=0.18, hand_over=0.02, returns=0.03)
_NAIVE = Evasion(0, hand_over=1.0)
_STICKY = replace(
    _NAIVE, level=1, own_network=True, jitters=True, hand_over=0.02, returns=0.03
)
_MIXED = replace(
    _STICKY, level=2, cover=0.5, a_card=2, wordings=8, hand_over=0.0, sign_up_days=14
)
_PERSONAS = replace(
    _MIXED,
    level=3,
    cover=0.8,
    wordings=0,
    returns=0.0,
    aged=True,
    personas=True,
    pivot_days=3,
    shares=0.5,
)
_ALONE = replace(
    _PERSONAS,
    level=4,
    cover=0.95,
    a_card=1,
    pivot_days=10,
    shares=1.0,
    spare=0.2,
    own_tools=True,
    framed=FRAMED,
    replaced_within=2 * 24 * 60,
)
LEVELS = (_NAIVE, _STICKY, _MIXED, _PERSONAS, _ALONE)
