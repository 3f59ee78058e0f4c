"""What happens to everybody in a world to measure with: the usual model's outage, and,
where the world is long enough, an earlier release."""

from dataclasses import replace

from ingest.demo.cast import EARLIER, LONG, NEWEST, RELEASED_AT, USUAL, Cast
from ingest.demo.clock import DAY
from ingest.demo.senders import Outage, Sender
from ingest.demo.traffic import Models


def befall(cast: Cast) -> None:
    """To be called when all senders are there."""
    outage = Outage(cast.outage, USUAL)
    for sender in cast.senders:
        sender.outage = outage
        if cast.days >= LONG:
            sender.models = after_an_earlier_release(cast, sender.models)


def earlier_released_at(cast: Cast) -> float:
    return cast.span.start + RELEASED_AT[EARLIER] * cast.days * DAY


def after_an_earlier_release(cast: Cast, models: Models) -> Models:
    """Everybody takes the earlier model as they take the newest one, as long after."""
    between = cast.released_at - earlier_released_at(cast)
    before = replace(models, newest=EARLIER, adopts_at=models.adopts_at - between)
    return replace(models, newest=NEWEST, before=before)


def scale(cast: Cast, exchanges: int) -> None:
    """All volumes to the number asked for.

    An innocent's part of it is the same at every level, and so is a campaign's, however
    late its accounts sign up."""
    span = cast.span
    rates = {s.key: s.rate(span, span) for s in cast.senders}
    guilty = [s for s in cast.senders if is_harvest(s)]
    honest = [s for s in cast.senders if not is_harvest(s)]
    wanted = sum(rates[s.key] for s in honest) + sum(s.volume for s in guilty)
    for sender in honest:
        sender.volume *= exchanges / wanted
    for sender in guilty:
        sender.volume *= exchanges / wanted * sender.volume / rates[sender.key]


def is_harvest(sender: Sender) -> bool:
    return any(app.purpose == "harvest" for app, _ in sender.apps)
