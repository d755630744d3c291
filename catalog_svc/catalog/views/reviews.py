"""Views of /products/{slug}/reviews."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import container, representations
from catalog.domain import Product
from catalog.input_serializers import ReviewInput
from catalog.output_serializers import ReviewOutput, ReviewPage
from catalog.readmodel.index_documents import dumps
from catalog.views.base import CatalogView, cacheable_response
from chassis.api import errors
from chassis.api.pagination import page, page_only
from chassis.identity.permissions import ByMethod, Public, SignedIn
from chassis.identity.principal import principal_of


def _listed(slug: str) -> Product:
    product = container.dependencies().products.get(slug)
    if not product.is_listed:
        raise errors.NotFound(detail="There is no such product.")
    return product


class ReviewsView(CatalogView):
    """Reviews of a product, one per shopper; the shop itself sets `verified_purchase`."""

    permission_classes: Any = [ByMethod(GET=Public, POST=SignedIn)]

    @extend_schema(
        operation_id="list_reviews",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
        responses=ReviewPage,
    )
    def get(self, request: Request, slug: str) -> Response:
        limit, cursor = page_only(request)
        found = container.dependencies().reviews.list_for_product(_listed(slug).id, limit, cursor)
        return cacheable_response(
            request, dumps(page([representations.review(review) for review in found.items], found.next))
        )

    @extend_schema(operation_id="write_review", request=ReviewInput, responses={201: ReviewOutput})
    def post(self, request: Request, slug: str) -> Response:
        fields = {"body": "", **ReviewInput.of(request)}
        review = container.dependencies().reviews.write(
            product=_listed(slug), account_id=principal_of(request).id, author="", **fields
        )
        return Response(representations.review(review), status=201)
