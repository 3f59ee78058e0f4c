"""How many prompts a second one core fingerprints, part by part and all together.

    python -m benchmarks.fingerprints [--rounds 5] [--prompts 2000]

On generated prompts of 300 bytes, and on prompts of other people where those lie
beside the repository in ../shared/data. Medians of interleaved rounds of CPU seconds,
so that a busy machine shifts all the figures and not one; ratios are to all together.
"""

import argparse
import gzip
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from ingest import fingerprints

GOAL: Final = 6000
SIZE: Final = 300
CORPORA: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "prompts"
REAL: Final = ("alpaca_5000", "dolly_3k", "gsm8k_train", "awesome_prompts")
KEY: Final = fingerprints.subkey("the key of a benchmark", "fingerprint")
AT_ONCE: Final = 1000  # a batch of telemetry


def generated(count: int) -> list[str]:
    """Prompts of 300 bytes from a vocabulary of 20,000 words, some of them filled
    into templates; a third of the words are frequent."""
    rng = random.Random(1)
    letters = "etaoinshrdlucmfw"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(20_000)]
    weights = [1 / (place + 10) for place in range(len(words))]
    openings = [
        'Sum up the text below in {} lines for "{}".\n\n',
        "Topic: {}\nExplain step by step, then rate it from 1 to {}. ",
        "",
        "",
    ]
    prompts = []
    for _ in range(count):
        text = rng.choice(openings).format(rng.randint(2, 99), rng.choice(words))
        text += " ".join(rng.choices(words, weights, k=80)).capitalize()
        prompts.append(text[:SIZE])
    return prompts


def real(count: int) -> list[str]:
    """Prompts of other people of 150 bytes and more, cut at 300."""
    texts: list[str] = []
    for name in REAL:
        with gzip.open(CORPORA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            texts += [json.loads(line)["text"] for line in lines]
    rng = random.Random(2)
    rng.shuffle(texts)
    long = [fingerprints.cut(text, SIZE) for text in texts if len(text) >= SIZE // 2]
    return long[:count]


def in_batches(
    step: Callable[[Sequence[str]], object], texts: list[str]
) -> Callable[[], None]:
    def run() -> None:
        for at in range(0, len(texts), AT_ONCE):
            step(texts[at : at + AT_ONCE])

    return run


def parts(texts: list[str]) -> dict[str, Callable[[], None]]:
    plan = fingerprints._plan(KEY)
    numpy = fingerprints._numpy()
    assert numpy is not None  # main has looked
    masked = [fingerprints.mask(text)[0] for text in texts]

    def skeletons(some: Sequence[str]) -> object:
        return [fingerprints.skeleton_of(text, KEY) for text in some]

    def rows(
        some: Sequence[str],
    ) -> tuple[fingerprints.Array, fingerprints.Array]:
        return fingerprints._rows_of(numpy, [plan.hashes(each) for each in some])

    def sketches(some: Sequence[str]) -> object:
        return fingerprints._sketches(numpy, *rows(some), plan)

    def embeddings(some: Sequence[str]) -> object:
        signs = fingerprints._sign_rows(numpy, plan)
        return fingerprints._embeddings(numpy, *rows(some), signs)

    def everything(some: Sequence[str]) -> object:
        return fingerprints.fingerprint_many(some, KEY)

    return {
        "skeleton, slots, intents": in_batches(skeletons, texts),
        "MinHash of the skeleton": in_batches(sketches, masked),
        "embedding of the skeleton": in_batches(embeddings, masked),
        "all together": in_batches(everything, texts),
    }


def measure(texts: list[str], rounds: int) -> dict[str, float]:
    """Prompts a second of CPU time, the median of the rounds."""
    todo = parts(texts)
    spent: dict[str, list[float]] = {name: [] for name in todo}
    for step in todo.values():
        step()
    for _ in range(rounds):
        for name, step in todo.items():
            began = time.process_time()
            step()
            spent[name].append(time.process_time() - began)
    return {name: len(texts) / median(seconds) for name, seconds in spent.items()}


def show(title: str, texts: list[str], rounds: int) -> float:
    size = sum(len(text.encode()) for text in texts) / len(texts)
    print(f"\n{title}: {len(texts):,} prompts of {size:.0f} bytes, {rounds} rounds")
    rates = measure(texts, rounds)
    whole = rates["all together"]
    for name, rate in rates.items():
        print(f"  {name:<28}{rate:>10,.0f} /s {rate / whole:>6.2f}x")
    return whole


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fingerprints")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompts", type=int, default=2000)
    chosen = parser.parse_args()
    if fingerprints._numpy() is None:
        parser.error("numpy is not installed here.")
    rates = [show("generated", generated(chosen.prompts), chosen.rounds)]
    if CORPORA.is_dir():
        rates.append(show("of other people", real(chosen.prompts), chosen.rounds))
    else:
        print("\nof other people: skipped, ../shared/data is not there")
    print(f"\nGoal: {GOAL:,} /s and core, all together; least {min(rates):,.0f}.")
    return 0 if min(rates) >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
