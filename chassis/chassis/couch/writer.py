"""Writes that are never retried blindly: after a lost answer the document is read again and compared.

Each write carries a token of its own in the field `write`, by which it is told from anybody else's; it begins
with the moment, by which a standby tells how far behind it is (standby.py). Source:
https://docs.couchdb.org/en/stable/api/document/common.html.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

import requests

from .collection import Document
from .connection import AmbiguousWrite, Requests
from .exceptions import Conflict, CouchError, NotFound, Unavailable

log = logging.getLogger(__name__)

ATTEMPTS = 3


class Writer:
    """Compare-and-set writes to one database."""

    def __init__(self, http: Requests) -> None:
        self._http = http

    def put(self, document: Document) -> str:
        """Write a document; after a lost answer read it again, and know the write by its own token.

        A lost answer is never retried blindly.
        """
        body = document | {"write": _token()}
        lost = False
        for _attempt in range(ATTEMPTS):
            try:
                return self.put_once(body)
            except requests.RequestException as error:
                log.warning("no answer to the write of %s: %s", body["_id"], error)
                lost = True
            except Conflict:
                if not lost:
                    raise
                rev = self.landed(body)
                if rev is None:
                    raise
                return rev
            rev = self.landed(body)
            if rev is not None:
                return rev
        raise Unavailable(f"{self._http.name} does not take the write of {body['_id']}")

    def put_new(self, documents: Sequence[Document]) -> list[str | None]:
        """Write new documents; after a lost answer send the same again.

        What was written the first time is refused then, and known by its token.
        """
        token, lost = _token(), False
        bodies = [document | {"write": token} for document in documents]
        for _attempt in range(ATTEMPTS):
            try:
                rows = self._bulk(bodies)
            except requests.RequestException as error:
                log.warning("no answer to the write of %d documents: %s", len(bodies), error)
                lost = True
                continue
            made = {row["id"]: row["rev"] for row in rows if not _refused(row)}  # rows come in any order
            revs = [made.get(body["_id"]) for body in bodies]
            return self._mine_too(bodies, revs) if lost else revs
        raise Unavailable(f"{self._http.name} does not take {len(bodies)} documents")

    def _bulk(self, bodies: Sequence[Document]) -> list[dict[str, Any]]:
        """Return one row per document, in any order.

        pycouchdb's own request raises at the first conflict, although others were written.
        """
        resource = self._http.database.resource("_bulk_docs")
        data = json.dumps({"docs": list(bodies)}, separators=(",", ":")).encode()
        response = resource.session.post(resource.base_url, data=data, timeout=resource.timeout)
        if response.status_code == 404:
            raise self._http.not_found("POST", ["_bulk_docs"], Exception("database"))
        if response.status_code not in (201, 202):
            raise CouchError(
                f"POST {self._http.full_name}/_bulk_docs: {response.status_code} {response.text[:200]}"
            )
        return cast("list[dict[str, Any]]", response.json())

    def _mine_too(self, bodies: Sequence[Document], revs: Sequence[str | None]) -> list[str | None]:
        refused = [body for body, rev in zip(bodies, revs, strict=True) if rev is None]
        rows = self._http.read(
            "POST", "_all_docs", {"include_docs": "true"}, {"keys": [b["_id"] for b in refused]}
        )
        stored = {row["id"]: row["doc"] for row in rows["rows"] if row.get("doc")}
        mine = {
            b["_id"]: stored[b["_id"]]["_rev"]
            for b in refused
            if stored.get(b["_id"], {}).get("write") == b["write"]
        }
        return [rev or mine.get(body["_id"]) for body, rev in zip(bodies, revs, strict=True)]

    def put_once(self, body: Document) -> str:
        response, answer = self._http.request("PUT", body["_id"], data=body)
        rev = (answer or {}).get("rev")
        if not rev:
            raise AmbiguousWrite(f"{response.status_code} without a revision")
        if response.status_code == 201:
            return cast("str", rev)
        return self._after_202(body, rev)

    def _after_202(self, body: Document, rev: str) -> str:
        """202: a quorum was not reached and another branch may have won."""
        current = self._http.read("GET", body["_id"], {"conflicts": "true"})
        if current.get("_conflicts"):
            log.critical(
                "document %s of %s has conflicts", body["_id"], self._http.name, extra={"alarm": "conflicts"}
            )
        if current.get("write") == body["write"]:
            return cast("str", current["_rev"])
        raise Conflict(f"{body['_id']}: another write won over {rev}")

    def landed(self, body: Document) -> str | None:
        """Return the revision that a write without an answer made, or None when it did not happen."""
        try:
            current = self._http.read("GET", body["_id"], {"revs": "true"})
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
            mine = self._http.read("GET", body["_id"], {"rev": rev}).get("write") == body["write"]
        except NotFound as error:
            raise Unavailable(f"whether {body['_id']} was written cannot be learnt: {rev} is gone") from error
        return rev if mine else None

    def delete(self, id: str, rev: str) -> None:
        for _attempt in range(ATTEMPTS):
            try:
                self._http.request("DELETE", id, params={"rev": rev})
                return
            except requests.RequestException as error:
                log.warning("no answer to the deletion of %s: %s", id, error)
            try:
                if self._http.read("GET", id)["_rev"] != rev:
                    raise Conflict(id)
            except NotFound:
                return
        raise Unavailable(f"{self._http.name} does not delete {id}")


def _token() -> str:
    return f"{time.time_ns() // 1_000_000:x}-{secrets.token_hex(6)}"


def written_at(document: Mapping[str, Any]) -> float | None:
    """When a document was last written, in seconds since 1970; None for one that our writer did not write."""
    moment, dash, _ = str(document.get("write", "")).partition("-")
    try:
        return int(moment, 16) / 1000 if dash else None
    except ValueError:
        return None


def _refused(row: Mapping[str, Any]) -> bool:
    """Whether a row of `_bulk_docs` says that the id is taken; any other error is one."""
    if "error" not in row:
        return False
    if row["error"] == "conflict" or row.get("status") == 409 or row.get("name") == "conflict":
        return True
    raise CouchError(f"_bulk_docs: {row}")
