"""Views of /products/{slug}/images and /images/{id}."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import UnreadablePostError
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import container, representations
from catalog.output_serializers import UploadedImageOutput, UploadOutput
from catalog.services.images import ImageTooLarge
from catalog.views.base import CatalogView, actor
from catalog.views.params import parse_text
from chassis.api import errors
from chassis.identity.permissions import ByMethod, Staff

#: Bytes of a multipart body besides the file itself.
_ENVELOPE = 64 * 1024
_UPLOAD = {
    "multipart/form-data": {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary"}, "alt": {"type": "string"}},
        "required": ["file"],
    }
}


class ProductImagesView(CatalogView):
    """Upload of an image (JPEG, PNG, GIF, WebP).

    Its renditions appear on the product within seconds.
    """

    permission_classes: Any = [ByMethod(POST=Staff("catalog.image.write"))]
    parser_classes = [MultiPartParser]

    @extend_schema(operation_id="upload_image", request=_UPLOAD, responses={202: UploadOutput})
    def post(self, request: Request, slug: str) -> Response:
        parts = container.dependencies()
        product = parts.products.get(slug)
        file, alt = _upload(request, parts.images.max_bytes)
        image = parts.images.upload(product=product, data=file.read(), alt=alt, actor=actor(request))
        headers = {"Location": f"/api/catalog/images/{image.id}"}
        return Response({"id": image.id, "status": str(image.status)}, status=202, headers=headers)


def _upload(request: Request, max_bytes: int) -> tuple[UploadedFile, str]:
    """Return the two fields `file` and `alt`, and refuse others."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > max_bytes + _ENVELOPE:
        raise ImageTooLarge
    try:
        files, fields = request.FILES, request.POST
    except UnreadablePostError as error:
        raise ParseError("The body ended too early.") from error
    unknown = sorted((set(files) - {"file"}) | (set(fields) - {"alt"}))
    if unknown:
        raise errors.BadRequest("Some fields are not valid.", errors={unknown[0][:100]: ["Unknown field."]})
    if len(files.getlist("file")) != 1:
        raise errors.BadRequest("Some fields are not valid.", errors={"file": ["One file is needed."]})
    file: Any = files["file"]
    if not file.size:
        raise errors.BadRequest("Some fields are not valid.", errors={"file": ["The file is empty."]})
    return file, parse_text(fields.get("alt", ""), "alt", 300)


class ImageView(CatalogView):
    """State of an upload."""

    permission_classes: Any = [ByMethod(GET=Staff("catalog.image.read"))]

    @extend_schema(operation_id="read_image", responses=UploadedImageOutput)
    def get(self, request: Request, id: str) -> Response:
        return Response(representations.image(container.dependencies().images.get(id)))
