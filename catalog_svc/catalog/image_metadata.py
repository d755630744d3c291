"""Read the orientation of images, and remove all other metadata before they are decoded.

Broken metadata is the most common reason why a decoder gives up on a good image, so it never sees any.
Sources: ITU-T T.81, B.1 (JPEG); the W3C's PNG specification, 5; RFC 9649, 2 (WebP); CIPA DC-008, 4.6.4
(orientation).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

UPRIGHT = 1
_ORIENTATION = 0x0112
_JPEG_EXIF = b"Exif\0\0"
#: JPEG segments needed for decoding: JFIF, and Adobe's colour transform.
_JPEG_RETAINED = (0xE0, 0xEE)
#: Segments that end the header: restarts, the end of the image, a scan.
_JPEG_PIXELS = (*range(0xD0, 0xD8), 0xD9, 0xDA)
_PNG_RETAINED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_WEBP_DROPPED = (b"EXIF", b"XMP ", b"ICCP")
_WEBP_FLAGS = 0x20 | 0x08 | 0x04  # ICC, Exif, XMP
_MAX_TAGS = 1000


def strip_metadata(data: bytes, kind: str) -> tuple[bytes, int]:
    """Return the image without metadata, and its Exif orientation (1 to 8; 1 if unreadable).

    Bytes that do not look like an image of their kind are returned as they are: the decoder reports the
    error.
    """
    take = {"JPEG": _strip_jpeg, "PNG": _strip_png, "WEBP": _strip_webp}.get(kind)
    if take is None:
        return data, UPRIGHT
    try:
        clean, exif = take(data)
    except (struct.error, IndexError, ValueError):
        return data, UPRIGHT
    return clean, read_orientation(exif)


def read_orientation(exif: bytes) -> int:
    """Return the orientation in a TIFF block, however broken the rest of it is."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return UPRIGHT
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        for number in range(min(count, _MAX_TAGS)):
            tag, type, _, value = struct.unpack_from(f"{order}HHIH", exif, start + 2 + 12 * number)
            if tag == _ORIENTATION:
                return value if type == 3 and 1 <= value <= 8 else UPRIGHT
    except struct.error:
        pass
    return UPRIGHT


def _strip_jpeg(data: bytes) -> tuple[bytes, bytes]:
    """Copy the needed segments before the first scan, and all that follows as it is."""
    kept, exif, at = [data[:2]], b"", 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker in _JPEG_PIXELS:
            break
        (length,) = struct.unpack_from(">H", data, at + 2)
        segment = data[at : at + 2 + length]
        if marker == 0xE1 and segment[4:10] == _JPEG_EXIF and not exif:
            exif = segment[10:]
        if marker in _JPEG_RETAINED or not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            kept.append(segment)
        at += 2 + length
    return b"".join([*kept, data[at:]]), exif


def _strip_png(data: bytes) -> tuple[bytes, bytes]:
    """Copy the critical chunks and transparency.

    A chunk that is cut off is kept, because it is not metadata.
    """
    kept, exif, at = [data[:8]], b"", 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 12 + length
        if name == b"eXIf":
            exif = data[at + 8 : end - 4]
        elif name in _PNG_RETAINED or end > len(data):
            kept.append(data[at:end])
        at = end
    return b"".join(kept), exif.removeprefix(_JPEG_EXIF)


def _strip_webp(data: bytes) -> tuple[bytes, bytes]:
    """Copy all chunks except metadata, and clear their flags in the header."""
    kept, exif = [], b""
    for name, chunk in _iter_chunks(data):
        if name == b"EXIF":
            exif = chunk[8:]
        elif name == b"VP8X":
            kept.append(chunk[:8] + bytes([chunk[8] & ~_WEBP_FLAGS]) + chunk[9:])
        elif name not in _WEBP_DROPPED:
            kept.append(chunk)
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body, exif.removeprefix(_JPEG_EXIF)


def _iter_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (name, chunk) of a RIFF file; chunks include their header and padding."""
    at = 12
    while at + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        end = at + 8 + length + length % 2
        yield data[at : at + 4], data[at:end]
        at = end
