"""Is the database there, and is work moving? For load balancers and alarms."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard import checks
from ingest.models import Batch
from ingest.rolling import marks
from investigations.actions import endpoints
from investigations.models import Effect

# Each step looks for work every few seconds (dashboard/celery.py), so work that has
# waited this long says that nobody is looking.
PATIENCE = timedelta(minutes=2)
# Rollups of a long history that arrives at once take their time.
PATIENCE_WITH_ROLLUPS = timedelta(minutes=15)


@dataclass(frozen=True)
class Queue:
    """One kind of waiting work. `oldest` is when its first item was due, if any."""

    name: str
    waiting_for: str
    oldest: datetime | None
    patience: timedelta = PATIENCE
    hint: str = "Is a worker running?"

    def report(self, now: datetime) -> dict[str, object]:
        waited = (now - self.oldest).total_seconds() if self.oldest else 0.0
        stalled = waited > self.patience.total_seconds()
        report: dict[str, object] = {
            "status": "stalled" if stalled else "ok",
            "oldest_seconds": round(max(waited, 0.0), 1),
            "limit_seconds": int(self.patience.total_seconds()),
        }
        if stalled:
            report["reason"] = f"{self.waiting_for} for {waited:.0f} s. {self.hint}"
        return report


def queues() -> list[Queue]:
    """What waits, one indexed look each."""
    batch = Batch.objects.filter(state=Batch.State.PENDING).order_by("pk")
    effect = Effect.objects.filter(state=Effect.State.PENDING).order_by(
        "next_attempt_at"
    )
    return [
        Queue(
            "batches",
            "A batch of telemetry has waited to be stored",
            batch.values_list("received_at", flat=True).first(),
        ),
        Queue(
            "rollups",
            "Events or account-days have waited to be rolled up",
            marks.waiting_since(),
            PATIENCE_WITH_ROLLUPS,
        ),
        Queue(
            "effects",
            "A decision has waited to be delivered",
            due := effect.values_list("next_attempt_at", flat=True).first(),
            hint=(endpoints.obstacle() if due else "") or "Is a worker running?",
        ),
    ]


@login_not_required
@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 while work moves, 503 with the reason where it stalls."""
    now = timezone.now()
    try:
        work = {queue.name: queue.report(now) for queue in queues()}
        warned = warnings()
    except DatabaseError:
        reason = "The database does not answer."
        return JsonResponse({"status": "down", "reasons": [reason]}, status=503)
    reasons = [report["reason"] for report in work.values() if "reason" in report]
    report = {
        "status": "stalled" if reasons else "ok",
        "reasons": reasons,
        "warnings": warned,
        "work": work,
    }
    return JsonResponse(report, status=503 if reasons else 200)


def warnings() -> list[str]:
    """What somebody should look into although work moves."""
    warned = []
    if off := checks.settings_off():
        warned.append(f"A throwaway database: {', '.join(off)} off; it may lose data.")
    parked = Batch.objects.filter(state=Batch.State.PARKED).count()
    if parked:
        warned.append(f"{parked} batches are parked: three attempts failed.")
    return warned
