"""HTTP from the sender to rolled-up rows, on one machine with the sender.

    python -m benchmarks.http [--texts none|fingerprints|prompts] [--seconds 60]
                              [--rate 50000] [--batch 1000] [--broker redis]
    python -m benchmarks.http --fair

Starts an installation of its own (PostgreSQL with its real durability, web server,
worker, clock, broker), makes all requests beforehand (gzip, a key, a heavy tail of
224,000 accounts, no event twice), and sends them at the rate from this machine. An
event counts when its 2xx came, when it was stored, and when it was rolled up; the
lag is from the 2xx until then, to half a second. Memory is proportional (PSS): what
forked processes still share counts in parts.
Processor time is what each part used, from the first request until all was rolled up,
for each event: two cores give 40 µs to an event at 50,000 a second.
Beside it, in the same PostgreSQL: plain binary COPY of the same rows into a logged
table without index. `--fair`: ten keys, one of which sends a hundred times as much.
"""

import argparse
import os
import time
from collections import Counter, deque
from statistics import median
from typing import Any, Final

import psycopg

from benchmarks.http_watch import Watch, cpu_seconds
from benchmarks.telemetry_client import (
    TEXTS,
    Answer,
    Load,
    Post,
    made_posts,
    quantile,
)
from tests.reliability.installation import BROKERS, Installation

RATES: Final = {"none": 50_000, "fingerprints": 50_000, "prompts": 6_000}
WARM_UP: Final = 20_000  # events before the clock starts: plans, caches, connections
DRAIN_WITHIN: Final = 300.0
COPY_ROWS, COPY_ROUNDS = 500_000, 5
KEYS: Final = 10
QUIET_RATE, QUIET_BATCH, NOISE = 200.0, 50, 100
# Of each key and minute in the fair run; the quiet ones send 12,000.
QUOTA: Final = 30_000


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.http")
    parser.add_argument("--texts", choices=TEXTS, default="none")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument(
        "--rate", type=float, help="events a second; 0: as fast as goes"
    )
    parser.add_argument("--events", type=int, help="how many to make, with --rate 0")
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--broker", choices=BROKERS, default="redis")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fair", action="store_true")
    chosen = parser.parse_args()
    if chosen.rate is None:
        chosen.rate = RATES[chosen.texts]
    if not chosen.rate and not chosen.events:
        parser.error("--rate 0 needs --events.")
    return chosen


def measure(chosen: argparse.Namespace) -> None:
    with Installation(chosen.broker, STILLWATCH_INGEST_LEASE_SECONDS="30") as home:
        key = home.new_key("gateway")
        hash_key = bytes.fromhex(home.manage("fingerprint_key").split()[-1])
        made = Maker(key, chosen, hash_key)
        send(home, made.posts(WARM_UP, seed=chosen.seed + 1), chosen, seconds=60)
        wait_until_idle(home)
        count = chosen.events or int(chosen.rate * chosen.seconds)
        posts = made.posts(count, seed=chosen.seed)
        size = sum(len(each.request) for each in posts) / len(posts)
        print(f"{count:,} events made, {size / 1024:.0f} KiB packed a request")
        watch = Watch(home)
        watch.start()
        before, begun = cpu_seconds(home), time.monotonic()
        answers = send(home, posts, chosen, seconds=chosen.seconds)
        sent = time.monotonic()
        good = [each for each in answers if each.status == 202]
        done = watch.wait_for({each.batch_id for each in good}, seconds=DRAIN_WITHIN)
        watch.stop()
        report(answers, watch, begun=begun, sent=sent, done=done)
        show_cpu(before, cpu_seconds(home), sum(each.events for each in good))
        check(home, sum(each.events for each in good))
        compare_with_copy(home)


class Maker:
    """Requests as the options want them."""

    def __init__(self, key: str, chosen: argparse.Namespace, hash_key: bytes) -> None:
        self.key, self.chosen, self.hash_key = key, chosen, hash_key

    def posts(self, count: int, *, seed: int, batch: int | None = None) -> deque[Post]:
        return deque(
            made_posts(
                count,
                self.key,
                batch=batch or self.chosen.batch,
                texts=self.chosen.texts,
                seed=seed,
                hash_key=self.hash_key,
            )
        )


def send(
    home: Installation,
    posts: deque[Post],
    chosen: argparse.Namespace,
    *,
    seconds: float,
) -> list[Answer]:
    until = time.monotonic() + seconds
    return Load(home.port, posts, chosen.rate, chosen.senders, until).start().join()


def wait_until_idle(home: Installation) -> None:
    deadline = time.monotonic() + DRAIN_WITHIN
    waiting = (
        "SELECT (SELECT count(*) FROM ingest_batch WHERE state = 'pending')"
        " + (SELECT count(*) FROM ingest_unsummedbatch)"
    )
    while home.value(waiting) and time.monotonic() < deadline:
        time.sleep(0.2)


def report(
    answers: list[Answer], watch: Watch, *, begun: float, sent: float, done: bool
) -> None:
    good = [each for each in answers if each.status == 202]
    events = sum(each.events for each in good)
    times = [each.seconds for each in good]
    statuses = Counter(each.status for each in answers)
    print(f"answers              {dict(statuses)}")
    print(
        f"request              p50 {quantile(times, 0.5) * 1000:.0f} ms, "
        f"p99 {quantile(times, 0.99) * 1000:.0f} ms, worst {max(times) * 1000:.0f} ms"
    )
    print(f"accepted             {events / (sent - begun):>10,.0f} events/s")
    for name, seen in (("stored", watch.stored), ("rolled up", watch.rolled_up)):
        lags = [seen[each.batch_id] - each.at for each in good if each.batch_id in seen]
        by_end = sum(
            each.events for each in good if seen.get(each.batch_id, sent) < sent
        )
        last = max(seen.values(), default=sent)
        print(
            f"{name:<12} in time {by_end / (sent - begun):>10,.0f} events/s; all after "
            f"{last - begun:.1f} s: {events / (last - begun):,.0f} events/s; "
            f"lag p50 {quantile(lags, 0.5):.1f} s, p95 {quantile(lags, 0.95):.1f} s"
        )
    if not done:
        print(f"NOT ALL was rolled up within {DRAIN_WITHIN:.0f} s.")
    show_memory(watch)


