"""The hand that kills: one part after another, at moments drawn from a seed."""

import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.reliability.installation import Installation, descendants, send_signal

Blow = Callable[[Installation, random.Random], None]


def kill_web(home: Installation, dice: random.Random) -> None:
    home.parts["web"].kill()


def kill_web_child(home: Installation, dice: random.Random) -> None:
    _kill_child(home, "web", dice)


def kill_worker(home: Installation, dice: random.Random) -> None:
    """The parent alone: its children live on for a moment as orphans."""
    home.parts["worker"].kill(group=False)


def kill_worker_child(home: Installation, dice: random.Random) -> None:
    _kill_child(home, "worker", dice)


def kill_beat(home: Installation, dice: random.Random) -> None:
    home.parts["beat"].kill()


def kill_redis(home: Installation, dice: random.Random) -> None:
    """It keeps nothing, so that it comes back empty."""
    home.parts["redis"].kill()


def flush_redis(home: Installation, dice: random.Random) -> None:
    import redis  # noqa: PLC0415 - only where there is one

    try:
        home.redis().flushall()
    except redis.RedisError:
        return  # it is dead already


def unbind_redis(home: Installation, dice: random.Random) -> None:
    import redis  # noqa: PLC0415 - only where there is one

    try:
        link = home.redis()
        for key in link.keys("_kombu.binding.*"):
            link.delete(key)
    except redis.RedisError:
        return


def empty_embedded_broker(home: Installation, dice: random.Random) -> None:
    home.empty_embedded_broker()


def kill_postgres(home: Installation, dice: random.Random) -> None:
    if pid := home.postmaster():
        send_signal(pid, signal.SIGKILL)


def _kill_child(home: Installation, name: str, dice: random.Random) -> None:
    if children := descendants(home.parts[name].pid):
        send_signal(dice.choice(children), signal.SIGKILL)


ANYWHERE: dict[str, Blow] = {
    "web": kill_web,
    "web child": kill_web_child,
    "worker": kill_worker,
    "worker child": kill_worker_child,
    "beat": kill_beat,
    "postgres": kill_postgres,
}
AT_THE_BROKER: dict[str, dict[str, Blow]] = {
    "embedded": {"broker files": empty_embedded_broker},
    "redis": {
        "redis": kill_redis,
        "flushall": flush_redis,
        "bindings": unbind_redis,
    },
}


def blows_of(broker: str) -> dict[str, Blow]:
    return ANYWHERE | AT_THE_BROKER[broker]


@dataclass(frozen=True)
class Stroke:
    """One blow, `at` seconds after the start."""

    at: float
    name: str


def strokes(
    kills: int, *, over: float, targets: Sequence[str], dice: random.Random
) -> list[Stroke]:
    drawn = (Stroke(dice.uniform(0, over), dice.choice(targets)) for _ in range(kills))
    return sorted(drawn, key=lambda stroke: stroke.at)


class Disturbance(threading.Thread):
    """Something that happens while a trial sends; `dealt` says what."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.dealt: list[str] = []
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            self.disturb()
        except BaseException as error:  # noqa: BLE001 - raised again by the trial
            self.failure = error

    def disturb(self) -> None:
        raise NotImplementedError


class Hand(Disturbance):
    """Deals the strokes at their moments."""

    def __init__(
        self, home: Installation, plan: list[Stroke], dice: random.Random
    ) -> None:
        super().__init__()
        self.home, self.plan, self.dice = home, plan, dice

    def disturb(self) -> None:
        begun, blows = time.monotonic(), blows_of(self.home.broker)
        for stroke in self.plan:
            time.sleep(max(0.0, begun + stroke.at - time.monotonic()))
            blows[stroke.name](self.home, self.dice)
            self.dealt.append(stroke.name)


class Outage(Disturbance):
    """Something is gone from one moment to another, in seconds after the start."""

    def __init__(
        self,
        name: str,
        begin: Callable[[], object],
        end: Callable[[], object],
        *,
        start: float,
        stop: float,
    ) -> None:
        super().__init__()
        self.what, self.begin, self.end = name, begin, end
        self.start_at, self.stop_at = start, stop

    def disturb(self) -> None:
        time.sleep(self.start_at)
        self.begin()
        try:
            time.sleep(self.stop_at - self.start_at)
        finally:
            self.end()
        self.dealt.append(self.what)
