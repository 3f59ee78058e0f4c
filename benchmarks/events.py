"""Synthetic telemetry, the same for the same seed: a heavy tail of accounts.

Values have the lengths that gateways send: some 430 bytes a line.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

ACCOUNTS: Final = 224_000
MODELS: Final = ("nova-2", "nova-2-mini", "atlas-1", "atlas-1-vision", "embed-3")
AGENTS: Final = tuple(
    f"{name} {major}.{minor}.0"
    for name in ("OpenAI/Python", "OpenAI/JS", "LangChain/Python", "curl")
    for major in (1, 2)
    for minor in range(12)
)
COUNTRIES: Final = ("US", "DE", "GB", "FR", "SG", "JP", "BR", "IN", "NL", "CA")
PIECE: Final = 100_000
Column = np.ndarray[tuple[int], np.dtype[np.generic]]


def lines(
    count: int, *, seed: int = 1, days: int = 1, fingerprints: bool = False
) -> Iterator[bytes]:
    """NDJSON of `count` requests, PIECE lines at a time, in the order of time.

    Without text; with the fingerprints of texts where that is asked for.
    """
    for start in range(0, count, PIECE):
        rows = min(PIECE, count - start)
        frame = piece(rows, seed=seed * 1_000_003 + start, at=start / count, days=days)
        if not fingerprints:
            frame = frame.drop("prompt_fingerprint")
        yield frame.write_ndjson().encode()


def piece(rows: int, *, seed: int, at: float, days: int) -> pl.DataFrame:
    """`rows` requests as the contract has them; `at` is how far the days have gone."""
    rng = np.random.default_rng(seed)
    first = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first += timedelta(days=-days) + at * timedelta(days=days)
    # A tenth of the accounts sends most of what is sent.
    account = (ACCOUNTS * rng.random(rows) ** 3).astype(np.int64)
    millis = np.sort(rng.integers(0, 60_000, rows))
    models, agents, countries = (
        np.array(names, dtype=object) for names in (MODELS, AGENTS, COUNTRIES)
    )
    frame = pl.DataFrame(
        {
            "account": account,
            "at": pl.Series(millis).cast(pl.Duration("ms")) + first,
            "high": rng.integers(0, 2**63, rows),
            "low": rng.integers(0, 2**63, rows),
            "skeleton": rng.integers(0, 20_000, rows),
            "slots": rng.integers(0, 2**63, rows),
            "model": models[account % len(models)],
            "input_tokens": rng.integers(20, 8_000, rows),
            "output_tokens": rng.integers(1, 2_000, rows),
            "latency_ms": rng.integers(200, 30_000, rows),
            "user_agent": agents[account % len(agents)],
            "country": countries[account % len(countries)],
            "turn": rng.integers(1, 9, rows),
        }
    )
    return frame.select(*_columns())


def _columns() -> list[pl.Expr]:
    account = pl.col("account")
    high, low, slots = _hex("high"), _hex("low"), _hex("slots")
    skeleton = _hex("skeleton")
    return [
        pl.lit("request").alias("type"),
        pl.concat_str(pl.lit("req_"), high, low).alias("event_id"),
        pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").alias("occurred_at"),
        pl.format("acct_{}", account).alias("account_id"),
        pl.format("key_{}", account).alias("api_key_id"),
        pl.col("model"),
        pl.col("input_tokens"),
        pl.col("output_tokens"),
        pl.col("latency_ms"),
        pl.lit(200).alias("http_status"),
        pl.lit("stop").alias("finish_reason"),
        pl.lit(True).alias("stream"),
        pl.concat_str(pl.lit("conv_"), high).alias("conversation_id"),
        pl.col("turn"),
        pl.format(
            "10.{}.{}.{}", account % 200, account // 200 % 250, account % 250
        ).alias("client_ip"),
        (account % 60_000 + 1).alias("asn"),
        pl.col("country"),
        pl.col("user_agent"),
        pl.format("t13d1516h2_8daaf6152771_{}", account % 30).alias("ja4"),
        pl.concat_str(
            pl.lit("f1:k="), skeleton, pl.lit(";s="), slots, pl.lit(";i=0;w=40")
        ).alias("prompt_fingerprint"),
    ]


def _hex(name: str) -> pl.Expr:
    """Sixteen hexadecimal digits of a column of 64-bit integers."""
    number = pl.col(name)
    return pl.concat_str(
        *(
            (number // 16**place % 16).replace_strict(
                list(range(16)), list("0123456789abcdef"), return_dtype=pl.String
            )
            for place in range(15, -1, -1)
        )
    )
