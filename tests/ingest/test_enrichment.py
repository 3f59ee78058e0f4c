"""Where an address lies, by the operator's own tables; unknown stays unknown."""

import gzip
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis.strategies as st
import pytest
from django.core import checks
from django.core.management import call_command
from hypothesis import given

from ingest.models import Account, AddressTable, AutonomousSystem, Event
from ingest.places import enrichment
from ingest.places.address_ranges import Range, Ranges
from ingest.places.address_tables import BadTable, Place, open_table, probe
from tests.ingest.mmdb import write_mmdb
from tests.ingest.records import a_request, an_account, an_activity

BUILT = datetime(2026, 11, 1, tzinfo=UTC)
COUNTRIES: dict[str, dict[str, Any]] = {
    "192.0.2.0/24": {"country": {"iso_code": "DE"}},
    "2001:db8:1::/48": {"country": {"iso_code": "SE"}},
}
SYSTEMS: dict[str, dict[str, Any]] = {
    "192.0.2.0/25": {
        "autonomous_system_number": 64500,
        "autonomous_system_organization": "Example Hosting",
    },
    "2001:db8::/32": {"autonomous_system_number": 4200000001},
}
SYSTEMS_APART = {"198.51.100.0/24": {"asn": "AS64501", "as_name": "Far Away"}}
IPTOASN = (
    "192.0.2.0\t192.0.2.127\t64500\tDE\tExample Hosting\n"
    "192.0.2.128\t192.0.2.255\t0\tNone\tNot routed\n"
    "2001:db8::\t2001:db8::ffff\t64501\tSE\tNorth, Inc\n"
)


@pytest.fixture
def tables(tmp_path, settings):
    """Both tables plugged in, and out again after the test."""
    settings.GEO_TABLE = write_mmdb(tmp_path / "country.mmdb", COUNTRIES, BUILT)
    settings.ASN_TABLE = write_mmdb(tmp_path / "asn.mmdb", SYSTEMS, BUILT)
    enrichment.look_again()
    yield tmp_path
    settings.GEO_TABLE = settings.ASN_TABLE = None
    enrichment.look_again()


# --- Reading tables -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("tor-geoip", "# c\n3221225984,3221226239,DE\n", Place("DE")),
        ("dbip-country.csv", "192.0.2.0,192.0.2.255,DE\n", Place("DE")),
        (
            "dbip-asn.csv",
            '192.0.2.0,192.0.2.255,64500,"Example, Inc"\n',
            Place(None, 64500, "Example, Inc"),
        ),
        ("ip2asn.tsv", IPTOASN, Place("DE", 64500, "Example Hosting")),
        ("rib.dat", "; pyasn\n192.0.2.0/24\t64500\n", Place(None, 64500)),
        (
            "blocks.csv",
            "network,autonomous_system_number,autonomous_system_organization\n"
            "192.0.2.0/24,64500,Example\n",
            Place(None, 64500, "Example"),
        ),
        (
            "headed.csv",
            "start_ip,end_ip,country,asn\n192.0.2.0,192.0.2.255,de,AS64500\n",
            Place("DE", 64500),
        ),
    ],
)
def test_the_text_tables_of_free_sources_are_read_as_they_are(
    tmp_path, name, text, place
):
    path = tmp_path / name
    path.write_text(text)
    assert open_table(path).find("192.0.2.7") == place
    assert open_table(path).find("198.51.100.7") == Place()


def test_a_packed_table_is_read_too(tmp_path):
    path = tmp_path / "ip2asn.tsv.gz"
    path.write_bytes(gzip.compress(IPTOASN.encode()))
    table = open_table(path)
    assert table.find("192.0.2.200") == Place(None, None, "Not routed")
    assert table.find("2001:db8::1") == Place("SE", 64501, "North, Inc")


def test_the_narrower_of_two_networks_tells(tmp_path):
    path = tmp_path / "nested.csv"
    path.write_text("192.0.2.64/26,64501\n192.0.2.0/24,64500\n192.0.2.64/32,64502\n")
    found = [
        open_table(path).find(f"192.0.2.{last}").asn for last in (63, 64, 65, 127, 128)
    ]
    assert found == [64500, 64502, 64501, 64501, 64500]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("missing.csv", None, "No such file"),
        ("empty.csv", b"", "the table is empty"),
        ("words.csv", b"hello,world\n", "no range|neither a country"),
        ("backwards.csv", b"192.0.2.9,192.0.2.1,DE\n", "is no range"),
        ("mixed.csv", b"192.0.2.0,2001:db8::,DE\n", "is no range"),
        ("columns.csv", b"network,geoname_id\n192.0.2.0/24,2921044\n", "neither"),
        ("later.csv", b"192.0.2.0,192.0.2.1,DE\n" * 600 + b"x,y,DE\n", "line 601"),
        ("binary.csv", b"\x00\xff\xfe\x00", "cannot be read|no range"),
        ("cut.csv.gz", gzip.compress(IPTOASN.encode() * 99)[:-9], "cannot be read"),
        ("text.mmdb", b"192.0.2.0,192.0.2.1,DE\n", "no MaxMind database"),
    ],
)
def test_a_broken_table_is_refused_with_what_is_wrong(tmp_path, name, content, reason):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadTable, match=reason):
        open_table(path)


def test_a_look_at_the_beginning_is_enough_for_the_check(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("192.0.2.0,192.0.2.1,DE\n" * 600 + "x,y,DE\n")
    probe(path)


RANGES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=12)


