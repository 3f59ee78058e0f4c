"""Reworded templates are found again; pools that ask the same stand out."""

import gzip
import json
import math
import random
from collections import defaultdict
from datetime import date
from pathlib import Path
from statistics import median

import pytest

from ingest import fingerprints
from ingest.drain import storing
from ingest.models import Account
from ingest.rolling.rollups import refresh_stale
from ingest.texts import likeness, skeletons
from ingest.texts.likeness import Sums
from tests.ingest.records import a_request

KEY = fingerprints.subkey("a master key of the installation", "fingerprint")
CORPORA = Path(__file__).resolve().parents[3] / "shared" / "data" / "prompts"
TEMPLATE = (
    "You are a careful tutor. Read the exercise, think about every step in turn, "
    "write down why each holds, and finish with one line that states the result alone"
)
COOKING = [
    "bake",
    "stir",
    "flour",
    "oven",
    "salt",
    "butter",
    "whisk",
    "simmer",
    "chop",
    "dough",
    "pan",
    "lemon",
]
SAILING = [
    "sail",
    "tack",
    "jib",
    "mast",
    "keel",
    "wind",
    "harbour",
    "rope",
    "anchor",
    "tide",
    "hull",
    "buoy",
]


def sketch(text: str) -> bytes:
    return fingerprints.fingerprint(text, KEY).sketch


def reworded(text: str, share: float, rng: random.Random) -> str:
    return " ".join(
        rng.choice(COOKING) if rng.random() < share else word for word in text.split()
    )


def sums(texts: list[str]) -> Sums:
    made = fingerprints.fingerprint_many(texts, KEY)
    return likeness.add_up([(each.embedding, 1) for each in made])


def said(words: list[str], count: int, rng: random.Random) -> list[str]:
    return [" ".join(rng.choices(words, k=12)) for _ in range(count)]


def test_a_template_with_a_word_changed_is_nearly_the_same():
    assert likeness.jaccard(sketch(TEMPLATE), sketch(TEMPLATE)) == 1
    changed = TEMPLATE.replace("careful", "patient")
    assert likeness.jaccard(sketch(TEMPLATE), sketch(changed)) > 0.6
    assert likeness.jaccard(sketch(TEMPLATE), sketch(" ".join(SAILING * 3))) < 0.1


def test_the_estimate_is_that_of_the_shingles():
    rng = random.Random(4)
    misses = []
    for _ in range(60):
        other = reworded(TEMPLATE, 0.15, rng)
        one, two = (
            {tuple(words[at : at + 3]) for at in range(len(words) - 2)}
            for words in (TEMPLATE.lower().split(), other.lower().split())
        )
        exact = len(one & two) / len(one | two)
        misses.append(likeness.jaccard(sketch(TEMPLATE), sketch(other)) - exact)
    assert abs(sum(misses) / len(misses)) < 0.03
    assert math.sqrt(sum(miss * miss for miss in misses) / len(misses)) < 0.08


def test_reworded_templates_are_found_among_many():
    rng = random.Random(5)
    texts = [" ".join(rng.choices(SAILING + COOKING, k=25)) for _ in range(300)]
    texts += [TEMPLATE, TEMPLATE.replace("careful", "patient")]
    found = list(likeness.alike({n: sketch(text) for n, text in enumerate(texts)}))
    assert [(one, other) for one, other, _ in found] == [(300, 301)]


def test_a_crowd_of_equal_sketches_is_not_compared_pair_by_pair():
    crowd = dict.fromkeys(range(likeness.CROWD + 1), sketch(TEMPLATE))
    assert list(likeness.alike(crowd)) == []


def test_sums_of_sums_are_the_sum_of_all():
    rng = random.Random(6)
    texts = said(COOKING, 30, rng)
    parts = [sums(texts[at : at + 7]) for at in range(0, 30, 7)]
    whole = sum(parts, likeness.none())
    assert (whole.count, whole.total.tolist()) == (30, sums(texts).total.tolist())


def test_accounts_that_ask_the_same_are_nearer_than_others():
    rng = random.Random(7)
    cooks, cooks_too = (sums(said(COOKING, 40, rng)) for _ in range(2))
    sailors = sums(said(SAILING, 40, rng))
    assert likeness.between(cooks, cooks_too) > likeness.between(cooks, sailors) + 0.1
    assert abs(likeness.discrepancy(cooks, cooks_too)) < 0.02
    assert likeness.discrepancy(cooks, sailors) > 0.2


