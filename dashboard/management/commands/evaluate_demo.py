"""evaluate_demo: how good was the last run, where the truth is known."""

import json
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count, Q

from dashboard import evaluation, evaluation_report
from ingest.demo.output import read_truth
from ingest.models import Event
from investigations.detection.selectors import last_drift


class Command(BaseCommand):
    help = (
        "Compare what the product exports with the truth of a demo world. "
        "Simulated precision is not field precision."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--truth", type=Path, help="default: demo-truth.ndjson in STILLWATCH_VAR"
        )
        parser.add_argument("--threshold", type=float, default=70.0)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["truth"] or Path(settings.VAR) / "demo-truth.ndjson"
        answer = evaluation.answer_of(_truth(path))
        export = _exported()
        result = evaluation_report.judge(
            export,
            answer,
            _served_before_first_flag(export, answer),
            threshold=options["threshold"],
            drift=_drift(),
        )
        if options["json"]:
            self.stdout.write(json.dumps(result, indent=2))
        else:
            self.stdout.write(evaluation_report.as_text(result))


def _truth(path: Path) -> list[dict[str, Any]]:
    try:
        return [dict(row) for row in read_truth(path)]
    except FileNotFoundError:
        raise CommandError(
            f"{path} is not there. Feed a demo world first, or name a file that"
            " make_demo_data --truth wrote."
        ) from None
    except (msgspec.DecodeError, OSError) as error:
        raise CommandError(f"{path} is no truth file: {error}") from None


def _exported() -> evaluation.Export:
    """Through the same files that anybody else gets."""
    rows = {}
    with TemporaryDirectory() as folder:
        for noun in ("accounts", "clusters"):
            path = Path(folder) / f"{noun}.ndjson"
            call_command(f"export_{noun}", path, stdout=_Silence())
            rows[noun] = [json.loads(text) for text in path.read_text().splitlines()]
    return evaluation.Export(rows["accounts"], rows["clusters"])


def _drift() -> dict[str, Any] | None:
    """As measured by the newest full pass that followed quick ones."""
    run = last_drift()
    return run.counts["drift"] if run else None


class _Silence:
    def write(self, text: str) -> int:
        return len(text)


def _served_before_first_flag(
    export: evaluation.Export, answer: evaluation.Answer
) -> dict[str, tuple[int, int]]:
    """Campaign → exchanges before the first flag on it, and in all."""
    served = {}
    for campaign in set(answer.campaign.values()):
        members = {a for a, name in answer.campaign.items() if name == campaign}
        requests = Event.objects.filter(
            kind=Event.Kind.REQUEST, account__external_id__in=members
        )
        raised = export.first_flag_on(members)
        before = Q(occurred_at__lt=datetime.fromisoformat(raised)) if raised else Q()
        counts = requests.aggregate(
            total=Count("pk"), before=Count("pk", filter=before)
        )
        served[campaign] = (counts["before"], counts["total"])
    return served
