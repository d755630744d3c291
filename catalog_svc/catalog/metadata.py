"""Read the orientation of pictures, and leave all other metadata out before anything is decoded.

Broken metadata is the most common reason why a decoder gives up on a good picture, so it never sees any.
Sources: ITU-T T.81, B.1 (JPEG); the W3C's PNG specification, 5; RFC 9649, 2 (WebP); CIPA DC-008, 4.6.4
(orientation).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

UPRIGHT = 1
_ORIENTATION = 0x0112
_JPEG_EXIF = b"Exif\0\0"
#: JPEG segments that say how the samples are to be read: JFIF, and Adobe's colour transform.
_JPEG_KEPT = (0xE0, 0xEE)
#: Segments with which the head is over: restarts, the end of the picture, a scan.
_JPEG_PIXELS = (*range(0xD0, 0xD8), 0xD9, 0xDA)
_PNG_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_WEBP_DROPPED = (b"EXIF", b"XMP ", b"ICCP")
_WEBP_FLAGS = 0x20 | 0x08 | 0x04  # ICC, Exif, XMP
_MOST_TAGS = 1000


def without_metadata(data: bytes, kind: str) -> tuple[bytes, int]:
    """Return the same picture without metadata, and its Exif orientation (1 to 8; 1 if it cannot be read).

    What does not look like a picture of its kind is returned as it is: the decoder says what is wrong.
    """
    take = {"JPEG": _of_jpeg, "PNG": _of_png, "WEBP": _of_webp}.get(kind)
    if take is None:
        return data, UPRIGHT
    try:
        clean, exif = take(data)
    except (struct.error, IndexError, ValueError):
        return data, UPRIGHT
    return clean, orientation(exif)


def orientation(exif: bytes) -> int:
    """Return the orientation of a TIFF block, however broken the rest of it is."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return UPRIGHT
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        for number in range(min(count, _MOST_TAGS)):
            tag, type, _, value = struct.unpack_from(f"{order}HHIH", exif, start + 2 + 12 * number)
            if tag == _ORIENTATION:
                return value if type == 3 and 1 <= value <= 8 else UPRIGHT
    except struct.error:
        pass
    return UPRIGHT


def _of_jpeg(data: bytes) -> tuple[bytes, bytes]:
    """Copy the segments before the first scan, and all that follows as it is."""
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
        if marker in _JPEG_KEPT or not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            kept.append(segment)
        at += 2 + length
    return b"".join([*kept, data[at:]]), exif


def _of_png(data: bytes) -> tuple[bytes, bytes]:
    """Copy the critical chunks and transparency; a chunk that is cut off is kept, for it is no metadata."""
    kept, exif, at = [data[:8]], b"", 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 12 + length
        if name == b"eXIf":
            exif = data[at + 8 : end - 4]
        elif name in _PNG_KEPT or end > len(data):
            kept.append(data[at:end])
        at = end
    return b"".join(kept), exif.removeprefix(_JPEG_EXIF)


def _of_webp(data: bytes) -> tuple[bytes, bytes]:
    """Copy all chunks but those of metadata, and take back what the header says of them."""
    kept, exif = [], b""
    for name, chunk in _chunks(data):
        if name == b"EXIF":
            exif = chunk[8:]
        elif name == b"VP8X":
            kept.append(chunk[:8] + bytes([chunk[8] & ~_WEBP_FLAGS]) + chunk[9:])
        elif name not in _WEBP_DROPPED:
            kept.append(chunk)
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body, exif.removeprefix(_JPEG_EXIF)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a RIFF file with their heads, padded to even lengths."""
    at = 12
    while at + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        end = at + 8 + length + length % 2
        yield data[at : at + 4], data[at:end]
        at = end
