"""GET /api/v1/accounts/: what other tools read of an account."""

from datetime import UTC, datetime

import pytest

from tests.factories import (
    AccountFactory,
    ClusterFactory,
    MembershipFactory,
    ScoreFactory,
)

pytestmark = pytest.mark.django_db
ACCOUNTS = "/api/v1/accounts/"


@pytest.fixture
def reader(signed_in, vic):
    return signed_in(vic)


def scored(*scores: float) -> None:
    for score in scores:
        ScoreFactory(score=score)


def ids(response) -> list[str]:
    return [row["account_id"] for row in response.json()["results"]]


def test_a_row_has_exactly_the_contracts_fields(reader):
    flagged = datetime(2026, 11, 10, tzinfo=UTC)
    reason = {
        "signal": "shared_payment",
        "points": 12.5,
        "value": 40.0,
        "baseline": 1.0,
        "sentence": "40 accounts pay with one card.",
        "family": "money",
        "innocent": "A company card.",
        "rows": {},
    }
    score = ScoreFactory(
        account__external_id="acct-1",
        score=81.25,
        band="review",
        reasons=[reason],
        first_flagged_at=flagged,
    )
    cluster = ClusterFactory(score=93.5)
    MembershipFactory(account=score.account, cluster=cluster)

    [row] = reader.get(ACCOUNTS).json()["results"]

    assert row == {
        "account_id": "acct-1",
        "score": 81.25,
        "band": "review",
        "cluster_id": cluster.ref,
        "cluster_score": 93.5,
        "status": "active",
        "first_flagged_at": "2026-11-10T00:00:00Z",
        "reasons": [
            {
                "signal": "shared_payment",
                "points": 12.5,
                "value": 40.0,
                "baseline": 1.0,
                "sentence": "40 accounts pay with one card.",
            }
        ],
    }


def test_an_account_that_was_never_scored_stands_at_nought(reader):
    AccountFactory(external_id="new")
    [row] = reader.get(ACCOUNTS).json()["results"]
    assert (row["score"], row["band"], row["cluster_id"]) == (0.0, "none", None)


def test_the_highest_score_comes_first(reader):
    scored(10.0, 90.0, 50.0)
    rows = reader.get(ACCOUNTS, {"ordering": "-score"}).json()["results"]
    assert [row["score"] for row in rows] == [90.0, 50.0, 10.0]


def test_min_score_keeps_the_score_itself(reader):
    scored(69.9, 70.0, 70.1)
    rows = reader.get(ACCOUNTS, {"min_score": "70"}).json()["results"]
    assert [row["score"] for row in rows] == [70.1, 70.0]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"account_id": "b"}, ["b"]),
        ({"band": "watch"}, ["b"]),
        ({"band": "none"}, ["c"]),
        ({"status": "banned"}, ["c"]),
        ({"ordering": "account_id"}, ["a", "b", "c"]),
        ({"ordering": "-account_id"}, ["c", "b", "a"]),
        ({"ordering": "score"}, ["c", "b", "a"]),
    ],
)
def test_filters_and_orders(reader, query, found):
    ScoreFactory(account__external_id="a", score=95, band="action")
    ScoreFactory(account__external_id="b", score=45, band="watch")
    AccountFactory(external_id="c", status="banned")
    assert ids(reader.get(ACCOUNTS, query)) == found


def test_a_cluster_id_keeps_its_members(reader):
    member = MembershipFactory()
    AccountFactory()
    response = reader.get(ACCOUNTS, {"cluster_id": member.cluster.ref})
    assert ids(response) == [member.account.external_id]


@pytest.mark.parametrize("ordering", ["-score", "score", "account_id", "-account_id"])
def test_pages_meet_every_account_once_and_lead_back(reader, ordering):
    scored(*[50.0] * 7, 10.0, 90.0)
    query = {"ordering": ordering, "page_size": "2"}
    page = reader.get(ACCOUNTS, query).json()
    whole = ids(reader.get(ACCOUNTS, {"ordering": ordering}))
    forth = [page]
    while page["next"]:
        page = reader.get(page["next"]).json()
        forth.append(page)
    assert [row["account_id"] for p in forth for row in p["results"]] == whole
    back = [page]
    while page["previous"]:
        page = reader.get(page["previous"]).json()
        back.append(page)
    assert [p["results"] for p in back] == [p["results"] for p in reversed(forth)]


def test_a_row_that_comes_between_two_pages_skips_nothing(reader):
    scored(90.0, 80.0, 70.0, 60.0)
    first = reader.get(ACCOUNTS, {"page_size": "2"}).json()
    scored(85.0, 75.0)
    rest = reader.get(first["next"]).json()
    assert [row["score"] for row in rest["results"]] == [75.0, 70.0]


def test_a_page_costs_the_same_however_many_rows_it_has(
    reader, django_assert_num_queries
):
    for _ in range(30):
        score = ScoreFactory()
        MembershipFactory(account=score.account)
    reader.get(ACCOUNTS)
    # Session, user, role, and one for the rows.
    with django_assert_num_queries(4):
        assert len(ids(reader.get(ACCOUNTS))) == 30


def test_one_account_is_found_by_its_own_id_however_odd(reader):
    AccountFactory(external_id="org/team #1")
    row = reader.get("/api/v1/accounts/org%2Fteam%20%231/").json()
    assert row["account_id"] == "org/team #1"


def test_an_unknown_account_is_a_problem_with_the_same_words_as_any(reader):
    response = reader.get("/api/v1/accounts/nobody/")
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "not_found"


def test_the_api_writes_nothing(reader):
    for method in (reader.post, reader.put, reader.patch, reader.delete):
        assert method(ACCOUNTS).status_code == 405
