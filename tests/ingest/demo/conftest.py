"""One small world for all who only look at it."""

from collections import defaultdict
from dataclasses import dataclass, field

import pytest

from ingest.demo.accounts import Purpose, Record
from ingest.demo.world import World
from tests.ingest.demo.contract import ENDS_AT


@dataclass
class Told:
    """A world that has been told to its end."""

    world: World
    records: list[Record]
    purposes: dict[str, Purpose] = field(default_factory=dict)

    @property
    def requests(self):
        return [r for r in self.records if r["type"] == "request"]

    @property
    def accounts(self):
        """Account records as they stand at the end."""
        newest = {}
        for record in self.records:
            if record["type"] == "account":
                newest[record["account_id"]] = record
        return newest

    def members(self, population):
        return {
            row["account_id"]
            for row in self.world.truth()
            if row["population"] == population
        }

    def of(self, population):
        members = self.members(population)
        return [r for r in self.requests if r["account_id"] in members]

    def by_pool(self, population):
        pools = defaultdict(set)
        for row in self.world.truth():
            if row["population"] == population:
                pools[row["pool"]].add(row["account_id"])
        return pools


@pytest.fixture(scope="session")
def told() -> Told:
    world = World(seed=5, ends_at=ENDS_AT, accounts=900, exchanges=30_000)
    return tell(world)


def tell(world: World) -> Told:
    entries = list(world.entries())
    purposes = {e.id: e.purpose for e in entries if e.record["type"] == "request"}
    return Told(world, [entry.record for entry in entries], purposes)
