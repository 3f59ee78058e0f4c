"""Requests made up from the OpenAPI document: whatever comes, nothing breaks.

Promise I9: no reply of 500 or more, and every refusal is problem+json with a code.
"""

from pathlib import Path

import pytest
import schemathesis
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase
from hypothesis import settings as examples

from ingest.senders.keys import issue_key
from tests.factories import MembershipFactory, ScoreFactory, SourceFactory

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "contract" / "openapi.yaml"
# Telemetry has its own made-up bodies in tests/ingest.
schema = schemathesis.openapi.from_path(DOCUMENT).exclude(path="/api/v1/telemetry")
schema.app = get_wsgi_application()

# Its refusals are google.rpc.Status; test_generated_bodies.py looks at those.
OTLP = "/v1/traces"


@pytest.fixture
def one_connection(db):
    """A server closes its connection after a request; here it holds the test's data."""
    moments = (request_started, request_finished)
    for moment in moments:
        moment.disconnect(close_old_connections)
    yield
    for moment in moments:
        moment.connect(close_old_connections)


@pytest.fixture
def token(one_connection) -> str:
    ScoreFactory(account=MembershipFactory().account, score=90)
    _, token = issue_key(
        source=SourceFactory(), name="k", scopes=["read", "ingest:write"]
    )
    return token


# Bodies that are no JSON are made up in test_generated_bodies.py.
@pytest.mark.filterwarnings("ignore:Skipped test cases with unsupported:UserWarning")
@schema.parametrize()
@examples(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    # One world for all examples of an operation: reads change nothing in it, and
    # batches that pile up are no reason to answer otherwise.
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_asked_gets_an_answer_with_a_code(case, token):
    response = case.call(headers={"Authorization": f"Bearer {token}"})
    assert response.status_code < 500
    if response.status_code >= 400 and case.operation.path != OTLP:
        assert response.headers["content-type"] == ["application/problem+json"]
        assert response.json()["code"]
