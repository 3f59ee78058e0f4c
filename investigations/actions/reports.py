"""Keeping a week's summary as it was told."""

import hashlib
import json
from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from investigations import access
from investigations.actions import audit
from investigations.models import Report


def canonical(document: dict[str, Any]) -> bytes:
    """The document's one spelling: sorted keys, no blanks, UTF-8."""
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()


@transaction.atomic
def freeze_report(*, week: date, document: dict[str, Any], by: User) -> Report:
    """Keep the document for good; `week` is its Monday.

    The same bytes again give the report that is already there; others become its
    next revision beside it.
    """
    access.require(by, access.REPORT)
    _one_at_a_time(week)
    digest = hashlib.sha256(canonical(document)).hexdigest()
    last = Report.objects.filter(week=week).order_by("-revision").first()
    if last is not None and last.sha256 == digest:
        return last
    report = Report.objects.create(
        week=week,
        revision=last.revision + 1 if last else 1,
        document=document,
        sha256=digest,
        frozen_at=timezone.now(),
        frozen_by=by,
    )
    audit.record(
        "report.frozen",
        by=by,
        object_type="report",
        object_ref=str(document["week"]),
        revision=report.revision,
        sha256=digest,
    )
    return report


def _one_at_a_time(week: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, %s)", [0x5718, week.toordinal()]
        )
