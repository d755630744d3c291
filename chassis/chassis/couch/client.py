"""pycouchdb made safe: one server per process, answers checked, deadlines, a pool, and no blind retry of a
write.

Sources: design/platform.md, "pycouchdb 1.17"; https://docs.couchdb.org/en/stable/api/document/common.html.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import pycouchdb
import requests
from django.conf import settings
from pycouchdb.client import Database
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from .declarations import Design, Document
from .exceptions import Conflict, CouchError, NotFound, Unavailable
from .store import Change, Changes

log = logging.getLogger(__name__)

_CONNECT_TIMEOUT = 3.05  # a little over TCP's first retransmission
_BUILD_SECONDS = 900
_WRITE_ATTEMPTS = 3

_lock = threading.Lock()
_servers: dict[tuple[int, str], pycouchdb.Server] = {}


class LostAnswer(requests.RequestException):
    """The server, or something before it, failed to answer in the protocol: a write may or may not have
    happened.
    """


def server() -> pycouchdb.Server:
    """The server of this process. Connections must not be shared over a fork, hence the process id in the
    key.
    """
    key = (os.getpid(), settings.COUCHDB_URL)
    found = _servers.get(key)
    if found is None:
        with _lock:
            found = _servers.get(key) or _servers.setdefault(key, _connect(settings.COUCHDB_URL))
    return found


def _connect(url: str) -> pycouchdb.Server:
    made = pycouchdb.Server(
        url, authmethod="basic", verify=True, timeout=(_CONNECT_TIMEOUT, settings.COUCHDB_TIMEOUT)
    )
    session = made.resource.session
    session.trust_env = False  # no look at ~/.netrc and proxies for every request: halves the overhead
    session.hooks["response"].append(_check)
    retries = Retry(
        total=2, connect=2, read=2, status=2, redirect=0, backoff_factor=0.05,
        allowed_methods={"GET", "HEAD"},
        status_forcelist={502, 503, 504}, raise_on_status=False,
    )  # fmt: skip
    adapter = HTTPAdapter(pool_maxsize=settings.COUCHDB_POOL, max_retries=retries)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return made


def _check(response: requests.Response, *_args: Any, **_kwargs: Any) -> None:
    """pycouchdb takes an error page that is not JSON for an empty success; this refuses it."""
    status = response.status_code
    json_answer = "application/json" in response.headers.get("content-type", "")
    if status >= 500 or (status >= 400 and not json_answer):
        body = response.content[:200]  # reads it, so that the connection goes back to the pool
        raise LostAnswer(f"{status} {body!r}", response=response)


class CouchStore:
    """One database of a CouchDB server."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._full_name = f"{settings.COUCHDB_PREFIX}{name}"
        self._database: tuple[pycouchdb.Server | None, Any] = (None, None)

    # -- reading

    def get(self, id: str) -> Document:
        return cast("Document", self._read("GET", id))

    def get_many(self, ids: Sequence[str]) -> list[Document]:
        if not ids:
            return []
        rows = self._read("POST", "_all_docs", {"include_docs": "true"}, {"keys": list(ids)})["rows"]
        return [row["doc"] for row in rows if row.get("doc")]

    def all_docs(self, params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return cast("list[Mapping[str, Any]]", self._read("GET", "_all_docs", _query(params))["rows"])

    def view(self, design: Design, params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        path = ("_design", design.name, "_view", "v")
        if "keys" in params:
            rest = {k: v for k, v in params.items() if k != "keys"}
            answer = self._read("POST", path, _query(rest), {"keys": params["keys"]})
        else:
            answer = self._read("GET", path, _query(params))
        return cast("list[Mapping[str, Any]]", answer["rows"])

    def changes(self, since: Any, *, limit: int = 100, wait: float = 0.0) -> Changes:
        params = {"since": since, "limit": limit, "include_docs": "true"}
        if wait:
            params |= {"feed": "longpoll", "timeout": int(wait * 1000)}
        answer = self._read(
            "GET", "_changes", params, timeout=(_CONNECT_TIMEOUT, wait + settings.COUCHDB_TIMEOUT)
        )
        results = [
            Change(c["seq"], c["id"], None if c.get("deleted") else c.get("doc"), bool(c.get("deleted")))
            for c in answer["results"]
        ]
        return Changes(results, answer["last_seq"])

    # -- writing

    def put(self, document: Document) -> str:
        """A lost answer is never retried blindly: the document is read again, and the write told by its own
        token.
        """
        body = document | {"write": secrets.token_hex(6)}
        lost = False
        for _attempt in range(_WRITE_ATTEMPTS):
            try:
                return self._put_once(body)
            except requests.RequestException as error:
                log.warning("no answer to the write of %s: %s", body["_id"], error)
                lost = True
            except Conflict:
                if not lost:
                    raise
                rev = self._landed(body)
                if rev is None:
                    raise
                return rev
            rev = self._landed(body)
            if rev is not None:
                return rev
        raise Unavailable(f"{self.name} does not take the write of {body['_id']}")

    def put_new(self, documents: Sequence[Document]) -> list[str | None]:
        """After a lost answer the same is sent again: what was written then is refused now, and told by its
        token.
        """
        token, lost = secrets.token_hex(6), False
        bodies = [document | {"write": token} for document in documents]
        for _attempt in range(_WRITE_ATTEMPTS):
            try:
                rows = self._bulk(bodies)
            except requests.RequestException as error:
                log.warning("no answer to the write of %d documents: %s", len(bodies), error)
                lost = True
                continue
            revs = [None if _refused(row) else cast("str", row["rev"]) for row in rows]
            return self._mine_too(bodies, revs) if lost else revs
        raise Unavailable(f"{self.name} does not take {len(bodies)} documents")

    def _bulk(self, bodies: Sequence[Document]) -> list[dict[str, Any]]:
        """One row per document. pycouchdb's own request raises at the first conflict, although others were
        written.
        """
        resource = self._db.resource("_bulk_docs")
        data = json.dumps({"docs": list(bodies)}, separators=(",", ":")).encode()
        response = resource.session.post(resource.base_url, data=data, timeout=resource.timeout)
        if response.status_code == 404:
            raise self._not_found(["_bulk_docs"], Exception("database"))
        if response.status_code not in (201, 202):
            raise CouchError(
                f"POST {self._full_name}/_bulk_docs: {response.status_code} {response.text[:200]}"
            )
        return cast("list[dict[str, Any]]", response.json())

    def _mine_too(self, bodies: Sequence[Document], revs: Sequence[str | None]) -> list[str | None]:
        refused = [body for body, rev in zip(bodies, revs, strict=True) if rev is None]
        stored = {doc["_id"]: doc for doc in self.get_many([body["_id"] for body in refused])}
        mine = {
            b["_id"]: stored[b["_id"]]["_rev"] for b in refused if stored[b["_id"]].get("write") == b["write"]
        }
        return [rev or mine.get(body["_id"]) for body, rev in zip(bodies, revs, strict=True)]

    def _put_once(self, body: Document) -> str:
        response, answer = self._request("PUT", body["_id"], data=body)
        rev = (answer or {}).get("rev")
        if not rev:
            raise LostAnswer(f"{response.status_code} without a revision")
        if response.status_code == 201:
            return cast("str", rev)
        return self._after_202(body, rev)

    def _after_202(self, body: Document, rev: str) -> str:
        """202: a quorum was not reached and another branch may have won (design/checkout.md)."""
        current = self._read("GET", body["_id"], {"conflicts": "true"})
        if current.get("_conflicts"):
            log.critical(
                "document %s of %s has conflicts", body["_id"], self.name, extra={"alarm": "conflicts"}
            )
        if current.get("write") == body["write"]:
            return cast("str", current["_rev"])
        raise Conflict(f"{body['_id']}: another write won over {rev}")

    def _landed(self, body: Document) -> str | None:
        """The revision that a write without an answer made, or None when it did not happen."""
        try:
            current = self._read("GET", body["_id"], {"revs": "true"})
        except NotFound:
            return None
        if current.get("write") == body["write"]:
            return cast("str", current["_rev"])
        generation = int(body.get("_rev", "0-").split("-")[0]) + 1
        newest, hashes = current["_revisions"]["start"], current["_revisions"]["ids"]
        if newest < generation or newest - generation >= len(hashes):
            return None
        rev = f"{generation}-{hashes[newest - generation]}"
        try:
            mine = self._read("GET", body["_id"], {"rev": rev}).get("write") == body["write"]
        except NotFound as error:
            raise Unavailable(f"whether {body['_id']} was written cannot be learnt: {rev} is gone") from error
        return rev if mine else None

    def delete(self, id: str, rev: str) -> None:
        for _attempt in range(_WRITE_ATTEMPTS):
            try:
                self._request("DELETE", id, params={"rev": rev})
                return
            except requests.RequestException as error:
                log.warning("no answer to the deletion of %s: %s", id, error)
            try:
                if self.get(id)["_rev"] != rev:
                    raise Conflict(id)
            except NotFound:
                return
        raise Unavailable(f"{self.name} does not delete {id}")

    # -- documents outside of feeds and replication

    def get_local(self, id: str) -> Document | None:
        try:
            return cast("Document", self._read("GET", ("_local", id)))
        except NotFound as error:
            if "atabase" in str(error):
                raise
            return None

    def put_local(self, id: str, body: Document) -> None:
        for _attempt in range(_WRITE_ATTEMPTS):
            current = self.get_local(id)
            rev = {"_rev": current["_rev"]} if current else {}
            try:
                self._checked("PUT", ("_local", id), data=body | rev)
                return
            except Conflict:
                continue  # another process wrote it in between; the last one counts
        raise Conflict(f"_local/{id}")

    # -- attachments

    def attach(self, id: str, rev: str, name: str, data: bytes, content_type: str) -> str:
        headers = {"Content-Type": content_type}
        _, answer = self._checked("PUT", (id, name), params={"rev": rev}, raw=data, headers=headers)
        return cast("str", answer["rev"])

    def attachment(self, id: str, name: str) -> bytes:
        resource = self._db.resource(id, name)
        try:
            response = resource.session.get(
                resource.base_url, timeout=resource.timeout, headers={"Accept": "application/json, */*"}
            )
        except requests.RequestException as error:
            raise Unavailable(f"{self.name}: {error}") from error
        if response.status_code == 404:
            raise NotFound(f"{id}/{name}")
        if response.status_code != 200:
            raise Unavailable(f"{id}/{name}: {response.status_code}")
        return cast("bytes", response.content)

    def detach(self, id: str, rev: str, name: str) -> str:
        _, answer = self._checked("DELETE", (id, name), params={"rev": rev})
        return cast("str", answer["rev"])

    # -- databases and views

    def ensure(self, designs: Iterable[Design]) -> None:
        try:
            server().resource.put(self._full_name)
        except (pycouchdb.exceptions.Conflict, pycouchdb.exceptions.GenericError) as error:
            if "file_exists" not in str(error) and "exists" not in str(error):
                raise Unavailable(f"database {self._full_name}: {error}") from error
        except requests.RequestException as error:
            raise Unavailable(str(error)) from error
        for design in designs:
            self._ensure_design(design)

    def _ensure_design(self, design: Design) -> None:
        view = {"map": design.map} | ({"reduce": design.reduce} if design.reduce else {})
        path = ("_design", design.name)
        try:
            self._read("GET", path)
        except NotFound:
            try:
                self._checked("PUT", path, data={"language": "javascript", "views": {"v": view}})
            except Conflict:
                log.info("view %s was made by somebody else", design.name)
        self._build(design)

    def _build(self, design: Design) -> None:
        """Reads one row, which CouchDB answers when the view is built; a big one outlasts a request's
        timeout.
        """
        end = time.monotonic() + _BUILD_SECONDS
        while True:
            try:
                self.view(design, {"limit": 1} | ({"reduce": False} if design.reduce else {}))
                return
            except Unavailable:
                if time.monotonic() > end:
                    raise
                time.sleep(1)

    # -- one request

    @property
    def _db(self) -> Any:
        """`server.database()` would cost a HEAD; this does not. Made anew after a fork."""
        current = server()
        if self._database[0] is not current:
            self._database = (current, Database(current.resource(self._full_name), self._full_name))
        return self._database[1]

    def _read(self, method: str, path: Any, params: Any = None, data: Any = None, timeout: Any = None) -> Any:
        """A request that changes nothing, so that it may be sent twice (POST too, which the adapter does
        not retry).
        """
        try:
            return self._checked(method, path, params=params, data=data, timeout=timeout)[1]
        except Unavailable:
            if method != "POST":
                raise
        return self._checked(method, path, params=params, data=data, timeout=timeout)[1]

    def _checked(self, method: str, path: Any, **kwargs: Any) -> Any:
        try:
            return self._request(method, path, **kwargs)
        except requests.RequestException as error:
            raise Unavailable(f"{self.name}: {_without_password(error)}") from error

    def _request(
        self, method: str, path: Any, *, params: Any = None, data: Any = None, raw: bytes | None = None,
        headers: dict[str, str] | None = None, timeout: Any = None,
    ) -> tuple[Any, Any]:  # fmt: skip
        body = raw if data is None else json.dumps(data, separators=(",", ":")).encode()
        options = {} if timeout is None else {"timeout": timeout}
        path = [path] if isinstance(path, str) else list(path)
        try:
            return cast(
                "tuple[Any, Any]",
                self._db.resource.request(method, path, params=params, data=body, headers=headers, **options),
            )
        except pycouchdb.exceptions.Conflict as error:
            raise Conflict(f"{'/'.join(path)}: {error}") from None
        except pycouchdb.exceptions.NotFound as error:
            raise self._not_found(path, error) from None
        except (pycouchdb.exceptions.GenericError, pycouchdb.exceptions.BadRequest) as error:
            raise CouchError(f"{method} {self._full_name}/{'/'.join(path)}: {error}") from None

    def _not_found(self, path: list[str], error: Exception) -> CouchError:
        if "atabase" in str(error):  # "Database does not exist.": not an answer about the document
            return Unavailable(f"database {self._full_name} is missing: run `manage.py prepare`")
        return NotFound("/".join(path))


def _refused(row: Mapping[str, Any]) -> bool:
    """Whether a row of `_bulk_docs` says that the id is taken; any other error is one."""
    if "error" not in row:
        return False
    if row["error"] == "conflict" or row.get("status") == 409 or row.get("name") == "conflict":
        return True
    raise CouchError(f"_bulk_docs: {row}")


def _query(params: Mapping[str, Any]) -> dict[str, str]:
    """CouchDB's query parameters are JSON."""
    return {name: json.dumps(value) for name, value in params.items()}


def _without_password(error: Exception) -> str:
    return re.sub(r"//[^@/]*@", "//", str(error))
