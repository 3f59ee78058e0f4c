"""Conversations with the model, and what the gateway records of each exchange."""

import math
from dataclasses import dataclass, field

from ingest.demo.accounts import Account, Entry, Purpose, Record
from ingest.demo.clients import Stack
from ingest.demo.clock import stamp
from ingest.demo.dice import Dice, around
from ingest.demo.grammars import Script


@dataclass(frozen=True, slots=True)
class Spread:
    """A log-normal amount: half of all draws lie below `median`; never above `most`."""

    median: float
    spread: float
    most: float = math.inf

    def draw(self, rng: Dice) -> float:
        return min(self.most, around(rng, self.median, self.spread))


@dataclass(frozen=True, slots=True)
class App:
    """What stands between the customer and the model: its words, tools and pace.

    `turns` counts exchanges a conversation, `pace` seconds between an answer and the
    next message, `answer` output tokens.
    """

    script: Script
    turns: Spread
    pace: Spread
    answer: Spread
    stack: Stack | None = None
    system_hash: str | None = None
    system_tokens: int = 0
    tools_hash: str | None = None
    tool_count: int = 0
    temperature: float | None = None
    max_tokens: int | None = None
    jitters: bool = False  # another temperature and limit for each request
    stream: bool = False
    operation: str = "chat"
    refuses: float = 0.004
    images: float = 0.0
    # Each exchange is a conversation of its own: a program that works through a list.
    single: bool = False
    # Where the first answers are put up for everyone to see, and where a conversation
    # takes answers of others to go on from: (when they were given, their hashes).
    publishes: list[tuple[float, str]] | None = None
    goes_on_from: list[tuple[float, str]] | None = None
    purpose: Purpose = "organic"


@dataclass(frozen=True, slots=True)
class Models:
    """Which model is asked: the usual one, from `adopts_at` on the new one for `share`
    of the conversations, growing over `ramp` seconds."""

    usual: str
    newest: str
    adopts_at: float = math.inf
    share: float = 1.0
    ramp: float = 1.0
    before: "Models | None" = None  # an earlier move, in place of the usual one

    def pick(self, rng: Dice, at: float) -> str:
        if at >= self.adopts_at:
            grown = min(1.0, (at - self.adopts_at) / self.ramp)
            if rng.random() < self.share * grown:
                return self.newest
        return self.before.pick(rng, at) if self.before else self.usual


@dataclass(slots=True)
class Conversation:
    """What of a conversation carries over to its next turn."""

    id: str
    app: App
    model: str
    topic: str
    turn: int = 1
    history_tokens: int = 0
    answers: list[str] = field(default_factory=list)


def new_conversation(rng: Dice, app: App, model: str) -> Conversation:
    if app.operation == "embeddings":
        model = "aster-embed-2"
    ident = f"conv_{rng.getrandbits(64):016x}"
    return Conversation(ident, app, model, app.script.topic(rng))


def exchange(
    rng: Dice, at: float, account: Account, talk: Conversation, out: list[Entry]
) -> float:
    """One turn, its failed tries included. Returns the seconds it took."""
    prompt = talk.app.script.line(rng, talk.topic, talk.turn)
    spent = 0.0
    while rng.random() < 0.009:
        statuses = (429, 429, 529, 500)
        out.append(_failed(rng, at + spent, account, talk, prompt, statuses))
        spent += rng.uniform(2, 15)
    record = _asked(rng, at + spent, account, talk, prompt)
    told = Entry(at + spent, 2, str(record["event_id"]), record, talk.app.purpose)
    out.append(told)
    spent += _answered(rng, record, talk, prompt)
    shown = talk.app.publishes
    if shown is not None and len(shown) < 2 and talk.answers:
        shown.append((at + spent, talk.answers[-1]))
    account.last_used = at + spent
    return spent


def turned_away(
    rng: Dice, at: float, account: Account, talk: Conversation, out: list[Entry]
) -> None:
    """A turn for which there is no model: a try or two, and that is that."""
    prompt = talk.app.script.line(rng, talk.topic, talk.turn)
    for _ in range(1 + int(rng.random() * 2)):
        out.append(_failed(rng, at, account, talk, prompt, (529,)))
        at += rng.uniform(2, 40)


