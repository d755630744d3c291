"""Views of /categories and /categories/{slug}."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import container, representations
from catalog.domain import Category
from catalog.input_serializers import CategoryInput, CategoryUpdateInput
from catalog.output_serializers import CategoryNode, CategoryOutput
from catalog.views import public
from catalog.views.base import CatalogView, actor, cacheable_response, version_check
from chassis.api import errors
from chassis.api.json import dumps
from chassis.identity.permissions import ByMethod, Public, Staff

_WRITE = Staff("catalog.category.write")


def _answer(category: Category, status: int) -> Response:
    return Response(
        representations.category(category), status=status,
        headers={"ETag": f'"{category.version}"', "Location": f"/api/catalog/categories/{category.slug}"},
    )  # fmt: skip


class CategoriesView(CatalogView):
    """Category tree with counts of products; staff add categories."""

    permission_classes: Any = [ByMethod(GET=Public, POST=_WRITE)]

    @extend_schema(operation_id="list_categories", responses=CategoryNode(many=True))
    def get(self, request: Request) -> Response:
        return public.read_categories(request)

    @extend_schema(operation_id="create_category", request=CategoryInput, responses={201: CategoryOutput})
    def post(self, request: Request) -> Response:
        fields = CategoryInput.of(request)
        return _answer(container.dependencies().categories.create(fields=fields, actor=actor(request)), 201)


class CategoryView(CatalogView):
    """One category, from its document; its ETag is for If-Match."""

    permission_classes: Any = [ByMethod(GET=Public, PATCH=_WRITE, DELETE=_WRITE)]

    @extend_schema(operation_id="read_category", responses=CategoryOutput)
    def get(self, request: Request, slug: str) -> Response:
        category = container.dependencies().categories.get(slug)
        return cacheable_response(request, dumps(representations.category(category)), category.version)

    @extend_schema(operation_id="update_category", request=CategoryUpdateInput, responses=CategoryOutput)
    def patch(self, request: Request, slug: str) -> Response:
        categories = container.dependencies().categories
        categories.get(slug)  # 404 before 428
        check_version = version_check(request)
        changes = CategoryUpdateInput.of(request)
        if not changes:
            raise errors.BadRequest("Nothing to change.")
        return _answer(
            categories.update(slug=slug, changes=changes, actor=actor(request), check_version=check_version),
            200,
        )

    @extend_schema(operation_id="delete_category", responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        categories = container.dependencies().categories
        categories.get(slug)
        categories.remove(slug=slug, actor=actor(request), check_version=version_check(request))
        return Response(status=204)
