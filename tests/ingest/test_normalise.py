"""Equal things compare equal; what is personal leaves as a hash."""

from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.records import normalise


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1 ", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("999.1.1.1", None),
        ("192.0.2", None),
        ("192.0.2.01", None),
        ("example.org", None),
        ("", None),
    ],
)
def test_addresses(told, kept):
    assert normalise.address(told) == kept


@pytest.mark.parametrize(
    ("address", "block"),
    [("192.0.2.77", "192.0.2.0/24"), ("2001:db8:1:2:3::4", "2001:db8:1::/48")],
)
def test_blocks(address, block):
    assert normalise.block(address) == block


@pytest.mark.parametrize(
    ("told", "kept"),
    [("de", "DE"), ("US", "US"), ("DEU", None), ("D1", None), ("ßß", None)],
)
def test_countries(told, kept):
    assert normalise.country(told) == kept


@pytest.mark.parametrize(
    "told", ["nobody", "@x.example", "a@", "a@localhost", "a b", "a@b c.example"]
)
def test_what_is_no_mailbox(told):
    assert normalise.mailbox(told, b"k") is None


@pytest.mark.parametrize(
    ("local", "shape"),
    [
        ("mary.smith84", "a4.a5n2"),
        ("x_9-Y", "a1_n1-a1"),
        ("日本3", "a2n1"),
        ("a1" * 60, "a1n1" * 16),
    ],
)
def test_shapes_of_local_parts(local, shape):
    assert normalise.shape(local) == shape


def test_dots_matter_everywhere_but_at_gmail():
    at_work = {normalise.mailbox(f"{x}@lab.example", b"k") for x in ("a.bc", "ab.c")}
    at_gmail = {normalise.mailbox(f"{x}@gmail.com", b"k") for x in ("a.bc", "ab.c")}
    assert len({box.hash for box in at_work if box}) == 2
    assert len({box.hash for box in at_gmail if box}) == 1


@pytest.mark.parametrize(
    ("agent", "family"),
    [
        ("OpenAI/Python 1.52.0", "openai/python/1"),
        ("Anthropic/JS 0.39.0", "anthropic/js/0"),
        ("python-requests/2.31.0", "python-requests/2"),
        ("Go-http-client/2.0", "go-http-client/2"),
        ("curl/8.5.0", "curl/8"),
        ("my-own-client", "my-own-client/?"),
        (
            "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
            "edge/131",
        ),
        ("Mozilla/5.0 (X11; rv:132.0) Gecko/20100101 Firefox/132.0", "firefox/132"),
        (
            "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/17.4 Safari/605.1.15",
            "safari/17",
        ),
        ("Mozilla/5.0 (compatible)", "mozilla/other"),
        ("\x1b[31m", "other"),
    ],
)
def test_agent_families(agent, family):
    assert normalise.agent_family(agent) == family


def test_the_client_stack_joins_handshake_and_agent():
    assert normalise.client_stack("t13d", "curl/8.5") == "t13d|curl/8"
    assert normalise.client_stack(None, "curl/8.5") == "-|curl/8"
    assert normalise.client_stack("t13d", None) == "t13d|-"
    assert normalise.client_stack(None, None) is None


@settings(max_examples=300)
@given(
    st.one_of(
        st.ip_addresses(v=4).map(str),
        st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){3}", fullmatch=True),
    )
)
def test_an_address_of_four_numbers_is_taken_as_the_standard_library_takes_it(text):
    try:
        known = str(ip_address(text.strip()))
    except ValueError:
        known = None
    assert normalise.address(text) == known
