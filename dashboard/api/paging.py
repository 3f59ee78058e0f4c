"""Pages cut by value (keyset), so that rows that come or go meanwhile skip nothing.

A cursor is the last row's place in the order: its value and its primary key, which
makes the order unique. It is opaque to the caller and validated like any other input.
"""

import base64
import binascii
import json
import math
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard.filters import StrictFilters

Row = TypeVar("Row", bound=Model)
BAD_CURSOR = "Take the cursor from `next` or `previous` of a page, unchanged."


@dataclass(frozen=True)
class Cursor:
    """A place between two rows, and which way the page lies from it."""

    value: float | str
    pk: int
    backwards: bool = False

    def encode(self) -> str:
        place = json.dumps([self.value, self.pk, self.backwards])
        return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, *, text_value: bool) -> "Cursor":
        """Raises ValueError for anything that `encode` did not write."""
        padded = text + "=" * (-len(text) % 4)
        try:
            place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (binascii.Error, UnicodeDecodeError, RecursionError) as error:
            raise ValueError from error
        if not (isinstance(place, list) and len(place) == 3):
            raise ValueError
        value, pk, backwards = place
        if type(pk) is not int or not 0 < pk < 2**63 or type(backwards) is not bool:
            raise ValueError
        if text_value:
            if not isinstance(value, str) or "\0" in value:
                raise ValueError
        elif type(value) not in (int, float) or not math.isfinite(value):
            raise ValueError
        return cls(value, pk, backwards)


class KeysetPagination(BasePagination):
    """DRF's door to it. The view's FilterSet names the orders there are."""

    size, most = 100, 1000
    next: Cursor | None = None
    previous: Cursor | None = None

    def paginate_queryset(  # type: ignore[override]  # any view here has filters
        self, queryset: QuerySet[Row], request: Request, view: Any = None
    ) -> list[Row]:
        self.request = request
        filters: StrictFilters = view.filters
        falling = filters.ordering.startswith("-")
        column = filters.orderings[filters.ordering.lstrip("-")]
        cursor = self._cursor(text_value=column in filters.text_columns)
        size = self._size()
        backwards = bool(cursor and cursor.backwards)
        rows = list(
            _beyond(queryset, column, cursor, falling=falling != backwards)[: size + 1]
        )
        more = len(rows) > size
        rows = rows[:size][::-1] if backwards else rows[:size]
        self._set_ends(rows, column, cursor, more=more)
        return rows

    def _set_ends(
        self, rows: list[Row], column: str, cursor: Cursor | None, *, more: bool
    ) -> None:
        backwards = bool(cursor and cursor.backwards)
        if rows and (more or backwards):
            self.next = _place(rows[-1], column, backwards=False)
        if rows and (more if backwards else cursor is not None):
            self.previous = _place(rows[0], column, backwards=True)

    def _cursor(self, *, text_value: bool) -> Cursor | None:
        text = self.request.query_params.get("cursor")
        if not text:
            return None
        try:
            return Cursor.decode(text, text_value=text_value)
        except ValueError:
            raise ValidationError({"cursor": [BAD_CURSOR]}) from None

    def _size(self) -> int:
        text = self.request.query_params.get("page_size", str(self.size))
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= self.most):
            message = f"Use a whole number from 1 to {self.most}."
            raise ValidationError({"page_size": [message]})
        return int(text)

    def _link(self, cursor: Cursor | None) -> str | None:
        if cursor is None:
            return None
        query = self.request.query_params.dict() | {"cursor": cursor.encode()}
        return self.request.build_absolute_uri(
            f"{self.request.path}?{urlencode(query)}"
        )

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "next": self._link(self.next),
                "previous": self._link(self.previous),
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": "cursor",
                "in": "query",
                "description": BAD_CURSOR,
                "schema": {"type": "string"},
            },
            {
                "name": "page_size",
                "in": "query",
                "description": "Rows a page.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": self.most,
                    "default": self.size,
                },
            },
        ]


def _beyond(
    queryset: QuerySet[Row], column: str, cursor: Cursor | None, *, falling: bool
) -> QuerySet[Row]:
    way, sign = ("lt", "-") if falling else ("gt", "")
    if cursor:
        further = Q(**{f"{column}__{way}": cursor.value})
        tied = Q(**{column: cursor.value, f"pk__{way}": cursor.pk})
        queryset = queryset.filter(further | tied)
    return queryset.order_by(f"{sign}{column}", f"{sign}pk")


def _place(row: Model, column: str, *, backwards: bool) -> Cursor:
    return Cursor(getattr(row, column), row.pk, backwards)
