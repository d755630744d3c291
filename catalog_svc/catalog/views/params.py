"""The query of `GET /products`: read by hand, as it is the busiest route and a serializer would cost as
much as the
search itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from rest_framework.request import Request

from catalog.domain import is_slug
from catalog.domain.names import is_attribute, is_ident
from catalog.readmodel.browse import Place
from catalog.readmodel.query import SORTS, Filters
from chassis.api.errors import BadRequest
from chassis.api.pagination import bad_cursor, decode_cursor, page_params

MAX_PRICE = 10**12
MAX_TEXT = 200
MAX_VALUES = 20
MAX_IDS = 100
_LARGEST_KEY = 2**64 - 1
_ONCE = frozenset(
    {"q", "min_price", "max_price", "in_stock", "on_sale", "rating", "sort", "limit", "cursor", "ids"}
)
_REPEATED = frozenset({"category", "brand"})


@dataclass(frozen=True)
class Listing:
    """A validated query: either a search or a batch of `ids`."""

    filters: Filters
    sort: str
    limit: int
    after: Place | None
    ids: tuple[str, ...] = ()


def listing(request: Request) -> Listing:
    """BadRequest (400) for unknown, repeated, mistyped or out-of-range parameters."""
    query = request.query_params
    _check_names(query)
    if "ids" in query:
        return Listing(Filters(), "relevance", MAX_IDS, None, _ids(query))
    filters = Filters(
        q=text(query.get("q", ""), "q"),
        category=tuple(_slug(value) for value in query.getlist("category")),
        brand=tuple(text(value, "brand") for value in query.getlist("brand")),
        min_price=_number(query, "min_price", 0, MAX_PRICE),
        max_price=_number(query, "max_price", 0, MAX_PRICE),
        in_stock=_true(query, "in_stock"),
        on_sale=_true(query, "on_sale"),
        rating=_number(query, "rating", 1, 5),
        attrs=_attributes(query),
    )
    limit, cursor = page_params(request)
    sort = _sort(query)
    return Listing(filters, sort, limit, _place(cursor, sort, bool(filters.q)))


def text(value: str, name: str, longest: int = MAX_TEXT) -> str:
    """Without spaces around; 400 when it is too long or holds what is not text."""
    if len(value) > longest:
        raise _refused(name, f"At most {longest} characters.")
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF for letter in value):
        raise _refused(name, "Control characters are not text.")
    return value.strip()


def _refused(name: str, reason: str) -> BadRequest:
    return BadRequest("A parameter is not valid.", errors={name: [reason]})


def _check_names(query: QueryDict) -> None:
    for name, values in query.lists():
        is_attr = name.startswith("attr.") and is_attribute(name[5:])
        if not is_attr and name not in _ONCE and name not in _REPEATED:
            raise _refused(name[:100], "Unknown parameter.")
        if name in _ONCE and len(values) > 1:
            raise _refused(name, "Only once, please.")
        if len(values) > MAX_VALUES:
            raise _refused(name, f"At most {MAX_VALUES} values.")


def _ids(query: QueryDict) -> tuple[str, ...]:
    if len(query) > 1:
        raise _refused("ids", "A batch takes no other parameters.")
    ids = tuple(str(query["ids"]).split(","))
    if len(ids) > MAX_IDS or not all(is_ident(id) for id in ids):
        raise _refused("ids", f"Must be 1 to {MAX_IDS} ids with commas between them.")
    return ids


def _slug(value: str) -> str:
    if not is_slug(value):
        raise _refused("category", "Must be a category's slug.")
    return value


def _number(query: QueryDict, name: str, least: int, most: int) -> int | None:
    value = query.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 16 and least <= int(value) <= most):
        raise _refused(name, f"Must be a whole number from {least} to {most}.")
    return int(value)


def _true(query: QueryDict, name: str) -> bool:
    value = query.get(name)
    if value not in (None, "true"):
        raise _refused(name, "Must be true, or left out.")
    return value is not None


def _attributes(query: QueryDict) -> tuple[tuple[str, tuple[str, ...]], ...]:
    names = sorted(name for name in query if name.startswith("attr."))
    if len(names) > MAX_VALUES:
        raise _refused(names[-1], f"At most {MAX_VALUES} attributes.")
    return tuple((name[5:], tuple(text(value, name) for value in query.getlist(name))) for name in names)


def _sort(query: QueryDict) -> str:
    """With words the best match comes first, without them what sells best."""
    sort = query.get("sort", "relevance")
    if sort not in SORTS:
        raise _refused("sort", f"Must be one of {', '.join(SORTS)}.")
    return sort


def _place(cursor: str | None, sort: str, has_text: bool) -> Place | None:
    """A cursor continues the order in which it was given out, and no other."""
    values = decode_cursor(cursor)
    if values is None:
        return None
    expected = "popular" if sort == "relevance" and not has_text else sort
    fits: Callable[[Any], bool] = _is_score if expected == "relevance" else _is_key
    if not values or values[0] != expected or not fits(values[1:]):
        raise bad_cursor()
    return tuple(values)


def _is_key(values: list[Any]) -> bool:
    return len(values) == 1 and type(values[0]) is int and 0 <= values[0] <= _LARGEST_KEY


def _is_score(values: list[Any]) -> bool:
    if len(values) != 2 or type(values[1]) is not int:
        return False
    return type(values[0]) in (int, float) and 0 <= values[0] < 1e9
