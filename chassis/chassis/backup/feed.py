"""One pass over a database: every leaf of every document, in constant memory."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import requests
import urllib3

from chassis.couch import Unavailable
from chassis.couch.connection import Requests, without_password

_TIMEOUT = (3.05, 120)
_BUFFER = 1 << 20
_QUERY = {"include_docs": "true", "attachments": "true", "style": "all_docs"}


class Feed:
    """The leaves of a database as one normal `_changes` request finds them; `last_seq` once it is read."""

    def __init__(self, database: str) -> None:
        self._http = Requests(database)
        self.last_seq: Any = None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield documents with their attachments, the winning leaf first.

        Raises Unavailable, also when the answer ends too early.
        """
        try:
            with self._get("_changes", _QUERY, stream=True) as answer:
                yield from self._documents(answer)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise Unavailable(f"{self._http.full_name}: {without_password(error)}") from error
        if self.last_seq is None:
            raise Unavailable(f"{self._http.full_name}: the feed ended before its end")

    def _documents(self, answer: requests.Response) -> Iterator[dict[str, Any]]:
        answer.raw.auto_close = False  # else the last line cannot be read
        for line in io.BufferedReader(answer.raw, _BUFFER):
            text = line.strip().rstrip(b",")
            if text.startswith(b'"last_seq"'):
                self.last_seq = json.loads(b"{" + text.rstrip(b"}") + b"}")["last_seq"]
            elif text.startswith(b'{"seq"'):
                change = json.loads(text)
                yield change["doc"]
                for leaf in change["changes"]:
                    if leaf["rev"] != change["doc"]["_rev"]:
                        yield self._leaf(change["id"], leaf["rev"])

    def _leaf(self, id: str, rev: str) -> dict[str, Any]:
        path = "/".join(quote(part, safe="") for part in id.split("/", 1))
        with self._get(path, {"rev": rev, "attachments": "true"}) as answer:
            found: dict[str, Any] = answer.json()
            return found

    def _get(self, path: str, query: dict[str, str], *, stream: bool = False) -> requests.Response:
        resource = self._http.database.resource
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        answer: requests.Response = resource.session.get(
            f"{resource.base_url}/{path}", params=query, headers=headers, timeout=_TIMEOUT, stream=stream
        )
        if answer.status_code != 200:
            raise Unavailable(f"{self._http.full_name}/{path}: {answer.status_code} {answer.text[:200]}")
        return answer
