"""What shoppers read. Everything comes from the index, so that it works while CouchDB is away."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import present, wiring
from catalog.answers import CardPage, CategoryNode, ProductAnswer, SuggestAnswer
from catalog.domain import is_slug
from catalog.readmodel.documents import dumps
from catalog.readmodel.query import SORTS
from catalog.views.base import CatalogView, cached
from catalog.views.params import listing, text
from chassis.api import errors
from chassis.api.pagination import encode_cursor
from chassis.couch import Unavailable
from chassis.identity.permissions import Public
from chassis.identity.principal import principal_of

_STRINGS = {"type": "array", "items": {"type": "string"}}
LISTING_PARAMETERS = [
    OpenApiParameter("q", str, description="Words; all have to be there, endings and small typos forgiven."),
    OpenApiParameter("category", _STRINGS, description="Slug; what is below it is in it. May be repeated."),
    OpenApiParameter("brand", _STRINGS, description="May be repeated."),
    OpenApiParameter("min_price", int, description="Minor units, included."),
    OpenApiParameter("max_price", int, description="Minor units, included."),
    OpenApiParameter("in_stock", str, enum=["true"]),
    OpenApiParameter("on_sale", str, enum=["true"]),
    OpenApiParameter("rating", int, description="So many stars and more, 1 to 5."),
    OpenApiParameter("sort", str, enum=list(SORTS)),
    OpenApiParameter("limit", int, description="1 to 100, default 24."),
    OpenApiParameter("cursor", str, description="`next` of the page before."),
    OpenApiParameter(
        "ids", str, description="A batch of cards by id, in this order, and no other parameter."
    ),
]


def list_products(request: Request) -> Response:
    """GET /products: cards, facets, total."""
    asked = listing(request)
    browse = wiring.parts().browse
    if asked.ids:
        cards = browse.cards(asked.ids)
        body = b'{"results":[' + b",".join(cards) + b'],"total":%d,"next":null}' % len(cards)
        return cached(request, body)
    body, place = browse.search(asked.filters, asked.sort, asked.limit, asked.after)
    end = b'"' + encode_cursor(*place).encode() + b'"' if place else b"null"
    return cached(request, body + b',"next":' + end + b"}")


def read_product(request: Request, slug: str) -> Response:
    """GET /products/{slug}: for staff from the document, so that hidden products and fresh edits show."""
    if not is_slug(slug):
        raise errors.NotFound(detail="There is no such product.")
    if principal_of(request).may("catalog.product.read"):
        return _from_document(request, slug, staff=True)
    parts = wiring.parts()
    found = parts.browse.product(slug)
    if found is None or parts.recent.is_behind(slug, found.version):
        return _from_document(request, slug, staff=False)
    return cached(request, found.page, found.version)


def _from_document(request: Request, slug: str, *, staff: bool) -> Response:
    """For what the index does not show, or not yet."""
    parts = wiring.parts()
    try:
        product = parts.products.get(slug)
    except Unavailable:
        found = parts.browse.product(slug)
        if found is None:
            raise
        return cached(request, found.page, found.version)
    if not product.is_listed and not staff:
        raise errors.NotFound(detail="There is no such product.")
    response = cached(request, dumps(present.product(product)), product.version)
    if staff:
        response["Cache-Control"] = "private, no-store"
    return response


def read_categories(request: Request) -> Response:
    """GET /categories"""
    return cached(request, wiring.parts().browse.categories())


class SuggestView(CatalogView):
    """Completions for a search box."""

    permission_classes: Any = [Public]

    @extend_schema(
        operation_id="suggest",
        parameters=[OpenApiParameter("q", str, required=True)],
        responses=SuggestAnswer,
    )
    def get(self, request: Request) -> Response:
        unknown = {name: ["Unknown parameter."] for name in request.query_params if name != "q"}
        if unknown:
            raise errors.BadRequest("A parameter is not valid.", errors=unknown)
        if "q" not in request.query_params:
            raise errors.BadRequest("Say what to complete.", errors={"q": ["Required."]})
        wanted = text(request.query_params["q"], "q")
        if len(wanted) < 2:
            return cached(request, b'{"products":[],"categories":[],"queries":[]}')
        return cached(request, wiring.parts().browse.suggest(wanted))


__all__ = [
    "CardPage",
    "CategoryNode",
    "ProductAnswer",
    "SuggestView",
    "list_products",
    "read_categories",
    "read_product",
]
