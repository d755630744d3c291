"""Credentials for a measured service: the tests' known keys, in place of auth_svc and of secrets."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from local.bench.service import folder_of


def sign_in(service: str, data: Path) -> dict[str, str]:
    """Return headers of staff.

    Makes the service's data folder, with auth's public key where the service keeps the last good ones, and
    sets Django up in this process as that service's tests do.
    """
    from chassis.testing.django import setup

    setup(str(folder_of(service) / "tests" / "conftest.py"))
    from chassis.identity.keys import jwk
    from chassis.testing.identity import AUTH_KEY, KID, bearer

    data.mkdir()
    (data / "jwks.json").write_text(json.dumps({"keys": [jwk(KID, AUTH_KEY.public_key())]}))
    return bearer(roles=["admin"], seconds=86_400)


def service_keys(service: str, *callers: str) -> dict[str, str]:
    """Environment of a service that signs with the tests' key, and knows those of its callers."""
    from chassis.identity.keys import public_text
    from chassis.testing.identity import key_of

    private = base64.b64encode(key_of(service).private_bytes_raw()).decode()
    public = {name: public_text(key_of(name)) for name in callers}
    return {"SERVICE_PRIVATE_KEY": private, "SERVICE_PUBLIC_KEYS": json.dumps(public)}
