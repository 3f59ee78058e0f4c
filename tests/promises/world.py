"""One of each thing that an address can name."""

from datetime import UTC, datetime

from django.contrib.auth.models import User

from dashboard import sign_in
from ingest.keys import issue_key
from ingest.models import Batch, QuarantinedLine
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
    return {
        "case": str(case.pk),
        "decision": str(decision.pk),
        "cluster": cluster.ref,
        "cluster_pk": str(cluster.pk),
        "account": cluster.memberships.earliest("pk").account.external_id,
        "key": key.prefix,
        "batch": str(batch.batch_id),
        "line": str(line.pk),
        "token": sign_in.make_link(staff["manager"], hours=1).split("/")[-2],
    }
