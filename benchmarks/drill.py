"""The long drill: kill everything, many times, and count what was promised.

    python -m benchmarks.drill --trials 200 --events 5000 --kills 3 --broker redis

Starts an installation of its own (PostgreSQL with its real durability, web server,
worker, clock and broker), sends events through sixteen senders who retry, kills
parts of it with `kill -9`, and compares every 2xx with the database. The seed is
printed; the same seed deals the same blows. Exit code 1 where anything was lost,
doubled or stuck.
"""

import argparse
import random
import sys
import time
from collections import Counter

from tests.reliability.installation import BROKERS, Installation
from tests.reliability.trials import DAYS, Plan, Verdict, ledger_adds_up, run_trial

CHECK_EVERY = 20  # trials between two looks of check_ledger


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drill")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--events", type=int, default=5000, help="per trial")
    parser.add_argument("--kills", type=int, default=3, help="per trial")
    parser.add_argument("--over", type=float, default=5.0, help="seconds of sending")
    parser.add_argument("--broker", choices=BROKERS, default="redis")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    chosen = parser.parse_args()
    if not 1 <= chosen.trials <= DAYS:
        parser.error(f"--trials is 1 to {DAYS}: each has a day of its own.")
    return chosen


class Sum:
    """What all trials came to."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.trials = self.events = self.posts = 0
        self.bad: list[Verdict] = []
        self.kills = Counter[str]()
        self.counts = Counter[str]()
        self.answers = Counter[str]()
        self.slowest_drain = 0.0

    def add(self, verdict: Verdict) -> None:
        self.trials += 1
        self.events += verdict.acknowledged
        self.kills.update(verdict.dealt)
        self.answers.update(verdict.answers)
        self.slowest_drain = max(self.slowest_drain, verdict.drained_in)
        self.counts["lost"] += len(verdict.lost)
        self.counts["doubled"] += len(verdict.doubled)
        self.counts["stuck"] += verdict.stuck
        self.counts["not rolled up"] += verdict.not_rolled_up
        if verdict.faults:
            self.bad.append(verdict)

    def show(self) -> None:
        minutes = (time.monotonic() - self.begun) / 60
        dealt = ", ".join(f"{n} {name}" for name, n in sorted(self.kills.items()))
        told = ", ".join(f"{n:,} {name}" for name, n in sorted(self.answers.items()))
        found = ", ".join(f"{n:,} {name}" for name, n in self.counts.items())
        print(f"\n{self.trials} trials, {self.events:,} events in {minutes:.1f} min")
        print(f"blows      {self.kills.total()}: {dealt}")
        print(f"answers    {told}")
        print(f"found      {found}")
        print(f"slowest    drained {self.slowest_drain:.1f} s after the last blow")
        for verdict in self.bad:
            print(f"fault      {verdict.line()}")


def drill(chosen: argparse.Namespace) -> bool:
    total, closes = Sum(), True
    with Installation(chosen.broker) as home:
        key = home.new_key("drill")
        for number in range(chosen.trials):
            seed = chosen.seed + number
            plan = Plan(number, seed, chosen.events, chosen.kills, chosen.over)
            verdict = run_trial(home, key, plan)
            total.add(verdict)
            print(verdict.line(), flush=True)
            if (number + 1) % CHECK_EVERY == 0 or number + 1 == chosen.trials:
                closes = ledger_adds_up(home) and closes
                print(f"check_ledger: {'adds up' if closes else 'A GAP'}", flush=True)
    total.show()
    print(f"ledger     {'adds up' if closes else 'does not add up'}")
    return closes and not total.bad


if __name__ == "__main__":
    options = parse()
    print(f"seed {options.seed}, broker {options.broker}", flush=True)
    sys.exit(0 if drill(options) else 1)