def show_memory(watch: Watch) -> None:
    print(f"{'MiB of each process':<28}{'first':>8}{'middle':>8}{'last':>8}{'most':>8}")
    for name, held in watch.memory.items():
        # Medians of fifths, so that one busy moment is no trend.
        fifth = max(1, len(held) // 5)
        parts = (held[:fifth], held[2 * fifth : 3 * fifth] or held, held[-fifth:])
        cells = "".join(f"{median(part):>8.0f}" for part in parts)
        print(f"{name:<28}{cells}{max(held):>8.0f}")


def show_cpu(before: dict[str, float], after: dict[str, float], events: int) -> None:
    used = {name: (after[name] - spent) / events for name, spent in before.items()}
    told = ", ".join(f"{name} {spent * 1e6:.1f}" for name, spent in used.items())
    print(f"processor            {told}: {sum(used.values()) * 1e6:.1f} µs an event")


def check(home: Installation, sent: int) -> None:
    """Rows are counted, and not only what batches say of themselves."""
    stored = home.value("SELECT count(*) FROM ingest_event") - WARM_UP
    summed = home.value("SELECT sum(requests) FROM ingest_accountday") - WARM_UP
    fate = "as many as were accepted" if stored == summed == sent else "NOT THE SAME"
    print(f"rows                 {stored:,} stored, {summed:,} rolled up: {fate}")


def compare_with_copy(home: Installation) -> None:
    with psycopg.connect(home.env["DATABASE_URL"], autocommit=True) as link:
        taken = f"SELECT * FROM ingest_event LIMIT {COPY_ROWS}"
        rows = link.execute(f"CREATE TEMP TABLE sample AS {taken}").rowcount
        with link.cursor().copy("COPY sample TO STDOUT (FORMAT binary)") as out:
            data = b"".join(bytes(piece) for piece in out)
        rates = [rows / copy_once(link, data) for _ in range(COPY_ROUNDS)]
    print(f"binary COPY of them  {median(rates):>10,.0f} events/s into a logged table")


def copy_once(link: "psycopg.Connection[Any]", data: bytes) -> float:
    """Seconds to copy into an empty logged table without index, committed."""
    link.execute("DROP TABLE IF EXISTS copied")
    link.execute("CREATE TABLE copied AS SELECT * FROM sample WITH NO DATA")
    begun = time.monotonic()
    with link.cursor().copy("COPY copied FROM STDIN (FORMAT binary)") as into:
        into.write(data)
    return time.monotonic() - begun


# --- Ten keys, one of which sends too much ------------------------------------------


def measure_fairness(chosen: argparse.Namespace) -> None:
    quota = str(QUOTA)
    with Installation(chosen.broker, STILLWATCH_KEY_ROWS_PER_MINUTE=quota) as home:
        keys = [home.new_key(f"sender-{n}") for n in range(KEYS)]
        idle = quiet_answers(home, keys, chosen, seed=10, noisy=False)
        wait_until_idle(home)
        busy = quiet_answers(home, keys, chosen, seed=40, noisy=True)
        wait_until_idle(home)
        before, after = (
            quantile([each.seconds for each in some if each.status == 202], 0.95)
            for some in (idle, busy)
        )
        print(
            f"nine quiet keys      p95 {before * 1000:.0f} ms alone, "
            f"{after * 1000:.0f} ms beside the noisy one: {after / before:.2f} times"
        )
        accepted = home.value("SELECT sum(accepted) FROM ingest_batch")
        stored = home.value("SELECT count(*) FROM ingest_event")
        print(f"rows                 {accepted:,} accepted, {stored:,} stored")


def quiet_answers(
    home: Installation,
    keys: list[str],
    chosen: argparse.Namespace,
    *,
    seed: int,
    noisy: bool,
) -> list[Answer]:
    """What the quiet keys were answered; the first key is the noisy one."""
    count, until = int(QUIET_RATE * chosen.seconds), 0.0
    piles = [
        Maker(key, chosen, b"").posts(count, seed=seed + n, batch=QUIET_BATCH)
        for n, key in enumerate(keys[1:])
    ]
    noise = Maker(keys[0], chosen, b"").posts(
        min(count * NOISE, 1_000_000) if noisy else 0, seed=seed + KEYS
    )
    until = time.monotonic() + chosen.seconds
    quiet = [Load(home.port, pile, QUIET_RATE, 1, until).start() for pile in piles]
    loud = Load(home.port, noise, QUIET_RATE * NOISE, 4, until, insist=False).start()
    answers = [each for load in quiet for each in load.join()]
    told = loud.join()
    if noisy:
        waits = {each.retry_after for each in told if each.status == 429}
        print(f"the noisy key        {dict(Counter(each.status for each in told))}")
        print(f"told to wait         {sorted(waits)} s")
    print(f"the quiet keys       {dict(Counter(each.status for each in answers))}")
    return answers


if __name__ == "__main__":
    options = parse()
    print(f"{os.cpu_count()} cores, shared with the sender; {options.broker}")
    if options.fair:
        measure_fairness(options)
    else:
        measure(options)