@given(RANGES, st.randoms())
def test_any_ranges_in_any_order_answer_with_the_innermost_that_starts_last(
    drawn, random
):
    ranges = [
        Range(4, min(pair), max(pair), number) for number, pair in enumerate(drawn)
    ]
    # Nested or apart: tables do not hold ranges that lie across each other.
    ranges = [a for a in ranges if not any(_across(a, b) for b in ranges)]
    ranges = list({(r.start, r.end): r for r in ranges}.values())
    random.shuffle(ranges)
    found = Ranges(lambda: ranges)
    for address in range(42):
        holding = [r for r in ranges if r.start <= address <= r.end]
        inner = min(holding, key=lambda r: r.end - r.start, default=None)
        expected = inner.value if inner else None
        assert found.find(str(ip_address(address))) == expected


def _across(a: Range, b: Range) -> bool:
    return a.start < b.start <= a.end < b.end or b.start < a.start <= b.end < a.end


# --- What is stored -----------------------------------------------------------------


def test_where_an_event_came_from_is_filled_in(deliver, tables):
    deliver(a_request(client_ip="192.0.2.7"))
    event = Event.objects.get()
    assert (event.country, event.asn) == ("DE", 64500)


def test_what_the_provider_tells_stands(deliver, tables):
    deliver(a_request(client_ip="192.0.2.7", country="FR", asn=64999))
    deliver(an_activity(client_ip="192.0.2.7", country="FR"))
    told = Event.objects.order_by("kind").values_list("country", "asn")
    assert set(told) == {("FR", 64999), ("FR", 64500)}


def test_what_no_table_knows_stays_unknown(deliver, tables):
    deliver(a_request(client_ip="203.0.113.9"))
    event = Event.objects.get()
    assert (event.country, event.asn) == (None, None)


def test_an_address_inside_ipv6_is_the_ipv4_one(deliver, tables):
    deliver(a_request(client_ip="::ffff:192.0.2.7"))
    deliver(a_request(event_id="ev-2", client_ip="2001:db8:1::1%eth0"))
    told = Event.objects.order_by("event_id").values_list("client_ip", "country", "asn")
    assert list(told) == [
        ("192.0.2.7", "DE", 64500),
        ("2001:db8:1::1", "SE", 4200000001),
    ]


def test_a_sign_up_address_is_placed_too(deliver, tables):
    deliver(an_account(signup_ip="192.0.2.7"))
    account = Account.objects.get()
    assert (account.signup_country, account.signup_asn) == ("DE", 64500)


@pytest.mark.django_db(transaction=True)
def test_names_and_tables_are_kept_for_the_pages(deliver, tables):
    deliver(a_request(client_ip="192.0.2.7"))
    assert AutonomousSystem.objects.get().name == "Example Hosting"
    used = AddressTable.objects.values_list("setting", "file_name", "built_at")
    assert set(used) >= {("GEO_TABLE", "country.mmdb", BUILT)}


def test_without_tables_nothing_is_looked_up(deliver):
    deliver(a_request(client_ip="192.0.2.7"), an_account(signup_ip="192.0.2.7"))
    assert Event.objects.get().country is None


def test_a_broken_table_stops_no_event_and_the_old_one_goes_on(
    deliver, tables, settings, caplog
):
    settings.GEO_TABLE.write_bytes(b"broken")
    enrichment.look_again()
    deliver(a_request(client_ip="192.0.2.7"))
    assert Event.objects.get().country == "DE"
    assert "no MaxMind database" in caplog.text
    [geo, asn] = enrichment.standings()
    assert "no MaxMind database" in geo.error
    assert asn.error == ""


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1))
def test_a_damaged_table_answers_or_is_refused_and_nothing_else(damage):
    with TemporaryDirectory() as folder:
        path = write_mmdb(Path(folder, "a.mmdb"), COUNTRIES | SYSTEMS_APART, BUILT)
        content = bytearray(path.read_bytes())
        for place, byte in damage:
            content[place % len(content)] = byte
        path.write_bytes(content)
        try:
            table = open_table(path)
            for address in ("192.0.2.7", "198.51.100.7", "2001:db8:1::7", "::"):
                table.find(address)
        except BadTable:
            pass


def test_a_table_that_was_replaced_is_read_anew(deliver, tables, settings):
    told = {"192.0.2.0/24": {"country_code": "NO"}}
    new = write_mmdb(tables / "new.mmdb", told, BUILT)
    new.replace(settings.GEO_TABLE)
    enrichment.look_again()
    deliver(a_request(client_ip="192.0.2.7"))
    assert Event.objects.get().country == "NO"


def test_a_missing_table_is_said_at_the_start(settings, tmp_path):
    settings.GEO_TABLE = tmp_path / "gone.mmdb"
    warnings = [each for each in checks.run_checks() if each.id == "stillwatch.W004"]
    assert "STILLWATCH_GEO_TABLE" in warnings[0].msg
    assert "No such file" in warnings[0].msg


def test_a_table_plugged_in_later_fills_what_is_stored(
    deliver, tables, settings, capsys
):
    geo, asn = settings.GEO_TABLE, settings.ASN_TABLE
    settings.GEO_TABLE = settings.ASN_TABLE = None
    enrichment.look_again()
    deliver(
        a_request(client_ip="192.0.2.7"),
        a_request(event_id="ev-2", client_ip="192.0.2.7", country="FR"),
        a_request(event_id="ev-3", client_ip="203.0.113.9"),
        an_account(signup_ip="192.0.2.7"),
    )
    settings.GEO_TABLE, settings.ASN_TABLE = geo, asn
    call_command("enrich")
    told = Event.objects.order_by("event_id").values_list("country", "asn")
    assert list(told) == [("DE", 64500), ("FR", 64500), (None, None)]
    assert Account.objects.get().signup_country == "DE"
    assert "2 events" in capsys.readouterr().out
