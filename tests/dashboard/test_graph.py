"""Members and ties become columns."""

from math import dist

from dashboard.graph import AccountNode, IndicatorNode, Tie, cluster_graph

NAMES = {"core": "core members", "card": "card", "shares": "shares"}


def account(name: str, score: float = 50, group: str = "core", **at: float):
    return AccountNode(name, name, score, group, **at)


def card(name: str = "card-1", accounts: int = 2) -> IndicatorNode:
    return IndicatorNode(name, "4f•••", "card", accounts)


def shares(who: str, what: str = "card-1") -> Tie:
    return Tie(who, what, "shares", 0.9)


def drawn(accounts, indicators=(), ties=(), **options):
    return cluster_graph(accounts, indicators, ties, names=NAMES, **options)


def places(figures) -> dict[str, tuple[float, float]]:
    nodes = figures["nodes"]
    return dict(zip(nodes["id"], zip(nodes["x"], nodes["y"], strict=True), strict=True))


def test_every_column_has_a_value_for_every_node():
    figures = drawn([account("a"), account("b")], [card()], [shares("a"), shares("b")])
    assert {len(column) for column in figures["nodes"].values()} == {3}
    assert {len(column) for column in figures["edges"].values()} == {2}


def test_accounts_are_circles_and_what_they_share_are_squares():
    figures = drawn([account("a")], [card()], [shares("a")])
    shapes = [figures["groups"][n]["shape"] for n in figures["nodes"]["group"]]
    assert shapes == ["circle", "square"]


def test_the_legend_counts_what_is_drawn():
    figures = drawn([account("a"), account("b")], [card()], [shares("a"), shares("b")])
    assert [(g["label"], g["count"]) for g in figures["groups"]] == [
        ("core members", 2),
        ("card", 1),
    ]
    assert figures["kinds"] == [{"key": "shares", "label": "shares", "count": 2}]


def test_risk_is_told_by_a_ring_and_a_number():
    figures = drawn([account("calm", 69.9), account("hot", 95), account("warm", 70)])
    ring = dict(zip(figures["nodes"]["id"], figures["nodes"]["ring"], strict=True))
    assert ring["calm"] == 0 < ring["warm"] < ring["hot"]
    assert "calm · 69" in figures["nodes"]["label"]


def test_a_stored_map_stays_as_it_was_stored():
    at = places(drawn([account("a", x=1.5, y=2.0), account("b", x=-3.0, y=0.5)]))
    assert at == {"a": (1.5, 2.0), "b": (-3.0, 0.5)}


def test_a_newcomer_stands_outside_the_stored_map():
    at = places(
        drawn([account("a", x=1.0, y=0.0), account("b", x=0.0, y=1.0), account("new")])
    )
    assert dist(at["new"], (0, 0)) > 1.0


def test_accounts_never_drawn_before_do_not_stand_on_each_other():
    at = places(drawn([account(f"a{n}", x=0.0, y=0.0) for n in range(300)]))
    assert len(set(at.values())) == 300


def test_a_shared_thing_stands_on_the_side_of_its_accounts():
    accounts = [account(f"a{n:02}") for n in range(40)]
    ties = [shares(f"a{n:02}", "left" if n % 2 else "right") for n in range(40)]
    at = places(drawn(accounts, [card("left", 20), card("right", 20)], ties))
    for who, what in [("a01", "left"), ("a00", "right")]:
        other = {"left": "right", "right": "left"}[what]
        assert dist(at[who], at[what]) < dist(at[who], at[other])


def test_two_things_shared_by_the_same_accounts_stand_apart():
    accounts = [account("a"), account("b")]
    both = [shares(who, what) for who in "ab" for what in ("card-1", "card-2")]
    at = places(drawn(accounts, [card("card-1"), card("card-2")], both))
    assert dist(at["card-1"], at["card-2"]) > 0.1


def test_a_large_cluster_keeps_its_hottest_accounts_and_says_it_was_cut():
    accounts = [account(f"a{n}", score=n) for n in range(50)]
    figures = drawn(accounts, limit=10)
    assert set(figures["nodes"]["id"]) == {f"a{n}" for n in range(40, 50)}
    assert (figures["shown"], figures["total"]) == (10, 50)


def test_a_cut_map_still_shows_what_is_shared():
    accounts = [account(f"a{n}", score=n) for n in range(50)]
    ties = [shares(f"a{n}") for n in range(50)]
    figures = drawn(accounts, [card(accounts=50)], ties, limit=10)
    assert "card-1" in figures["nodes"]["id"]
    assert figures["shown"] == 10


def test_a_tie_to_what_is_not_drawn_is_left_out():
    figures = drawn([account("a")], [], [Tie("a", "gone", "shares", 0.5)])
    assert figures["edges"]["source"] == []


def test_the_order_of_the_input_changes_nothing():
    accounts = [account(f"a{n}", score=n) for n in range(20)]
    ties = [shares(f"a{n}") for n in range(20)]
    one = drawn(accounts, [card()], ties)
    other = drawn(accounts[::-1], [card()], ties[::-1])
    assert one["nodes"] == other["nodes"]


def test_hidden_characters_in_a_label_are_spelled_out():
    figures = drawn([AccountNode("a", "acct\u202e", 10, "core")])
    assert figures["nodes"]["label"] == ["acct[U+202E] · 10"]


def test_an_empty_cluster_is_an_empty_map():
    assert drawn([])["nodes"]["id"] == []
