"""The measures of one run put together, for JSON and for a terminal. No Django."""

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import asdict
from typing import Any

from dashboard.evaluation import (
    Answer,
    Export,
    Rates,
    average_precision,
    b_cubed,
    bystanders,
    calibration_error,
    cohorts_in_bans,
    large_pools,
    rates,
    reliability,
)

Counts = Mapping[str, tuple[int, int]]


def judge(
    export: Export,
    answer: Answer,
    served: Counts,
    *,
    threshold: float = 70.0,
    drift: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Everything measured, ready for JSON.

    `served`: campaign → (exchanges before its first flag, exchanges in all). `drift`:
    how far quick passes had come away from the last full one that followed some.
    Accounts that the truth does not know are left out and counted as `unknown`.
    """
    known = answer.population.keys()
    scores = {a: s for a, s in export.scores().items() if a in known}
    judged = scores.keys() - answer.grey - answer.robbed
    named = {account for account in judged if scores[account] >= threshold}
    banned = set().union(*export.bans()) & (known - answer.grey)
    guilty = set(answer.guilty)
    return {
        "accounts": len(scores),
        "unknown": len(export.accounts) - len(scores),
        "threshold": threshold,
        "flagged": _rates_told(rates(named, guilty)),
        "proposed_bans": _rates_told(rates(banned, guilty)),
        "average_precision": average_precision(
            {account: scores[account] for account in judged}, guilty
        ),
        "calibration": _calibration_told(
            {account: scores[account] for account in judged}, guilty
        ),
        "drift": drift,
        "clusters": _clusters_told(export, answer, threshold),
        "campaigns": _campaigns_told(named, banned, answer, served),
        "bystanders": [
            {
                "population": row.population,
                "accounts": row.accounts,
                "in_clusters_90": row.in_hot_clusters,
                "at_most": round(row.hot_at_most, 5),
                "in_proposed_bans": row.in_proposed_bans,
                "banned_at_most": round(row.banned_at_most, 5),
            }
            for row in bystanders(answer, set(export.cluster_of(at_least=90.0)), banned)
        ],
        "cohorts_in_bans": cohorts_in_bans(answer, export.bans()),
        "large_pools": [
            {"pool": pool, "accounts": size, "in_one_cluster": together}
            for pool, (size, together) in large_pools(
                answer, export.cluster_of(at_least=threshold)
            ).items()
        ],
        "verdicts": _verdicts_told(export, answer),
    }


def _rates_told(found: Rates) -> dict[str, Any]:
    return {
        "precision": found.precision,
        "recall": found.recall,
        "named": found.named,
        "right": found.right,
    }


def _calibration_told(scores: Mapping[str, float], guilty: Set[str]) -> dict[str, Any]:
    bins = reliability(scores, guilty)
    return {"error": calibration_error(bins), "bins": [asdict(each) for each in bins]}


def _clusters_told(export: Export, answer: Answer, threshold: float) -> dict[str, Any]:
    """B-cubed over campaign members and whoever stands in a cluster with them."""
    found = export.cluster_of(at_least=threshold)
    items = (answer.guilty | found.keys()) & answer.population.keys() - answer.grey
    truth = {item: answer.campaign.get(item, f"alone/{item}") for item in items}
    precision, recall = b_cubed(found, truth)
    return {"b3_precision": precision, "b3_recall": recall}


def _campaigns_told(
    named: Set[str], banned: Set[str], answer: Answer, served: Counts
) -> list[dict[str, Any]]:
    rows = []
    for campaign in sorted(set(answer.campaign.values())):
        members = {a for a, name in answer.campaign.items() if name == campaign}
        before, total = served.get(campaign, (0, 0))
        rows.append(
            {
                "campaign": campaign,
                "accounts": len(members),
                "flagged": len(members & named),
                "in_proposed_bans": len(members & banned),
                "exchanges": total,
                "served_before_first_flag": before / total if total else None,
            }
        )
    return rows


def _verdicts_told(export: Export, answer: Answer) -> list[dict[str, Any]]:
    """Each cluster with its verdict and whom it is mostly made of."""
    rows = []
    for cluster in export.clusters:
        known = [m for m in cluster["members"] if m in answer.population]
        label = Counter(
            answer.campaign.get(m, answer.population[m]) for m in known
        ).most_common(1)
        rows.append(
            {
                "cluster_id": cluster["cluster_id"],
                "score": float(cluster["score"]),
                "verdict": cluster["verdict"],
                "size": int(cluster["size"]),
                "mostly": label[0][0] if label else "unknown",
                "share": label[0][1] / len(known) if known else 0.0,
                "proposed_ban": len(cluster["proposed_ban"]),
            }
        )
    return sorted(rows, key=lambda row: -row["score"])


def as_text(result: Mapping[str, Any]) -> str:
    """The result as a person reads it in a terminal."""
    told = [
        "Simulated precision is not field precision: this world and the detectors come"
        " from one project.",
        "",
        f"accounts judged: {result['accounts']} ({result['unknown']} without truth)",
        _rates_line(f"score >= {result['threshold']:.0f}", result["flagged"]),
        _rates_line("proposed bans", result["proposed_bans"]),
        f"area under precision-recall: {_share(result['average_precision'])}",
    ]
    b3 = result["clusters"]
    told.append(
        f"B-cubed of clusters: precision {_share(b3['b3_precision'])},"
        f" recall {_share(b3['b3_recall'])}"
    )
    told += [_calibration_line(result["calibration"]), _drift_line(result["drift"])]
    told += ["", *_table(result["campaigns"], _CAMPAIGN_COLUMNS)]
    told.append(
        "before flag: share of its exchanges already served when the first member, or"
        " a cluster mostly of members, was flagged; one run over a whole history sees"
        " it all, `detect --as-of` in steps"
        " replays it"
    )
    told += ["", *_table(result["bystanders"], _BYSTANDER_COLUMNS)]
    cohorts = ", ".join(result["cohorts_in_bans"]) or "none"
    told += ["", f"whole innocent cohorts in a proposed ban: {cohorts}"]
    told += [
        f"{row['pool']}: {row['in_one_cluster']} of {row['accounts']} accounts in one"
        f" cluster of {result['threshold']:.0f}"
        for row in result["large_pools"]
    ]
    told += ["", *_table(result["verdicts"][:30], _VERDICT_COLUMNS)]
    return "\n".join(told)


_CAMPAIGN_COLUMNS = {
    "campaign": "campaign",
    "accounts": "accounts",
    "flagged": "flagged",
    "in_proposed_bans": "in bans",
    "exchanges": "exchanges",
    "served_before_first_flag": "before flag",
}
_BYSTANDER_COLUMNS = {
    "population": "innocents",
    "accounts": "accounts",
    "in_clusters_90": "clusters>=90",
    "at_most": "95% at most",
    "in_proposed_bans": "in bans",
    "banned_at_most": "95% at most",
}
_VERDICT_COLUMNS = {
    "cluster_id": "cluster",
    "score": "score",
    "verdict": "verdict",
    "size": "size",
    "mostly": "mostly",
    "share": "share",
    "proposed_ban": "ban",
}
_SHARES = {"at_most", "banned_at_most", "served_before_first_flag", "share"}


def _table(rows: list[dict[str, Any]], columns: Mapping[str, str]) -> list[str]:
    cells = [list(columns.values())]
    for row in rows:
        cells.append(
            [
                _share(row[name]) if name in _SHARES else _plain(row[name])
                for name in columns
            ]
        )
    widths = [max(len(line[n]) for line in cells) for n in range(len(columns))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in cells
    ]


def _plain(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"


def _rates_line(name: str, row: Mapping[str, Any]) -> str:
    return (
        f"{name}: precision {_share(row['precision'])}, recall {_share(row['recall'])}"
        f" ({row['right']} right of {row['named']} named)"
    )


def _calibration_line(row: Mapping[str, Any]) -> str:
    """How far scores are from shares: the whole scale, and its tenths in use."""
    tenths = ", ".join(
        f"{each['accounts']} at {each['expected']:.2f} are {each['guilty']:.2f}"
        for each in row["bins"]
    )
    return f"expected calibration error: {_share(row['error'])} ({tenths})"


def _drift_line(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "drift: no full pass followed quick ones"
    return (
        f"drift of {row['passes']} quick passes: {row['mean']} points a score,"
        f" {row['bands']} bands of {row['accounts']} accounts,"
        f" {row['clusters']} clusters"
    )
