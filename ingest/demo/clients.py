"""What a request looks like from its outside: user agent, TLS fingerprint, tools."""

from dataclasses import dataclass

from ingest.demo.dice import Dice, favour, mark


@dataclass(frozen=True, slots=True)
class Stack:
    """A client program. `server` says that it runs on a machine, not at a desk."""

    user_agent: str
    ja4: str
    server: bool = False


@dataclass(frozen=True, slots=True)
class Harness:
    """A coding tool that many unrelated people have installed."""

    name: str
    stack: Stack
    tools_hash: str
    system_hash: str
    tool_count: int


def ja4(name: str, shape: str = "t13d1516h2") -> str:
    """A fingerprint in JA4's form; the hash parts belong to no real program."""
    return (
        f"{shape}_{mark('ja4', name, 1, length=12)}_{mark('ja4', name, 2, length=12)}"
    )


def _browser(system: str, engine: str, version: int) -> Stack:
    if engine == "gecko":
        agent = f"Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Vixen/{version}"
    else:
        agent = (
            f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) "
            f"Cromlech/{version}.0 Safari/537.36"
        )
    return Stack(agent, ja4(f"{engine} {version // 4}"))


_SYSTEMS = (
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 10_15_7",
    "Linux; Android 14; K",
    "X11; Linux x86_64",
    "iPhone; CPU iPhone OS 18_1 like Mac OS X",
)
BROWSERS = tuple(
    _browser(system, engine, version)
    for system in _SYSTEMS
    for engine, version in (
        ("chromium", 142),
        ("gecko", 145),
        ("chromium", 141),
        ("webkit", 18),
        ("chromium", 138),
    )
)
SDKS = (
    Stack("aster-python/2.14.1", ja4("openssl3", "t13d1812h1"), server=True),
    Stack("aster-python/2.13.0", ja4("openssl3", "t13d1812h1"), server=True),
    Stack("aster-node/5.4.0", ja4("node22", "t13d1714h1"), server=True),
    Stack("aster-python/2.11.2", ja4("openssl1", "t13d1812h1"), server=True),
    Stack("aster-java/1.9.3", ja4("jdk21", "t13d2014h2"), server=True),
    Stack("aster-go/0.31.0", ja4("gotls", "t13d1411h2"), server=True),
    Stack("curlew/8.11.0", ja4("curlew", "t13d3112h2"), server=True),
)


def _harness(name: str, version: str, tool_count: int) -> Harness:
    return Harness(
        name,
        Stack(f"{name.lower()}-cli/{version}", ja4(name, "t13d1713h1")),
        mark("tools", name),
        mark("system", name),
        tool_count,
    )


PUBLIC_HARNESSES = (
    _harness("Gannet", "1.22.0", 14),
    _harness("Plover", "0.48.3", 9),
    _harness("Turnstone", "3.2.1", 11),
    _harness("Dunlin", "0.9.14", 7),
)

# The provider's own chat window: one system prompt for all the world.
CHAT_SYSTEM = mark("system", "chat window")
# The starter repository of the hackathon: public, young, used by strangers.
STARTER = Harness("starter", SDKS[2], mark("tools", "starter"), mark("system", "st"), 5)
# A desktop app that people use with a key of their own.
PUBLIC_APP = Harness(
    "Sandpiper",
    Stack("sandpiper-desktop/2.3.0", ja4("Sandpiper", "t13d1715h2")),
    mark("tools", "Sandpiper"),
    mark("system", "Sandpiper"),
    6,
)


def browser(rng: Dice) -> Stack:
    return favour(rng, BROWSERS)


def sdk(rng: Dice) -> Stack:
    return favour(rng, SDKS)
