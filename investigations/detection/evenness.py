"""How evenly session starts fall on accounts, given how busy each account usually is.

The statistic is Pearson's X² of starts by window (rows) and account (columns) against
what their totals let expect, over its degrees of freedom. It is 1 where each session
of a window falls on an account by dice, whatever the accounts' shares; far above 1 for
people, who have moods and days off; below 1 only where something balances the accounts,
or where each of them runs on a timer (`on_a_timer`). Unequal shares of a pool's work do
not hide it: they are part of what is expected.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import gammaincinv, ndtr

from investigations.detection.shapes import Bools, Floats, Ints

FEWEST_ACCOUNTS, FEWEST_WINDOWS, ENOUGH_WINDOWS = 5, 3, 5
DRAWS = 400
SWEEPS = 6
OWN = 1.3  # an account above this does not take part in a deal
STEERED = 0.2  # of accounts, by dice, that are as even as one that surely takes part
# Timers fire at whole fractions of the hour.
PERIODS = (3600.0, 1800.0, 1200.0, 900.0, 600.0, 300.0)
PUNCTUAL, REGULAR = 0.8, 0.3
FEWEST_TIMES = 6
# Of many tables so many cells are worked on at once: what a core's cache holds.
CELLS_AT_ONCE = 16_384
# Sums in another order differ by less than this.
ROUNDING = 1e-6
ACCOUNTS_AT_ONCE = 5_000


def windows(starts: Ints, days: int) -> Ints:
    """Sums over `days` days; an account absent (-1) in one of them is absent."""
    whole = starts.shape[0] // days * days
    blocks = starts[starts.shape[0] - whole :].reshape(-1, days, starts.shape[1])
    summed: Ints = np.where((blocks < 0).any(axis=1), -1, blocks.sum(axis=1))
    return summed


def window_days(starts: Ints) -> int:
    """Days to a window, so that an account starts about two sessions in one; fewer,
    down to one, while that would leave too few windows to see a habit."""
    there = starts >= 0
    present = starts[there]
    rate = float(present.mean()) if present.size else 0.0
    wanted = min(4, max(1, round(2 / rate))) if rate else 4
    return max(1, min(wanted, int(there.any(axis=1).sum()) // ENOUGH_WINDOWS))


def expected(counts: Ints) -> Floats:
    """What the totals of windows and accounts let expect in each cell.

    `counts` has shape (..., windows, accounts), -1 for absent.
    """
    there = presence(counts)
    by_window, by_account = fitted(counts, there)
    return by_window[..., :, None] * there * by_account[..., None, :]


def fitted(counts: Ints, there: Floats) -> tuple[Floats, Floats]:
    """A number for each window and each account, whose product is what is expected in a
    cell; 0 for those without starts.

    Iterative proportional fitting (Deming and Stephan, 1940), since absences leave
    holes in the table. What it fits stays such a product all the way, so that only the
    sums are worked out, and no table of them.
    """
    seen = np.maximum(counts, 0)
    of_windows = seen.sum(axis=-1).astype(float)
    of_accounts = seen.sum(axis=-2).astype(float)
    by_account = np.ones_like(of_accounts)
    for _ in range(SWEEPS):
        by_window = over(of_windows, over_accounts(there, by_account))
        by_account = over(of_accounts, over_windows(there, by_window))
    return by_window, by_account


def presence(counts: Ints) -> Floats:
    """1 where an account was there, else 0; one table for all where it is the same."""
    here = counts >= 0
    if here.ndim == 3 and (here == here[:1]).all():
        here = here[0]
    return here.astype(float)


def over_accounts(there: Floats, values: Floats) -> Floats:
    """Sums by window of one value an account."""
    if there.ndim == 2:
        return values @ there.T
    found: Floats = np.matmul(there, values[..., None])[..., 0]
    return found


def over_windows(there: Floats, values: Floats) -> Floats:
    """Sums by account of one value a window."""
    if there.ndim == 2:
        return values @ there
    found: Floats = np.matmul(values[..., None, :], there)[..., 0, :]
    return found


def over(values: Floats, divisors: Floats) -> Floats:
    """Their ratio; 0 where the divisor is."""
    return np.divide(values, divisors, out=np.zeros_like(values), where=divisors > 0)


def unevenness(counts: Ints) -> Floats:
    """X² over its degrees of freedom for each table of the last two axes; nan where
    there are fewer than five accounts or three windows to compare."""
    if counts.ndim != 3:
        return unevenness_of(counts)
    at_once = max(2, CELLS_AT_ONCE // max(1, counts.shape[1] * counts.shape[2]))
    # Of equal size: one that is left over would be summed up in another order.
    parts = np.array_split(counts, max(1, len(counts) // at_once))
    return np.concatenate([unevenness_of(part) for part in parts])


def unevenness_of(counts: Ints) -> Floats:
    """The same, all tables at once. Pearson's X² is the sum of seen² / expected less
    the starts that were seen, which is all that were expected."""
    there = presence(counts)
    by_window, by_account = fitted(counts, there)
    seen = np.maximum(counts, 0).astype(float)
    squares = over_accounts(seen * seen, over(np.ones_like(by_account), by_account))
    gaps = over(squares, by_window).sum(axis=-1) - seen.sum(axis=(-1, -2))
    windows_used, accounts_used = by_window > 0, by_account > 0
    cells = (over_windows(there, windows_used.astype(float)) * accounts_used).sum(-1)
    accounts, rows = accounts_used.sum(axis=-1), windows_used.sum(axis=-1)
    freedom = cells - accounts - rows + 1
    ratio: Floats = np.maximum(gaps, 0.0) / np.maximum(freedom, 1)
    enough = (accounts >= FEWEST_ACCOUNTS) & (rows >= FEWEST_WINDOWS) & (freedom > 0)
    return np.where(enough, ratio, np.nan)


def cells(counts: Ints) -> Floats:
    """Each cell's part of X²; nan where nothing could be expected."""
    due = expected(counts)
    gap = np.maximum(counts, 0) - due
    part: Floats = np.full_like(due, np.nan)
    np.divide(gap**2, due, out=part, where=due > 0)
    return part


