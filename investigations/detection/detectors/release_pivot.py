"""A joint, swift move to a new model, beside others on the same client (T4)."""

from datetime import timedelta

from scipy.special import bdtrc

from investigations.detection.detectors.base import (
    Detector,
    from_null,
    number,
    once_a_cluster,
    percent,
    stamp,
)
from investigations.detection.shapes import (
    AccountView,
    ClusterFeatures,
    Evidence,
    Family,
    Move,
    ReleaseMoves,
    Rows,
)

release_pivot = Detector(
    key="release_pivot", title="Swift joint move", family=Family.TIME, version=1
)

# An account has moved when a quarter of its first day's requests go to the new model.
MOVED = 0.25
FEWEST = 5
INNOCENT = (
    "A library changed its default model, so everybody on it moved (compared with the "
    "same client here), or enthusiasts tried the news at once."
)


def expected_share(moves: ReleaseMoves) -> float:
    """Share of the cohort that moved, with one mover and one stayer added."""
    return (moves.cohort_moved + 1) / (moves.cohort + 2)


def chance(moves: ReleaseMoves) -> float:
    """Chance that so many members move if they moved like their cohort."""
    if len(moves.each) < FEWEST or not moves.moved:
        return 1.0
    return float(bdtrc(len(moves.moved) - 1, len(moves.each), expected_share(moves)))


@release_pivot.looks_at_cluster(decibans=10)
def pooled_pivot(seen: ClusterFeatures) -> Evidence | None:
    if seen.organizations < 3 or not seen.moves:
        return None
    moves = min(seen.moves, key=lambda m: (chance(m), m.release.model))
    # The best of several releases had as many chances to look special.
    quantile = min(1.0, chance(moves) * len(seen.moves))
    share = len(moves.moved) / max(len(moves.each), 1)
    if share < 0.3 or from_null(quantile) == 0:
        return None
    until = moves.release.released_at + timedelta(hours=24)
    return Evidence(
        strength=from_null(quantile) * min(1.0, share / 0.6),
        value=share,
        baseline=expected_share(moves),
        sentence=(
            f"{number(len(moves.moved))} of {number(len(moves.each))} active "
            f"accounts sent a quarter or more of their traffic to "
            f"{moves.release.model} within 24 hours of its release; of "
            f"{number(moves.cohort)} other customers on the same client programs "
            f"{percent(moves.cohort_moved / max(moves.cohort, 1))} did."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event",
            {
                "members": True,
                "kind": "request",
                "model": moves.release.model,
                "since": stamp(moves.release.released_at),
                "until": stamp(min(until, seen.until)),
            },
            moves.requests,
        ),
        quantile=quantile,
    )


@once_a_cluster
def joint_moves(seen: ClusterFeatures) -> list[tuple[ReleaseMoves, dict[int, Move]]]:
    """Releases that members went to together, each with what every account did."""
    return [
        (moves, {move.account: move for move in moves.each})
        for moves in seen.moves
        if chance(moves) < 0.01
    ]


@release_pivot.looks_at_account(decibans=4)
def moved_with_cluster(seen: AccountView) -> Evidence | None:
    if seen.place is None or "release_pivot" not in seen.place.evidence:
        return None
    account, cluster = seen.features.account, seen.place.cluster
    joined = [each for each in joint_moves(cluster) if account in each[0].moved]
    if not joined:
        return None
    moves, own = joined[0][0], joined[0][1][account]
    return Evidence(
        strength=seen.place.evidence["release_pivot"].strength,
        value=own.moved / own.requests,
        baseline=expected_share(moves),
        sentence=(
            f"Sent {number(own.moved)} of {number(own.requests)} requests to "
            f"{moves.release.model} within 24 hours of its release, together with "
            f"{number(len(moves.moved) - 1)} other accounts of its cluster."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event",
            {
                "accounts": [account],
                "kind": "request",
                "model": moves.release.model,
                "since": stamp(moves.release.released_at),
                "until": stamp(
                    min(moves.release.released_at + timedelta(hours=24), seen.until)
                ),
            },
            own.moved,
        ),
    )
