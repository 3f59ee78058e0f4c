"""/accounts/: one customer at a time."""

import re
from urllib.parse import quote_from_bytes, unquote_to_bytes

from django.urls import path, register_converter

from dashboard.views import accounts

_ESCAPE = re.compile(r"~(?![0-9A-F]{2})")


class AccountId:
    """A platform's id for its customer, which may hold any character.

    `org/team 7` is `org~2Fteam~207` in an address: as in percent-encoding, with a
    tilde for the percent sign, which neither browsers nor proxies ever decode. So a
    slash stays within its segment, and `..` does not lead elsewhere.
    """

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        if _ESCAPE.search(value):
            raise ValueError("a tilde begins an escape")
        account_id = unquote_to_bytes(value.replace("%", "~25").replace("~", "%"))
        if b"\0" in account_id:
            raise ValueError("no id holds a NUL")
        return account_id.decode()

    def to_url(self, value: object) -> str:
        escaped = quote_from_bytes(str(value).encode(), safe="")
        if not escaped.strip("."):
            escaped = escaped.replace(".", "%2E")
        return escaped.replace("~", "%7E").replace("%", "~")


register_converter(AccountId, "account")

app_name = "accounts"
urlpatterns = [
    path("", accounts.accounts, name="list"),
    path("<account:account_id>/", accounts.detail, name="detail"),
    path("<account:account_id>/reveal/", accounts.reveal, name="reveal"),
    path("<account:account_id>/excerpts/", accounts.excerpts, name="excerpts"),
    path(
        "<account:account_id>/evidence/<slug:signal>/",
        accounts.evidence,
        name="evidence",
    ),
    path("<account:account_id>/by-day.json", accounts.days_chart, name="days"),
    path("<account:account_id>/by-hour.json", accounts.hours_chart, name="hours"),
]
