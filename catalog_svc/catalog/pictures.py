"""From bytes that somebody uploaded to pictures that we made: checked, decoded, turned upright, re-encoded.

Nothing of the upload survives but its pixels: no EXIF, no comments, no trailing bytes
(design/security.md, 17).
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from typing import Any

from catalog.domain import IMAGE_WIDTHS, Rendition

#: Beginnings of the formats that are taken; WebP is checked apart.
_MAGIC = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF87a": "GIF", b"GIF89a": "GIF"}
CONTENT_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
_QUALITY = 82


class NotAPicture(Exception):
    """The bytes are not a picture that can be shown; the text says why, to staff."""


@dataclass(frozen=True)
class Limits:
    """`max_bytes` of an upload, `max_pixels` (width x height) that are decoded."""

    max_bytes: int = 6 * 1024 * 1024
    max_pixels: int = 40_000_000


def format_of(data: bytes) -> str | None:
    """JPEG, PNG, GIF or WEBP by the first bytes; None for anything else, SVG included."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return next((name for magic, name in _MAGIC.items() if data.startswith(magic)), None)


def render(data: bytes, limits: Limits) -> list[tuple[Rendition, bytes]]:
    """WebP renditions from small to large. A picture smaller than a width is shown at its own, never
    enlarged.

    Raises `NotAPicture` for what cannot be decoded whole, or is too large.
    """
    picture = _decode(data, limits)
    widths = sorted({min(width, picture.width) for width in IMAGE_WIDTHS})
    return [_rendition(picture, width) for width in widths]


def _decode(data: bytes, limits: Limits) -> Any:
    # Pillow is imported here: web workers, which never decode, start quicker without it.
    from PIL import Image, ImageOps, UnidentifiedImageError

    kind = format_of(data)
    if kind is None or len(data) > limits.max_bytes:
        raise NotAPicture("This is not a JPEG, PNG, GIF or WebP picture of an allowed size.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the pixel cap below says what Pillow would warn of
            picture = Image.open(io.BytesIO(data), formats=[kind])
            if picture.width * picture.height > limits.max_pixels:
                raise NotAPicture(f"The picture has more than {limits.max_pixels} pixels.")
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            return upright.convert("RGBA" if _is_transparent(upright) else "RGB")
    except Image.DecompressionBombError as error:
        raise NotAPicture(f"The picture has more than {limits.max_pixels} pixels.") from error
    except UnidentifiedImageError as error:  # its text is about objects in memory
        raise NotAPicture(f"The picture cannot be decoded: it is no {kind}.") from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise NotAPicture(f"The picture cannot be decoded: {error}"[:200]) from error


def _is_transparent(picture: Any) -> bool:
    return picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info


def _rendition(picture: Any, width: int) -> tuple[Rendition, bytes]:
    from PIL import Image

    height = max(1, round(picture.height * width / picture.width))
    scaled = picture if width == picture.width else picture.resize((width, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    scaled.save(out, "WEBP", quality=_QUALITY, method=4)
    data = out.getvalue()
    name = f"products/{hashlib.sha256(data).hexdigest()[:32]}-{width}.webp"
    return Rendition(name, width, height), data
