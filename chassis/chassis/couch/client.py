"""A database of a CouchDB server, as a `Store`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import requests
from django.conf import settings

from .collection import Design, Document
from .connection import CONNECT_TIMEOUT, Requests
from .database_id import instance_id
from .design_documents import build, create
from .exceptions import Conflict, NotFound, Unavailable
from .store import Change, Changes
from .writer import ATTEMPTS, Writer

SLOWEST = 1 << 20  # bytes of an attachment a second that a server is waited for to take


class CouchStore:
    """One database of a CouchDB server."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.http = Requests(name)
        self.writer = Writer(self.http)

    # -- reading

    def get(self, id: str) -> Document:
        return cast("Document", self.http.read("GET", id))

    def get_many(self, ids: Sequence[str]) -> list[Document]:
        if not ids:
            return []
        rows = self.http.read("POST", "_all_docs", {"include_docs": "true"}, {"keys": list(ids)})["rows"]
        for row in rows:
            _refuse_unread(self.name, row)
        return [row["doc"] for row in rows if row.get("doc")]

    def all_docs(self, params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return cast("list[Mapping[str, Any]]", self.http.read("GET", "_all_docs", _query(params))["rows"])

    def view(self, design: Design, params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        path = ("_design", design.name, "_view", "v")
        if "keys" in params:
            rest = {k: v for k, v in params.items() if k != "keys"}
            answer = self.http.read("POST", path, _query(rest), {"keys": params["keys"]})
        else:
            answer = self.http.read("GET", path, _query(params))
        return cast("list[Mapping[str, Any]]", answer["rows"])

    def total(self, design: Design) -> int:
        params = {"limit": 0} | ({"reduce": False} if design.reduce else {})
        path = ("_design", design.name, "_view", "v")
        return int(self.http.read("GET", path, _query(params))["total_rows"])

    def changes(self, since: Any, *, limit: int = 100, wait: float = 0.0) -> Changes:
        params = {"since": since, "limit": limit, "include_docs": "true"}
        if wait:
            params |= {"feed": "longpoll", "timeout": int(wait * 1000)}
        answer = self.http.read(
            "GET", "_changes", params, timeout=(CONNECT_TIMEOUT, wait + settings.COUCHDB_TIMEOUT)
        )
        results = [
            Change(c["seq"], c["id"], None if c.get("deleted") else c.get("doc"), bool(c.get("deleted")))
            for c in answer["results"]
        ]
        return Changes(results, answer["last_seq"])

    # -- writing

    def put(self, document: Document) -> str:
        return self.writer.put(document)

    def put_new(self, documents: Sequence[Document]) -> list[str | None]:
        return self.writer.put_new(documents)

    def delete(self, id: str, rev: str) -> None:
        self.writer.delete(id, rev)

    # -- documents outside of feeds and replication

    def get_local(self, id: str) -> Document | None:
        try:
            return cast("Document", self.http.read("GET", ("_local", id)))
        except NotFound as error:
            if "atabase" in str(error):
                raise
            return None

    def put_local(self, id: str, body: Document) -> None:
        for _attempt in range(ATTEMPTS):
            current = self.get_local(id)
            rev = {"_rev": current["_rev"]} if current else {}
            try:
                self.http.checked("PUT", ("_local", id), data=body | rev)
                return
            except Conflict:
                continue  # another process wrote it in between; the last one counts
        raise Conflict(f"_local/{id}")

    def add_local(self, id: str, body: Document) -> bool:
        if self.get_local(id) is not None:
            return False
        try:
            self.http.checked("PUT", ("_local", id), data=body)
        except Conflict:
            return False
        return True

    # -- attachments

    def attach(self, id: str, rev: str, name: str, data: bytes, content_type: str) -> str:
        headers = {"Content-Type": content_type}
        timeout = (CONNECT_TIMEOUT, settings.COUCHDB_TIMEOUT + len(data) / SLOWEST)
        _, answer = self.http.checked(
            "PUT", (id, name), params={"rev": rev}, raw=data, headers=headers, timeout=timeout
        )
        return cast("str", answer["rev"])

    def attachment(self, id: str, name: str) -> bytes:
        resource = self.http.database.resource(id, name)
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
        _, answer = self.http.checked("DELETE", (id, name), params={"rev": rev})
        return cast("str", answer["rev"])

    def ensure(self, designs: Iterable[Design]) -> None:
        if create(self.http.full_name):
            instance_id(self)
        build(self.http, designs, self.view)


def _refuse_unread(name: str, row: Mapping[str, Any]) -> None:
    """Raise `Unavailable` for a row that tells of an error: a document that could not be read is not missing.

    A server that is going down answers 200 with such rows. Source: docs.couchdb.org, api/database/bulk-api.
    """
    document = row.get("doc") or {}
    error = row.get("error") or ("error" if "_id" not in document and document else None)
    if error not in (None, "not_found"):
        raise Unavailable(f"{name}: {row.get('key')} could not be read: {error}")


def _query(params: Mapping[str, Any]) -> dict[str, str]:
    """CouchDB's query parameters are JSON."""
    return {name: json.dumps(value) for name, value in params.items()}
