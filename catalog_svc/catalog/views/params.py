"""Query parameters of `GET /products`.

They are parsed by hand: it is the busiest route, and a serializer would cost as much as the search itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from rest_framework.request import Request

from catalog.domain import is_slug
from catalog.domain.names import is_attribute, is_identifier
from catalog.readmodel.catalog_search import Cursor
from catalog.readmodel.query import SORTS, Filters
from chassis.api.errors import BadRequest
from chassis.api.pagination import bad_cursor, decode_cursor, page_params

MAX_PRICE = 10**12
MAX_TEXT = 200
MAX_VALUES = 20
MAX_IDS = 100
_MAX_SORT_KEY = 2**64 - 1
_ONCE = frozenset(
    {"q", "min_price", "max_price", "in_stock", "on_sale", "rating", "sort", "limit", "cursor", "ids"}
)
_REPEATED = frozenset({"category", "brand"})


@dataclass(frozen=True)
class ListingQuery:
    """Validated query: either a search or a batch of `ids`."""

    filters: Filters
    sort: str
    limit: int
    after: Cursor | None
    ids: tuple[str, ...] = ()


def parse_listing(request: Request) -> ListingQuery:
    """Parse the query.

    Raises BadRequest (400) for unknown, repeated, mistyped or out-of-range parameters.
    """
    query = request.query_params
    _check_names(query)
    if "ids" in query:
        return ListingQuery(Filters(), "relevance", MAX_IDS, None, _ids(query))
    filters = Filters(
        q=parse_text(query.get("q", ""), "q"),
        category=tuple(_slug(value) for value in query.getlist("category")),
        brand=tuple(parse_text(value, "brand") for value in query.getlist("brand")),
        min_price=_number(query, "min_price", 0, MAX_PRICE),
        max_price=_number(query, "max_price", 0, MAX_PRICE),
        in_stock=_true(query, "in_stock"),
        on_sale=_true(query, "on_sale"),
        rating=_number(query, "rating", 1, 5),
        attrs=_attributes(query),
    )
    limit, cursor = page_params(request)
    sort = _sort(query)
    return ListingQuery(filters, sort, limit, _parse_cursor(cursor, sort, bool(filters.q)))


def parse_text(value: str, name: str, max_length: int = MAX_TEXT) -> str:
    """Return the text without surrounding spaces.

    Raises BadRequest (400) if it is too long or has control characters.
    """
    if len(value) > max_length:
        raise _bad_parameter(name, f"At most {max_length} characters.")
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF for letter in value):
        raise _bad_parameter(name, "Control characters are not text.")
    return value.strip()


def _bad_parameter(name: str, reason: str) -> BadRequest:
    return BadRequest("A parameter is not valid.", errors={name: [reason]})


def _check_names(query: QueryDict) -> None:
    for name, values in query.lists():
        is_attr = name.startswith("attr.") and is_attribute(name[5:])
        if not is_attr and name not in _ONCE and name not in _REPEATED:
            raise _bad_parameter(name[:100], "Unknown parameter.")
        if name in _ONCE and len(values) > 1:
            raise _bad_parameter(name, "Only once, please.")
        if len(values) > MAX_VALUES:
            raise _bad_parameter(name, f"At most {MAX_VALUES} values.")


def _ids(query: QueryDict) -> tuple[str, ...]:
    if len(query) > 1:
        raise _bad_parameter("ids", "A batch takes no other parameters.")
    ids = tuple(str(query["ids"]).split(","))
    if len(ids) > MAX_IDS or not all(is_identifier(id) for id in ids):
        raise _bad_parameter("ids", f"Must be 1 to {MAX_IDS} ids with commas between them.")
    return ids


def _slug(value: str) -> str:
    if not is_slug(value):
        raise _bad_parameter("category", "Must be a category's slug.")
    return value


def _number(query: QueryDict, name: str, minimum: int, maximum: int) -> int | None:
    value = query.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 16 and minimum <= int(value) <= maximum):
        raise _bad_parameter(name, f"Must be a whole number from {minimum} to {maximum}.")
    return int(value)


def _true(query: QueryDict, name: str) -> bool:
    value = query.get(name)
    if value not in (None, "true"):
        raise _bad_parameter(name, "Must be true, or left out.")
    return value is not None


def _attributes(query: QueryDict) -> tuple[tuple[str, tuple[str, ...]], ...]:
    names = sorted(name for name in query if name.startswith("attr."))
    if len(names) > MAX_VALUES:
        raise _bad_parameter(names[-1], f"At most {MAX_VALUES} attributes.")
    return tuple(
        (name[5:], tuple(parse_text(value, name) for value in query.getlist(name))) for name in names
    )


def _sort(query: QueryDict) -> str:
    """Return the order; the default is the best match with words, the best seller without."""
    sort = query.get("sort", "relevance")
    if sort not in SORTS:
        raise _bad_parameter("sort", f"Must be one of {', '.join(SORTS)}.")
    return sort


def _parse_cursor(cursor: str | None, sort: str, has_text: bool) -> Cursor | None:
    """Return the cursor, which must belong to the same order."""
    values = decode_cursor(cursor)
    if values is None:
        return None
    expected = "popular" if sort == "relevance" and not has_text else sort
    fits: Callable[[Any], bool] = _is_score if expected == "relevance" else _is_key
    if not values or values[0] != expected or not fits(values[1:]):
        raise bad_cursor()
    return tuple(values)


def _is_key(values: list[Any]) -> bool:
    return len(values) == 1 and type(values[0]) is int and 0 <= values[0] <= _MAX_SORT_KEY


def _is_score(values: list[Any]) -> bool:
    if len(values) != 2 or type(values[1]) is not int:
        return False
    return type(values[0]) in (int, float) and 0 <= values[0] < 1e9
