"""Input that no shop should take: broken JSON, mistyped fields, forged tokens, files that pretend."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import io
import json
import struct
import time
import uuid
import zlib
from collections.abc import Iterator
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from PIL import Image

Path = tuple[str | int, ...]

NOT_JSON = {
    "cut off": b'{"sku": "A", "quantity"',
    "nothing but a bracket": b"{",
    "single quotes": b"{'sku': 'A'}",
    "trailing comma": b'{"sku": "A",}',
    "two values": b'{"sku": "A"} {}',
    "comment": b'{"sku": "A" /* one */}',
    "NaN": b'{"quantity": NaN}',
    "Infinity": b'{"quantity": -Infinity}',
    "1e999": b'{"quantity": 1e999}',
    "5,000 digits": b'{"quantity": ' + b"9" * 5000 + b"}",
    "same name twice": b'{"sku": "A", "sku": "B"}',
    "same name twice, inside": b'{"lines": [{"sku": "A", "sku": "B"}]}',
    "deep arrays": b"[" * 100_000,
    "deep closed arrays": b"[" * 500 + b"]" * 500,
    "deep objects": b'{"a":' * 500 + b"1" + b"}" * 500,
    "not UTF-8": b'{"sku": "\xff\xfe"}',
    "UTF-16": '{"sku": "A"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"sku": "A"}',
    "NUL in text": b'{"sku": "A\\u0000"}',
    "bare NUL": b'{"sku": "A\x00"}',
    "half a surrogate pair": b'{"sku": "\\ud800"}',
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    "form": b"sku=A&quantity=1",
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
}

SOME_NOT_JSON = {
    what: NOT_JSON[what] for what in ("cut off", "NaN", "same name twice", "not UTF-8", "deep arrays")
}

OPERATOR = {"$gt": None}
LONG = "x" * 70_000
_WRONG: dict[type, list[Any]] = {
    str: [1, True, None, ["A"], OPERATOR, "", LONG, "a\x00b"],
    int: ["1", True, None, 1.5, [1], OPERATOR, 10**30, -(10**30)],
    list: [None, "x", 1, {}, OPERATOR, [], [None], ["x"], [[]]],
    dict: [None, "x", 1, [], [{}], OPERATOR],
}


def spoiled(body: Any, *, partial: bool = False) -> Iterator[tuple[Path, Any]]:
    """`body` with one thing wrong at a time, each with the path of what is wrong.

    `partial`: no field of it has to be there.
    """
    for wrong in (None, "x", 1, True, [], [body]):
        yield (), wrong
    for path, value in _walk(body):
        for wrong in _WRONG[type(value)]:
            if path:
                yield path, changed(body, path, wrong)
        if path and isinstance(path[-1], str) and not partial:
            yield path, changed(body, path, ...)
        if isinstance(value, dict):
            for name in ("surprise", "$where"):
                yield (*path, name), changed(body, (*path, name), 1)


def _walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from _walk(one, (*path, name))


def changed(body: Any, path: Path, value: Any) -> Any:
    """Return a copy with `value` at `path`; `...` takes it out."""
    made = copy.deepcopy(body)
    place = made
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return made


# -- tokens


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


class Forger:
    """Knows everything: the local shop's signing key follows from auth's secret."""

    def __init__(self, secrets: dict[str, Any], kid: str, account_id: str) -> None:
        seed = HKDF(SHA256(), 32, salt=None, info=b"hivemart access tokens current")
        secret = secrets["services"]["auth"]["secret_key"].encode()
        self.key = Ed25519PrivateKey.from_private_bytes(seed.derive(secret))
        self.service = Ed25519PrivateKey.from_private_bytes(
            base64.b64decode(secrets["services"]["cart"]["private_key"] + "==")
        )
        self.kid, self.account_id = kid, account_id

    def claims(self, **other: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "sub": self.account_id,
            "iss": "hivemart-auth",
            "aud": "hivemart",
            "iat": now,
            "exp": now + 600,
            "jti": uuid.uuid4().hex,
            "typ": "access",
            "roles": ["admin"],
            "permissions": ["checkout.order.read"],
            "email_verified": True,
        }
        return {name: value for name, value in {**claims, **other}.items() if value is not ...}

    def token(self, key: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """With the real key unless another is given: then only what is said otherwise is wrong with it."""
        headers = {"kid": self.kid, **(header or {})}
        return jwt.encode(self.claims(**claims), key or self.key, algorithm="EdDSA", headers=headers)

    def service_token(self, caller: str, callee: str) -> str:
        """Return a good one, as a service shows it to another."""
        now = int(time.time())
        claims = {"iss": caller, "aud": callee, "iat": now, "exp": now + 60}
        return jwt.encode(claims, self.service, algorithm="EdDSA", headers={"typ": "service+jwt"})

    def _hmac(self) -> str:
        """HS256 with the public key as its secret, put together by hand: libraries refuse."""
        text = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': self.kid})}.{_part(self.claims())}"
        mark = hmac.new(self.key.public_key().public_bytes_raw(), text.encode(), hashlib.sha256).digest()
        return f"{text}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"

    def bad(self) -> dict[str, str]:
        """Return bad values of `Authorization`, by what is wrong with them."""
        own, now = Ed25519PrivateKey.generate(), int(time.time())
        good = self.token()
        head, body, mark = good.split(".")
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": _raw(own)}
        return {
            "expired": "Bearer " + self.token(iat=now - 700, exp=now - 100),
            "not ending": "Bearer " + self.token(exp=...),
            "ending in words": "Bearer " + self.token(exp="tomorrow"),
            "none": f"Bearer {_part({'alg': 'none', 'kid': self.kid})}.{_part(self.claims())}.",
            "None": f"Bearer {_part({'alg': 'None', 'kid': self.kid})}.{_part(self.claims())}.",
            "unsigned": f"Bearer {head}.{body}.",
            "HS256": "Bearer " + self._hmac(),
            "another key": "Bearer " + self.token(own),
            "a key of its own": "Bearer " + self.token(own, {"jwk": jwk}),
            "a key elsewhere": "Bearer " + self.token(own, {"jku": "https://evil.example/jwks.json"}),
            "a certificate elsewhere": "Bearer " + self.token(own, {"x5u": "https://evil.example/x"}),
            "unknown kid": "Bearer " + self.token(own, {"kid": "nobody"}),
            "kid that is a path": "Bearer " + self.token(header={"kid": "../../dev/null"}),
            "other claims": f"Bearer {head}.{_part(self.claims(sub='somebody-else'))}.{mark}",
            "for somebody else": "Bearer " + self.token(aud="another-shop"),
            "for many": "Bearer " + self.token(aud=["hivemart", "another-shop"]),
            "for nobody": "Bearer " + self.token(aud=...),
            "by somebody else": "Bearer " + self.token(iss="another-auth"),
            "by a service": "Bearer " + self.token(iss="cart"),
            "another typ": "Bearer " + self.token(typ="refresh"),
            "no typ": "Bearer " + self.token(typ=...),
            "about nobody": "Bearer " + self.token(sub=...),
            "roles in words": "Bearer " + self.token(roles="admin"),
            "not valid yet": "Bearer " + self.token(nbf=now + 600),
            "service token": "Bearer " + self.service_token("cart", "catalog"),
            "service's key": "Bearer " + self.token(self.service),
            "garbage": "Bearer garbage",
            "dots": "Bearer ...",
            "three parts": "Bearer a.b.c",
            "empty": "Bearer",
            "array as header": f"Bearer {_part([])}.{body}.{mark}",
            "array as claims": f"Bearer {head}.{_part([])}.{mark}",
            "deep header": "Bearer " + base64.urlsafe_b64encode(b"[" * 3000).decode() + f".{body}.{mark}",
            "long": "Bearer " + "a" * 6000,
            "not ASCII": "Bearer é",
            "Basic": "Basic YWRtaW46YWRtaW4=",
            "no scheme": good,
        }


def _raw(key: Ed25519PrivateKey) -> str:
    return base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).decode().rstrip("=")


# -- pictures

PAYLOAD = b"<script>alert('polyglot')</script>"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb(side: int = 20_000) -> bytes:
    """Return a black square of one bit per pixel: 50 MB that pack into 50 KB."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side // 8 + 1) * side), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def picture(kind: str) -> bytes:
    """Return a good one of 64 x 64 pixels, which does not compress to nothing."""
    made = Image.effect_noise((64, 64), 90)
    out = io.BytesIO()
    made.save(out, kind)
    return out.getvalue()