def _failed(
    rng: Dice,
    at: float,
    account: Account,
    talk: Conversation,
    prompt: str,
    statuses: tuple[int, ...],
) -> Entry:
    """One try that got no answer."""
    record = _asked(rng, at, account, talk, prompt)
    status = statuses[int(rng.random() * len(statuses))]
    record.update(output_tokens=0, http_status=status, finish_reason="error")
    record["latency_ms"] = int(rng.uniform(15, 900))
    return Entry(at, 2, str(record["event_id"]), record, talk.app.purpose)


def envelope(
    rng: Dice, at: float, account: Account, stack: Stack, conversation_id: str
) -> Record:
    """What a request record says about its sender."""
    routes = account.routes
    route = routes[0]
    if len(routes) > 1:
        route = routes[_favourite(conversation_id, len(routes))]
    record: Record = {
        "type": "request",
        "event_id": f"req_{rng.getrandbits(80):020x}",
        "occurred_at": stamp(at),
        "account_id": account.id,
        "conversation_id": conversation_id,
        "client_ip": route.ip,
        "asn": route.asn,
        "country": route.country,
        "user_agent": stack.user_agent,
        "ja4": stack.ja4,
        "output_tokens": 0,
        "http_status": 200,
    }
    keys = account.key_ids
    if keys and stack.server:
        record["api_key_id"] = keys[int(rng.random() * len(keys))]
    elif account.device_id and not stack.server:
        record["device_id"] = account.device_id
    return record


def _asked(
    rng: Dice, at: float, account: Account, talk: Conversation, prompt: str
) -> Record:
    """The half of a request record that is known before there is an answer."""
    app = talk.app
    record = envelope(rng, at, account, app.stack or account.stack, talk.id)
    optional = {
        "system_hash": app.system_hash,
        "tools_hash": app.tools_hash and (account.tools_hash or app.tools_hash),
        "tool_count": app.tool_count or None,
        "temperature": app.temperature,
        "max_tokens": app.max_tokens,
        "prior_response_hashes": talk.answers[-3:] or None,
    }
    if app.jitters:
        optional["temperature"] = round(rng.uniform(0.5, 1.0), 2)
        optional["max_tokens"] = 256 * (4 + int(rng.random() * 13))
    record.update({name: v for name, v in optional.items() if v is not None})
    record.update(
        model=talk.model,
        operation=app.operation,
        turn=talk.turn,
        stream=app.stream,
        prompt=prompt,
        input_tokens=_before(talk) + len(prompt) // 4 + 3,
    )
    return record


def _before(talk: Conversation) -> int:
    """Input tokens ahead of the newest message."""
    app = talk.app
    return app.system_tokens + 90 * app.tool_count + talk.history_tokens


def _favourite(conversation_id: str, count: int) -> int:
    """The same route for a whole conversation, the first ones more often."""
    return int((int(conversation_id[-4:], 16) / 65536) ** 2 * count)


def _answered(rng: Dice, record: Record, talk: Conversation, prompt: str) -> float:
    """Fills in the answer's half. Returns the seconds until it was complete."""
    app = talk.app
    tokens = 0 if app.operation == "embeddings" else max(1, int(app.answer.draw(rng)))
    reason = "stop"
    limit = int(str(record.get("max_tokens", 0)))
    if limit and tokens >= limit:
        tokens, reason = limit, "length"
    elif app.tool_count and rng.random() < 0.8:
        reason = "tool_use"
    elif rng.random() < app.refuses:
        tokens, reason = min(tokens, 90), "refusal"
    record["output_tokens"] = tokens
    record["finish_reason"] = reason
    if talk.turn > 1:
        record["cached_input_tokens"] = int(_before(talk) * 0.9) // 64 * 64
    if app.images and rng.random() < app.images:
        record["image_count"] = 1 + int(rng.random() * 2)
        record["input_tokens"] = int(str(record["input_tokens"])) + 1100
    if tokens >= 12:
        answer = f"{rng.getrandbits(64):016x}"
        record["response_hash"] = answer
        talk.answers.append(answer)
    talk.history_tokens += len(prompt) // 4 + 3 + tokens
    talk.turn += 1
    seconds = 0.25 + rng.random() * 0.6 + tokens / rng.uniform(55, 95)
    record["latency_ms"] = int(seconds * 1000)
    return 0.0 if app.operation == "embeddings" else seconds
