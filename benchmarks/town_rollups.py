"""A day's requests → the rows that ingest's own rollup makes of them, in Polars.

Much quicker than taking events in, and the same for events as `town_days.py` makes
them (no account has 256 conversations, prompts or fillings a day, or 200 values of a
kind): tests/benchmarks/test_town.py takes some in and compares.
"""

from typing import Final

import polars as pl

from benchmarks.town_days import ja4, moment, stack
from ingest.fingerprints import INTENT_BITS
from ingest.rolling.days import INDICATORS, SKELETONS_SHOWN

Counts = dict[str, pl.DataFrame]  # kind → account, value, n
SUMS: Final = ("input_tokens", "output_tokens")
OWN_MAPS: Final = ("by_model", "params")


def counts_of(frame: pl.DataFrame) -> Counts:
    """How often each account showed what, kind by kind; no kind that nobody showed."""
    has_tools = pl.col("tool_count") > 0
    block = pl.col("client_ip").str.replace(r"\.\d+$", ".0/24")
    seen: dict[str, pl.Expr] = {
        "by_model": pl.col("model"),
        "params": pl.format("{}|{}", "temperature", "max_tokens"),
        "device": pl.col("device_id"),
        "address": pl.col("client_ip"),
        "block": block,
        "client_stack": pl.format("{}|{}", ja4(), stack()),
        "tools": pl.col("tools_hash"),
        "system": pl.col("system_hash"),
    }
    found = {kind: counted(frame, value) for kind, value in seen.items()}
    found["skeleton"] = most_used(counted(frame, pl.col("skeleton")))
    bits = frame.with_columns(
        pl.col("intents")
        | pl.when(has_tools).then(INTENT_BITS["tool_use"]).otherwise(0)
    )
    asked = [
        counted(bits.filter(pl.col("intents") & bit > 0), pl.lit(name))
        for name, bit in INTENT_BITS.items()
    ]
    found["intents"] = pl.concat(asked)
    return found


def counted(frame: pl.DataFrame, value: pl.Expr) -> pl.DataFrame:
    shown = frame.select("account", value.alias("value")).drop_nulls()
    return shown.group_by("account", "value").agg(pl.len().alias("n"))


def most_used(counts: pl.DataFrame) -> pl.DataFrame:
    """The skeletons that a day's row shows: the most used, ties by their text."""
    ordered = counts.with_columns(text=pl.col("value").cast(pl.String)).sort(
        "account", "n", "text", descending=[False, True, False]
    )
    place = pl.int_range(pl.len()).over("account")
    return ordered.filter(place < SKELETONS_SHOWN).select("account", "value", "n")


def account_days(frame: pl.DataFrame, counts: Counts) -> pl.DataFrame:
    """The rows of ingest_accountday but for `day` and `state`."""
    hour = pl.col("micros") // 3_600_000_000
    opens = pl.col("turn") == 1
    days = frame.group_by("account").agg(
        requests=pl.len(),
        failures=(pl.col("http_status") >= 400).sum(),
        conversations=opens.sum(),
        single_shots=alone(),
        **{name: pl.col(name).sum() for name in SUMS},
        tool_requests=(pl.col("tool_count") > 0).sum(),
        distinct_skeletons=pl.col("skeleton").n_unique(),
        distinct_slots=pl.col("slot").n_unique(),
        hours=array(hour == at for at in range(24)),
        session_hours=array((hour == at) & opens for at in range(24)),
        first_at=pl.col("at").min(),
        last_at=pl.col("at").max(),
    )
    days = days.with_columns(moment("first_at"), moment("last_at"))
    for name in (*OWN_MAPS, "intents"):
        days = days.join(maps(counts[name], name), on="account", how="left")
    days = days.join(maps(counts["skeleton"], "skeletons"), on="account", how="left")
    shown = [kind for kind in INDICATORS if kind in counts]
    for kind in shown:
        days = days.join(maps(counts[kind], kind), on="account", how="left")
    each = [pl.concat_str(pl.lit(f'"{kind}":'), pl.col(kind)) for kind in shown]
    indicators = pl.concat_str(
        pl.lit("{"), pl.concat_str(each, separator=",", ignore_nulls=True), pl.lit("}")
    )
    return (
        days.with_columns(indicators=indicators)
        .drop(shown)
        .with_columns(pl.col(*OWN_MAPS, "intents", "skeletons").fill_null("{}"))
        .rename({"account": "account_id"})
        .sort("account_id")
    )


def alone() -> pl.Expr:
    """Conversations of a single turn."""
    return (pl.col("talk").value_counts().struct.field("count") == 1).sum()


def array(counted_of: object) -> pl.Expr:
    """24 counts as PostgreSQL reads an array."""
    counts = [which.sum().cast(pl.String) for which in counted_of]  # type: ignore[attr-defined]
    return pl.concat_str(pl.lit("{"), pl.concat_str(counts, separator=","), pl.lit("}"))


def maps(counts: pl.DataFrame, name: str) -> pl.DataFrame:
    """Account → its values and counts as JSON."""
    pair = pl.format('"{}":{}', "value", "n")
    each = counts.select("account", pair.alias("pair"))
    joined = each.group_by("account").agg(pl.col("pair").str.join(","))
    whole = pl.concat_str(pl.lit("{"), pl.col("pair"), pl.lit("}"))
    return joined.select("account", whole.alias(name))


# --- Sightings --------------------------------------------------------------------


def sightings(shown: pl.LazyFrame) -> pl.DataFrame:
    """What each account showed over all its days, of account, value, day, n."""
    by_day = shown.group_by("account", "value", "day").agg(pl.col("n").sum())
    return (
        by_day.group_by("account", "value")
        .agg(
            first_seen_on=pl.col("day").min(),
            last_seen_on=pl.col("day").max(),
            count=pl.col("n").sum(),
            last_count=pl.col("n").sort_by("day").last(),
        )
        .sort("value", "account")
        .collect()
    )
