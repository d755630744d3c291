"""Views of /products and /products/{slug}."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import container, representations
from catalog.domain import Product
from catalog.input_serializers import ProductInput, ProductUpdateInput
from catalog.output_serializers import CardPage, ProductOutput
from catalog.views import public
from catalog.views.base import CatalogView, actor, version_check
from catalog.views.public import LISTING_PARAMETERS
from chassis.api import errors
from chassis.api.json import dumps
from chassis.identity.permissions import ByMethod, Public, Staff

_WRITE = Staff("catalog.product.write")


def _answer(product: Product, status: int) -> Response:
    """Return the response for staff."""
    return Response(
        dumps(representations.product(product)), status=status,
        headers={"ETag": f'"{product.version}"', "Location": f"/api/catalog/products/{product.slug}"},
    )  # fmt: skip


class ProductsView(CatalogView):
    """Lists, searches, and batches of cards; staff add products."""

    permission_classes: Any = [ByMethod(GET=Public, POST=_WRITE)]

    @extend_schema(operation_id="list_products", parameters=LISTING_PARAMETERS, responses=CardPage)
    def get(self, request: Request) -> Response:
        return public.list_products(request)

    @extend_schema(operation_id="create_product", request=ProductInput, responses={201: ProductOutput})
    def post(self, request: Request) -> Response:
        fields = ProductInput.of(request)
        return _answer(container.dependencies().products.create(fields=fields, actor=actor(request)), 201)


class ProductView(CatalogView):
    """One product.

    Its ETag is `"<version>-<digest>"`, or `"<version>"` after a write; If-Match takes either.
    """

    permission_classes: Any = [ByMethod(GET=Public, PATCH=_WRITE, DELETE=_WRITE)]

    @extend_schema(operation_id="read_product", responses=ProductOutput)
    def get(self, request: Request, slug: str) -> Response:
        return public.read_product(request, slug)

    @extend_schema(operation_id="update_product", request=ProductUpdateInput, responses=ProductOutput)
    def patch(self, request: Request, slug: str) -> Response:
        products = container.dependencies().products
        products.get(slug)  # 404 before 428
        check_version = version_check(request)
        changes = ProductUpdateInput.of(request)
        if not changes:
            raise errors.BadRequest("Nothing to change.")
        return _answer(
            products.update(slug=slug, changes=changes, actor=actor(request), check_version=check_version),
            200,
        )

    @extend_schema(operation_id="delete_product", responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        products = container.dependencies().products
        products.get(slug)
        products.remove(slug=slug, actor=actor(request), check_version=version_check(request))
        return Response(status=204)