def own_unevenness(counts: Ints) -> Floats:
    """Of each account in one table: its part of X² over the windows it was there."""
    own, freedom = own_parts(counts)
    return own / freedom


def own_parts(counts: Ints) -> tuple[Floats, Floats]:
    """The same before it is divided: X² and degrees of freedom."""
    part = cells(counts)
    windows_seen = (~np.isnan(part)).sum(axis=0)
    return np.nansum(part, axis=0), np.maximum(windows_seen - 1.0, 1.0)


def alike(counts: Ints, rare: Sequence[float]) -> list[Bools]:
    """Which accounts are as even as most of them, or evener than most by dice would be;
    for each share in `rare`.

    What an account has of X² is spread like chi-squared, times what makes all of them
    even; the median tells by how much, whoever else is in the table. Who lies above
    what a share of `rare` would, is there by chance.
    """
    own, freedom = own_parts(counts)
    half = freedom / 2
    evenness = float(np.median(own / gammaincinv(half, 0.5))) / 2
    steered = 2 * gammaincinv(half, STEERED)
    found = []
    for share in rare:
        as_most = 2 * evenness * gammaincinv(half, 1 - share)
        bound = np.minimum(OWN * freedom, np.maximum(as_most, steered))
        found.append(own <= bound)
    return found


def by_dice(counts: Ints, draws: int = DRAWS, seed: int = 1) -> Floats:
    """The statistic of tables in which each session fell on an account by dice."""
    rng = np.random.default_rng(seed)
    due = expected(counts)
    here = counts >= 0
    totals = np.where(here, counts, 0).sum(axis=1)
    drawn = np.zeros((draws, *counts.shape), np.int64)
    for row, total in enumerate(totals.tolist()):
        whole = due[row].sum()
        if total and whole:
            drawn[:, row] = rng.multinomial(total, due[row] / whole, size=draws)
    drawn[:, ~here] = -1
    return unevenness(drawn)


def chance_of(value: float, counts: Ints, draws: int = DRAWS) -> float:
    """Chance that dice are as even. Of so many cells the sum is close to normal.

    A draw that leaves too little to compare counts as one that is as even: a thin table
    proves nothing.
    """
    drawn = by_dice(counts, draws)
    told = drawn[~np.isnan(drawn)]
    if not len(told):
        return 1.0
    spread = max(float(told.std()), 1e-9)
    as_even = float(ndtr((value - float(told.mean())) / spread))
    return max(as_even, 1 - len(told) / len(drawn))


def on_a_timer(times: Floats) -> bool:
    """Whether an account's sessions start by the clock: nearly always at the same
    minute of the hour (or of a whole fraction of it), or at equal distances."""
    if len(times) < FEWEST_TIMES:
        return False
    for period in PERIODS:
        turns = np.exp(2j * np.pi * (times % period) / period)
        if abs(turns.mean()) > PUNCTUAL:
            return True
    gaps = np.diff(np.sort(times))
    return bool(gaps.std() < REGULAR * gaps.mean())


def timers(times: Sequence[Floats]) -> Bools:
    """Of each account, whether it is `on_a_timer`; all at once.

    Sums come in another order than for one account, so whoever is that close to a
    bound is looked at alone."""
    sizes = np.array([len(own) for own in times], np.int64)
    found = np.zeros(len(times), bool)
    enough = np.flatnonzero(sizes >= FEWEST_TIMES)
    for start in range(0, len(enough), ACCOUNTS_AT_ONCE):
        some = enough[start : start + ACCOUNTS_AT_ONCE]
        found[some] = some_timers([times[at] for at in some.tolist()])
    return found


def some_timers(times: Sequence[Floats]) -> Bools:
    sizes = np.array([len(own) for own in times], np.int64)
    firsts = np.cumsum(sizes) - sizes
    at = np.concatenate(times)
    most = np.zeros(len(times))
    for period in PERIODS:
        turns = np.exp(2j * np.pi * (at % period) / period)
        most = np.maximum(most, np.abs(np.add.reduceat(turns, firsts) / sizes))
    of = np.repeat(np.arange(len(times)), sizes)
    ordered = at[np.lexsort((at, of))]
    gaps = np.diff(ordered, append=ordered[-1:])
    inside = np.ones(len(at), bool)
    inside[firsts + sizes - 1] = False  # from the last of one to the first of the next
    gaps = np.where(inside, gaps, 0.0)
    mean = np.add.reduceat(gaps, firsts) / (sizes - 1)
    apart = np.where(inside, (gaps - mean[of]) ** 2, 0.0)
    spread = np.sqrt(np.add.reduceat(apart, firsts) / (sizes - 1))
    regular = spread - REGULAR * mean
    close = (np.abs(most - PUNCTUAL) < ROUNDING) | (
        np.abs(regular) < ROUNDING * (1 + mean)
    )
    found: Bools = (most > PUNCTUAL) | (regular < 0)
    for account in np.flatnonzero(close).tolist():
        found[account] = on_a_timer(times[account])
    return found