NOT_PICTURES = {
    "text": b"I am a picture, believe me.",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "HTML": b"<!doctype html><script>alert(1)</script>",
    "PDF": b"%PDF-1.7\n",
    "SVG after spaces": b"\n\n  <?xml version='1.0'?><svg/>",
    "program": b"\x7fELF" + bytes(60),
}


def odd_pictures() -> dict[str, bytes]:
    """They can be shown, although their metadata is broken or their sides are longer than WebP takes."""
    jpeg = picture("JPEG")
    tags = struct.pack("<HHII", 0x0103, 4, 1, 90_000) + struct.pack("<HHII", 0x0112, 3, 1, 6)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + tags + bytes(4)
    long = io.BytesIO()
    Image.new("RGB", (40, 60_000), "teal").save(long, "PNG")
    return {
        "broken Exif": jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:],
        "40 x 60,000 pixels": long.getvalue(),
    }


def broken_pictures() -> dict[str, bytes]:
    """They begin as pictures do, and cannot be shown."""
    png = picture("PNG")
    return {
        "cut off PNG": png[: len(png) // 2],
        "cut off JPEG": picture("JPEG")[:200],
        "20,000 x 20,000 pixels": png_bomb(),
        "GIF that is a script": b"GIF89a/*" + PAYLOAD + b"*/=1;",
        "only a beginning": b"\x89PNG\r\n\x1a\n",
    }
