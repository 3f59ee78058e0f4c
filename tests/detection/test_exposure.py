"""What left through a cluster is the sum of what left through its members."""

from datetime import date

from investigations.detection.exposure import AccountTotals, add_up
from tests.detection.worlds import NOW


def test_exchanges_tokens_models_and_days_add_up():
    left = add_up(
        [
            AccountTotals(
                1, 10, 100, 1000, NOW, NOW, frozenset({date(2026, 11, 1)}), {"a": 10}
            ),
            AccountTotals(
                2,
                5,
                50,
                500,
                NOW,
                NOW,
                frozenset({date(2026, 11, 1), date(2026, 11, 2)}),
                {"a": 2, "b": 3},
            ),
        ]
    )

    assert (left.exchanges, left.input_tokens, left.output_tokens) == (15, 150, 1500)
    assert left.days == 2
    assert list(left.by_model.items()) == [("a", 12), ("b", 3)]


def test_a_cluster_that_exchanged_nothing_has_no_dates():
    left = add_up([AccountTotals(1)])

    assert (left.since, left.until, left.days) == (None, None, 0)
