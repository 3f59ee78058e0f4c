"""Where an address lies, as it is shown wherever an address is."""

from collections.abc import Mapping

from django import template

from ingest.places.network_classes import LABELS, network_class

register = template.Library()


@register.inclusion_tag("components/network.html")
def network(
    country: str | None,
    asn: int | None,
    address: str | None,
    names: Mapping[int, str],
) -> dict[str, object]:
    """`names` maps the numbers of autonomous systems to their names."""
    found = network_class(asn, address)
    return {
        "country": country,
        "asn": asn,
        "name": names.get(asn, "") if asn else "",
        "label": LABELS[found] if found else "",
    }
