"""Public reads; everything comes from the index, so that they work while CouchDB is unavailable."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import container, representations
from catalog.domain import is_slug
from catalog.output_serializers import CardPage, CategoryNode, ProductOutput, SuggestOutput
from catalog.readmodel.index_documents import dumps
from catalog.readmodel.query import SORTS
from catalog.views.base import CatalogView, cacheable_response
from catalog.views.params import parse_listing, parse_text
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
    """Handle GET /products: cards, facets, total."""
    query = parse_listing(request)
    search = container.dependencies().search
    if query.ids:
        cards = search.cards(query.ids)
        body = b'{"results":[' + b",".join(cards) + b'],"total":%d,"next":null}' % len(cards)
        return cacheable_response(request, body)
    body, cursor = search.search(query.filters, query.sort, query.limit, query.after)
    end = b'"' + encode_cursor(*cursor).encode() + b'"' if cursor else b"null"
    return cacheable_response(request, body + b',"next":' + end + b"}")


def read_product(request: Request, slug: str) -> Response:
    """Handle GET /products/{slug}.

    Staff get it from the document, so that hidden products and fresh edits show.
    """
    if not is_slug(slug):
        raise errors.NotFound(detail="There is no such product.")
    if principal_of(request).may("catalog.product.read"):
        return _from_document(request, slug, staff=True)
    parts = container.dependencies()
    found = parts.search.product(slug)
    if found is None or parts.recent_writes.is_behind(slug, found.version):
        return _from_document(request, slug, staff=False)
    return cacheable_response(request, found.page, found.version)


def _from_document(request: Request, slug: str, *, staff: bool) -> Response:
    """Respond from the document for a product that the index does not show yet."""
    parts = container.dependencies()
    try:
        product = parts.products.get(slug)
    except Unavailable:
        found = parts.search.product(slug)
        if found is None:
            raise
        return cacheable_response(request, found.page, found.version)
    if not product.is_listed and not staff:
        raise errors.NotFound(detail="There is no such product.")
    response = cacheable_response(request, dumps(representations.product(product)), product.version)
    if staff:
        response["Cache-Control"] = "private, no-store"
    return response


def read_categories(request: Request) -> Response:
    """Handle GET /categories."""
    return cacheable_response(request, container.dependencies().search.categories())


class SuggestView(CatalogView):
    """Completions for a search box."""

    permission_classes: Any = [Public]

    @extend_schema(
        operation_id="suggest",
        parameters=[OpenApiParameter("q", str, required=True)],
        responses=SuggestOutput,
    )
    def get(self, request: Request) -> Response:
        unknown = {name: ["Unknown parameter."] for name in request.query_params if name != "q"}
        if unknown:
            raise errors.BadRequest("A parameter is not valid.", errors=unknown)
        if "q" not in request.query_params:
            raise errors.BadRequest("Say what to complete.", errors={"q": ["Required."]})
        wanted = parse_text(request.query_params["q"], "q")
        if len(wanted) < 2:
            return cacheable_response(request, b'{"products":[],"categories":[],"queries":[]}')
        return cacheable_response(request, container.dependencies().search.suggest(wanted))


__all__ = [
    "CardPage",
    "CategoryNode",
    "ProductOutput",
    "SuggestView",
    "list_products",
    "read_categories",
    "read_product",
]
