"""The shop's API as the seeder uses it: a member of staff with a token."""

from __future__ import annotations

import json
import time
from typing import Any

import urllib3


class ShopRefused(Exception):
    """The shop answered something else than what the step needs."""


class Shop:
    """Staff calls through the gateway; the token is renewed before it ends."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self._url, self._email, self._password = url.rstrip("/"), email, password
        self._pool = urllib3.PoolManager(maxsize=4, timeout=30.0, retries=False)
        self._token, self._token_expires_at = "", 0.0

    def get(self, path: str) -> Any:
        return self._call("GET", path)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._call("POST", path, body=json.dumps(body), headers={"Content-Type": "application/json"})

    def put(self, path: str, body: dict[str, Any]) -> Any:
        return self._call("PUT", path, body=json.dumps(body), headers={"Content-Type": "application/json"})

    def upload(self, path: str, picture: bytes, name: str, alt: str) -> Any:
        return self._call("POST", path, fields={"file": (name, picture, "image/jpeg"), "alt": alt})

    def _call(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> Any:
        headers = {**(headers or {}), "Authorization": f"Bearer {self._access_token()}"}
        answer = self._pool.request(method, self._url + path, headers=headers, **options)
        return self._parse(method, path, answer)

    def _access_token(self) -> str:
        if time.monotonic() > self._token_expires_at:
            body = json.dumps({"email": self._email, "password": self._password})
            path = "/api/auth/token"
            answer = self._pool.request(
                "POST", self._url + path, body=body, headers={"Content-Type": "application/json"}
            )
            pair = self._parse("POST", path, answer)
            self._token, self._token_expires_at = pair["access"], time.monotonic() + pair["expires_in"] / 2
        return self._token

    @staticmethod
    def _parse(method: str, path: str, answer: urllib3.BaseHTTPResponse) -> Any:
        if answer.status >= 400:
            raise ShopRefused(f"{method} {path} answered {answer.status}: {answer.data[:400]!r}")
        return json.loads(answer.data) if answer.data else None
