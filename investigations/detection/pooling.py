"""Accounts and clusters → what detectors look at: own facts beside everybody else's.

A cluster is a sum of its members, and every comparison is with customers outside it,
one voice for each organisation.
"""

from collections.abc import Mapping

import numpy as np

from investigations.detection.population import (
    MOST_PEERS,
    Population,
    has_moved,
    spread,
)
from investigations.detection.shapes import (
    NEVER,
    Aftermath,
    Bools,
    ClusterFeatures,
    CommonValue,
    FoundCluster,
    Habits,
    Handoff,
    Ints,
    Programmes,
    ReleaseMoves,
)

POOLED_KINDS = ("payment", "block", "tools", "system", "skeleton")
# How much rarer or more frequent a comparable customer's sessions may be.
COMPARABLE = 3.0
SMALL_COHORT = 20


def pool(everyone: Population, cluster: FoundCluster) -> ClusterFeatures:
    """One cluster beside the rest."""
    members = np.array([everyone.position[a] for a in cluster.accounts], np.int64)
    features = tuple(everyone.features[at] for at in members.tolist())
    others = outside(everyone, members)
    voices = members[marked(everyone, everyone.voices)[members]]
    births, elsewhere = everyone.births[voices], everyone.births[others]
    busy = others[everyone.sends_enough[others]]
    customer = {f.account: f.customer for f in features}
    times = [everyone.session_times.get(a, NEVER) for a in cluster.accounts]
    began, ended = np.concatenate([NEVER, *times], axis=1)
    return ClusterFeatures(
        members=features,
        population=len(everyone.features),
        since=everyone.since,
        until=everyone.until,
        common=common_values(everyone, members),
        stacks=everyone.stacks,
        template_requests=int(everyone.world.templates[members].sum()),
        others_compared=len(busy),
        others_sweeping=int(everyone.sweeping[busy].sum()),
        norms=everyone.norms,
        starts=everyone.starts[:, members],
        peers=comparable(everyone, members, others),
        start_of=np.repeat(np.arange(len(times)), [each.shape[1] for each in times]),
        start_at=began,
        stop_at=ended,
        births=births[~np.isnan(births)],
        other_births=elsewhere[~np.isnan(elsewhere)],
        moves=release_moves(everyone, members, others),
        handoffs=handed_over(everyone, customer),
        programmes=programmes(everyone, others),
        habits=habits(everyone, members, others),
        resembles=everyone.resembling.get(cluster.accounts[0]),
        aftermath=aftermath(everyone, cluster, others),
    )


def aftermath(everyone: Population, cluster: FoundCluster, others: Ints) -> Aftermath:
    struck = {
        at: everyone.struck[account]
        for at, account in enumerate(cluster.accounts)
        if account in everyone.struck
    }
    if not struck:
        return Aftermath()
    outside = (everyone.world.accounts[at] for at in others.tolist())
    known = everyone.hours
    return Aftermath(
        struck=struck,
        hours=np.stack([known[account] for account in cluster.accounts], axis=1),
        others=np.stack(
            [known[account] for account in outside if account in known]
            or [np.zeros_like(known[cluster.accounts[0]])],
            axis=1,
        ),
    )


def habits(everyone: Population, members: Ints, others: Ints) -> Habits:
    """What members do with the model, beside others who offer tools as most of them
    do, or do not."""
    busy, tools, accounts = (
        everyone.busy,
        everyone.offers_tools,
        everyone.world.accounts,
    )
    own = np.flatnonzero(np.isin(busy, members))
    usual = 2 * tools[busy[own]].sum() > len(own)
    alike = marked(everyone, others)[busy] & (tools[busy] == usual)
    peers = spread(np.flatnonzero(alike), MOST_PEERS)
    inside = [accounts[at] for at in members.tolist()]
    known, subjects = everyone.settings, everyone.subjects
    with_settings = others[everyone.has_settings[others]]
    with_subjects = others[everyone.has_subjects[others] & (tools[others] == usual)]
    return Habits(
        asked=everyone.asked[own],
        others_asked=everyone.asked[peers],
        settings={pk: known[pk] for pk in inside if pk in known},
        others_settings=[known[accounts[at]] for at in with_settings.tolist()],
        subjects={pk: subjects[pk] for pk in inside if pk in subjects},
        others_subjects=np.array(
            [subjects[accounts[at]] for at in with_subjects.tolist()]
        ),
    )


