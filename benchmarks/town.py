"""A made-up town of API customers: who is in it, and what they have. Seeded, numpy.

People and programs with a heavy tail of traffic, organisations, agencies that pay for
several customers with one card, campuses behind a few addresses with the same exercise
sheets, public tools, and campaigns of hundreds to thousands of accounts. Each column
has one value an account; numbers stand for texts that `town_days.py` writes out.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from investigations.detection.shapes import Bools, Floats, Ints

# The clock: the last day's very end. Fixed, so that a seed always means the same.
ENDS_AT: Final = datetime(2026, 11, 23, tzinfo=UTC)
FULL: Final = 224_000  # accounts for which sizes of groups are given
# Accounts by campaign and by campus; smaller towns have smaller ones.
CAMPAIGNS: Final = (
    150,
    220,
    300,
    400,
    500,
    650,
    800,
    1_000,
    1_300,
    1_700,
    2_200,
    3_000,
)
CAMPUSES: Final = 40
AGENCIES: Final = 150
IN_COMPANIES, COMPANIES = 0.2, 0.04  # shares of the accounts
HOUSEHOLDS: Final = 0.03
BUSIEST: Final = 4_000  # requests a day
PRIVATE: Final = 1_000_000_000  # numbers from here on are nobody else's
NONE: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class Town:
    """`group` is NONE or the campaign's number; `rate` requests a day, `turns` requests
    a conversation, `typed` the share of prompts that nobody else sends, `templates`
    how many others. NONE stands for nothing told."""

    accounts: int
    seed: int
    days: int
    group: Ints
    campus: Ints
    organization: Ints
    card: Ints
    born: Ints  # seconds since 1970
    rate: Floats
    turns: Ints
    hour: Floats
    typed: Floats
    templates: Ints
    first_template: Ints
    home: Ints
    away: Ints
    device: Ints
    stack: Ints
    tools: Ints
    system: Ints
    referrer: Ints
    domain: Ints
    setting: Ints
    model: Ints
    intent: Ints
    tells_answers: Bools


def made_up(accounts: int, events: int, days: int, seed: int) -> Town:
    dice = np.random.default_rng(seed)
    own = PRIVATE + 64 * np.arange(accounts)  # four customers to an address block
    columns: dict[str, np.ndarray] = {
        "group": np.full(accounts, NONE),
        "campus": np.full(accounts, NONE),
        "organization": np.full(accounts, NONE),
        "card": own.copy(),
        "born": births(accounts, days, dice),
        "rate": np.minimum(dice.lognormal(0, 1.4, accounts), 1_000),
        "turns": dice.integers(1, 9, accounts),
        "hour": dice.normal(14, 4, accounts) % 24,
        "typed": np.where(dice.random(accounts) < 0.5, 0.4, 0.02),
        "templates": dice.integers(1, 12, accounts),
        "first_template": popular(accounts, accounts // 2, 0.9, dice),
        "home": own.copy(),
        "away": popular(accounts, max(20, accounts // 30), 1.1, dice),
        "device": some(own, 0.5, dice),
        "stack": popular(accounts, 300, 0.6, dice),
        "tools": some(
            popular(accounts, max(40, accounts // 50), 0.7, dice), 0.35, dice
        ),
        "system": some(popular(accounts, accounts // 3, 0.9, dice), 0.5, dice),
        "referrer": some(popular(accounts, 2_000, 0.7, dice), 0.3, dice),
        "domain": some(popular(accounts, accounts // 4, 0.7, dice), 0.4, dice),
        "setting": dice.integers(0, 12, accounts),
        "model": dice.integers(0, 5, accounts),
        "intent": dice.integers(0, 9, accounts),
        "tells_answers": dice.random(accounts) < 0.2,
    }
    settle(columns, dice)
    # Whoever was born in the window sends for a part of it.
    there = (ENDS_AT.timestamp() - columns["born"]) / (days * 86_400)
    wanted = columns["rate"] * np.minimum(there, 1.0)
    columns["rate"] = np.minimum(
        columns["rate"] * events / days / wanted.sum(), BUSIEST
    )
    # No account-day has so many conversations that its row must estimate them.
    least = np.ceil(columns["rate"] / 100).astype(np.int64)
    columns["turns"] = np.maximum(columns["turns"], least)
    return Town(accounts, seed, days, **columns)


def births(accounts: int, days: int, dice: np.random.Generator) -> Ints:
    """A third in the window, the others over two years before."""
    ends = int(ENDS_AT.timestamp())
    ago = np.where(
        dice.random(accounts) < 0.33,
        dice.random(accounts) * (days - 1) + 1,
        days + dice.random(accounts) * 700,
    )
    return ends - (ago * 86_400).astype(np.int64)


def popular(
    accounts: int, values: int, alpha: float, dice: np.random.Generator
) -> Ints:
    """One of so many values for each, some of which are very popular."""
    weights = dice.pareto(alpha, max(values, 2)) + 1
    return dice.choice(len(weights), accounts, p=weights / weights.sum())


def some(values: Ints, share: float, dice: np.random.Generator) -> Ints:
    return np.where(dice.random(len(values)) < share, values, NONE)


def settle(columns: dict[str, np.ndarray], dice: np.random.Generator) -> None:
    """Companies, campuses, agencies, households and campaigns move in."""
    accounts = len(columns["rate"])
    scale = accounts / FULL
    free = dice.permutation(accounts)
    count = int(IN_COMPANIES * accounts)
    staff, free = free[:count], free[count:]
    columns["organization"][staff] = popular(
        count, max(3, int(COMPANIES * accounts)), 1.0, dice
    )
    free = campuses(columns, free, scale, dice)
    free = agencies(columns, free, scale, dice)
    heads = free[: int(HOUSEHOLDS * accounts)]
    mates, free = free[len(heads) : 2 * len(heads)], free[2 * len(heads) :]
    for name in ("card", "home", "device"):
        columns[name][mates] = columns[name][heads]
    for number, size in enumerate(CAMPAIGNS):
        size = max(12, int(size * scale))
        campaign(columns, np.sort(free[:size]), number, dice)
        free = free[size:]


def campuses(
    columns: dict[str, np.ndarray], free: Ints, scale: float, dice: np.random.Generator
) -> Ints:
    for number in range(CAMPUSES):
        size = max(4, int(min(1_500, 80 * (1 + dice.pareto(1.0))) * scale))
        who, free = free[:size], free[size:]
        base = 10_000_000 + 1_000 * number
        columns["campus"][who] = number
        columns["away"][who] = base + dice.integers(0, 6, size)
        columns["home"][who] = base + dice.integers(0, 6, size)
        columns["domain"][who] = base
        sheet = dice.random(size) < 0.6
        columns["first_template"][who[sheet]] = base
        columns["typed"][who] = 0.5
    return free


def agencies(
    columns: dict[str, np.ndarray], free: Ints, scale: float, dice: np.random.Generator
) -> Ints:
    """Customers of their own, whose agency's card pays."""
    for number in range(max(2, int(AGENCIES * scale))):
        size = int(min(60, 3 * (1 + dice.pareto(1.2))))
        who, free = free[:size], free[size:]
        columns["card"][who] = 20_000_000 + number
        columns["system"][who] = 20_000_000 + number
    return free


def campaign(
    columns: dict[str, np.ndarray], who: Ints, number: int, dice: np.random.Generator
) -> None:
    """On cards of eight, a few blocks, and tools, prompts and templates of its own;
    born within some days; its work is dealt out evenly."""
    size, base = len(who), 30_000_000 + 100_000 * number
    columns["group"][who] = number
    columns["card"][who] = base + np.arange(size) // 8
    columns["home"][who] = base + dice.integers(0, 5 + size // 2, size)
    columns["away"][who] = base + dice.integers(0, 5 + size // 2, size)
    columns["stack"][who] = dice.integers(0, 300)
    columns["tools"][who] = base if number % 3 else NONE
    columns["system"][who] = base if number % 2 else NONE
    columns["first_template"][who] = base
    columns["templates"][who] = 4 + number
    columns["typed"][who] = 0.0
    columns["turns"][who] = 1 + number % 3
    columns["rate"][who] = 4 + number % 5
    columns["model"][who] = 4
    columns["intent"][who] = 0
    columns["tells_answers"][who] = number % 4 == 0
    start = int((ENDS_AT - timedelta(days=27 - number)).timestamp())
    columns["born"][who] = start + np.sort(dice.integers(0, 5 * 86_400, size))
