"""Hosting, Tor, relays, throw-away mail: lists that an operator may replace."""

import re
from pathlib import Path

import pytest
from django.core import checks

from ingest.places import network_classes
from ingest.places.network_classes import NetworkClass, is_disposable, network_class
from investigations import detection


@pytest.fixture
def own(tmp_path, settings):
    settings.LISTS = tmp_path
    network_classes.forget()
    yield tmp_path
    settings.LISTS = None
    network_classes.forget()


@pytest.mark.parametrize("name", network_classes.ALL_LISTS)
def test_every_list_says_where_it_comes_from_and_may_be_passed_on(name):
    about = network_classes.provenance(name)
    assert about.entries > 0
    assert "not told" not in (about.source, about.licence, about.date)
    assert name in (about.path.parent / "NOTICE").read_text()


def test_every_list_can_be_read():
    network_classes.read_all()


def test_an_address_is_classed_by_the_first_list_that_holds_it(own):
    (own / "tor_exits.txt").write_text("# mine\n192.0.2.1\n")
    (own / "relay_networks.txt").write_text("192.0.2.0/30\n")
    (own / "hosting_networks.txt").write_text("192.0.2.0/24 a cloud\n2001:db8::/32\n")
    found = [
        network_class(None, address)
        for address in (
            "192.0.2.1",
            "192.0.2.2",
            "192.0.2.9",
            "2001:db8::7",
            "203.0.113.1",
        )
    ]
    assert found == [
        NetworkClass.TOR,
        NetworkClass.RELAY,
        NetworkClass.HOSTING,
        NetworkClass.HOSTING,
        None,
    ]


def test_a_hosting_companys_number_is_enough(own):
    (own / "hosting_asns.txt").write_text("64500 Example Hosting\n")
    assert network_class(64500, "203.0.113.1") == NetworkClass.HOSTING
    assert network_class(64501, "203.0.113.1") is None
    assert network_class(None, None) is None
    assert network_classes.listed_name(64500) == "Example Hosting"


def test_throw_away_mail_is_known_by_its_domain(own):
    (own / "disposable_domains.txt").write_text("Mail.Example\n")
    found = [is_disposable(each) for each in ("mail.example", "a.mail.example")]
    assert found == [True, True]
    others = ("example", "notmail.example", "", None)
    assert not any(is_disposable(each) for each in others)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("tor_exits.txt", "192.0.2.1\nnonsense\n", "line 2"),
        ("hosting_networks.txt", "192.0.2.1/24\n", "host bits set"),
        ("hosting_asns.txt", "AS64500 Example\n", "starts with no AS number"),
    ],
)
def test_a_wrong_line_in_an_own_list_is_said_at_the_start(own, name, text, reason):
    (own / name).write_text(text)
    [error] = [each for each in checks.run_checks() if each.id == "stillwatch.E003"]
    assert reason in error.msg
    assert name in error.msg


def test_no_detector_leans_on_a_country():
    rules = Path(detection.__file__).parent
    leaning = [
        path.name
        for path in rules.rglob("*.py")
        if re.search(r"[\w.]*country\b(?!, language)", path.read_text())
    ]
    assert leaning == []


def test_a_list_that_is_not_replaced_is_the_one_that_came_along(own):
    (own / "tor_exits.txt").write_text("192.0.2.1\n")
    assert network_classes.provenance("tor_exits.txt").is_own
    assert not network_classes.provenance("hosting_asns.txt").is_own
