"""/products and /products/{slug}"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import present, wiring
from catalog.answers import CardPage, ProductAnswer
from catalog.domain import Product
from catalog.serializers import ProductIn, ProductPatch
from catalog.views import browse
from catalog.views.base import CatalogView, actor, matcher
from catalog.views.browse import LISTING_PARAMETERS
from chassis.api import errors
from chassis.api.json import dumps
from chassis.identity.permissions import ByMethod, Public, Staff

_WRITE = Staff("catalog.product.write")


def _answer(product: Product, status: int) -> Response:
    """What staff get back."""
    return Response(
        dumps(present.product(product)), status=status,
        headers={"ETag": f'"{product.version}"', "Location": f"/api/catalog/products/{product.slug}"},
    )  # fmt: skip


class ProductsView(CatalogView):
    """Lists, searches, and a batch of cards; staff add products."""

    permission_classes: Any = [ByMethod(GET=Public, POST=_WRITE)]

    @extend_schema(operation_id="list_products", parameters=LISTING_PARAMETERS, responses=CardPage)
    def get(self, request: Request) -> Response:
        return browse.list_products(request)

    @extend_schema(operation_id="create_product", request=ProductIn, responses={201: ProductAnswer})
    def post(self, request: Request) -> Response:
        fields = ProductIn.of(request)
        return _answer(wiring.parts().products.create(fields=fields, actor=actor(request)), 201)


class ProductView(CatalogView):
    """One product. Its ETag is `"<version>-<digest>"`, or `"<version>"` after a write; If-Match takes
    either.
    """

    permission_classes: Any = [ByMethod(GET=Public, PATCH=_WRITE, DELETE=_WRITE)]

    @extend_schema(operation_id="read_product", responses=ProductAnswer)
    def get(self, request: Request, slug: str) -> Response:
        return browse.read_product(request, slug)

    @extend_schema(operation_id="update_product", request=ProductPatch, responses=ProductAnswer)
    def patch(self, request: Request, slug: str) -> Response:
        products = wiring.parts().products
        products.get(slug)  # 404 before 428
        match = matcher(request)
        changes = ProductPatch.of(request)
        if not changes:
            raise errors.BadRequest("Nothing to change.")
        return _answer(products.update(slug=slug, changes=changes, actor=actor(request), match=match), 200)

    @extend_schema(operation_id="delete_product", responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        products = wiring.parts().products
        products.get(slug)
        products.remove(slug=slug, actor=actor(request), match=matcher(request))
        return Response(status=204)
