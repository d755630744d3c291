"""/products/{slug}/images and /images/{id}"""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import UnreadablePostError
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import present, wiring
from catalog.answers import ImageAnswer, UploadAnswer
from catalog.services.images import TooLargePicture
from catalog.views.base import CatalogView, actor
from catalog.views.params import text
from chassis.api import errors
from chassis.identity.permissions import ByMethod, Staff

#: What a multipart body has beside the picture itself.
_ENVELOPE = 64 * 1024
_UPLOAD = {
    "multipart/form-data": {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary"}, "alt": {"type": "string"}},
        "required": ["file"],
    }
}


class ProductImagesView(CatalogView):
    """Takes a picture (JPEG, PNG, GIF, WebP); renditions of it appear on the product within seconds."""

    permission_classes: Any = [ByMethod(POST=Staff("catalog.image.write"))]
    parser_classes = [MultiPartParser]

    @extend_schema(operation_id="upload_image", request=_UPLOAD, responses={202: UploadAnswer})
    def post(self, request: Request, slug: str) -> Response:
        parts = wiring.parts()
        product = parts.products.get(slug)
        file, alt = _upload(request, parts.images.max_bytes)
        image = parts.images.upload(product=product, data=file.read(), alt=alt, actor=actor(request))
        headers = {"Location": f"/api/catalog/images/{image.id}"}
        return Response({"id": image.id, "status": str(image.status)}, status=202, headers=headers)


def _upload(request: Request, max_bytes: int) -> tuple[UploadedFile, str]:
    """The two fields `file` and `alt`, and no others."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > max_bytes + _ENVELOPE:
        raise TooLargePicture
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
    return file, text(fields.get("alt", ""), "alt", 300)


class ImageView(CatalogView):
    """What became of an upload."""

    permission_classes: Any = [ByMethod(GET=Staff("catalog.image.read"))]

    @extend_schema(operation_id="read_image", responses=ImageAnswer)
    def get(self, request: Request, id: str) -> Response:
        return Response(present.image(wiring.parts().images.get(id)))
