"""What a version of the rules would have changed, kept for people to look at."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from investigations.detection import clustering, comparing, labels, rulebook
from investigations.detection.assessment import Assessment
from investigations.detection.models import Cluster, RuleTrial
from investigations.detection.rulebook import Edition
from investigations.detection.shapes import AccountFeatures

Result = dict[str, Any]


def compare(
    live: Assessment,
    draft: Assessment,
    features: Sequence[AccountFeatures],
    as_of: datetime,
) -> Result:
    """Both on the same facts. `features`: everybody as the draft's lists have them.

    Who is innocent is asked of what people know today, not of what they knew then.
    """
    spoken = {pk: kind for pk, (kind, _) in labels.newest(timezone.now()).items()}
    innocent = comparing.innocents(features, spoken)
    told = comparing.compare(live, draft, innocent).as_json()
    name_clusters([*told["caught"], *told["missed"]])
    return {"as_of": as_of.isoformat(), **told}


def name_clusters(changes: Sequence[Result]) -> None:
    """Adds the reference of the cluster that people know by these accounts."""
    if not changes:
        return
    rows = Cluster.objects.values_list("pk", "last_members").order_by("pk")
    known = {pk: frozenset(members) for pk, members in rows}
    found = [frozenset(change["accounts"]) for change in changes]
    for change, pk in zip(changes, clustering.carry_ids(found, known), strict=True):
        change["cluster"] = pk


def shadow_waits() -> bool:
    """Whether a version is in shadow that nothing was held against yet."""
    shadow, live = rulebook.in_shadow(), rulebook.live()
    if shadow is None:
        return False
    return not RuleTrial.objects.filter(
        version=shadow.version,
        kind=RuleTrial.Kind.SHADOW,
        hash=shadow.rules.hash,
        against_hash=live.rules.hash,
    ).exists()


def keep_shadow(shadow: Edition, live: Edition, result: Result) -> RuleTrial:
    """The newest comparison takes the place of the one before; `runs` counts them."""
    assert shadow.version is not None
    now = timezone.now()
    trial = RuleTrial.objects.filter(
        version=shadow.version,
        kind=RuleTrial.Kind.SHADOW,
        hash=shadow.rules.hash,
        against_hash=live.rules.hash,
    ).first()
    if trial is None:
        trial = RuleTrial(
            version=shadow.version,
            against=live.version,
            kind=RuleTrial.Kind.SHADOW,
            hash=shadow.rules.hash,
            against_hash=live.rules.hash,
            values=shadow.version.values,
            asked_at=now,
        )
    trial.state, trial.finished_at = RuleTrial.State.DONE, now
    trial.instants = [datetime.fromisoformat(result["as_of"])]
    trial.results, trial.runs = [result], trial.runs + 1
    trial.save()
    return trial
