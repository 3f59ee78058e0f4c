"""How far an import is: a bar on a terminal, plain lines anywhere else."""

import time
from collections import Counter
from types import TracebackType
from typing import Final, TextIO

from tqdm import tqdm

SECONDS_BETWEEN_LINES: Final = 2.0
_BAR: Final = (
    "{desc}: {percentage:3.0f}% |{bar}| {postfix}  {elapsed} gone, {remaining} left"
)
_COUNT: Final = "{desc}: {postfix}  {elapsed} gone"


class Progress:
    """Shows one file's progress until it is closed.

    `total` is what `show` counts up to (bytes), or None where nobody knows.
    """

    def __init__(
        self, name: str, total: int | None, out: TextIO, *, quiet: bool = False
    ) -> None:
        self.name, self.total, self.out, self.quiet = name, total, out, quiet
        self.began = self.next_line = time.monotonic()
        self.before: int | None = None
        self.bar = None
        if not quiet and out.isatty():
            self.bar = tqdm(
                total=total,
                desc=name,
                file=out,
                bar_format=_BAR if total else _COUNT,
                dynamic_ncols=True,
            )

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bar is not None:
            self.bar.close()

    def show(self, counts: Counter[str], done: int) -> None:
        """`done` of the total are read; the first call tells where it began."""
        if self.quiet:
            return
        now = time.monotonic()
        seconds = max(now - self.began, 0.001)
        rate = f"{counts['received'] / seconds:,.0f} records/s"
        if self.bar is not None:
            self.bar.set_postfix_str(
                f"{counts['received']:,} records, {rate}", refresh=False
            )
            self.bar.update(done - self.bar.n)
        elif now >= self.next_line + SECONDS_BETWEEN_LINES:
            self.next_line = now
            self.out.write(
                f"{self.name}: {counts['received']:,} records, {rate}"
                f"{self._left(done, seconds)}\n"
            )

    def _left(self, done: int, seconds: float) -> str:
        if not self.total or not done:
            return ""
        left = seconds * (self.total - done) / done
        return f", {done / self.total:.0%}, {left:,.0f} s left"
