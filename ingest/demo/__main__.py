"""`python -m ingest.demo OUT.ndjson[.gz] [TRUTH.ndjson]`: a world in a file."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from ingest.demo.output import write_truth, write_world
from ingest.demo.world import World

if __name__ == "__main__":
    made = World(seed=1, ends_at=datetime.now(UTC))
    write_world(made.records(), Path(sys.argv[1]))
    if len(sys.argv) > 2:
        write_truth(made.truth(), Path(sys.argv[2]))
