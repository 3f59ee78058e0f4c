"""What the accounts of a made-up town send on one day: a request a row.

`requests_on` gives columns of numbers and texts, the same for the same seed. They are
written out in three ways: as rows of ingest's table of events, as the table that
ingest's own rollup reads, and as NDJSON of the contract.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from benchmarks.town import BUSIEST, ENDS_AT, NONE, PRIVATE, Town
from ingest.fingerprints import INTENT_BITS
from investigations.detection.shapes import Bools, Floats, Ints

MODELS: Final = ("nova-2", "nova-2-mini", "atlas-1", "atlas-1-vision", "nova-2-pro")
RELEASED: Final = "nova-3"
RELEASED_BEFORE_END: Final = timedelta(days=13, hours=15)
FAMILIES: Final = ("openai/python", "openai/js", "langchain/py", "curl", "go", "httpx")
AT_WORK: Final = 0.85  # chance that an account sends anything on a day
PAUSE: Final = 45.0  # seconds from turn to turn
MIX: Final = 0x9E37_79B9_7F4A_7C15
SLOTS: Final = 200  # different fillings of an account's templates in a day
COMMIT: Final = 50_000  # events that lie together, by account and time


@dataclass(frozen=True, slots=True, eq=False)
class Talks:
    """Which conversation each request belongs to, which of its turns it is, and the
    second of the day at which each conversation began."""

    talk: Ints
    turn: Ints
    begins: Floats


def start_of(town: Town, day: int) -> datetime:
    return ENDS_AT - timedelta(days=town.days - day)


def released_at() -> datetime:
    return ENDS_AT - RELEASED_BEFORE_END


def requests_on(town: Town, day: int) -> pl.DataFrame:
    """One row a request, in the order in which commits of COMMIT would leave them."""
    dice = np.random.default_rng([town.seed, day])
    account, place = who_sends(town, day, dice)
    turns = town.turns[account]
    turn = place % turns + 1
    opens = turn == 1
    talk = np.cumsum(opens) - 1
    begins = talk_times(town, account[opens], day, dice)
    talks = Talks(talk, turn, begins)
    seconds = begins[talk] + (turn - 1) * PAUSE + dice.random(len(account))
    seconds = np.minimum(seconds, 86_399.9)
    frame = pl.DataFrame(
        {
            "account": account + 1,
            "micros": (seconds * 1e6).astype(np.int64),
            "talk": talk + day * 2**32,
            "turn": turn,
            **texts(town, account, talk, dice),
            **numbers(town, account, dice),
            "model": models(town, account, day, seconds, dice),
        }
    )
    frame = frame.with_columns(answers(town, account, talks, day, dice))
    start = int(start_of(town, day).timestamp() * 1e6)
    return (
        frame.sort("micros")
        .with_row_index("row")
        .with_columns(commit=pl.col("row") // COMMIT, at=pl.col("micros") + start)
        .sort("commit", "account", "micros")
        .with_columns(event_id=pl.format(f"e{day}-{{}}", "row"))
    )


def who_sends(town: Town, day: int, dice: np.random.Generator) -> tuple[Ints, Ints]:
    """Account (from 0) of each request, and which of its requests that is."""
    end = int((start_of(town, day) + timedelta(days=1)).timestamp())
    dealt = town.group >= 0
    active = (dice.random(town.accounts) < AT_WORK) | dealt
    usual = np.minimum(town.rate / np.where(dealt, 1.0, AT_WORK), BUSIEST)
    count = np.where(dealt, np.rint(usual), dice.poisson(usual)).astype(np.int64)
    count[(town.born >= end - 3_600) | ~active] = 0
    firsts = np.cumsum(count) - count
    place = np.arange(count.sum()) - np.repeat(firsts, count)
    return np.repeat(np.arange(town.accounts), count), place


def talk_times(
    town: Town, account: Ints, day: int, dice: np.random.Generator
) -> Floats:
    """Second of the day at which each conversation begins."""
    people = dice.normal(town.hour[account], 2.5) % 24 * 3_600
    dealt = dice.random(len(account)) * 86_400
    born = town.born[account] - start_of(town, day).timestamp() + 1
    begins = np.where(town.group[account] >= 0, dealt, people)
    late: Floats = np.maximum(begins, born)
    return late


def texts(
    town: Town, account: Ints, talk: Ints, dice: np.random.Generator
) -> dict[str, Ints | pl.Series]:
    typed = dice.random(len(account)) < town.typed[account]
    which = dice.integers(0, 1 << 30, len(account)) % town.templates[account]
    known = skeletons(town.first_template[account] * 16 + which)
    fresh = dice.integers(1 << 61, 1 << 62, len(account))
    travels = (dice.random(int(talk.max(initial=0)) + 1) < 0.3)[talk]
    return {
        "skeleton": np.where(typed, fresh, known),
        "slot": dice.integers(0, SLOTS, len(account)) + (account << 20),
        "client_ip": addresses(
            np.where(travels, town.away[account], town.home[account])
        ),
        "stack": town.stack[account],
        "device_id": named("device", town.device[account]),
        "tools_hash": named("tools", town.tools[account]),
        "system_hash": named("system", town.system[account]),
    }


def skeletons(numbers: Ints) -> Ints:
    """Numbers that look like hashes, below 2^61."""
    mixed = numbers.astype(np.uint64) * np.uint64(MIX)
    found: Ints = (mixed >> np.uint64(3)).astype(np.int64)
    return found


def addresses(numbers: Ints) -> pl.Series:
    """Numbers 256 apart lie in blocks of their own."""
    block = (numbers >> 8) * 2_654_435_761 % 2**24
    parts = pl.DataFrame({"a": block >> 16, "b": block >> 8, "c": block, "d": numbers})
    octets = [pl.col(name) & 255 for name in "bcd"]
    first = pl.col("a") % 200 + 11  # no special network
    return parts.select(pl.format("{}.{}.{}.{}", first, *octets)).to_series()


def named(kind: str, numbers: Ints) -> pl.Series:
    """Texts as long as hashes are; null for NONE."""
    column = pl.Series("n", numbers)
    text = pl.format(f"{kind:x<12}" + "5c" * 5 + "{}", pl.col("n") + PRIVATE)
    return column.to_frame().select(pl.when(pl.col("n") != NONE).then(text)).to_series()


def numbers(
    town: Town, account: Ints, dice: np.random.Generator
) -> dict[str, Ints | pl.Series]:
    size = len(account)
    bits = np.array([*INTENT_BITS.values(), 0, 0])
    setting = town.setting[account]
    asked = bits[town.intent[account]] * (dice.random(size) < 0.3)
    warm = pl.Series(["0", "0.2", "0.7", "1"])
    return {
        "intents": asked,
        "input_tokens": dice.integers(20, 8_000, size),
        "output_tokens": dice.integers(1, 2_000, size),
        "latency_ms": dice.integers(200, 30_000, size),
        "http_status": np.where(dice.random(size) < 0.02, 429, 200),
        "tool_count": pl.Series(np.where(town.tools[account] != NONE, 3, 0)),
        "temperature": warm[setting % 4],
        "max_tokens": pl.Series(["1024", "4096", "16000"])[setting // 4],
    }


def models(
    town: Town, account: Ints, day: int, seconds: Floats, dice: np.random.Generator
) -> pl.Series:
    """Each account's usual one; campaigns, and a fifth of the others, go to the new."""
    other = dice.random(len(account)) < 0.1
    usual = np.where(other, dice.integers(0, 5, len(account)), town.model[account])
    since = (released_at() - start_of(town, day)).total_seconds()
    goes = (town.group[account] >= 0) | (account % 5 == 0)
    return pl.Series([*MODELS, RELEASED])[np.where(goes & (seconds > since), 5, usual)]


