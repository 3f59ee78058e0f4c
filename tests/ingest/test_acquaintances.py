"""What a process remembers of accounts is what PostgreSQL would have said."""

import polars as pl
import pytest

from ingest.drain import accounts
from ingest.drain.acquaintances import Acquaintances


def names(*numbers: int) -> pl.Series:
    return pl.Series([f"acct_{n}" for n in numbers], dtype=pl.String)


def learn(known: Acquaintances, *numbers: int, first: int = 0) -> None:
    pks = pl.Series([1000 + n for n in numbers], dtype=pl.Int64)
    firsts = pl.Series([first + n for n in numbers], dtype=pl.Int64)
    known.learn(names(*numbers), pks, firsts)


def pks(known: Acquaintances, *numbers: int) -> list[int | None]:
    return known.find(names(*numbers))["pk"].to_list()


def test_nobody_is_known_at_first():
    assert pks(Acquaintances(10), 1, 2) == [None, None]


def test_each_is_found_by_its_name_in_the_order_asked():
    known = Acquaintances(100)
    learn(known, 5, 3, 9)
    learn(known, 4)
    assert pks(known, 9, 7, 4, 3) == [1009, None, 1004, 1003]


def test_what_is_learnt_again_replaces_what_was_known():
    known = Acquaintances(100)
    learn(known, 1, 2, first=50)
    learn(known, 2, 3, first=10)
    assert known.find(names(1, 2, 3))["first"].to_list() == [51, 12, 13]
    assert len(known) == 3


def test_who_was_met_longest_ago_is_forgotten_first():
    known = Acquaintances(10)
    learn(known, *range(10))
    assert None not in pks(known, 0, 1, 2, 3)
    learn(known, 10)
    assert pks(known, 0, 1, 2, 3, 10) == [1000, 1001, 1002, 1003, 1010]
    assert len(known) == 5


def test_without_memory_all_are_strangers():
    known = Acquaintances(10)
    learn(known, 1)
    known.forget()
    assert pks(known, 1) == [None]


@pytest.mark.django_db
def test_what_was_learnt_while_something_is_taken_back_is_not_relied_on(monkeypatch):
    def known_after(newest: int, *, working: bool) -> int:
        order = f"SELECT {newest}, {working}"
        monkeypatch.setattr(accounts, "_TAKEN_BACK", order)
        known = len(accounts._met_lately())
        learn(accounts._acquaintances, 1)
        return known

    known_after(7, working=False)
    assert known_after(7, working=False) == 1
    assert known_after(8, working=True) == 0
    assert known_after(8, working=True) == 0
    assert known_after(8, working=False) == 0
    assert known_after(8, working=False) == 1
