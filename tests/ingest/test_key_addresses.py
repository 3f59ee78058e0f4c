"""Keys bound to addresses, and the blocks they are used from (promises.md 92)."""

from datetime import timedelta

import pytest
from django.test import Client

from ingest.doors.errors import AddressNotAllowed
from ingest.models import IngestKey, KeyBlock, KeyRefusal
from ingest.senders import keys, whereabouts
from tests.ingest.fixtures import URL
from tests.ingest.records import a_request, ndjson

WRITE = "ingest:write"


@pytest.fixture
def send(source):
    """Sends one record with a key of these networks from an address."""
    made: dict[tuple[str, ...], str] = {}

    def from_address(address: str, *networks: str, **headers: str):
        if networks not in made:
            _, made[networks] = keys.issue_key(
                source=source, name="k", scopes=[WRITE], networks=networks
            )
        return Client(REMOTE_ADDR=address).post(
            URL,
            ndjson([a_request()]),
            content_type="application/x-ndjson",
            headers={"Authorization": f"Bearer {made[networks]}", **headers},
        )

    return from_address


def test_a_key_bound_to_addresses_opens_from_there_only(send):
    bound = ("203.0.113.0/24", "2001:db8::/32")
    assert send("203.0.113.7", *bound).status_code == 202
    assert send("2001:db8::9", *bound).status_code == 202
    assert send("::ffff:203.0.113.7", *bound).status_code == 202
    refused = send("198.51.100.1", *bound)
    assert refused.status_code == 403
    assert refused.json()["code"] == "address_not_allowed"
    assert "198.51.100.1" in refused.json()["detail"]


def test_a_use_from_elsewhere_is_kept_for_the_audit_once_an_hour(send):
    for _ in range(3):
        send("198.51.100.1", "203.0.113.0/24")
    refusal = KeyRefusal.objects.get()
    assert (refusal.why, refusal.address) == ("address", "198.51.100.1")


def test_nobody_is_believed_about_addresses_but_our_own_proxies(send, settings):
    told = {"X-Forwarded-For": "203.0.113.7"}
    assert send("198.51.100.1", "203.0.113.0/24", **told).status_code == 403
    settings.PROXY_COUNT = 1
    assert send("198.51.100.1", "203.0.113.0/24", **told).status_code == 202
    forged = {"X-Forwarded-For": "203.0.113.7, 198.51.100.9"}
    assert send("198.51.100.1", "203.0.113.0/24", **forged).status_code == 403


def test_a_proxy_that_names_nobody_is_itself_the_client():
    meta = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.7"}
    assert whereabouts.client_address(meta, 2) == "10.0.0.1"
    assert whereabouts.client_address({"REMOTE_ADDR": ""}, 0) is None


def test_an_unknown_address_is_nowhere_a_key_may_be(source):
    _, secret = keys.issue_key(
        source=source, name="k", scopes=[WRITE], networks=["0.0.0.0/0"]
    )
    with pytest.raises(AddressNotAllowed, match="unknown address"):
        keys.authenticate(secret, WRITE)


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ("203.0.113.7", ["203.0.113.7/32"]),
        ("203.0.113.0/24, 2001:DB8::/48", ["203.0.113.0/24", "2001:db8::/48"]),
        ("10.0.0.0/8\n10.0.0.0/8", ["10.0.0.0/8"]),
        ("", []),
    ],
)
def test_networks_are_read_as_people_write_them(text, networks):
    assert whereabouts.parse_networks(text) == networks


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("203.0.113.7/24", "Did you mean 203.0.113.0/24"),
        ("gateway.example", "no address"),
        ("999.1.1.1", "no address"),
        (" ".join(f"10.0.0.{n}" for n in range(51)), "More than 50"),
    ],
)
def test_what_is_no_network_is_told_what_to_change(text, says):
    with pytest.raises(whereabouts.BadNetwork, match=says):
        whereabouts.parse_networks(text)


def blocks() -> dict[str, bool]:
    return dict(KeyBlock.objects.values_list("block", "is_alarming"))


def test_the_blocks_of_a_key_are_kept_with_first_and_last_use(send, clock):
    send("203.0.113.7")
    clock.shift(timedelta(minutes=5))
    send("203.0.113.99")
    send("2001:db8:1::1")
    assert blocks() == {"203.0.113.0/24": False, "2001:db8:1::/48": False}
    home = KeyBlock.objects.get(block="203.0.113.0/24")
    assert home.last_used_at - home.first_used_at == timedelta(minutes=5)
    assert IngestKey.objects.get().last_used_from == "203.0.113.99"


def test_a_new_block_on_a_settled_key_is_an_alarm(send, clock):
    send("203.0.113.7")
    clock.shift(timedelta(days=8))
    send("203.0.113.7")
    send("198.51.100.1")
    assert blocks() == {"203.0.113.0/24": False, "198.51.100.0/24": True}


def test_a_second_user_is_seen_within_the_same_minute(send, clock):
    send("203.0.113.7")
    clock.shift(timedelta(days=8))
    send("203.0.113.7")
    clock.shift(timedelta(seconds=1))
    send("198.51.100.1")
    assert KeyBlock.objects.filter(is_alarming=True).count() == 1


def test_blocks_cost_no_query_within_a_minute(
    send, clock, django_assert_max_num_queries
):
    send("203.0.113.7")
    clock.shift(timedelta(seconds=30))
    with django_assert_max_num_queries(6):
        send("203.0.113.8")


def test_a_flood_from_everywhere_leaves_a_bounded_list(source, monkeypatch):
    monkeypatch.setattr("ingest.senders.key_blocks.MOST_BLOCKS", 3)
    _, secret = keys.issue_key(source=source, name="k", scopes=[WRITE])
    for n in range(5):
        keys.authenticate(secret, WRITE, address=f"198.51.{n}.1")
    assert KeyBlock.objects.count() == 3
