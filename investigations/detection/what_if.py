"""A cluster as it would stand without some signals and shared values. Pure.

What the last pass found is weighed once more with the same steps: evidence by
scoring.py, groups by regrouping.py. What no detector said (size, what people have
checked, the odds at the start) stays as it was counted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from investigations.detection import regrouping, scoring
from investigations.detection.accusing import Outcome, still_proposed
from investigations.detection.leaving_out import (
    Dropped,
    Known,
    left_of,
    looks_of,
    rest,
)
from investigations.detection.ruleset import Ruleset
from investigations.detection.shapes import FoundCluster


def outcome(
    known: Known, dropped: Dropped, rules: Ruleset, *, before: Outcome | None = None
) -> Outcome:
    """`before`: the outcome without anything dropped. Members that the groups found
    anew do not hold even then are not said to fall away."""
    looks = looks_of(known, dropped)
    seen = left_of(known, dropped, looks)
    terms = [rest(known.decibans, known.evidence, rules, level=1)]
    scored, verdict = scoring.score_terms(seen, terms, rules, amount=known.amount)
    parts = None
    if known.circle is not None:
        if dropped.values or before is None or before.parts is None:
            circle = regrouping.without(known.circle, dropped.values)
            parts = tuple(regrouping.parts_of(circle))
        else:
            parts = before.parts  # signals tie nobody
    found = Outcome(scored, verdict, frozenset(), parts)
    kept = still_proposed(known, dropped, found, (seen, looks), before, rules)
    return replace(found, proposed=kept)


@dataclass(frozen=True, slots=True)
class Single:
    """The outcome without one signal, or without one value."""

    signal: str
    value: int | None
    outcome: Outcome


def one_at_a_time(
    known: Known,
    signals: Iterable[str],
    values: Iterable[int],
    rules: Ruleset,
    before: Outcome,
) -> list[Single]:
    """Each alone, what it costs most on top."""
    found = [
        Single(
            key, None, outcome(known, Dropped(frozenset({key})), rules, before=before)
        )
        for key in signals
    ]
    found += [
        Single(
            "",
            pk,
            outcome(known, Dropped(values=frozenset({pk})), rules, before=before),
        )
        for pk in values
    ]
    return sorted(
        found,
        key=lambda one: (
            one.outcome.scored.score,
            len(one.outcome.proposed),
            len(one.outcome.held),
            one.outcome.scored.decibans,
        ),
    )


def fallen(before: Outcome, after: Outcome) -> list[int]:
    """Members that hung together and do not any more, in order of id."""
    return sorted(before.held - after.held)


def sizes(parts: Sequence[FoundCluster] | None) -> list[int]:
    return [len(part.members) for part in parts or ()]
