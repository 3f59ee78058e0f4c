"""The prompt fingerprint: same on both sides, blind to slots, safe to write down."""

import doctest
import json
import os
import random
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import fingerprints
from ingest.fingerprints import BadFingerprint, fingerprint, mask, parse

KEY = fingerprints.subkey("a master key of the installation", "fingerprint")
FROZEN = (
    "f1:k=534073fc8bae2240;s=92c3696d5cef292e;i=1;"
    "w=13;m=fRXj2Uuit8BdTwXJRa4O4meauGE9f2L_GJahIZhWwfzEbmnIIO2MGZnq7q_5Qko"
    "qHZX5k1CZ9eVHydxr;e=dnYGM3ZcWjN1XHU2WnZaWnZcWn91dlp2dnZ2XDN_XH9_f1pcf3"
    "Z1M391dVx1NnV1Li5_jC5YpozPWM9zpi6mpi5YpgDPLqYuLi4uWIwAWAAAAKZYAC7PjADP"
    "z1jPc8_P"
)
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Write 3 jokes", "write 12.5  jokes"),
        ('Define "entropy" briefly', "Define “heat death” briefly"),
        ("Ask Mary Ann Evans now", "Ask Bob now"),
        ("Read https://a.example/x?y=1 now", "Read www.b.example now"),
        ("Mail ann@a.example today", "Mail bob.c+d@e.f.example today"),
        ("Delete user 4f9a-77b1c now", "Delete user id_0042 now"),
        ("Fix:\n```py\nprint(1)\n```", "Fix:\n```\nx = [1, 2]\ny\n```"),
        ("Topic: frogs\nBe brief", "Topic: the sea at night\nBe brief"),
        (
            "Sum up this ticket:\n\nMy printer\nis sad\n\nBe kind.",
            "Sum up this ticket:\n\nNo mail since noon\n\nBe kind.",
        ),
        ("Sum up <doc>one</doc> now", "Sum up <doc>a <b>longer</b> one</doc> now"),
        ("Compare 1, 2 and 3", "Compare 4 and 5"),
    ],
)
def test_what_fills_a_template_does_not_change_its_skeleton(one, other):
    first, second = fingerprint(one, KEY), fingerprint(other, KEY)
    assert first.skeleton == second.skeleton
    assert first.slots != second.slots


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Explain tides", "Explain clouds"),
        ("Write 3 jokes", "Write 3 poems"),
        ("Is it true?", "Is it false?"),
    ],
)
def test_other_wording_is_another_skeleton(one, other):
    assert fingerprint(one, KEY).skeleton != fingerprint(other, KEY).skeleton


def test_another_key_makes_strangers():
    other = fingerprints.subkey("another master key", "fingerprint")
    assert fingerprint("Hello", KEY).skeleton != fingerprint("Hello", other).skeleton


@given(st.text(max_size=400))
def test_what_is_written_can_be_read_back(text):
    made = fingerprint(text, KEY)
    assert parse(str(made)) == made
    assert len(str(made)) <= 2048


def test_a_reader_skips_names_it_does_not_know():
    made = fingerprint("Hello there", KEY)
    assert parse(f"{made};z=00ff;y=1.5,2") == made


def test_one_without_sketches_is_read_as_before():
    made = parse("f1:k=8c5b3bf6a1e90d27;s=02f4c7d1880ae3b6;i=1;w=6")
    assert (made.intents, made.words, made.sketch, made.embedding) == (1, 6, b"", b"")


SIXTEEN = "0123456789abcdef"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "hello",
        "f2:k=0;s=0",
        "f1:",
        "f1:k=00;s=00",
        "f1:k=zz;s=zz",
        "f1:w=1;i=x",
        f"f1:k={SIXTEEN};s={SIXTEEN};m=AAAA",
        f"f1:k={SIXTEEN};s={SIXTEEN};m={'é' * 80}",
        f"f1:k={SIXTEEN};s={SIXTEEN};e={'=' * 128}",
    ],
)
def test_what_is_no_fingerprint_is_refused(written):
    assert not fingerprints.is_written(written)
    with pytest.raises(BadFingerprint):
        parse(written)


