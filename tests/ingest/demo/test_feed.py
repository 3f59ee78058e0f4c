"""The feeder is an ordinary, patient client of the ingest API."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from itertools import islice

import httpx
import pytest

from ingest.demo.feed import Feeder, FeedRefused, Position, Server

ENDS_AT = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


class Platform:
    """A Stillwatch that takes everything, unless told to answer otherwise."""

    def __init__(self):
        self.batches, self.keys, self.answers = [], [], []
        self.banned, self.first_case = [], "/cases/C-1/"
        self.slept = []

    def __call__(self, request):
        if request.url.path == "/demo/status":
            return httpx.Response(
                200, json={"first_case": self.first_case, "batches_pending": 3}
            )
        if request.url.path == "/demo/platform/accounts.json":
            return httpx.Response(200, json={"banned": self.banned, "restricted": []})
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        assert request.headers["Authorization"] == "Bearer a-key"
        self.keys.append(request.headers["Idempotency-Key"])
        body = gzip.decompress(request.content)
        self.batches.append([json.loads(line) for line in body.splitlines()])
        return httpx.Response(202, json={"rejected": 0, "errors": []})

    @property
    def records(self):
        return [record for batch in self.batches for record in batch]


@pytest.fixture
def platform():
    return Platform()


@pytest.fixture
def feeder(platform, tmp_path):
    return made_feeder(platform, tmp_path)


def made_feeder(platform, folder, position=None):
    client = httpx.Client(
        base_url="http://stillwatch.test", transport=httpx.MockTransport(platform)
    )
    said: list[dict[str, object]] = []
    feeder = Feeder(
        server=Server(client, "a-key", sleep=platform.slept.append),
        position=position or Position(3, 200, 3000, ENDS_AT.isoformat()),
        state_file=folder / "demo-feed.json",
        truth_file=folder / "demo-truth.ndjson",
        say=said.append,
        now=lambda: ENDS_AT + timedelta(minutes=30),
        sleep=platform.slept.append,
    )
    platform.said = said
    return feeder


def test_it_feeds_the_whole_history_in_batches(feeder, platform):
    feeder.feed_history(feeder.begin())
    assert len(platform.batches) > 1
    assert max(map(len, platform.batches)) == 2000
    assert len(set(platform.keys)) == len(platform.batches)
    assert feeder.position.finished
    shares = [event["progress"] for event in platform.said]
    assert shares == sorted(shares)


def test_a_feed_that_was_killed_goes_on_without_gaps(feeder, platform, tmp_path):
    feeder.feed_history(feeder.begin())
    whole = platform.batches
    killed = Platform()
    killed.answers = [httpx.Response(202, json={}), httpx.Response(403)]
    first = made_feeder(killed, tmp_path)
    with pytest.raises(FeedRefused):
        first.feed_history(first.begin())
    rest = Platform()
    second = made_feeder(rest, tmp_path, Position.read(tmp_path / "demo-feed.json"))
    second.feed_history(second.begin())
    assert rest.batches == whole[1:]


def test_it_waits_as_long_as_a_busy_server_asks(feeder, platform):
    platform.answers = [
        httpx.Response(429, headers={"Retry-After": "7"}),
        httpx.Response(503, headers={"Retry-After": "2"}),
        httpx.ConnectError("down"),
    ]
    feeder.server.send([{"type": "request"}], "one")
    assert platform.slept[:2] == [7.0, 2.0]
    assert len(platform.batches) == 1


def test_it_gives_up_with_a_sentence(feeder, platform):
    platform.answers = [httpx.Response(503) for _ in range(50)]
    with pytest.raises(FeedRefused, match="Check that the server is up"):
        feeder.server.send([], "one")
    assert len(platform.slept) == 10


@pytest.mark.parametrize(
    ("status", "sentence"), [(401, "--key-file"), (404, "--url"), (413, "limit")]
)
def test_a_refusal_says_what_to_change(feeder, platform, status, sentence):
    platform.answers = [httpx.Response(status)]
    with pytest.raises(FeedRefused, match=sentence):
        feeder.server.send([], "one")


def test_it_says_where_the_first_case_is(feeder, platform):
    feeder.await_case()
    assert platform.said[-1] == {"ready": "/cases/C-1/"}


def test_it_tells_that_it_waits_for_a_case(feeder, platform):
    platform.first_case = None
    feeder.await_case(patience=3)
    assert "3 batches to go" in platform.said[0]["text"]
    assert "ready" not in platform.said[-1]
    platform.first_case = "/cases/C-1/"
    list(islice(feeder.feed_live(feeder.begin()), 3))
    assert platform.said.count({"ready": "/cases/C-1/"}) == 1


def test_live_it_sends_what_is_due_and_remembers_how_far_it_came(feeder, platform):
    assert next(feeder.feed_live(feeder.begin())) > 0
    now = feeder.now().isoformat()
    assert all(
        r.get("occurred_at", r.get("updated_at")) <= now for r in platform.records
    )
    kept = Position.read(feeder.state_file)
    assert kept is not None
    assert kept.live_until == now


def test_live_it_tells_the_new_status_of_a_banned_account(feeder, platform):
    world = feeder.begin()
    platform.banned = [world.truth()[0]["account_id"]]
    list(islice(feeder.feed_live(world), 2))
    told = [
        r["status"]
        for r in platform.records
        if r["type"] == "account" and r["account_id"] == platform.banned[0]
    ]
    assert told == ["banned"]
    kept = Position.read(feeder.state_file)
    assert kept is not None
    assert list(kept.bans) == platform.banned


def test_after_a_restart_the_banned_stay_banned_and_nothing_is_told_twice(
    platform, tmp_path
):
    first = made_feeder(platform, tmp_path)
    world = first.begin()
    hydra = [r["account_id"] for r in world.truth() if r["campaign"] == "hydra"]
    platform.banned = hydra[:3]
    list(islice(first.feed_live(world), 2))
    again = Platform()
    again.banned = platform.banned
    second = made_feeder(again, tmp_path, Position.read(first.state_file))
    resumed = second.begin()
    before = {r["account_id"] for r in resumed.truth()}
    second.now = lambda: ENDS_AT + timedelta(minutes=45)
    list(islice(second.feed_live(resumed), 3))
    told = [r for r in again.records if r["type"] == "account"]
    assert not [r for r in told if r["account_id"] in platform.banned]
    fresh = [r for r in resumed.truth() if r["account_id"] not in before]
    assert all(row["population"] == "hobbyist" for row in fresh)


def test_truth_keeps_the_accounts_of_earlier_runs(feeder):
    world = feeder.begin()
    list(islice(feeder.feed_live(world), 1))
    rows = feeder.truth_file.read_text().splitlines()
    again = made_feeder(Platform(), feeder.truth_file.parent, feeder.position)
    again.begin()
    assert len(feeder.truth_file.read_text().splitlines()) >= len(rows) >= 200


def test_a_broken_memory_says_what_to_do(tmp_path):
    path = tmp_path / "demo-feed.json"
    path.write_text("{")
    with pytest.raises(FeedRefused, match="Delete it"):
        Position.read(path)


def test_a_server_that_is_no_demo_is_named(feeder):
    feeder.server.client = httpx.Client(
        base_url="http://stillwatch.test",
        transport=httpx.MockTransport(lambda request: httpx.Response(404)),
    )
    with pytest.raises(FeedRefused, match="STILLWATCH_DEMO=1"):
        feeder.server.status()


def test_a_failed_look_at_the_platform_lets_nobody_go(feeder, platform):
    feeder.server.client = httpx.Client(
        base_url="http://stillwatch.test",
        transport=httpx.MockTransport(lambda request: httpx.Response(503)),
    )
    assert feeder.server.platform() is None