def answers(
    town: Town, account: Ints, talks: Talks, day: int, dice: np.random.Generator
) -> list[pl.Expr]:
    """Answers' hashes, and those that a request carried along, of who tells them.

    In campaigns that tell, a third of the conversations goes on from another
    account's last answer.
    """
    tells, talk, turn = town.tells_answers[account], talks.talk, talks.turn
    last = np.zeros(len(talks.begins), np.int64)
    np.maximum.at(last, talk, turn)
    giver = handed(town, account[turn == 1], talks.begins, dice)[talk]
    other = {"other": giver + day * 2**32, "last": last[np.maximum(giver, 0)]}
    goes_on = pl.Series(tells & (turn == 1) & (giver >= 0))
    own = pl.Series(tells)
    before = [
        pl.when(pl.col("turn") > back).then(answer("talk", pl.col("turn") - back))
        for back in (3, 2, 1)
    ]
    carried = pl.concat_list(before).list.drop_nulls()
    from_other = pl.DataFrame(other).select(answer("other", pl.col("last")))
    return [
        pl.when(own).then(answer("talk", pl.col("turn"))).alias("response_hash"),
        pl.when(goes_on)
        .then(pl.concat_list(pl.lit(from_other.to_series())))
        .when(own & (pl.col("turn") > 1))
        .then(carried)
        .alias("prior_response_hashes"),
    ]


def answer(talk: str, turn: pl.Expr) -> pl.Expr:
    return pl.format("r{}x{}", pl.col(talk), turn)


