import base64

import pytest

from investigations.actions.endpoints import (
    destination,
    obstacle,
    rotate_secret,
    set_endpoint,
    stop_endpoint,
)
from investigations.errors import BadEndpoint, NotAllowed
from investigations.models import AuditEntry, Endpoint

URL = "https://platform.example/hooks/stillwatch"
REFUSED = [
    "http://platform.example/hook",
    "ftp://platform.example/",
    "file:///etc/passwd",
    "https://name:secret@platform.example/",
    "https://name@platform.example/",
    "https:///nothing",
    "https://platform.example:port/",
    "https://[::1/",
    "https://127.0.0.1/",
    "https://10.0.0.8/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "http://localhost:8000/",
    "platform.example",
    "",
]


@pytest.fixture
def no_demo(settings):
    settings.DEMO = False


@pytest.mark.usefixtures("no_demo")
@pytest.mark.parametrize("url", REFUSED)
def test_an_address_that_may_not_be_used_is_refused_when_saved(ada, url):
    with pytest.raises(BadEndpoint):
        set_endpoint(url=url, by=ada, name="platform")
    assert not Endpoint.objects.exists()


@pytest.mark.usefixtures("no_demo")
@pytest.mark.parametrize(
    "url", [URL, "https://8.8.8.8:8443/hook", "https://[2606:4700::1]/"]
)
def test_a_public_https_address_is_taken(ada, url):
    endpoint, secret = set_endpoint(url=url, by=ada, name="platform")
    assert endpoint.active
    assert secret.startswith("whsec_")
    assert obstacle() == ""


def test_the_demo_may_talk_to_its_own_machine_and_to_no_other(ada, settings):
    settings.DEMO = True
    set_endpoint(url="http://127.0.0.1:9000/demo/platform/", by=ada, name="platform")
    with pytest.raises(BadEndpoint):
        set_endpoint(url="http://10.0.0.1/", by=ada, name="platform")


@pytest.mark.usefixtures("no_demo")
def test_a_private_host_is_used_only_where_the_operator_listed_it(ada, settings):
    settings.WEBHOOK_PRIVATE_HOSTS = ["10.0.0.8"]
    set_endpoint(url="https://10.0.0.8/hook", by=ada, name="platform")
    with pytest.raises(BadEndpoint):
        set_endpoint(url="https://10.0.0.9/hook", by=ada, name="platform")


def test_the_secret_is_not_kept_in_the_clear(ada):
    endpoint, secret = set_endpoint(url=URL, by=ada, name="platform")
    assert secret.removeprefix("whsec_").encode() not in bytes(endpoint.secret)
    assert destination().secrets == (base64.b64decode(secret[6:]),)


def test_the_secret_is_in_no_audit_entry(ada):
    endpoint, secret = set_endpoint(url=URL, by=ada, name="platform")
    new = rotate_secret(endpoint=endpoint, by=ada)
    told = str(list(AuditEntry.objects.values()))
    assert secret not in told
    assert new not in told


def test_a_new_endpoint_takes_the_place_of_the_old_one(ada):
    set_endpoint(url=URL, by=ada, name="old")
    set_endpoint(url="https://other.example/", by=ada, name="new")
    assert Endpoint.objects.get(active=True).name == "new"
    verbs = AuditEntry.objects.order_by("sequence").values_list("verb", "object_ref")
    assert list(verbs) == [("endpoint.set", "old"), ("endpoint.set", "new")]


def test_pages_are_told_what_stands_in_the_way(ada, settings):
    assert "No endpoint is set" in obstacle()
    endpoint, _ = set_endpoint(url=URL, by=ada, name="platform")
    settings.SECRET_KEY = "another-secret-key-another-secret-key-another"
    assert "cannot be read" in obstacle()
    stop_endpoint(endpoint=endpoint, by=ada)
    assert "No endpoint is set" in obstacle()


def test_only_those_who_manage_set_the_endpoint(leo):
    with pytest.raises(NotAllowed, match="admin"):
        set_endpoint(url=URL, by=leo, name="platform")
