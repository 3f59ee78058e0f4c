"""The prompt fingerprint: same on both sides, blind to slots, safe to write down."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import fingerprints
from ingest.fingerprints import BadFingerprint, fingerprint, mask, parse

KEY = fingerprints.subkey("a master key of the installation", "fingerprint")
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
    assert parse(f"{made};m=00ff;e=1.5,2") == made


@pytest.mark.parametrize(
    "written",
    ["", "hello", "f2:k=0;s=0", "f1:", "f1:k=00;s=00", "f1:k=zz;s=zz", "f1:w=1;i=x"],
)
def test_what_is_no_fingerprint_is_refused(written):
    with pytest.raises(BadFingerprint):
        parse(written)


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


def test_without_a_key_the_command_says_how_to_get_one(monkeypatch, capsys):
    monkeypatch.delenv(fingerprints.KEY_VARIABLE, raising=False)
    with pytest.raises(SystemExit):
        fingerprints.main([])
    assert "fingerprint_key" in capsys.readouterr().err