WORDS = st.sampled_from(
    ["the", "a", "‹number›", "explain‹quote›", "写", "一", "诗", "step,", "poem", "🦉"]
)
WORDINGS = st.lists(st.lists(WORDS, max_size=40).map(" ".join), max_size=12)


@given(WORDINGS | st.lists(st.text(max_size=60), max_size=12))
def test_sketches_are_the_same_with_numpy_and_without(texts):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fingerprints, "_numpy", lambda: None)
        plain = fingerprints.sketch_many(texts, KEY)
    assert fingerprints.sketch_many(texts * 4, KEY) == plain * 4


def test_one_by_one_is_as_all_at_once():
    rng = random.Random(3)
    words = ["why", "the", "tide", "turns", "at", "3", "“Mars”,", "Ann?\n写诗", "of"]
    texts = [" ".join(rng.choices(words, k=rng.randint(0, 30))) for _ in range(700)]
    assert fingerprints.fingerprint_many(texts, KEY) == [
        fingerprint(text, KEY) for text in texts
    ]


def test_what_is_written_today_is_read_the_same_tomorrow():
    """Frozen: gateways of an older copy must agree with a newer server."""
    text = 'Explain step by step how "tides" work to 3 pupils of Mary Ann.'
    assert str(fingerprint(text, b"\x07" * 32)) == FROZEN


def test_a_hostile_vocabulary_is_forgotten(monkeypatch):
    monkeypatch.setattr(fingerprints, "_WORDS_KNOWN", 10)
    made = fingerprint("Hello there", KEY)
    fingerprint(" ".join(f"w{n}x" for n in range(100)), KEY)
    assert len(fingerprints._plan(KEY)._words) <= 10
    assert fingerprint("Hello there", KEY) == made


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Think step by step and show your work.", "reasoning_elicitation"),
        ("Grade the essay on a scale of 1 to 5.", "rubric_grading"),
        ("Put this politically sensitive question neutrally", "sensitive_rewrite"),
        ("Refactor this and run the tests", "agentic_coding"),
        ("You have these available tools", "tool_use"),
        ("What is in this image?", "vision"),
        ("Load the CSV with pandas", "data_analysis"),
    ],
)
def test_intents_are_found_by_plain_phrases(text, intent):
    assert fingerprints.intent_names(fingerprint(text, KEY).intents) == [intent]


def test_an_abbreviation_is_not_looked_for_inside_words():
    assert fingerprint("Is democracy mediocre?", KEY).intents == 0


def test_only_the_first_32_kib_count_on_both_sides():
    head = "é" * (16 * 1024)
    assert fingerprint(head + "tail", KEY) == fingerprint(head, KEY)
    assert fingerprints.response_hash(head + "x", KEY) == fingerprints.response_hash(
        head, KEY
    )


def test_an_unclosed_fence_is_only_text():
    masked, slots = mask("a ```b``` c ```d")
    assert (masked, slots) == ("a ‹code› c d", ["b"])


@pytest.mark.parametrize(
    "hostile",
    [
        "```" * 10_000,
        "<a>" * 10_000 + "</",
        "".join(f"<a{n}>" for n in range(4000)) + "</a>",
        "a@" * 16_000,
        "1a" * 16_000,
        "_" * 32_000,
        ":\n" * 16_000,
        "'a " * 10_000,
        "a Ab Cd " * 4000,
        "a: b\n" * 6000,
    ],
)
@pytest.mark.timeout(10)
def test_hostile_text_costs_no_more_than_its_length(hostile):
    for _ in range(5):
        fingerprint(hostile, KEY)


