"""`detect --as-of` over a database's history, again and again in one process.

    python -m benchmarks.replay SINCE UNTIL HOURS

The first pass comes HOURS after SINCE, and none comes after UNTIL. Changes what the
database that DATABASE_URL names believes.
"""

import sys
from datetime import datetime, timedelta

from django.core.management import call_command

from benchmarks.import_files import prepare


def main(since: str, until: str, hours: str) -> None:
    prepare()
    at, end = datetime.fromisoformat(since), datetime.fromisoformat(until)
    while (at := at + timedelta(hours=int(hours))) <= end:
        call_command("detect", as_of=at.isoformat())


if __name__ == "__main__":
    main(*sys.argv[1:])