def handed(
    town: Town, account: Ints, begins: Floats, dice: np.random.Generator
) -> Ints:
    """The conversation that each of these goes on with, -1 for none."""
    group = town.group[account]
    found = np.full(len(account), -1, np.int64)
    inside = np.flatnonzero((group >= 0) & town.tells_answers[account])
    order = inside[np.lexsort((begins[inside], group[inside]))]
    before, after = order[:-1], order[1:]
    takes: Bools = (
        (group[before] == group[after])
        & (account[before] != account[after])
        & (begins[before] + 300 < begins[after])
        & (dice.random(len(before)) < 0.33)
    )
    found[after[takes]] = before[takes]
    return found


# --- Written out ------------------------------------------------------------------


def stack() -> pl.Expr:
    agent = pl.col("stack") % 6
    family = agent.replace_strict(
        list(range(6)), list(FAMILIES), return_dtype=pl.String
    )
    return pl.format("{}/{}", family, pl.col("stack") // 6 % 10)


def agent() -> pl.Expr:
    return pl.format("{}.0.0", stack())


def ja4() -> pl.Expr:
    return pl.format("t13d1516h2_8daaf6152771_{}", pl.col("stack") // 60)


def conversation() -> pl.Expr:
    return pl.format("conv-{}", "talk")


def event_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of ingest_event, as the drain would write them."""
    has_tools = pl.when(pl.col("tool_count") > 0).then(INTENT_BITS["tool_use"])
    return frame.select(
        pl.lit(1).alias("source_id"),
        "event_id",
        pl.col("commit").alias("batch_id"),
        pl.lit("request").alias("kind"),
        moment("at").alias("occurred_at"),
        moment("at").alias("received_at"),
        pl.col("account").alias("account_id"),
        "model",
        pl.lit("chat").alias("operation"),
        "input_tokens",
        "output_tokens",
        "max_tokens",
        "temperature",
        "latency_ms",
        "http_status",
        "tool_count",
        conversation().alias("conversation_id"),
        "turn",
        "client_ip",
        agent().alias("user_agent"),
        ja4().alias("ja4"),
        "device_id",
        pl.format("{}|{}", ja4(), stack()).alias("client_stack"),
        pl.col("skeleton").alias("skeleton_hash"),
        pl.col("slot").alias("slot_hash"),
        (pl.col("intents") | has_tools.otherwise(0)).alias("intents"),
        "system_hash",
        "tools_hash",
        "response_hash",
        braced("prior_response_hashes"),
        pl.lit(False).alias("skewed"),
    )


def braced(name: str) -> pl.Expr:
    """An array as PostgreSQL reads it."""
    joined = pl.col(name).list.join(",")
    return pl.concat_str(pl.lit("{"), joined, pl.lit("}")).alias(name)


def moment(name: str) -> pl.Expr:
    return pl.from_epoch(pl.col(name), "us").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")


def rollup_text(frame: pl.DataFrame) -> bytes:
    """What `ingest.rolling.summing` would read of these events. Conversations and slots
    stand for their hashes: below 256 a day only how many differ is counted."""
    has_tools = pl.when(pl.col("tool_count") > 0).then(INTENT_BITS["tool_use"])
    nothing = pl.lit(None, pl.String)
    told = frame.select(
        "account",
        seconds=pl.col("at") / 1e6,
        kind=pl.lit("request"),
        turn="turn",
        intents=pl.col("intents") | has_tools.otherwise(0),
        conversation=pl.col("talk") % 2**31,
        skeleton="skeleton",
        slot=pl.col("slot") % 2**31,
        by_model="model",
        temperature="temperature",
        max_tokens="max_tokens",
        payment=nothing,
        device="device_id",
        address="client_ip",
        client_stack=pl.format("{}|{}", ja4(), stack()),
        tools="tools_hash",
        system="system_hash",
    )
    written = told.write_csv(
        separator="\t", null_value="\\N", include_header=False, quote_style="never"
    )
    return written.encode()


def lines(frame: pl.DataFrame) -> bytes:
    """NDJSON of the contract."""
    fingerprint = pl.struct("skeleton", "slot", "intents").map_elements(
        lambda f: (
            f"f1:k={f['skeleton']:016x};s={f['slot']:016x};i={f['intents']:x};w=9"
        ),
        return_dtype=pl.String,
    )
    return (
        frame.select(
            pl.lit("request").alias("type"),
            "event_id",
            moment("at").alias("occurred_at"),
            pl.format("acct_{}", "account").alias("account_id"),
            "model",
            "input_tokens",
            "output_tokens",
            pl.col("max_tokens").cast(pl.Int64),
            pl.col("temperature").cast(pl.Float64),
            "latency_ms",
            "http_status",
            "tool_count",
            conversation().alias("conversation_id"),
            "turn",
            "client_ip",
            agent().alias("user_agent"),
            ja4().alias("ja4"),
            "device_id",
            fingerprint.alias("prompt_fingerprint"),
            "system_hash",
            "tools_hash",
            "response_hash",
            "prior_response_hashes",
        )
        .write_ndjson()
        .encode()
    )
