"""Search and filters of the API: rows 57-61, 66 and 68 of promises.md section 4."""

import pytest

from tests.factories import AccountFactory, ScoreFactory

pytestmark = pytest.mark.django_db
ACCOUNTS = "/api/v1/accounts/"
CLUSTERS = "/api/v1/clusters/"


@pytest.fixture
def reader(signed_in, vic):
    return signed_in(vic)


REFUSED = [
    # 57: pages that there are not
    ("page=-1", "page", "unknown_filter"),
    ("page=1000000000000", "page", "unknown_filter"),
    ("page_size=-1", "page_size", "invalid"),
    ("page_size=abc", "page_size", "invalid"),
    ("page_size=0", "page_size", "invalid"),
    ("page_size=1000000000000", "page_size", "invalid"),
    ("page_size=٣", "page_size", "invalid"),
    ("cursor=abc", "cursor", "invalid"),
    ("cursor=-1", "cursor", "invalid"),
    ("cursor=W10", "cursor", "invalid"),  # []
    ("cursor=WzEsMl0", "cursor", "invalid"),  # [1,2]
    ("cursor=WyJhIiwxLGZhbHNlXQ", "cursor", "invalid"),  # ["a",1,false]
    ("cursor=WzEsLTEsZmFsc2Vd", "cursor", "invalid"),  # [1,-1,false]
    ("cursor=W05hTiwxLGZhbHNlXQ", "cursor", "invalid"),  # [NaN,1,false]
    # 58: unknown names, operators and orders
    ("colour=red", "colour", "unknown_filter"),
    ("_connector=OR", "_connector", "unknown_filter"),
    ("__class=x", "__class", "unknown_filter"),
    ("password__startswith=p", "password__startswith", "unknown_filter"),
    ("external_id__regex=a", "external_id__regex", "unknown_filter"),
    ("ordering=password", "ordering", "invalid_choice"),
    ("ordering=-score,account_id", "ordering", "invalid_choice"),
    ("band=red", "band", "invalid_choice"),
    ("status=gone", "status", "invalid_choice"),
    ("min_score=high", "min_score", "invalid"),
    ("min_score=NaN", "min_score", "invalid"),
    ("min_score=101", "min_score", "max_value"),
    ("min_score=-1", "min_score", "min_value"),
    ("min_score=1e400", "min_score", "max_value"),
    ("account_id=" + "a" * 129, "account_id", "max_length"),
]


@pytest.mark.parametrize(("query", "parameter", "code"), REFUSED)
def test_what_is_not_understood_is_named_and_refused(reader, query, parameter, code):
    response = reader.get(f"{ACCOUNTS}?{query}")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    error, *_ = response.json()["errors"]
    assert (error["parameter"], error["code"]) == (parameter, code)


@pytest.mark.parametrize(
    ("path", "query", "valid"),
    [
        (ACCOUNTS, "colour=red", "account_id, band, cluster_id, cursor, format"),
        (ACCOUNTS, "ordering=x", "-score, score, -account_id, account_id"),
        (ACCOUNTS, "band=x", "action, review, watch, none"),
        (CLUSTERS, "ordering=x", "-score, score, -size, size"),
        (CLUSTERS, "verdict=x", "distillation, resale_pool, insufficient_evidence"),
    ],
)
def test_a_refusal_lists_what_there_is(reader, path, query, valid):
    assert valid in reader.get(f"{path}?{query}").json()["detail"]


@pytest.mark.parametrize(
    "text", ["' OR 1=1--", "%", "_", "\\", "(a+)+$", "a' AND pg_sleep(9)--", "İ", "💥"]
)
def test_signs_of_other_languages_are_taken_literally(reader, text):
    AccountFactory(external_id="plain")
    AccountFactory(external_id=text)
    rows = reader.get(ACCOUNTS, {"account_id": text}).json()["results"]
    assert [row["account_id"] for row in rows] == [text]


def test_a_query_of_a_hundred_kilobytes_is_refused(reader):
    response = reader.get(f"{ACCOUNTS}?account_id={'a' * 100_000}")
    assert response.status_code == 400
    assert response.json()["code"] == "query_too_long"


@pytest.mark.parametrize(
    "address", [f"{ACCOUNTS}?account_id=a%00b", f"{ACCOUNTS}a%00b/", "/%00"]
)
def test_a_nul_character_is_refused(reader, address):
    assert reader.get(address).status_code == 400


def test_a_cursor_of_another_order_is_refused(reader):
    for _ in range(3):
        ScoreFactory()
    page = reader.get(ACCOUNTS, {"page_size": "1", "ordering": "-score"}).json()
    stolen = page["next"].replace("ordering=-score", "ordering=account_id")
    assert reader.get(stolen).status_code == 400


def test_what_one_may_not_see_and_what_there_is_not_look_alike(reader):
    one = reader.get("/api/v1/accounts/unknown/").json()
    other = reader.get("/api/v1/clusters/CL-1/").json()
    for problem in (one, other):
        problem.pop("instance")
    assert one == other
