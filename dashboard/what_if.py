"""What-if: a cluster without some signals and shared values, from the address alone."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from dashboard.answers import target_of
from dashboard.query import BadQuery, refuse_unknown, several, whole_numbers
from investigations.detection.accusing import Outcome
from investigations.detection.detectors import CATALOGUE
from investigations.detection.leaving_out import Dropped
from investigations.detection.models import Band, Cluster
from investigations.detection.what_if import Single, sizes
from investigations.selectors import what_if as reads
from investigations.selectors.what_if import Study

Context = dict[str, object]

TITLES = {detector.key: detector.title for detector in CATALOGUE}
VERDICTS = dict(Cluster.Verdict.choices)
BANDS = [Band.NONE, Band.WATCH, Band.REVIEW, Band.ACTION]
PANEL = "what-if"
MOST_DROPPED = 40


@dataclass(frozen=True)
class About:
    """What the cluster is looked at for: a name, its page, and the what-if's own."""

    name: str
    url: str
    here: str
    place: str
    place_url: str


def show(request: HttpRequest, cluster: Cluster, about: About) -> HttpResponse:
    """The panel within a page, or a page of its own; 400 for what there is not."""
    study = reads.study_of(cluster)
    in_page = target_of(request) == PANEL
    shown = {
        "cluster": cluster,
        "about": about,
        "in_page": in_page,
        **what_if_context(study, dropped_by(request.GET, study)),
    }
    template = "what_if/_panel.html" if in_page else "what_if/page.html"
    response = render(request, template, shown)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def dropped_by(params: QueryDict, study: Study) -> Dropped:
    """Raises BadQuery for what the cluster does not rest on."""
    refuse_unknown(params, {"without", "without_value"})
    known = sorted(study.known.evidence)
    signals = several(params, "without", known, noun="signal of this cluster")
    values = whole_numbers(params, "without_value")
    if len(signals) + len(values) > MOST_DROPPED:
        raise BadQuery(f"At most {MOST_DROPPED} things can be dropped at once.")
    if values and study.known.circle is None:
        raise BadQuery(
            "This cluster has too many accounts to be grouped anew at once: "
            "only signals can be dropped."
        )
    if strange := [pk for pk in values if pk not in study.ties]:
        raise BadQuery(f"No two of its accounts share the value #{strange[0]}.")
    return Dropped(frozenset(signals), frozenset(values))


def what_if_context(study: Study, dropped: Dropped) -> Context:
    chosen = bool(dropped.signals or dropped.values)
    after = reads.without(study, dropped) if chosen else None
    singles = reads.one_at_a_time(study, also=sorted(dropped.values))
    fallen, gone = reads.fallen_away(study, after) if after else ([], 0)
    return {
        "chosen": chosen,
        "names": names_of(study, dropped),
        "before": told(study, study.before),
        "after": told(study, after) if after else None,
        "fallen": fallen,
        "more_fallen": gone - len(fallen),
        "grouped": study.before.parts is not None,
        "values_tried": bool(study.tried),
        "rows": [single_row(study, single, dropped) for single in singles],
        "conclusion": conclusion(study, singles),
    }


def told(study: Study, outcome: Outcome) -> Context:
    """One column of the comparison."""
    scored = outcome.scored
    return {
        "score": scored.score,
        "points": scored.decibans,
        "lost": study.before.scored.decibans - scored.decibans,
        "verdict": outcome.verdict,
        "verdict_words": VERDICTS[outcome.verdict],
        "families": len(scored.families),
        "held": len(outcome.held),
        "parts": sizes(outcome.parts),
        "proposed": len(outcome.proposed),
        "size": len(study.known.members),
    }


def single_row(study: Study, single: Single, dropped: Dropped) -> Context:
    tie = study.ties.get(single.value) if single.value is not None else None
    lowered = lowers(study.before, single.outcome)
    return {
        "signal": single.signal,
        "title": TITLES.get(single.signal, ""),
        "tie": tie,
        "checked": single.signal in dropped.signals
        or (tie is not None and tie.pk in dropped.values),
        "lowered": lowered,
        **told(study, single.outcome),
    }


# --- In words -------------------------------------------------------------------------


def lowers(before: Outcome, after: Outcome) -> bool:
    """Whether the case would be another one: a lower band, another verdict, nobody
    left to propose, or less than half of it hanging together."""
    return (
        BANDS.index(Band(after.scored.band)) < BANDS.index(Band(before.scored.band))
        or after.verdict != before.verdict
        or bool(before.proposed and not after.proposed)
        or 2 * len(after.held) < len(before.held)
    )


def conclusion(study: Study, singles: list[Single]) -> Context:
    """Does the case rest on one thing? In a sentence."""
    weak = [one for one in singles if lowers(study.before, one.outcome)]
    if not singles:
        return {
            "tone": "neutral",
            "words": "There is nothing that could be dropped.",
        }
    if not weak:
        words = (
            f"It rests on no single thing: without any one of these {len(singles)} it "
            "keeps its band and its verdict, and at least half of it hangs together."
        )
        return {"tone": "ok", "words": words}
    first = weak[0]
    words = f"It would not be the same without {name_of(study, first)}: {fate(first)}."
    if weak[1:]:
        others = ", ".join(name_of(study, one) for one in weak[1:4])
        more = f" and {len(weak) - 4} more" if len(weak) > 4 else ""
        words += f" Nor without {others}{more}."
    return {"tone": "warn", "words": words}


def fate(single: Single) -> str:
    after = single.outcome
    return (
        f"a score of {int(after.scored.score)}, {VERDICTS[after.verdict]}, "
        f"{len(after.proposed):,} proposed to ban"
    )


def name_of(study: Study, single: Single) -> str:
    if single.value is None:
        return TITLES.get(single.signal, single.signal).lower()
    return value_name(study, single.value)


def value_name(study: Study, pk: int) -> str:
    return f"{study.ties[pk].label} #{pk}"


def names_of(study: Study, dropped: Dropped) -> list[str]:
    return [TITLES.get(key, key) for key in sorted(dropped.signals)] + [
        value_name(study, pk) for pk in sorted(dropped.values)
    ]
