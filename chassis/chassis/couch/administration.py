"""What only a server's administrator does: users, and who may use a database.

Source: https://docs.couchdb.org/en/stable/intro/security.html.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import requests

from .connection import server_at, without_password
from .exceptions import CouchError, NotFound, Unavailable

log = logging.getLogger(__name__)

_USERS = "_users"
_SIGN_IN_SECONDS = 10  # CouchDB learns of a new user from a feed


class Server:
    """A server, as the user in its URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._resource = server_at(url).resource

    @property
    def user(self) -> str:
        return unquote(urlsplit(self.url).username or "")

    @property
    def password(self) -> str:
        return unquote(urlsplit(self.url).password or "")

    def request(self, method: str, path: str, body: Any = None, *, timeout: Any = None) -> tuple[int, Any]:
        """Status and JSON of an answer below 500. Raises `Unavailable`."""
        session, base = self._resource.session, self._resource.base_url.rstrip("/")
        data = None if body is None else json.dumps(body).encode()
        try:
            response = session.request(
                method, f"{base}/{path}", data=data, timeout=timeout or self._resource.timeout
            )
            return response.status_code, response.json()
        except (requests.RequestException, ValueError) as error:
            raise Unavailable(f"{self.host}: {without_password(error)}") from error

    def request_ok(self, method: str, path: str, body: Any = None, *, accept: Iterable[int] = ()) -> Any:
        """Return the JSON of an answer that is a success or accepted.

        Raises NotFound, CouchError, Unavailable.
        """
        status, answer = self.request(method, path, body)
        if status < 400 or status in accept:
            return answer
        kind = NotFound if status == 404 else CouchError
        raise kind(f"{method} {self.host}/{path}: {status} {answer.get('reason', answer)}")

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc.rpartition("@")[2]

    # -- databases

    def create(self, database: str) -> bool:
        """Make a database; False when it is there."""
        return "error" not in self.request_ok("PUT", quote(database, safe=""), accept=(412,))

    def grant_access(self, database: str, role: str) -> None:
        """Only this role may use the database, and make its views."""
        wanted = {part: {"names": [], "roles": [role]} for part in ("admins", "members")}
        path = f"{quote(database, safe='')}/_security"
        if self.request_ok("GET", path) != wanted:
            self.request_ok("PUT", path, wanted)

    # -- users

    def put_user(self, name: str, password: str, role: str) -> bool:
        """Let this user sign in with this password and have this role; return False when that is so already.

        Raises CouchError when the name is not to be had.
        """
        if self._signs_in(name, password, role):
            return False
        self.request_ok("PUT", _USERS, accept=(412,))
        path = f"{_USERS}/{quote(f'org.couchdb.user:{name}', safe='')}"
        status, current = self.request("GET", path)
        user = {"name": name, "type": "user", "roles": [role], "password": password}
        if status == 200:
            user["_rev"] = current["_rev"]
        self.request_ok("PUT", path, user, accept=(409,))  # another one of us was quicker
        end = time.monotonic() + _SIGN_IN_SECONDS
        while not self._signs_in(name, password, role):
            if time.monotonic() > end:
                raise CouchError(f"{self.host} does not let {name} in although it was told to")
            time.sleep(0.2)
        log.info("user %s of %s may sign in", name, self.host)
        return True

    def remove_user(self, name: str) -> bool:
        """Remove the user; return False when there is none of that name."""
        path = f"{_USERS}/{quote(f'org.couchdb.user:{name}', safe='')}"
        status, current = self.request("GET", path)
        if status == 404:
            return False
        self.request_ok("DELETE", f"{path}?rev={current['_rev']}")
        return True

    def _signs_in(self, name: str, password: str, role: str) -> bool:
        address = f"{urlsplit(self.url).scheme}://{self.host}/_session"
        try:
            answer = requests.get(address, auth=(name, password), timeout=self._resource.timeout)
        except requests.RequestException as error:
            raise Unavailable(f"{self.host}: {without_password(error)}") from error
        if answer.status_code != 200:
            return False
        context = answer.json().get("userCtx", {})
        return context.get("name") == name and role in context.get("roles", [])
