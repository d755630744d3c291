"""/categories and /categories/{slug}"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import present, wiring
from catalog.answers import CategoryAnswer, CategoryNode
from catalog.domain import Category
from catalog.serializers import CategoryIn, CategoryPatch
from catalog.views import browse
from catalog.views.base import CatalogView, actor, cached, matcher
from chassis.api import errors
from chassis.api.json import dumps
from chassis.identity.permissions import ByMethod, Public, Staff

_WRITE = Staff("catalog.category.write")


def _answer(category: Category, status: int) -> Response:
    return Response(
        present.category(category), status=status,
        headers={"ETag": f'"{category.version}"', "Location": f"/api/catalog/categories/{category.slug}"},
    )  # fmt: skip


class CategoriesView(CatalogView):
    """The tree with counts of products; staff add categories."""

    permission_classes: Any = [ByMethod(GET=Public, POST=_WRITE)]

    @extend_schema(operation_id="list_categories", responses=CategoryNode(many=True))
    def get(self, request: Request) -> Response:
        return browse.read_categories(request)

    @extend_schema(operation_id="create_category", request=CategoryIn, responses={201: CategoryAnswer})
    def post(self, request: Request) -> Response:
        fields = CategoryIn.of(request)
        return _answer(wiring.parts().categories.create(fields=fields, actor=actor(request)), 201)


class CategoryView(CatalogView):
    """One category, from its document; its ETag is for If-Match."""

    permission_classes: Any = [ByMethod(GET=Public, PATCH=_WRITE, DELETE=_WRITE)]

    @extend_schema(operation_id="read_category", responses=CategoryAnswer)
    def get(self, request: Request, slug: str) -> Response:
        category = wiring.parts().categories.get(slug)
        return cached(request, dumps(present.category(category)), category.version)

    @extend_schema(operation_id="update_category", request=CategoryPatch, responses=CategoryAnswer)
    def patch(self, request: Request, slug: str) -> Response:
        categories = wiring.parts().categories
        categories.get(slug)  # 404 before 428
        match = matcher(request)
        changes = CategoryPatch.of(request)
        if not changes:
            raise errors.BadRequest("Nothing to change.")
        return _answer(categories.update(slug=slug, changes=changes, actor=actor(request), match=match), 200)

    @extend_schema(operation_id="delete_category", responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        categories = wiring.parts().categories
        categories.get(slug)
        categories.remove(slug=slug, actor=actor(request), match=matcher(request))
        return Response(status=204)
