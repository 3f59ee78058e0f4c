"""Fills in where stored events and accounts came from, once a table is plugged in."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from django.db import connection, transaction
from django.db.models import Q

from ingest.drain import partitions
from ingest.models import Account
from ingest.places import enrichment

_LACKING: Final = "client_ip IS NOT NULL AND (asn IS NULL OR country IS NULL)"
_FILL: Final = """
UPDATE {table} AS event SET
    asn = coalesce(event.asn, place.asn),
    country = coalesce(event.country, place.country)
FROM unnest(%s::inet[], %s::bigint[], %s::varchar[]) AS place (ip, asn, country)
WHERE event.client_ip = place.ip AND (
    event.asn IS NULL AND place.asn IS NOT NULL
    OR event.country IS NULL AND place.country IS NOT NULL
)
"""
_AT_ONCE: Final = 1000


def days(since: date | None = None) -> list[date]:
    return [day for day in partitions.existing_days() if since is None or day >= since]


@transaction.atomic
def fill_day(day: date) -> int:
    """Says how many events of the day were given a country or a number."""
    table = partitions.partition_name(day)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT host(client_ip) FROM {table} WHERE {_LACKING}"  # noqa: S608
        )
        places = enrichment.of(address for (address,) in cursor.fetchall())
        known = {
            address: place
            for address, place in sorted(places.items())
            if place.asn or place.country
        }
        if not known:
            return 0
        cursor.execute(
            _FILL.format(table=table),
            [
                list(known),
                [place.asn for place in known.values()],
                [place.country for place in known.values()],
            ],
        )
        filled: int = cursor.rowcount
    enrichment.note_names(known.values())
    return filled


def fill_accounts() -> int:
    """Says how many sign-up addresses were placed."""
    filled = 0
    for some in _lacking():
        with transaction.atomic():
            locked = list(
                Account.objects.filter(pk__in=some).order_by("pk").select_for_update()
            )
            enrichment.fill_sign_ups(locked)
            placed = [each for each in locked if each.signup_country or each.signup_asn]
            Account.objects.bulk_update(placed, ["signup_country", "signup_asn"])
            filled += len(placed)
    return filled


def _lacking() -> Iterator[list[int]]:
    """Keys of accounts whose sign-up address nobody has placed, some at a time."""
    found = Account.objects.filter(signup_ip__isnull=False)
    found = found.filter(Q(signup_country=None) | Q(signup_asn=None))
    after = 0
    while some := list(
        found.filter(pk__gt=after)
        .order_by("pk")
        .values_list("pk", flat=True)[:_AT_ONCE]
    ):
        yield some
        after = some[-1]
