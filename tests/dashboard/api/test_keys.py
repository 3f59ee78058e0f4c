"""Who may read: a person who may view, or a machine with a key for it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from ingest.senders.keys import issue_key, revoke_key
from tests.factories import SourceFactory

pytestmark = pytest.mark.django_db
ACCOUNTS = "/api/v1/accounts/"


def key_for(*scopes: str, **more):
    return issue_key(source=SourceFactory(), name="k", scopes=scopes, **more)


def get(token: str):
    return Client().get(ACCOUNTS, headers={"Authorization": f"Bearer {token}"})


def test_a_key_with_the_read_scope_reads():
    _, token = key_for("read")
    assert get(token).status_code == 200


def test_a_key_needs_no_session_and_gets_no_cookie():
    _, token = key_for("read")
    assert not get(token).cookies


def test_without_a_key_or_a_session_it_says_how_to_come_in():
    response = Client().get(ACCOUNTS)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response["Content-Type"] == "application/problem+json"


def refused_keys() -> list[str]:
    _, good = key_for("read")
    revoked, revoked_token = key_for("read")
    revoke_key(revoked)
    _, expired = key_for("read", expires_at=timezone.now() - timedelta(seconds=1))
    return [good[:-1], good[:10], "", "sw__", "ü", "a b", revoked_token, expired]


def test_malformed_unknown_revoked_and_expired_keys_get_the_same_answer():
    answers = set()
    for token in refused_keys():
        response = get(token)
        problem = response.json()
        answers.add((response.status_code, problem["code"], problem["detail"]))
    assert answers == {(401, "unknown_key", "This key is not known here.")}


def test_a_key_for_sending_may_not_read_and_is_told_which_scope_is_missing():
    _, token = key_for("ingest:write")
    response = get(token)
    assert response.status_code == 403
    assert response.json()["code"] == "wrong_scope"
    assert "`read`" in response.json()["detail"]


def test_another_scheme_is_not_taken_for_a_key():
    response = Client().get(ACCOUNTS, headers={"Authorization": "Basic dmljOng="})
    assert response.status_code == 401


def test_a_person_without_a_role_may_not_read(signed_in, vic):
    vic.groups.clear()
    assert signed_in(vic).get(ACCOUNTS).status_code == 403
