"""One of each thing that an address can name."""

from datetime import UTC, datetime

from django.contrib.auth.models import User

from dashboard import sign_in
from ingest.keeping import holds
from ingest.models import Batch, Indicator, QuarantinedLine, ReplayRun
from ingest.senders.keys import issue_key
from investigations.actions import rules
from tests.conftest import make_person
from tests.factories import SourceFactory
from tests.investigations.scenes import case_of, decide
from tests.people import PEOPLE


def people() -> dict[str, User]:
    """Role → its person."""
    return {role: make_person(name, role) for name, role in PEOPLE.items()}


def things(staff: dict[str, User]) -> dict[str, str]:
    """What fills the placeholders of the table. The decision waits for approval."""
    case = case_of(30, staff["analyst"])
    cluster = case.cluster
    assert cluster
    decision = decide(case, staff["analyst"])
    source = SourceFactory()
    key, _ = issue_key(source=source, name="gateway", scopes=["ingest:write"])
    batch = Batch.objects.create(
        source=source,
        key=key,
        body_sha256=b"",
        received_at=datetime(2026, 11, 18, tzinfo=UTC),
        state=Batch.State.STORED,
        received=1,
        accepted=1,
        rejected=0,
    )
    line = QuarantinedLine.objects.create(
        batch=batch, fate="refused", line=1, code="bad_json", message="…", raw=b"{"
    )
    card = Indicator.objects.create(kind=Indicator.Kind.PAYMENT, value="fp_of_ten")
    draft = rules.start_draft(
        reason="Twelve classes were flagged as one campaign last week.",
        by=staff["lead"],
    )
    trial = rules.order_backtest(
        version=draft, instants=[batch.received_at], by=staff["lead"]
    )
    return {
        "rules": str(draft.number),
        "trial": str(trial.pk),
        "case": str(case.pk),
        "decision": str(decision.pk),
        "cluster": cluster.ref,
        "cluster_pk": str(cluster.pk),
        "account": cluster.memberships.earliest("pk").account.external_id,
        "indicator": str(card.pk),
        "key": key.prefix,
        "batch": str(batch.batch_id),
        "line": str(line.pk),
        "hold": str(
            holds.place(scope="everything", reason="Court order", placed_by="leo").pk
        ),
        "run": str(ReplayRun.objects.create(last_line=0, total=0).pk),
        "token": sign_in.make_link(staff["manager"], hours=1).split("/")[-2],
    }
