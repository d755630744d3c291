"""Signing and checking of tokens: EdDSA and nothing else (RFC 8725).

The header is looked at before any key is: a token that names its own key (`jwk`, `jku`, `x5u`, `x5c`) or
wants an extension understood (`crit`) is refused, and so is every algorithm but EdDSA, so that neither `none`
nor an HMAC made with a public key ever reaches a verifier.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from chassis.identity import keys

ISSUER = "hivemart-auth"
AUDIENCE = "hivemart"
ACCESS = "access"
SERVICE_TYPE = "service+jwt"
SERVICE_SECONDS = 60
LEEWAY = 5  # seconds of disagreement between two machines' clocks

_FORBIDDEN_HEADERS = frozenset({"jku", "jwk", "x5u", "x5c", "crit"})
_LONGEST = 8192  # characters; a longer one is no token of ours


class BadToken(Exception):
    """The token is not one of ours, or not for us, or no longer good. Says no more than that to callers."""


def sign(
    claims: Mapping[str, Any], *, key: Ed25519PrivateKey, kid: str | None = None, typ: str = "JWT"
) -> str:
    """Return a compact JWS over the claims."""
    headers: dict[str, Any] = {"typ": typ}
    if kid is not None:
        headers["kid"] = kid
    return jwt.encode(dict(claims), key, algorithm="EdDSA", headers=headers)


def access_claims(
    *,
    account_id: str,
    roles: list[str] | tuple[str, ...],
    permissions: list[str] | frozenset[str],
    email_verified: bool,
    seconds: int = 600,
    now: float | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return the claims of an access token."""
    issued = int(time.time() if now is None else now)
    return {
        "sub": account_id,
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": issued,
        "exp": issued + seconds,
        "jti": uuid.uuid4().hex,
        "typ": ACCESS,
        "roles": list(roles),
        "permissions": sorted(permissions),
        "email_verified": email_verified,
        **more,
    }


def verify_access(token: str, provider: keys.AccessKeys | None = None) -> dict[str, Any]:
    """Return the claims of a good access token; BadToken otherwise."""
    header = _header(token)
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= 128:
        raise BadToken("no key id")
    key = (provider or keys.access_keys.get()).get(kid)
    claims = _decode(token, key, issuer=ISSUER, audience=AUDIENCE, required=["sub", "exp", "iat", "jti"])
    if claims.get("typ") != ACCESS or not _is_access_shaped(claims):
        raise BadToken("not an access token")
    return claims


def _is_access_shaped(claims: Mapping[str, Any]) -> bool:
    lists = (claims.get("roles", []), claims.get("permissions", []))
    return all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in lists)


def service_token(caller: str, callee: str, *, key: Ed25519PrivateKey, now: float | None = None) -> str:
    """Proof for 60 seconds that `caller` calls `callee`."""
    issued = int(time.time() if now is None else now)
    claims = {"iss": caller, "aud": callee, "iat": issued, "exp": issued + SERVICE_SECONDS}
    return sign(claims, key=key, typ=SERVICE_TYPE)


def verify_service(token: str, callee: str, provider: keys.ServiceKeys | None = None) -> str:
    """Return the caller's name, if the token is a service's and meant for `callee`; BadToken otherwise."""
    header = _header(token)
    if header.get("typ") != SERVICE_TYPE:
        raise BadToken("not a service token")
    issuer = _unverified_issuer(token)
    key = (provider or keys.service_keys.get()).public(issuer)
    claims = _decode(token, key, issuer=issuer, audience=callee, required=["exp", "iat"])
    if claims["exp"] - claims["iat"] > SERVICE_SECONDS:
        raise BadToken("lives too long")
    return issuer


def _header(token: str) -> dict[str, Any]:
    if len(token) > _LONGEST:
        raise BadToken("too long")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise BadToken("not a token") from error
    if header.get("alg") != "EdDSA" or _FORBIDDEN_HEADERS & header.keys():
        raise BadToken("header not accepted")
    return header


def _unverified_issuer(token: str) -> str:
    """Who claims to have signed, to find the key with; the signature then decides."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise BadToken("not a token") from error
    issuer = claims.get("iss")
    if not isinstance(issuer, str):
        raise BadToken("no issuer")
    return issuer


def _decode(
    token: str, key: Ed25519PublicKey | None, *, issuer: str, audience: str, required: list[str]
) -> dict[str, Any]:
    if key is None:
        raise BadToken("unknown key")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["EdDSA"],
            issuer=issuer,
            audience=audience,
            leeway=LEEWAY,
            options={"require": required, "strict_aud": True},
        )
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError, OverflowError) as error:
        raise BadToken(str(error)) from error
    return claims
