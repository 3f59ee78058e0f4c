"""Whom a new source alone accuses is not proposed for a ban.

Whoever can send telemetry can make a customer look like a campaign's: its card, its
address and its tools need only be written into invented events. So where several
sources send, at least two of the rare values that tie an account to its cluster must
have been told by a source that has been there for a while. With a single source there
is nobody else to ask, and the rule rests.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from investigations.detection.dealing import TIE
from investigations.detection.population import Population
from investigations.detection.shapes import ScoredCluster
from investigations.detection.trimming import RARE
from investigations.detection.verdicts import FEWEST_TIES

Told = Set[tuple[str, str]]  # (kind, value)


@dataclass(frozen=True, slots=True)
class Vouched:
    """What established sources told: values by account, and which of the requests that
    went on with another account's answers. `newcomers` names the other sources."""

    values: Mapping[int, Told]
    events: Set[int]
    newcomers: tuple[str, ...]


def withhold(
    everyone: Population, cluster: ScoredCluster, vouched: Vouched
) -> ScoredCluster:
    """The cluster without proposals that rest on newcomers; they are named apart."""
    ties = rare_ties(everyone, cluster)
    handed = {
        account
        for handoff in cluster.features.handoffs
        if vouched.events & set(handoff.events)
        for account in (handoff.giver, handoff.taker)
    }
    withheld = set()
    for account in cluster.proposed_ban:
        told = vouched.values.get(account, frozenset())
        known = sum(is_told(kind, text, told) for kind, text in ties[account])
        if known + (account in handed) < FEWEST_TIES:
            withheld.add(account)
    if not withheld:
        return cluster
    because = sentence(len(withheld), vouched.newcomers)
    return cluster.withholding(withheld, because)


def is_told(kind: str, text: str, told: Told) -> bool:
    """A tie found by timing stands on the value by which it was found."""
    if kind == TIE:
        kind, _, text = text.partition(" ")
    return (kind, text) in told


def rare_ties(
    everyone: Population, cluster: ScoredCluster
) -> dict[int, set[tuple[str, str]]]:
    """Values each member shares with another customer inside and few outside."""
    members = [everyone.position[account] for account in cluster.found.accounts]
    shown = everyone.world.sightings
    held: dict[int, set[int]] = {}
    customers: dict[int, set[int]] = {}
    for at in members:
        values = set(shown.value[everyone.sightings_of(at)].tolist())
        held[at] = values
        for value in values:
            owner = int(everyone.world.organization[at])
            customers.setdefault(value, set()).add(owner)
    everywhere = everyone.found.customers
    rare = {
        value
        for value, inside in customers.items()
        if len(inside) >= 2
        and int(everywhere[value]) - len(inside) <= max(RARE, len(inside) // 4)
    }
    named = everyone.world.values
    return {
        everyone.world.accounts[at]: {
            (named[value].kind, named[value].text) for value in held[at] & rare
        }
        for at in members
    }


def sentence(count: int, newcomers: tuple[str, ...]) -> str:
    told = ", ".join(newcomers[:3]) + (" and others" if len(newcomers) > 3 else "")
    accounts = "1 account is" if count == 1 else f"{count:,} accounts are"
    ties = "it" if count == 1 else "them"
    return (
        f"{accounts} not proposed for a ban: what ties {ties} to the others was told "
        f"by new telemetry alone ({told}), and no source of longer standing says so."
    )