def test_nothing_said_is_no_likeness():
    rng = random.Random(8)
    assert math.isnan(likeness.between(likeness.none(), sums(said(COOKING, 3, rng))))
    assert math.isnan(likeness.within(sums(["salt"])))


def test_an_accounts_embeddings_add_up_over_its_days(deliver):
    texts = [f"{word} the {word} in the evening" for word in COOKING]
    deliver(
        *(
            a_request(
                event_id=f"{n}",
                occurred_at=f"2026-11-{16 + n % 2}T09:00:00Z",
                prompt=texts[n % 5],
            )
            for n in range(30)
        )
    )
    refresh_stale()
    account = Account.objects.get().pk
    key = storing.fingerprint_key()
    found = skeletons.embeddings_of(
        [account], first=date(2026, 11, 16), last=date(2026, 11, 17)
    )[account]
    made = fingerprints.fingerprint_many([texts[n % 5] for n in range(30)], key)
    told = likeness.add_up([(each.embedding, 1) for each in made])
    assert (found.count, found.total.tolist()) == (30, told.total.tolist())


def test_stored_templates_are_compared_by_their_sketches(deliver):
    changed = TEMPLATE.replace("careful", "patient")
    deliver(
        a_request(event_id="1", prompt=TEMPLATE),
        a_request(event_id="2", prompt=changed),
        a_request(event_id="3", prompt=" ".join(SAILING)),
    )
    key = storing.fingerprint_key()
    hashes = [
        fingerprints.fingerprint(text, key).skeleton
        for text in (TEMPLATE, changed, " ".join(SAILING))
    ]
    ((one, other, share),) = skeletons.alike(hashes)
    assert {one, other} == set(hashes[:2])
    assert share > 0.6


# --- on prompts of other people ------------------------------------------------------
needs_corpora = pytest.mark.skipif(
    not CORPORA.is_dir(), reason="the evaluation corpora are not beside the repository"
)


def corpus(name: str) -> list[dict[str, object]]:
    with gzip.open(CORPORA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def prompts(name: str, count: int) -> list[str]:
    texts = [str(row["text"]) for row in corpus(name)]
    random.Random(name).shuffle(texts)
    return texts[:count]


@needs_corpora
def test_prompts_of_strangers_are_hardly_ever_taken_for_one_template():
    for name in ("alpaca_5000", "gsm8k_train", "gorilla_apibench", "arena_hard_v01"):
        made = fingerprints.fingerprint_many(prompts(name, 1000), KEY)
        found = list(likeness.alike({each.skeleton: each.sketch for each in made}))
        assert len(found) <= 5, name


@needs_corpora
def test_fillings_of_one_template_are_nearer_than_other_templates():
    rng = random.Random(9)  # neighbours in the file are fillings of one record
    by_template = defaultdict(list)
    for row in corpus("t0_templates"):
        by_template[row["extra"]["template"]].append(str(row["text"]))  # type: ignore[index]
    sketches = [
        [
            each.sketch
            for each in fingerprints.fingerprint_many(rng.sample(texts, 8), KEY)
        ]
        for texts in by_template.values()
        if len(texts) >= 8
    ]
    same = [likeness.jaccard(one[0], other) for one in sketches for other in one[1:]]
    others = [
        likeness.jaccard(one[0], other[0])
        for at, one in enumerate(sketches)
        for other in sketches[:at]
    ]
    assert median(same) > 0.25
    assert sum(share >= 0.5 for share in others) < 0.02 * len(others)


@needs_corpora
@pytest.mark.parametrize("harvest", ["gsm8k_train", "gorilla_apibench", "alpaca_5000"])
def test_a_half_of_harvest_in_a_pool_shows_against_mixed_traffic(harvest):
    rng = random.Random(harvest)
    mixed = [
        text
        for name in ("dolly_3k", "arena_hard_v01", "hh_rlhf_harmless")
        for text in prompts(name, 900)
    ]
    rng.shuffle(mixed)
    reference, rest = sums(mixed[:1000]), mixed[1000:]
    usual = [
        likeness.discrepancy(sums(rng.sample(rest, 300)), reference) for _ in range(40)
    ]
    pool = sums([*prompts(harvest, 150), *rng.sample(rest, 150)])
    assert likeness.discrepancy(pool, reference) > max(usual)
