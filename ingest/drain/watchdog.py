"""A piece of work that does not end takes its process down instead of its queue.

The worker's own time limits do not reach every pool, and no Python can interrupt code
that holds the interpreter, as a runaway regular expression does. This watchdog is a
thread in C: it writes where the work stood to standard error and ends the process.
Whoever looks after the worker starts another, and the attempt is counted already.
"""

import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager

_STANDARD_ERROR = 2


@contextmanager
def ending_after(seconds: float) -> Iterator[None]:
    """Ends the process at once where the block takes longer than so."""
    faulthandler.dump_traceback_later(seconds, exit=True, file=_STANDARD_ERROR)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
