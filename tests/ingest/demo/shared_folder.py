"""A shared data folder in little, with rows of nobody."""

import csv
import gzip
import json
from pathlib import Path

CORPORA = {
    "gorilla_apibench": (600, {}),
    "gsm8k_train": (1100, {}),
    "alpaca_5000": (300, {}),
    "dolly_3k": (400, {}),
    "arena_hard_v01": (40, {}),
    "bbh": (60, {"task": "sorting"}),
    "fabric_system": (8, {"pattern": "summarise"}),
}


def write_rows(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


def write_table(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt") as out:
        table = csv.writer(out)
        table.writerow(header)
        table.writerows(rows)


def row(name, n, **extra):
    told = {"id": str(n), "answer": f"The answer to {n}. " * 9} | extra
    return {"source": name, "kind": "benign", "text": f"{name} {n}?", "extra": told}


def fill(made: Path) -> Path:
    for name, (count, extra) in CORPORA.items():
        rows = [row(name, n, **extra) for n in range(count)]
        write_rows(made / f"prompts/{name}.jsonl.gz", rows)
    write_rows(
        made / "prompts/hh_rlhf_harmless.jsonl.gz",
        [row("hh", n, conversation=str(n // 3), turn=str(n % 3)) for n in range(1800)],
    )
    write_rows(
        made / "prompts/awesome_prompts.jsonl.gz",
        [row("awesome", n) | {"author": f"a{n // 2}"} for n in range(200)],
    )
    write_rows(
        made / "prompts/t0_templates.jsonl.gz",
        [row("t0", n, template=f"t{n % 64}") for n in range(640)],
    )
    write_table(
        made / "traces/mooncake_conversation.csv.gz",
        ["t_ms", "prefix_group", "input_tokens", "output_tokens"],
        [(n * 900, n % 120, 300, 80) for n in range(600)],
    )
    write_table(
        made / "traces/azure_llm_2023.csv.gz",
        ["trace", "input_tokens", "output_tokens"],
        [("conv", 900, 130)] * 50,
    )
    write_table(
        made / "traces/servegen_windows.csv.gz",
        ["model", "client", "window_start_s", "rate_rps", "gap_dist", "gap_shape"],
        [
            ("m", n % 4, n // 4 * 600, 0.01 * (n % 7), "weibull", 0.7)
            for n in range(576)
        ],
    )
    return made
