"""The service's OpenAPI document, and a page to browse it that loads nothing from elsewhere."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from chassis.identity.permissions import Public

PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `type` is a slug to branch on.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
    "required": ["type", "title", "status", "detail", "request_id"],
    "additionalProperties": True,
}


# Swagger's own images are data URLs; everything else comes from the service.
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class SchemaView(SpectacularAPIView):
    """GET /api/<name>/schema: JSON, or YAML for who asks for that."""

    permission_classes = [Public]
    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer2, OpenApiYamlRenderer]


class DocsView(SpectacularSwaggerSplitView):
    """The browsable documentation at GET /api/<name>/docs."""

    permission_classes = [Public]
    template_name = "chassis/docs.html"

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Content-Security-Policy"] = _DOCS_POLICY
        return final


class TokenScheme(OpenApiAuthenticationExtension):
    """How TokenAuthentication looks in the document."""

    target_class = "chassis.identity.authentication.TokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def document_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular's POSTPROCESSING_HOOKS: every operation may answer a problem."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    problem = {"description": "A problem", "content": {"application/problem+json": reference}}
    for operations in result.get("paths", {}).values():
        for operation in operations.values():
            if isinstance(operation, dict) and "responses" in operation:
                operation["responses"].setdefault("default", problem)
    return result


def public_only(endpoints: list[Any]) -> list[Any]:
    """drf-spectacular's PREPROCESSING_HOOKS: internal routes are nobody's contract outside."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/")]


def without_docs() -> list[type]:
    """drf-spectacular's GET_LIB_DOC_EXCLUDES: classes whose docstrings describe no endpoint."""
    from drf_spectacular.plumbing import get_lib_doc_excludes

    from chassis.api.views import View

    return [*get_lib_doc_excludes(), View]
