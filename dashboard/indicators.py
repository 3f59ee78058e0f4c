"""What the page of a shared value shows: whether it ties anybody, and who shows it."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from dashboard.query import PLACE, address, choice, cursor, refuse_unknown
from ingest.models import Indicator
from investigations import access, selectors
from investigations.detection import profiles
from investigations.detection.models import IndicatorProfile
from investigations.detection.profiles import ALIKE, FACETS, USUAL, Measure, Profile
from investigations.detection.rarity import CROWDED, HARNESS, KINDS
from investigations.selectors import accounts as account_reads
from investigations.selectors import indicators as reads

Context = dict[str, object]

# Facet: what it is called in a list, in a sentence, and what its figure means.
FACET_WORDS = {
    "payment": ("Cards", "cards", "share a card with another of them"),
    "device": ("Devices", "devices", "share a device with another of them"),
    "tools": ("Tools", "tools", "chance that two offer the model the same tools"),
    "client_stack": ("Client stacks", "client stacks", "chance that two use the same"),
    "skeleton": ("Templates", "templates", "chance that two send the same one most"),
    "signup_day": ("Sign-up days", "sign-up days", "chance that two have the same"),
    "hours": ("Hours of day", "hours", "how much two days look alike, UTC"),
}
POOL, DIVERSE = IndicatorProfile.Reading.POOL, IndicatorProfile.Reading.DIVERSE
TONES = {POOL: "danger", DIVERSE: "ok"}
ICONS = {POOL: "alert", DIVERSE: "accounts"}


@dataclass(frozen=True)
class Standing:
    """Whether a value makes links: in two or three words, and why."""

    words: str
    icon: str
    why: str


def indicator_context(request: HttpRequest, indicator: Indicator) -> Context:
    profile = getattr(indicator, "profile", None)
    crowd = crowd_of(profile)
    return {
        "indicator": indicator,
        "profile": profile,
        "cap": KINDS[indicator.kind].cap if indicator.kind in KINDS else None,
        "span": reads.span_of(indicator),
        "standing": standing_of(indicator, profile),
        "crowd": crowd,
        "measures": [measure_row(measure) for measure in crowd.measures]
        if crowd
        else [],
        "beside": beside(indicator, crowd) if crowd else "",
        "reading": reading_of(profile, crowd) if crowd else None,
        "clusters": reads.clusters_showing(indicator),
        "may_reveal": access.can(request.user, access.REVEAL),
        **accounts_context(request, indicator),
    }


def accounts_context(request: HttpRequest, indicator: Indicator) -> Context:
    """Raises BadQuery for what the address asks and there is not."""
    path, params = reverse("indicators:detail", args=[indicator.pk]), request.GET
    refuse_unknown(params, {"sort", *PLACE})
    sort = choice(params, "sort", account_reads.ACCOUNT_SORTS) or "score"
    page = account_reads.account_page(
        reads.showing(indicator),
        sort=sort,
        after=cursor(params, "after"),
        before=cursor(params, "before"),
    )
    known = selectors.standings(account.pk for account in page.rows)
    return {
        "rows": [(account, known[account.pk]) for account in page.rows],
        "sort": sort,
        "sort_urls": {
            key: address(path, params, sort=key) + "#accounts"
            for key in account_reads.ACCOUNT_SORTS
        },
        "next_url": page.after
        and address(path, params, after=page.after) + "#accounts",
        "previous_url": page.before
        and address(path, params, before=page.before) + "#accounts",
    }


def row_of(profile: IndicatorProfile) -> Context:
    """One line of the list."""
    crowd = crowd_of(profile)
    return {
        "profile": profile,
        "indicator": profile.indicator,
        "crowd": crowd,
        "percent": round(100 * (profile.likeness or 0)),
        "reading": reading_of(profile, crowd) if crowd else None,
    }


def crowd_of(profile: IndicatorProfile | None) -> Profile | None:
    return profiles.from_json(profile.crowd) if profile and profile.crowd else None


# --- In words -------------------------------------------------------------------------


def standing_of(indicator: Indicator, profile: IndicatorProfile | None) -> Standing:
    kind = indicator.get_kind_display()
    if profile is None or indicator.kind not in KINDS:
        return Standing("ties nobody", "minus", "Only one account is known to show it.")
    cap, customers = KINDS[indicator.kind].cap, f"{profile.organizations:,}"
    if profile.listed:
        why = "The rules list it as a public program's: it makes no links, no evidence."
        return Standing("public program: makes no links", "info", why)
    if profile.hub:
        why = (
            f"{customers} customers show it, and a value of this kind ({kind}) ties "
            f"nobody above {cap:,}."
        )
        if indicator.kind in HARNESS:
            why += (
                " Groups that other values found may still merge on it, where nearly "
                "all of its accounts stand in such groups."
            )
        return Standing("hub: makes no links", "network", why)
    if profile.crowded:
        why = (
            "All sorts of customers come from here, with programs of all kinds, so a "
            f"link through it is worth {CROWDED:.0%} of what it would be."
        )
        return Standing("crowded place: hardly links", "network", why)
    if profile.organizations < 2:
        return Standing("ties nobody", "minus", alone(indicator, profile))
    why = (
        f"{customers} customers show it, of at most {cap:,} up to which a value of "
        "this kind ties accounts; the fewer, the more it says."
    )
    return Standing("makes links", "link", why)


def alone(indicator: Indicator, profile: IndicatorProfile) -> str:
    if not profile.organizations and indicator.kind == Indicator.Kind.SKELETON:
        return (
            "Nobody uses it much: a template ties only accounts that sent it three "
            "times, and in one of twenty of their repeated prompts."
        )
    if profile.accounts > 1:
        return "Those who show it are one organisation, or pay with one card."
    return "One customer alone is known to show it."


def reading_of(profile: IndicatorProfile | None, crowd: Profile) -> Context:
    """Alike or diverse: in few words, and in a sentence what that rests on."""
    reading = IndicatorProfile.Reading(crowd.reading)
    return {
        "key": reading.value,
        "words": reading.label,
        "tone": TONES.get(reading, "neutral"),
        "icon": ICONS.get(reading, "help"),
        "why": why_read(reading, crowd),
    }


def why_read(reading: str, crowd: Profile) -> str:
    alike = [m for m in crowd.measures if m.excess >= ALIKE]
    usual = [m for m in crowd.measures if m.excess < USUAL]
    if reading == POOL:
        return f"Far more alike than usual in {listed(alike)}."
    if reading == DIVERSE:
        told = f"No more alike than usual in {listed(usual)}"
        return f"{told}; alike only in {listed(alike)}." if alike else f"{told}."
    if not crowd.measures:
        return "Nothing about its customers could be compared."
    if not alike:
        return f"Somewhat alike, and in nothing far more than usual: {listed(usual)}."
    told = f"Alike in {listed(alike)}"
    return f"{told}, but not in {listed(usual)}." if usual else f"{told}."


def listed(measures: list[Measure]) -> str:
    """`cards (87%, usually 2%) and hours (95%, usually 60%)`, the clearest first."""
    ranked = sorted(measures, key=lambda m: -m.excess)
    named = [
        f"{FACET_WORDS[m.facet][1]} ({share(m.alike)}, usually {share(m.norm)})"
        for m in ranked
    ]
    if not named:
        return "nothing"
    return " and ".join([", ".join(named[:-1]), named[-1]] if named[1:] else named)


def share(part: float) -> str:
    if 0 < part < 0.01:
        return "under 1%"
    return f"{part:.0%}"


def measure_row(measure: Measure) -> Context:
    title, _, meaning = FACET_WORDS[measure.facet]
    stands = "alike" if measure.excess >= ALIKE else ""
    return {
        "title": title,
        "meaning": meaning,
        "family": FACETS[measure.facet].family,
        "alike": share(measure.alike),
        "norm": share(measure.norm),
        "width": round(100 * measure.alike, 1),
        "mark": min(99.0, round(100 * measure.norm, 1)),
        "stands": stands or ("as usual" if measure.excess < USUAL else "somewhat"),
    }


def beside(indicator: Indicator, crowd: Profile) -> str:
    """What the norm is a norm of."""
    if crowd.others:
        kind = indicator.get_kind_display()
        return f"the median of {crowd.others:,} other values of this kind ({kind})"
    return "all customers, since few values of this kind are shared so widely"