def test_the_file_works_alone_and_answers_as_the_server_does(tmp_path):
    alone = tmp_path / "fingerprints.py"
    alone.write_bytes((ROOT / "ingest" / "fingerprints.py").read_bytes())
    text = "Explain step by step how “tides” work to 3 pupils."
    record = {"type": "request", "prompt": text, "response": "Ebb.", "turn": 2}
    environment = {**os.environ, fingerprints.KEY_VARIABLE: KEY.hex()}

    def run(*arguments: str, given: str) -> str:
        command = [sys.executable, "-I", str(alone), *arguments]
        done = subprocess.run(
            command, input=given, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run(given=text + "\n") == f"{fingerprint(text, KEY)}\n"
    answer = json.loads(run("records", given=json.dumps(record)))
    assert answer == {
        "type": "request",
        "turn": 2,
        "prompt_fingerprint": str(fingerprint(text, KEY)),
        "response_hash": fingerprints.response_hash("Ebb.", KEY),
    }


def test_a_line_that_cannot_be_read_loses_none_beside_it_and_lets_no_text_through():
    good = json.dumps({"type": "request", "prompt": "Hello"}).encode()
    lines = [
        good,
        b"",
        b'{"prompt": "private words',
        b'["private words"]',
        b'{"prompt": "private \xff"}',
        b'{"prompt": "private \\ud800"}',
        b"[" * 100_000,
        good,
    ]
    done = subprocess.run(
        [sys.executable, "-m", "ingest.fingerprints", "records"],
        cwd=ROOT,
        input=b"\n".join(lines),
        env={**os.environ, fingerprints.KEY_VARIABLE: KEY.hex()},
        capture_output=True,
    )
    answers = done.stdout.splitlines()
    assert done.returncode == 1
    assert [bool(answer) for answer in answers] == [True, *[False] * 6, True]
    assert json.loads(answers[0]) == json.loads(answers[-1])
    told = done.stderr.decode()
    assert [line.split()[1] for line in told.splitlines()] == list("34567")
    assert b"private" not in done.stdout + done.stderr


def test_text_is_utf_8_whatever_the_locale_says():
    text = "Erklär die Gezeiten für “Ann”"
    done = subprocess.run(
        [sys.executable, "-m", "ingest.fingerprints"],
        cwd=ROOT,
        input=text.encode() + b"\r\n",
        env={
            **os.environ,
            "PYTHONIOENCODING": "latin-1",
            fingerprints.KEY_VARIABLE: KEY.hex(),
        },
        capture_output=True,
    )
    assert done.stdout.decode() == f"{fingerprint(text, KEY)}\n"


def test_an_empty_text_is_none_at_the_gateway_too():
    record: dict[str, object] = {"type": "request", "prompt": "", "response_hash": "ab"}
    stripped = fingerprints.strip_texts(record, KEY)
    assert stripped == {"type": "request", "response_hash": "ab"}


def test_without_a_key_the_command_says_how_to_get_one(monkeypatch, capsys):
    monkeypatch.delenv(fingerprints.KEY_VARIABLE, raising=False)
    with pytest.raises(SystemExit):
        fingerprints.main([])
    assert "fingerprint_key" in capsys.readouterr().err


PAGE = ROOT / "docs" / "fingerprints.md"


def test_the_examples_of_the_page_are_true():
    done = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert done.attempted > 5
    assert done.failed == 0


def test_the_commands_of_the_page_answer_as_it_says():
    block = re.search(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    commands = re.findall(r"^\$ (.*)\n((?:[^$\n].*\n)*)", block[1], re.M)  # type: ignore[index]
    assert len(commands) == 3
    python = f"{shlex.quote(sys.executable)} -m"
    set_key = commands[0][0]
    for command, answer in commands[1:]:
        line = f"{set_key}; {command.replace('python -m', python)}"
        done = subprocess.run(
            ["sh", "-c", line], cwd=ROOT, capture_output=True, text=True
        )
        assert (done.stdout, done.stderr) == (answer, "")
