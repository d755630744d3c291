"""A second server that follows the first: continuous replication, how far it is behind, and its end.

The standby pulls, as a user of its own on both servers, by documents in its `_replicator`; it goes on by
itself after a restart of either. Source: https://docs.couchdb.org/en/stable/replication/replicator.html.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.conf import settings

from .administration import Server
from .connection import as_admin
from .exceptions import CouchError, NotFound, Unavailable
from .schema import ensure
from .writer import written_at

_BATCH = 500
_NEWEST = 25
_LOOK_EVERY = 0.5
_STATE_WORKS = ("running", "pending", "initializing")


class Diverged(CouchError):
    """The standby holds what did not come from the primary: it was one itself."""


@dataclass(frozen=True)
class Lag:
    """A database on the standby, and how far it is behind.

    `behind` counts documents; `seconds` is the age of the oldest of them; both are None where the
    primary does not answer. `last_write` is when the newest document there was written.
    """

    database: str
    state: str
    behind: int | None
    seconds: float | None
    last_write: float | None
    error: str = ""

    @property
    def works(self) -> bool:
        return self.state in _STATE_WORKS


class Standby:
    """The databases of one service on two servers, each with its administrator."""

    def __init__(self, primary: Server, standby: Server, *, role: str, databases: Sequence[str]) -> None:
        self.primary, self.standby, self.role = primary, standby, role
        self.databases = [f"{settings.COUCHDB_PREFIX}{name}" for name in databases]
        self._names = list(databases)
        self._user = f"{role}-standby"

    # -- beginning and end

    def start(self, *, anew: bool = False) -> None:
        """Begin to replicate, or begin again with another password.

        Raises Diverged unless `anew`: then what the standby has is deleted first.
        """
        strange = [name for name in self.databases if self._has_its_own(name)]
        if strange and not anew:
            raise Diverged(f"{self.standby.host} has documents of its own in {', '.join(strange)}")
        self.stop()
        for name in strange:
            self.standby.request_ok("DELETE", quote(name, safe=""))
        with as_admin(self.standby.url):
            ensure((), self._names)
        password = secrets.token_urlsafe(24)
        for server in (self.primary, self.standby):
            server.put_user(self._user, password, self.role)
        self.standby.request_ok("PUT", "_replicator", accept=(412,))
        for name in self.databases:
            self.standby.grant_access(name, self.role)
            self.standby.request_ok("PUT", f"_replicator/{_document(name)}", self._wanted(name, password))

    def _wanted(self, name: str, password: str) -> dict[str, Any]:
        auth = {"basic": {"username": self._user, "password": password}}
        places = {
            side: {"url": f"http://{server.host}/{quote(name, safe='')}", "auth": auth}
            for side, server in (("source", self.primary), ("target", self.standby))
        }
        return {**places, "continuous": True, "create_target": False}

    def stop(self) -> bool:
        """End it and forget its user; False when there was nothing to end. The primary may be gone."""
        ended = False
        for name in self.databases:
            status, current = self.standby.request("GET", f"_replicator/{_document(name)}")
            if status == 200:
                self.standby.request_ok("DELETE", f"_replicator/{_document(name)}?rev={current['_rev']}")
                ended = True
        self._until(lambda: all(self._scheduled(name) is None for name in self.databases), 30)
        self.standby.remove_user(self._user)
        try:
            self.primary.remove_user(self._user)
        except Unavailable:
            return ended
        return ended

    @staticmethod
    def _until(reached: Any, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > end:
                return False
            time.sleep(_LOOK_EVERY)
        return True

    def catch_up(self, seconds: float) -> list[Lag]:
        """Wait until nothing is missing on the standby, no longer than that; how it stands then."""
        end = time.monotonic() + seconds
        while True:
            lags = self.lags()
            if all(lag.behind == 0 for lag in lags) or time.monotonic() > end:
                return lags
            time.sleep(_LOOK_EVERY)

    # -- how it stands

    def lags(self) -> list[Lag]:
        return [self._lag(name, plain) for name, plain in zip(self.databases, self._names, strict=True)]

    def _lag(self, name: str, plain: str) -> Lag:
        scheduled = self._scheduled(name) or {}
        state = str(scheduled.get("state", "not started"))
        error = str((scheduled.get("info") or {}).get("error") or "")
        last = self._last_write(name)
        try:
            missing = list(self._missing(name, self.primary, self.standby))
            oldest = self._oldest(name, missing)
        except NotFound:
            return Lag(plain, state, None, None, last, error or "there is no such database")
        except Unavailable as down:
            return Lag(plain, state, None, None, last, error or str(down))
        seconds = max(0.0, time.time() - oldest) if missing and oldest else 0.0
        return Lag(plain, state, len(missing), seconds, last, error)

    def _scheduled(self, name: str) -> dict[str, Any] | None:
        status, told = self.standby.request("GET", f"_scheduler/docs/_replicator/{_document(name)}")
        return told if status == 200 else None

    def _last_write(self, name: str) -> float | None:
        path = f"{quote(name, safe='')}/_changes?descending=true&limit={_NEWEST}&include_docs=true"
        status, told = self.standby.request("GET", path)
        if status != 200:
            return None
        moments = [written_at(change.get("doc") or {}) for change in told["results"]]
        return max((moment for moment in moments if moment), default=None)

    def _oldest(self, name: str, missing: Sequence[str]) -> float | None:
        if not missing:
            return None
        body = {"keys": list(missing[:_BATCH])}
        path = f"{quote(name, safe='')}/_all_docs?include_docs=true"
        rows = self.primary.request_ok("POST", path, body)["rows"]
        moments = [written_at(row.get("doc") or {}) for row in rows]
        return min((moment for moment in moments if moment), default=None)

    def _has_its_own(self, name: str) -> bool:
        """Whether documents are on the standby that the primary has not."""
        try:
            return any(self._missing(name, self.standby, self.primary))
        except NotFound:
            return False

    @staticmethod
    def _missing(name: str, there: Server, here: Server) -> Iterator[str]:
        """Return ids of documents of which one server has leaves that the other has never seen.

        Views do not count: each version of a service builds its own.
        """
        path = quote(name, safe="")
        since: Any = 0
        while True:
            query = f"style=all_docs&limit={_BATCH}&since={quote(_since(since), safe='')}"
            page = there.request_ok("GET", f"{path}/_changes?{query}")
            changes = [c for c in page["results"] if not c["id"].startswith("_design/")]
            wanted = {c["id"]: [leaf["rev"] for leaf in c["changes"]] for c in changes}
            if wanted:
                yield from here.request_ok("POST", f"{path}/_revs_diff", wanted)
            if not page["results"]:
                return
            since = page["last_seq"]


def _document(name: str) -> str:
    return quote(f"standby-{name}", safe="")


def _since(seq: Any) -> str:
    return seq if isinstance(seq, str) else json.dumps(seq)
