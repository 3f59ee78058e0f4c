"""Who people say they are. Names are put together at random and belong to nobody."""

from dataclasses import dataclass

from ingest.demo.dice import Dice, favour, mark
from ingest.demo.grammars import words

FIRST = words(
    "Maren Tobiah Ines Oluwaseun Priya Jonas Mei Salome Anouk Rafael Dilnoza Kwame Ylva"
    " Matteo Sunniva Ikenna Leocadia Hiroto Noor Bastian Chiara Devika Emre Farida"
    " Gregor Hana Ilir Jelena Kofi Liv Milan Nadia Orla Pavel Quentin Rosalind Samir"
    " Tuva Uma Viggo Wanda Xenia Yusuf Zofia Aarav Beatriz Caspian Dorte Eskil Fumiko"
    " Gudrun Haruki Ibtissam Jasper Katarzyna Lwazi Marisol Nikolai Odalys Paloma"
    " Ravi Sakura Thandiwe Ulrich Valeria Wenceslas Yara Zeynep Anselm Birgit Chidinma"
    " Dario Elske Fergus Giulia Hamza Iwona Joaquim Kalinda Lorcan Mireille Nkechi"
    " Osman Petra Rukmini Severin Tomasz Usha Vesna Willem Yevgenia Zubair Amparo Bodil"
)
LAST = words(
    "Abernel Brandvold Castelhar Dvoranek Eklundby Farrowgate Grimsditch Halvarsen"
    " Imbersohn Jankowicz Kallistra Lindqvale Moravend Nakasone-Reed Okonjala"
    " Petrescovi Quillfeather Rasmundo Sandoval-Kerr Tannehill-Ito Ullersmo"
    " Vasconbury Weatherlow Ximendra Yarborov Zielinkov Achterdyk Bellweather"
    " Corvington Drummerick Estevao-Lund Fennimar Gorlowski Hartunian-Shaw Iversmith"
    " Juhaszar Kirkebride Lachowski Mbekwe Nordheimer Oyelarin Pemberlow Quintanho"
    " Rotheram-Diaz Szalontay Trevanion-Poe Unterholz Velasquin Wiktorowa Yamanishi"
    " Zubrowicz Ambrosetti-Hale Birkenwald Chowdhurani Delacroft Eisenthor Fairweathers"
    " Gunnarsby Holmqvester Ishiguran Jaramillos Kowalenko Lumbrera Marchetto Nwankwor"
    " Ostrander-Vale Pellegrew Radzinsky Stenholt Thorvaldi Urrutiaga Vandermolen"
    " Wexcombe Yilmazer Zamorski Abernathyn Bouchardin Cavalcante-Roy Dunmorrow"
)
MAIL = (
    "mailbox.example",
    "postbox.example",
    "inbox.test",
    "letterpress.example",
    "swiftmail.example",
    "owlpost.test",
)
DISPOSABLE = ("tenminute.invalid", "throwaway.invalid", "spamhole.invalid")
_FIRM = words(
    "Brindle Quillmark Oakhollow Tessera Lanternfield Murmur Saltworks Pinecrest"
    " Halyard Copperleaf Driftwood Northlight Ferrous Meadowlark Cinderpath Bluegate"
    " Thistledown Ropewalk Stonefruit Weaverly Larkspur Bellows Sundial Kettleby"
    " Marrow Paperkite Rookery Sablewood Tallow Underhill Vellum Windrose"
)
_TRADE = words(
    "Labs Analytics Logistics Health Studio Software Legal Foods Travel Learning"
    " Robotics Media Energy Insurance Partners Works Systems Retail"
)


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


def person(
    rng: Dice, domain: str | None = None, shape: str = "{first}.{last}"
) -> Person:
    """Somebody with a mailbox; with a domain, its local part has the given shape."""
    first, last = favour(rng, FIRST), favour(rng, LAST)
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
    if domain:
        local = shape.format(first=a, last=b, number=number)
    else:
        local = favour(rng, shapes)
        domain = favour(rng, MAIL)
        if rng.random() < 0.015:
            domain = favour(rng, DISPOSABLE)
    phone = f"{rng.getrandbits(64):016x}" if rng.random() < 0.6 else None
    return Person(f"{first} {last}", f"{local}@{domain}", phone)


def organization(seed: int | str, key: str, rng: Dice) -> Organization:
    """A firm, its web domain included; the key keeps namesakes apart."""
    head, trade = rng.choice(_FIRM), rng.choice(_TRADE)
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
