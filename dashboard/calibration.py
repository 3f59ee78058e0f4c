"""What the page of rules shows of whether scores are shares."""

from dataclasses import dataclass

from dashboard.charts import Figure, Reliability, reliability, tenth_of_scale
from dashboard.evaluation import Bin, calibration_error
from dashboard.rules import ShownPrecision, shown_precision
from investigations.detection.ruleset import Ruleset
from investigations.selectors import Calibration, Tenth

COLUMNS = ("Score", "On average", "Confirmed", "Accounts and cases")


@dataclass(frozen=True)
class ShownTenth:
    tenth: Tenth
    precision: ShownPrecision

    @property
    def cells(self) -> tuple[str, ...]:
        name, said = tenth_of_scale(self.tenth.lowest), f"{100 * self.tenth.said:.0f}"
        return name, said, self.precision.words, self.precision.basis


@dataclass(frozen=True)
class ShownCalibration:
    """`points`: how far scores are off on average, of 100 (expected calibration
    error), where there is `enough` to tell. `start`: the decibans that would fit,
    beside those that hold."""

    tenths: list[ShownTenth]
    enough: bool
    points: float
    start: float | None
    holds: float

    @property
    def columns(self) -> tuple[str, ...]:
        return COLUMNS

    @property
    def rows(self) -> list[tuple[str, ...]]:
        return [each.cells for each in self.tenths]

    @property
    def figure(self) -> Figure:
        return reliability(
            [
                Reliability(
                    each.tenth.lowest,
                    each.tenth.said,
                    each.tenth.found.share,
                    each.precision.low,
                    each.precision.high,
                )
                for each in self.tenths
            ]
        )


def shown_calibration(found: Calibration, rules: Ruleset) -> ShownCalibration:
    tenths = [
        ShownTenth(tenth, precision)
        for tenth in found.tenths
        if (precision := shown_precision(tenth.found)) is not None
    ]
    bins = [Bin(t.found.accounts, t.said, t.found.share) for t in found.tenths]
    holds = rules.prior_account
    start = None if found.shift is None else round(holds + found.shift, 1)
    points = round(100 * (calibration_error(bins) or 0.0), 1)
    return ShownCalibration(tenths, found.enough, points, start, holds)
