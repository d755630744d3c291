"""Tokens: what one may look like, and what is refused."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest

from chassis.identity import keys, tokens
from chassis.testing.identity import AUTH_KEY, KID, TestAccessKeys, key_of, make_token


def forged(header: dict[str, Any], claims: dict[str, Any] | None = None, signature: str = "") -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    body = claims or tokens.access_claims(account_id="a", roles=[], permissions=[], email_verified=True)
    return f"{part(header)}.{part(body)}.{signature}"


def hmac_with_public_key() -> str:
    secret = AUTH_KEY.public_key().public_bytes_raw()
    claims = tokens.access_claims(account_id="a", roles=["admin"], permissions=[], email_verified=True)
    return jwt.encode(claims, secret, algorithm="HS256", headers={"kid": KID})


def with_header(**headers: Any) -> str:
    claims = tokens.access_claims(account_id="a", roles=[], permissions=[], email_verified=True)
    return jwt.encode(claims, AUTH_KEY, algorithm="EdDSA", headers={"kid": KID, **headers})


BAD = {
    "algorithm none": forged({"alg": "none", "kid": KID}),
    "algorithm None in other letters": forged({"alg": "NoNe", "kid": KID}),
    "HS256 with the public key": hmac_with_public_key(),
    "no key id": tokens.sign({"sub": "a"}, key=AUTH_KEY),
    "unknown key id": make_token(kid="other"),
    "a key id that is a path": make_token(kid="../../etc/passwd"),
    "another's key": make_token(key=key_of("mallory")),
    "names its own key": with_header(jwk=keys.jwk(KID, key_of("mallory"))),
    "names where its key is": with_header(jku="https://evil.example/jwks.json"),
    "names its certificate": with_header(x5u="https://evil.example/cert"),
    "wants an extension": with_header(crit=["exp"]),
    "wrong issuer": make_token(iss="evil"),
    "wrong audience": make_token(aud="other"),
    "several audiences": make_token(aud=["hivemart", "other"]),
    "wrong type": make_token(typ="refresh"),
    "expired": make_token(seconds=-60),
    "from the future": make_token(nbf=int(time.time()) + 600),
    "without an end": forged({"alg": "EdDSA", "kid": KID}, {"sub": "a", "typ": "access"}),
    "subject that is no text": make_token(sub=7),  # type: ignore[arg-type]
    "roles that are no list": make_token(roles="admin", permissions=[], x=1) + "x",
    "signature cut off": make_token().rpartition(".")[0] + ".",
    "signature changed": make_token()[:-4] + "AAAA",
    "not a token": "x",
    "three empty parts": "..",
    "not ASCII": "ü.ü.ü",
    "very long": "x" * 100_000,
    "a service token": tokens.service_token("cart", "hivemart", key=AUTH_KEY),
}


@pytest.mark.parametrize("token", BAD.values(), ids=BAD.keys())
def test_a_bad_access_token_is_refused(token: str) -> None:
    with pytest.raises(tokens.BadToken):
        tokens.verify_access(token, TestAccessKeys())


def test_a_good_access_token_gives_its_claims() -> None:
    token = make_token("a1", ["support"], ["checkout.order.read"], email_verified=False)

    claims = tokens.verify_access(token, TestAccessKeys())

    assert {name: claims[name] for name in ("sub", "roles", "permissions", "email_verified", "typ")} == {
        "sub": "a1",
        "roles": ["support"],
        "permissions": ["checkout.order.read"],
        "email_verified": False,
        "typ": "access",
    }


def test_clocks_may_disagree_by_a_few_seconds() -> None:
    just_over = make_token(seconds=-2)

    claims = tokens.verify_access(just_over, TestAccessKeys())

    assert claims["sub"] == "account-1"


def test_a_service_token_names_its_caller() -> None:
    token = tokens.service_token("cart", "catalog", key=key_of("cart"))

    assert tokens.verify_service(token, "catalog") == "cart"


BAD_SERVICE = {
    "for another callee": tokens.service_token("cart", "checkout", key=key_of("cart")),
    "signed by another service": tokens.service_token("cart", "catalog", key=key_of("reco")),
    "over": tokens.service_token("cart", "catalog", key=key_of("cart"), now=time.time() - 120),
    "lives for an hour": tokens.sign(
        {"iss": "cart", "aud": "catalog", "iat": int(time.time()), "exp": int(time.time()) + 3600},
        key=key_of("cart"),
        typ="service+jwt",
    ),
    "of another type": tokens.sign(
        {"iss": "cart", "aud": "catalog", "iat": int(time.time()), "exp": int(time.time()) + 60},
        key=key_of("cart"),
    ),
    "without issuer": tokens.sign(
        {"aud": "catalog", "iat": int(time.time()), "exp": int(time.time()) + 60},
        key=key_of("cart"),
        typ="service+jwt",
    ),
    "a person's": make_token(),
    "algorithm none": forged({"alg": "none", "typ": "service+jwt"}, {"iss": "cart", "aud": "catalog"}),
    "not a token": "x",
}


@pytest.mark.parametrize("token", BAD_SERVICE.values(), ids=BAD_SERVICE.keys())
def test_a_bad_service_token_is_refused(token: str) -> None:
    with pytest.raises(tokens.BadToken):
        tokens.verify_service(token, "catalog")


def test_a_caller_without_a_configured_key_is_refused() -> None:
    configured = keys.ConfiguredServiceKeys("", {"cart": keys.public_text(key_of("cart"))})
    token = tokens.service_token("reco", "catalog", key=key_of("reco"))

    with pytest.raises(tokens.BadToken):
        tokens.verify_service(token, "catalog", configured)


def test_keys_survive_their_text_form() -> None:
    private = key_of("cart")
    configured = keys.ConfiguredServiceKeys(
        base64.b64encode(private.private_bytes_raw()).decode(),
        json.dumps({"cart": keys.public_text(private)}),
    )

    token = tokens.service_token("cart", "catalog", key=configured.private())

    assert tokens.verify_service(token, "catalog", configured) == "cart"


def test_a_service_without_its_own_key_says_which_setting_is_missing() -> None:
    with pytest.raises(keys.BadKey, match="SERVICE_PRIVATE_KEY"):
        keys.ConfiguredServiceKeys("", {}).private()


@pytest.mark.parametrize("text", ["", "x", "AAAA", "%%%"])
def test_a_key_of_the_wrong_size_is_refused(text: str) -> None:
    with pytest.raises(keys.BadKey):
        keys.private_key(text)