def programmes(everyone: Population, others: Ints) -> Programmes:
    apart = marked(everyone, others)
    on_it = [name for at, name in everyone.access.items() if apart[at]]
    silent = len(on_it) - len(set(on_it))  # a school's customers but the first
    return Programmes(everyone.schools, len(others) - silent, len(set(on_it)))


def marked(everyone: Population, some: Ints) -> Bools:
    """Of each account, whether it is among some positions."""
    found = np.zeros(len(everyone.features), bool)
    found[some] = True
    return found


def handed_over(
    everyone: Population, customer: Mapping[int, str]
) -> tuple[Handoff, ...]:
    """Hand-offs between customers inside. `customer`: member → whose it is."""
    known = everyone.handoffs_of
    places = sorted(at for giver in customer for at in known.get(giver, ()))
    given = [everyone.world.handoffs[at] for at in places]
    return tuple(
        h
        for h in given
        if h.taker in customer and customer[h.giver] != customer[h.taker]
    )


def outside(everyone: Population, members: Ints) -> Ints:
    """One account for each customer that has none in the cluster."""
    organization = everyone.world.organization
    apart = ~np.isin(organization[everyone.voices], organization[members])
    others: Ints = everyone.voices[apart]
    return others


def common_values(
    everyone: Population, members: Ints
) -> dict[str, tuple[CommonValue, ...]]:
    """Values by kind that two or more customers inside show, most shared first."""
    shown, values = everyone.world.sightings, everyone.world.values
    order, bounds = everyone.by_account
    holders: dict[int, list[int]] = {}
    requests: dict[int, int] = {}
    for at in members.tolist():
        for row in order[bounds[at] : bounds[at + 1]].tolist():
            value = int(shown.value[row])
            if everyone.kinds[value] not in POOLED_KINDS:
                continue
            count = int(shown.count[row])
            holders.setdefault(value, []).append(at)
            requests[value] = requests.get(value, 0) + count
    accounts, total = everyone.value_totals
    organization = everyone.world.organization
    common: dict[str, list[CommonValue]] = {kind: [] for kind in POOLED_KINDS}
    for value, holding in holders.items():
        if len({int(organization[at]) for at in holding}) < 2:
            continue
        common[values[value].kind].append(
            CommonValue(
                kind=values[value].kind,
                value=values[value].text,
                indicator=values[value].indicator,
                members=frozenset(everyone.features[at].account for at in holding),
                accounts=int(accounts[value]),
                member_requests=requests[value],
                requests=int(total[value]),
                crowded=bool(everyone.found.crowded[value]),
            )
        )
    return {
        kind: tuple(sorted(found, key=lambda v: (-len(v.members), v.value)))
        for kind, found in common.items()
    }


def comparable(everyone: Population, members: Ints, others: Ints) -> Ints:
    """Columns of customers outside who start sessions about as often."""
    days, rate = everyone.here
    usual = float(np.median(rate[members])) if len(members) else 0.0
    alike = (rate[others] >= usual / COMPARABLE) & (rate[others] <= usual * COMPARABLE)
    lasting = days[others] >= days[members].mean() / 2
    chosen = spread(others[alike & lasting & (rate[others] > 0)], MOST_PEERS)
    peers: Ints = everyone.starts[:, chosen]
    return peers


def release_moves(
    everyone: Population, members: Ints, others: Ints
) -> tuple[ReleaseMoves, ...]:
    """Who moved at each release: members, and others on the same client programs."""
    names, programs = everyone.programs
    used = np.bincount(programs[members], minlength=len(names))
    common = (20 * used >= len(members)) & (used > 0) & (names != "")
    inside, voices = marked(everyone, members), marked(everyone, others)
    found = []
    for release in everyone.releases:
        day = everyone.moved_at[release.model]
        known = day.position >= 0
        own = known & inside[day.position]
        rest = np.flatnonzero(day.counts & known & voices[day.position])
        alike = rest[common[programs[day.position[rest]]]]
        cohort = alike if len(alike) >= SMALL_COHORT else rest
        mine = tuple(day.each[at] for at in np.flatnonzero(own & day.counts).tolist())
        found.append(
            ReleaseMoves(
                release=release,
                requests=sum(day.each[at].moved for at in np.flatnonzero(own).tolist()),
                each=mine,
                moved=frozenset(m.account for m in mine if has_moved(m)),
                cohort=len(cohort),
                cohort_moved=int(day.has_moved[cohort].sum()),
            )
        )
    return tuple(found)
