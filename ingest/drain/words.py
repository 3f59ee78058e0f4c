"""What is kept of prompts and answers when their requests are stored."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final, cast

import polars as pl

from ingest.drain import copying
from ingest.models import ResponseHash
from ingest.records import columns
from ingest.records.columns import Hashes, Place
from ingest.records.schemas import Event, Request
from ingest.texts import excerpts, templates

Told = Sequence[Hashes | None]
_TEXTS: Final = attrgetter(
    *("prompt", "prompt_fingerprint", "system_prompt", "system_hash"),
    *("response", "response_hash"),
)


def told(
    requests: Sequence[Event], rows: Sequence[int] | pl.Series, key: bytes
) -> Told:
    """The hashes of these rows of the requests; empty where none has any text."""
    holds = list(map(any, map(_TEXTS, requests)))
    if not any(holds):
        return ()
    return [
        columns.hashes_of(cast("Request", requests[row]), key) if holds[row] else None
        for row in rows
    ]


def store(
    requests: Sequence[Event],
    table: pl.DataFrame,
    hashes: Told,
    places: Sequence[Place],
    key: bytes,
) -> None:
    """Answers' hashes, prompts' templates and excerpts, in the caller's transaction.

    `table` holds each row's `row` among the requests, its `part` among the places and
    its `account_id`; `hashes` are those of its rows.
    """
    if not hashes:
        return
    answers: list[tuple[str, int, str | None, datetime]] = []
    wordings: dict[int, templates.Wording] = {}
    said: list[excerpts.Prompt] = []
    named = table.select("row", "part", "account_id").iter_rows()
    for (row, part, account), of in zip(named, hashes, strict=True):
        if of is None:
            continue
        event = cast("Request", requests[row])
        if of.response:
            answers.append(
                (of.response, account, event.conversation_id, event.occurred_at)
            )
        if of.prompt is None:
            continue
        templates.note(wordings, of.prompt, account)
        if event.prompt:
            said.append(
                excerpts.Prompt(
                    source=places[part].source_id,
                    event_id=event.event_id,
                    account=account,
                    occurred_at=event.occurred_at,
                    skeleton=of.prompt.skeleton,
                    text=event.prompt,
                )
            )
    _store_answers(answers)
    templates.store(wordings, key)
    excerpts.store(said, key)


def _store_answers(answers: list[tuple[str, int, str | None, datetime]]) -> None:
    if not answers:
        return
    names = ("response_hash", "account_id", "conversation_id", "occurred_at")
    options, text = columns.copy_text(pl.DataFrame(answers, schema=names, orient="row"))
    copying.copy(f"COPY {ResponseHash._meta.db_table} {options}", [text])
