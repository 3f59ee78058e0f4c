"""The OpenAPI document: valid, complete, and the same as the committed copy."""

from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from openapi_spec_validator import validate

COMMITTED = Path(settings.BASE_DIR) / "docs" / "contract" / "openapi.yaml"

# Its refusals are google.rpc.Status, in the encoding of the request.
OTLP = "/v1/traces"


@pytest.fixture
def fresh(tmp_path):
    path = tmp_path / "openapi.yaml"
    call_command("spectacular", file=str(path), fail_on_warn=True)
    return path


def test_the_committed_document_is_up_to_date(fresh):
    assert fresh.read_text() == COMMITTED.read_text(), (
        "Run: ./run manage spectacular --file docs/contract/openapi.yaml"
    )


def test_the_document_is_valid_openapi_3_1(fresh):
    document = yaml.safe_load(fresh.read_text())
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_way_in_and_out_of_the_contract_is_described(fresh):
    paths = yaml.safe_load(fresh.read_text())["paths"]
    assert set(paths) >= {
        "/api/v1/telemetry",
        "/api/v1/batches/{batch_id}",
        "/api/v1/accounts/",
        "/api/v1/accounts/{account_id}/",
        "/api/v1/clusters/",
        "/api/v1/clusters/{cluster_id}/",
        "/api/v1/clusters/{cluster_id}/members/",
        "/health/",
    }


def test_every_refusal_is_problem_json(fresh):
    document = yaml.safe_load(fresh.read_text())
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status.startswith("4") and path != OTLP:
                    assert list(response["content"]) == ["application/problem+json"], (
                        path
                    )


def test_the_otlp_door_refuses_as_its_protocol_has_it(fresh):
    responses = yaml.safe_load(fresh.read_text())["paths"][OTLP]["post"]["responses"]
    refused = [told for status, told in responses.items() if status.startswith("4")]
    assert refused
    for response in refused:
        assert set(response["content"]) == {
            "application/x-protobuf",
            "application/json",
        }


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_the_document_is_served_to_whoever_may_read(signed_in, vic, client, form):
    address = f"/api/schema/?format={form}"
    assert client.get(address).status_code == 401
    assert signed_in(vic).get(address).status_code == 200


@pytest.mark.django_db
def test_the_page_to_try_it_loads_files_of_our_own_only(signed_in, vic):
    page = signed_in(vic).get("/api/docs/").content.decode()
    assert "swagger-ui-bundle.js" in page
    assert "https://" not in page
