"""What customers wrote goes in by the door and is nowhere afterwards."""

import gzip
import logging
import zlib
from collections.abc import Iterator

import pytest
from backports import zstd
from django.core.management import call_command
from django.db import connection

from ingest.drain import writers
from ingest.rolling.rollups import refresh_stale
from ingest.texts import excerpts
from tests.ingest.records import a_request, an_account, an_activity, ndjson

# Each is distinct, survives upper and lower case, and is found however it is encoded.
WORDING = "quuxwording"
MAILS = ["quuxmail@lab.example", "quuxagent@lab.example", "quuxname@lab.example"]
PHONES = ["+49 30 9018201234", "(030) 77 88 99 55", "+1-555-013-4242"]
OTHERS = [
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "sk-quuxsecret0a1B2c3D4",
]
SAID = " ".join([WORDING, "Ann quuxname", *MAILS, *PHONES, *OTHERS])
PRIVATE = ["quuxmail", "quuxagent", "quuxname@", "quuxsecret"]
DIGITS = ["9018201234", "77889955", "5550134242", "4111111111111111", "04405320130"]


def letters() -> list[dict[str, object]]:
    """The same private things in every place that takes text."""
    texts = {"prompt": SAID, "system_prompt": SAID, "response": SAID}
    shared = "Write to quuxmail@lab.example or call +49 30 9018201234 now"
    return [
        *(a_request(event_id=f"t{n}", account_id=f"a{n}", **texts) for n in range(40)),
        *(
            a_request(event_id=f"s{n}", account_id=f"a{n}", prompt=shared)
            for n in range(4)
        ),
        a_request(
            event_id="long",
            prompt="x" * 40_000 + SAID,
            user_agent="bot/1.0 (quuxagent@lab.example, +49 30 9018201234)",
        ),
        an_activity(user_agent="quuxagent@lab.example"),
        an_account(
            email="QuuxMail+tag@lab.example",
            display_name="quuxname@lab.example",
            organization="Quux +49 30 9018201234",
            signup_user_agent="quuxagent@lab.example",
            referrer="https://a.example/?by=quuxmail@lab.example",
        ),
        # These are kept as lines that were not stored, with what is wrong in them.
        a_request(event_id="t1", **texts),
        a_request(event_id="t2", **{**texts, "prompt": SAID + "!"}),
        a_request(event_id="bad", input_tokens=-1, **texts),
        a_request(event_id="ahead", occurred_at="2031-01-01T00:00:00Z", **texts),
        an_account(plan="gold", email="quuxmail@lab.example"),
    ]


def rows() -> Iterator[tuple[str, str]]:
    """(table, what a row holds) of the whole database; bytes unpacked as well."""
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                for value in row:
                    yield table, _shown(value)


def _shown(value: object) -> str:
    if not isinstance(value, bytes | memoryview):
        return str(value)
    raw = bytes(value)
    shown = raw.decode(errors="replace")
    for unpack in (gzip.decompress, zlib.decompress, zstd.decompress):
        try:
            shown += unpack(raw).decode(errors="replace")
        except (OSError, EOFError, ValueError, zlib.error, zstd.ZstdError):
            continue
    return shown


def found(shown: str) -> list[str]:
    digits = "".join(char for char in shown if char.isdigit())
    lower = shown.lower()
    return [each for each in PRIVATE if each in lower] + [
        each for each in DIGITS if each in digits
    ]


@pytest.fixture
def posted(gateway, caplog) -> str:
    """What the log said while all of it went in by the door and was worked up."""
    with caplog.at_level(logging.DEBUG):
        answer = gateway.post(ndjson([*letters(), b'{"prompt": "' + SAID.encode()]))
        assert answer.status_code == 202
        writers.store_pending()
        refresh_stale()
        call_command("check_ledger")
    return str(caplog.text) + str(answer.content.decode())


def test_mail_phones_cards_and_secrets_are_nowhere(posted):
    hits = [(table, found(shown)) for table, shown in rows() if found(shown)]
    assert hits == []
    assert found(posted) == []


@pytest.mark.parametrize("kept", [True, False])
def test_wording_is_only_in_excerpts_and_shared_templates(
    monkeypatch, settings, request, kept
):
    monkeypatch.setattr(excerpts, "HIGHEST", 2**63)  # everything may be drawn
    settings.RETENTION_EXCERPTS_DAYS = 30 if kept else 0
    request.getfixturevalue("posted")
    holding = {table for table, shown in rows() if WORDING in shown.lower()}
    assert holding == {"ingest_template"} | ({"ingest_excerpt"} if kept else set())


def test_the_log_says_nothing_that_a_customer_wrote(posted):
    assert "quux" not in posted.lower()
