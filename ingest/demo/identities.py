"""Who people say they are. Names are put together at random and belong to nobody."""

from dataclasses import dataclass

from ingest.demo.dice import Dice, favour, mark

FIRST = (
    "Maren Tobiah Ines Oluwaseun Priya Jonas Mei Salome Anouk Rafael Dilnoza Kwame Ylva"
    " Matteo Sunniva Ikenna Leocadia Hiroto Noor Bastian Chiara Devika Emre Farida"
    " Gregor Hana Ilir Jelena Kofi Liv Milan Nadia Orla Pavel Quentin Rosalind Samir"
    " Tuva Uma Viggo Wanda Xenia Yusuf Zofia Aarav Beatriz Caspian Dorte Eskil Fumiko"
).split()
LAST = (
    "Abernel Brandvold Castelhar Dvoranek Eklundby Farrowgate Grimsditch Halvarsen"
    " Imbersohn Jankowicz Kallistra Lindqvale Moravend Nakasone-Reed Okonjala"
    " Petrescovi Quillfeather Rasmundo Sandoval-Kerr Tannehill-Ito Ullersmo"
    " Vasconbury Weatherlow Ximendra Yarborov Zielinkov Achterdyk Bellweather"
    " Corvington Drummerick Estevao-Lund Fennimar Gorlowski Hartunian-Shaw Iversmith"
    " Juhaszar Kirkebride Lachowski Mbekwe Nordheimer"
).split()
MAIL = (
    "mailbox.example",
    "postbox.example",
    "inbox.test",
    "letterpress.example",
    "swiftmail.example",
    "owlpost.test",
)
DISPOSABLE = ("tenminute.invalid", "throwaway.invalid", "spamhole.invalid")
_FIRM = (
    "Brindle Quillmark Oakhollow Tessera Lanternfield Murmur Saltworks Pinecrest"
    " Halyard Copperleaf Driftwood Northlight Ferrous Meadowlark Cinderpath Bluegate"
    " Thistledown Ropewalk Stonefruit Weaverly Larkspur Bellows Sundial Kettleby"
    " Marrow Paperkite Rookery Sablewood Tallow Underhill Vellum Windrose"
).split()
_TRADE = (
    "Labs Analytics Logistics Health Studio Software Legal Foods Travel Learning"
    " Robotics Media Energy Insurance Partners Works Systems Retail"
).split()


@dataclass(frozen=True, slots=True)
class Organization:
    """A customer organisation; colleagues share its cards and networks."""

    id: str
    name: str
    domain: str


@dataclass(slots=True)
class Person:
    name: str
    email: str
    phone_hash: str | None


def _plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def person(rng: Dice, domain: str | None = None) -> Person:
    first, last = FIRST[int(rng.random() * 50)], LAST[int(rng.random() * 40)]
    a, b = _plain(first), _plain(last)
    number = int(rng.random() * 100)
    shapes = (
        f"{a}.{b}",
        f"{a}{b}{number:02d}",
        f"{a[0]}{b}",
        f"{b}.{a}",
        f"{a}_{number}",
        f"{a}.{b}{number}",
    )
    local = shapes[0] if domain else favour(rng, shapes)
    if domain is None:
        domain = favour(rng, MAIL)
        if rng.random() < 0.015:
            domain = favour(rng, DISPOSABLE)
    phone = f"{rng.getrandbits(64):016x}" if rng.random() < 0.6 else None
    return Person(f"{first} {last}", f"{local}@{domain}", phone)


def organization(seed: int, key: str, rng: Dice) -> Organization:
    """A firm, its web domain included; the key keeps namesakes apart."""
    head, trade = _FIRM[int(rng.random() * 32)], _TRADE[int(rng.random() * 18)]
    suffix = mark("domain", seed, key, length=3)
    return Organization(
        id=f"org_{mark('org', seed, key, length=12)}",
        name=f"{head} {trade}",
        domain=f"{head.lower()}-{trade.lower()}-{suffix}.example",
    )


def card(rng: Dice) -> str:
    """A payment processor's fingerprint of one card."""
    return f"card_{rng.getrandbits(80):020x}"


def device(rng: Dice) -> str:
    return f"dev_{rng.getrandbits(64):016x}"
