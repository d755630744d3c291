"""Render uploaded images: check, decode, turn upright and encode them again.

Only the pixels of the upload survive: no EXIF, no comments, no trailing bytes. An attacker can make this
code take a lot of memory and time, so workers run it in a process of its own (render_process.py).
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from typing import Any

from catalog.domain import IMAGE_WIDTHS, Rendition
from catalog.image_metadata import strip_metadata

#: First bytes of the supported formats; WebP is checked separately.
_MAGIC = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF87a": "GIF", b"GIF89a": "GIF"}
CONTENT_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
_QUALITY = 82
#: Maximum height of a rendition, as a page would not show more; WebP allows 16,383.
MAX_HEIGHT = 4096
_TOO_MANY = "The picture has more than {:,} pixels."
#: Rows that are scaled down at a time: a copy of the whole image would take its memory twice.
_BAND = 256


class InvalidImage(Exception):
    """Bytes that are not an image that can be shown; the text is a reason for staff."""


@dataclass(frozen=True)
class Limits:
    """Limits of an upload: `max_bytes`, and `max_pixels` (width x height) that are decoded."""

    max_bytes: int = 6 * 1024 * 1024
    max_pixels: int = 40_000_000


def format_of(data: bytes) -> str | None:
    """Return JPEG, PNG, GIF or WEBP by the first bytes; None for anything else, SVG included."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return next((name for magic, name in _MAGIC.items() if data.startswith(magic)), None)


def render(data: bytes, limits: Limits) -> list[tuple[Rendition, bytes]]:
    """Return WebP renditions from small to large.

    An image smaller than a width is shown at its own size, never enlarged; one that is too high for a page
    is scaled down. Raises `InvalidImage` for an image that cannot be decoded whole or is too large,
    whatever error the decoder raises.
    """
    try:
        return _render(data, limits)
    except InvalidImage:
        raise
    except MemoryError as error:
        raise InvalidImage("The picture takes more memory than is allowed; send a smaller one.") from error
    except Exception as error:  # a decoder may raise anything on broken bytes, every time
        raise InvalidImage(f"The picture cannot be decoded: {_describe(error)}"[:200]) from error


def _describe(error: Exception) -> str:
    if type(error).__name__ == "UnidentifiedImageError":  # its text is about objects in memory
        return "its head is broken."
    return str(error) or type(error).__name__


def _render(data: bytes, limits: Limits) -> list[tuple[Rendition, bytes]]:
    picture = _decode(data, limits)
    sizes = {_fit_size(picture, width) for width in IMAGE_WIDTHS}
    return [_encode_rendition(picture, size) for size in sorted(sizes)]


def _fit_size(picture: Any, width: int) -> tuple[int, int]:
    """Return the largest size of the same proportions that is within `width` and MAX_HEIGHT.

    It never enlarges.
    """
    scale = min(width / picture.width, MAX_HEIGHT / picture.height, 1.0)
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))


def _decode(data: bytes, limits: Limits) -> Any:
    # Pillow is imported here: web workers, which never decode, start quicker without it.
    from PIL import Image

    kind = format_of(data)
    if kind is None or len(data) > limits.max_bytes:
        raise InvalidImage("This is not a JPEG, PNG, GIF or WebP picture of an allowed size.")
    clean, turned = strip_metadata(data, kind)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the limit below replaces Pillow's warning
            picture = Image.open(io.BytesIO(clean), formats=[kind])
            # A JPEG can be decoded at a half, a quarter or an eighth: twice what the largest rendition needs.
            picture.draft(picture.mode, (2 * IMAGE_WIDTHS[-1], 2 * IMAGE_WIDTHS[-1]))
            if picture.width * picture.height > limits.max_pixels:
                raise InvalidImage(_TOO_MANY.format(limits.max_pixels))
            picture.load()
    except Image.DecompressionBombError as error:
        raise InvalidImage(_TOO_MANY.format(limits.max_pixels)) from error
    return _turn_upright(_convert_colours(_reduce(picture)), turned)


def _reduce(picture: Any) -> Any:
    """Scale down by whole factors, to about twice the size of the largest rendition."""
    from PIL import Image

    width, height = _fit_size(picture, IMAGE_WIDTHS[-1])
    factor = min(picture.width // (2 * width), picture.height // (2 * height))
    if picture.mode in ("P", "PA", "1"):  # colours of a palette cannot be averaged
        picture = picture.convert("RGBA" if _is_transparent(picture) else "RGB")
    if factor < 2 or picture.mode not in ("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr"):
        return picture
    small = Image.new(picture.mode, (-(-picture.width // factor), -(-picture.height // factor)))
    for top in range(0, picture.height, factor * _BAND):
        band = picture.crop((0, top, picture.width, min(top + factor * _BAND, picture.height)))
        small.paste(band.reduce(factor), (0, top // factor))
    small.info = picture.info
    return small


def _convert_colours(picture: Any) -> Any:
    if picture.mode == "I;16":  # the upper eight bits; Pillow would turn all that is not dark into white
        picture = picture.point(lambda value: value / 256, "L")
    return picture.convert("RGBA" if _is_transparent(picture) else "RGB")


def _is_transparent(picture: Any) -> bool:
    return picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info


def _turn_upright(picture: Any, orientation: int) -> Any:
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return picture.transpose(turns[orientation]) if orientation in turns else picture


def _encode_rendition(picture: Any, size: tuple[int, int]) -> tuple[Rendition, bytes]:
    from PIL import Image

    scaled = picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    scaled.save(out, "WEBP", quality=_QUALITY, method=4)
    data = out.getvalue()
    name = f"products/{hashlib.sha256(data).hexdigest()[:32]}-{size[0]}.webp"
    return Rendition(name, *size), data
