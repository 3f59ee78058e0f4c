"""Is an operator who comes back known again? Simulated returns, by share renewed.

    python -m benchmarks.returning --seeds 5 --renewed 0,0.3,0.7,1

In each world two campaigns are banned on day 14 and are back 30 days later with new
accounts, when nobody who was banned is in the window any more. Each world gets a
database of its own beside the one that DATABASE_URL names. Detection runs on the day of
the ban; the accounts of the clusters that are mostly of these campaigns are labelled as
a decision does; detection runs again at the end. Counted is, for each campaign and
seed, whether its largest cluster's best match is a past cluster of the same campaign,
and which clusters of others match one at all.

The simulator and the detector have the same authors: what is measured is an upper
bound.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

from benchmarks.detection import ENDS_AT, drop, fresh_database, manage, stamp

DAYS, BANNED_AFTER = 52, 14
BANNED_AT = ENDS_AT - timedelta(days=DAYS - BANNED_AFTER, seconds=60)
AGAIN = "_again"
JUDGE, BAN = "--judge", "--ban"


def main() -> None:
    if len(sys.argv) > 2 and sys.argv[1] in (JUDGE, BAN):
        django.setup()
        {JUDGE: judge, BAN: ban}[sys.argv[1]](Path(sys.argv[2]))
        return
    asked = arguments()
    rows = []
    for seed in range(asked.first, asked.first + asked.seeds):
        for renewed in asked.renewed:
            rows.append(measure(renewed, seed, asked))
            print(told(rows[-1]), flush=True)
    print_summary(rows)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.returning")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--renewed", type=numbers, default=[0, 0.3, 0.7, 1])
    parser.add_argument("--accounts", type=int, default=3000)
    parser.add_argument("--events", type=int, default=150_000)
    parser.add_argument("--evasion", help="0 to 4; default: as the demo's")
    parser.add_argument("--away", type=float, default=30.0, help="days")
    return parser.parse_args()


def numbers(text: str) -> list[float]:
    return [float(each) for each in text.split(",")]


def measure(renewed: float, seed: int, asked: argparse.Namespace) -> dict[str, Any]:
    name = f"benchmark_returning_{int(renewed * 100)}_{seed}"
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {"DATABASE_URL": fresh_database(name)}
        env |= {
            "STILLWATCH_VAR": folder,
            "DJANGO_SETTINGS_MODULE": "dashboard.settings",
        }
        try:
            return run(renewed, seed, asked, Path(folder), env)
        finally:
            drop(name)


def run(
    renewed: float,
    seed: int,
    asked: argparse.Namespace,
    place: Path,
    env: dict[str, str],
) -> dict[str, Any]:
    world, truth = place / "world.ndjson", place / "truth.ndjson"
    manage(env, "migrate", "-v0")
    sizes = ["--accounts", str(asked.accounts), "--events", str(asked.events)]
    made = ["--seed", str(seed), "--truth", str(truth), "--days", str(DAYS)]
    made += ["--evasion", asked.evasion] if asked.evasion else []
    back = ["--returnee", str(renewed), "--away", str(asked.away)]
    ends = ["--ends-at", stamp(ENDS_AT)]
    manage(env, "make_demo_data", str(world), *ends, *sizes, *made, *back)
    manage(env, "ingest", str(world))
    manage(env, "detect", "--as-of", stamp(BANNED_AT))
    apart(env, BAN, truth)
    begun = time.perf_counter()
    timed = manage(env, "detect", "--as-of", stamp(ENDS_AT))
    found: dict[str, Any] = json.loads(apart(env, JUDGE, truth))
    stage = [line for line in timed.splitlines() if line.endswith("past clusters")]
    return {
        "renewed": renewed,
        "seed": seed,
        "seconds": time.perf_counter() - begun,
        "own": stage[0].split()[0] if stage else "?",
    } | found


def apart(env: dict[str, str], *words: object) -> str:
    """This module with Django, on the world's own database."""
    command = [sys.executable, "-m", "benchmarks.returning", *map(str, words)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{words[0]} failed:\n{done.stderr[-2000:]}")
    return done.stdout


# --- In the world's own database ------------------------------------------------------


def campaigns(truth: Path) -> dict[str, str]:
    """Account → campaign, empty for the innocent."""
    rows = map(json.loads, truth.read_text().splitlines())
    return {row["account_id"]: row["campaign"] or "" for row in rows}


def majority(accounts: list[int], of: dict[str, str]) -> str:
    """The campaign of more than half of the accounts; empty: of none."""
    from ingest.models import Account

    names = Account.objects.filter(pk__in=accounts).values_list(
        "external_id", flat=True
    )
    campaign, count = Counter(of[name] for name in names).most_common(1)[0]
    return campaign if 2 * count > len(accounts) else ""


def ban(truth: Path) -> None:
    """Labels clusters of the campaigns that come back, as a decision to ban does."""
    from investigations.detection import labels
    from investigations.detection.models import Cluster

    of = campaigns(truth)
    returning = {name.removesuffix(AGAIN) for name in of.values() if AGAIN in name}
    for cluster in Cluster.objects.filter(live=True):
        if majority(cluster.last_members, of) in returning:
            labels.record(
                account_ids=cluster.last_members,
                kind="confirmed",
                reason="Banned in the simulation.",
                given_by=f"D-{cluster.pk}",
                at=BANNED_AT + timedelta(seconds=30),
            )


def judge(truth: Path) -> None:
    """Prints each live cluster with its campaign and what it resembles."""
    from investigations.detection.models import Cluster

    of, rows = campaigns(truth), []
    for cluster in Cluster.objects.filter(live=True).order_by("-size", "pk"):
        seen = getattr(cluster, "resemblance", None)
        rows.append(
            {
                "cluster": cluster.ref,
                "size": cluster.size,
                "score": cluster.score,
                "campaign": majority(cluster.last_members, of),
                "like": seen and majority(seen.past.last_members, of),
                "quantile": seen and seen.quantile,
                "likeness": seen and seen.likeness,
                "parts": [each["part"] for each in seen.agreements] if seen else [],
                "points": sum(
                    reason["points"]
                    for reason in cluster.reasons
                    if reason["signal"] == "re_emergence"
                ),
            }
        )
    past = Cluster.objects.filter(fingerprint__decided_at__isnull=False)
    known = sorted({majority(each.last_members, of) for each in past})
    print(json.dumps({"clusters": rows, "past": known}))


# --- Sums --------------------------------------------------------------------------


def verdicts(row: dict[str, Any]) -> dict[str, str]:
    """Campaign → what became of its largest cluster when it was back."""
    found: dict[str, str] = {}
    for each in row["clusters"]:
        name = each["campaign"].removesuffix(AGAIN)
        if each["campaign"].endswith(AGAIN) and name not in found:
            found[name] = "none" if each["like"] is None else "wrong"
            found[name] = "right" if each["like"] == name else found[name]
    return {name: found.get(name, "not found") for name in row["past"] if name}


def strangers(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [e for e in row["clusters"] if not e["campaign"].endswith(AGAIN)]


def told(row: dict[str, Any]) -> str:
    lines = [
        f"{row['renewed']:.0%} renewed, seed {row['seed']}: {verdicts(row)}, "
        f"{row['own']} s of {row['seconds']:.0f}"
    ]
    for each in row["clusters"]:
        if each["like"] is not None or each["campaign"].endswith(AGAIN):
            lines.append(
                f"    {each['cluster']} {each['campaign'] or 'innocent'} "
                f"({each['size']}, {each['score']:.0f}) like {each['like']}, "
                f"q {each['quantile'] or 1:.4f}, {each['likeness'] or 0:.2f}, "
                f"{each['points']:.1f} dB: {' '.join(each['parts'])}"
            )
    return "\n".join(lines)


def print_summary(rows: list[dict[str, Any]]) -> None:
    print(f"\n{'renewed':>7} {'top-1 right':>12} {'no match':>9} {'wrong':>6}", end=" ")
    print(f"{'not found':>9} {'strangers that match':>21} {'with points':>11}")
    for renewed in sorted({row["renewed"] for row in rows}):
        of = [row for row in rows if row["renewed"] == renewed]
        each = [verdict for row in of for verdict in verdicts(row).values()]
        counts, total = Counter(each), max(len(each), 1)
        others = [cluster for row in of for cluster in strangers(row)]
        matched = [cluster for cluster in others if cluster["like"] is not None]
        print(
            f"{renewed:>7.0%} {counts['right']:>4} of {total:<4} {counts['none']:>9} "
            f"{counts['wrong']:>6} {counts['not found']:>9} "
            f"{len(matched):>9} of {len(others):<8} "
            f"{sum(each['points'] > 0 for each in matched):>11}"
        )
    print("\nSimulated returns are not those of the field.")


if __name__ == "__main__":
    main()
