"""What every test may lean on: the people, and a browser where there is one."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.test import Client

from ingest.drain import accounts
from tests.append_only import let_tests_empty_tables
from tests.people import PEOPLE

pytest_plugins = ["tests.side_by_side"]
PASSWORD = "correct horse battery staple"
NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session", autouse=True)
def tests_may_empty_tables() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        let_tests_empty_tables(patch)
        yield


@pytest.fixture(autouse=True)
def no_account_is_remembered() -> Iterator[None]:
    """The product never empties its tables while it runs; tests do."""
    accounts.forget_all()
    yield
    accounts.forget_all()


@cache
def hashed_password() -> str:
    """Hashed once: the product's hash is slow by intent, and people are many here."""
    return make_password(PASSWORD)


def make_person(name: str, role: str) -> User:
    user = User.objects.create(
        username=name, email=f"{name}@stillwatch.example", password=hashed_password()
    )
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


def person_fixture(name: str) -> Callable[..., User]:
    @pytest.fixture(name=name)
    def person(db) -> User:
        return make_person(name, PEOPLE[name])

    return person


vic, ana, leo, mia, aud, ada = map(person_fixture, PEOPLE)


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """A client that has signed in as the given person."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in
