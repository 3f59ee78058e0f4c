"""Some attackers are made to look like strangers: they show their card or address, so
that whoever believes one kind of evidence alone bans a paying customer.
"""

from ingest.demo.accounts import Account
from ingest.demo.cast import Cast
from ingest.demo.evasion import Evasion


def frame(cast: Cast, evasion: Evasion) -> None:
    """To be called when the innocent have signed up."""
    innocent = [a for a in cast.accounts if not a.truth["campaign"] and a.card]
    guilty = [a for a in cast.accounts if a.truth["campaign"]]
    if not innocent:
        return
    for account in guilty:
        rng = cast.dice("frame", account.id)
        if rng.random() < evasion.framed:
            victim = innocent[int(rng.random() * len(innocent))]
            _impersonate(account, victim, money=rng.random() < 0.5)


def _impersonate(account: Account, victim: Account, *, money: bool) -> None:
    victim.truth["framed_by"] = str(account.truth["campaign"])
    if money:
        account.card = victim.card
    else:
        account.routes = victim.routes
