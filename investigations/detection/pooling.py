"""Accounts and clusters → what detectors look at: own facts beside everybody else's.

A cluster is a sum of its members, and every comparison is with customers outside it,
one voice for each organisation.
"""

from collections.abc import Mapping

import numpy as np

from investigations.detection.population import (
    MOST_PEERS,
    POOLED_KINDS,
    Population,
    has_moved,
    spread,
)
from investigations.detection.shapes import (
    NEVER,
    Aftermath,
    Bools,
    Chosen,
    ClusterFeatures,
    CommonValue,
    FoundCluster,
    Habits,
    Handoff,
    Ints,
    Programmes,
    ReleaseMoves,
)

# How much rarer or more frequent a comparable customer's sessions may be.
COMPARABLE = 3.0
SMALL_COHORT = 20


def pool(everyone: Population, cluster: FoundCluster) -> ClusterFeatures:
    """One cluster beside the rest."""
    members = np.array([everyone.position[a] for a in cluster.accounts], np.int64)
    features = tuple(everyone.features[at] for at in members.tolist())
    others = outside(everyone, members)
    voices = members[everyone.is_voice[members]]
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
    busy, tools = everyone.busy, everyone.offers_tools
    apart = marked(everyone, others)
    own = np.flatnonzero(marked(everyone, members)[busy])
    usual = 2 * tools[busy[own]].sum() > len(own)
    peers = spread(np.flatnonzero(apart[busy] & (tools[busy] == usual)), MOST_PEERS)
    inside = [everyone.world.accounts[at] for at in members.tolist()]
    known, subjects = everyone.settings, everyone.subjects
    with_settings, used = everyone.voices_settings
    with_subjects, asked = everyone.voices_subjects
    alike = apart[with_subjects] & (tools[with_subjects] == usual)
    return Habits(
        asked=everyone.asked[own],
        others_asked=everyone.asked[peers],
        settings={pk: known[pk] for pk in inside if pk in known},
        others_settings=used.some(apart[with_settings]),
        subjects={pk: subjects[pk] for pk in inside if pk in subjects},
        others_subjects=Chosen(asked, np.flatnonzero(alike)),
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
    apart = np.ones(len(everyone.voices), bool)
    apart[everyone.voice_of[members]] = False
    others: Ints = everyone.voices[apart]
    return others


def common_values(
    everyone: Population, members: Ints
) -> dict[str, tuple[CommonValue, ...]]:
    """Values by kind that two or more customers inside show, most shared first."""
    shown, rows = everyone.world.sightings, pooled_rows(everyone, members)
    rows = rows[np.argsort(shown.value[rows], kind="stable")]
    value, holder = shown.value[rows], shown.account[rows]
    bounds = np.flatnonzero(np.diff(value, prepend=-1, append=-1))
    accounts, total = everyone.value_totals
    common: dict[str, list[CommonValue]] = {kind: [] for kind in POOLED_KINDS}
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        at, holding = int(value[start]), holder[start:end]
        customers = everyone.world.organization[holding]
        if (customers == customers[0]).all():
            continue
        told = everyone.world.values[at]
        common[told.kind].append(
            CommonValue(
                kind=told.kind,
                value=told.text,
                indicator=told.indicator,
                members=frozenset(everyone.world.accounts[m] for m in holding.tolist()),
                accounts=int(accounts[at]),
                member_requests=int(shown.count[rows[start:end]].sum()),
                requests=int(total[at]),
                crowded=bool(everyone.found.crowded[at]),
            )
        )
    return {
        kind: tuple(sorted(found, key=lambda v: (-len(v.members), v.value)))
        for kind, found in common.items()
    }


def pooled_rows(everyone: Population, members: Ints) -> Ints:
    """The members' sightings of kinds that are pooled."""
    order, bounds = everyone.by_account
    starts, sizes = bounds[members], bounds[members + 1] - bounds[members]
    firsts = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
    rows: Ints = order[firsts + np.arange(int(sizes.sum()))]
    return rows[everyone.is_pooled[everyone.world.sightings.value[rows]]]


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
