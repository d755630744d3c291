"""From files to databases. Nothing is touched before the whole backup has been checked."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings

from chassis.couch import CouchError, ensure
from chassis.couch.administration import Server

from . import extras
from .extras import Extra, Say
from .manifest import BadBackup, Manifest, Part

_PREPARED = ("_design/", "registry:")  # ids of what `prepare` makes in an empty database
_BATCH_DOCUMENTS = 500
_BATCH_BYTES = 4 << 20
_TIMEOUT = (3.05, 300)
_SAY_EVERY = 5.0  # seconds


class NotEmpty(Exception):
    """Databases that hold documents already; the text names them."""


def restore(
    folder: Path, *, service: str, more: Mapping[str, Extra], force: bool, say: Say, check: bool = False
) -> Manifest:
    """Put a backup into databases that are there and empty; with `force` whatever is in them goes first.

    `check` only looks whether that could be done. Raises BadBackup and NotEmpty before anything is written,
    and CouchError.
    """
    manifest = Manifest.read(folder)
    if manifest.service != service:
        raise BadBackup(f"it is of {manifest.service}, and this is {service}")
    unknown = sorted({*manifest.extras} - {*more})
    if unknown:
        raise BadBackup(f"this version of {service} knows nothing of {', '.join(unknown)}")
    manifest.check(folder)
    say("the backup is whole")
    server = Server(settings.COUCHDB_ADMIN_URL or settings.COUCHDB_URL)
    full = {name: _Database(server, name) for name in manifest.databases}
    used = {name: count for name, database in full.items() if (count := database.documents())}
    if used and not force:
        listed = ", ".join(f"{name} ({count:,})" for name, count in used.items())
        raise NotEmpty(f"these databases hold documents: {listed}")
    if check:
        return manifest
    for name, part in manifest.databases.items():
        full[name].make_anew()
        full[name].fill(folder, part, say)
    for name, part in manifest.extras.items():
        _extra(name, more[name], folder, part, say)
    return manifest


def _extra(name: str, extra: Extra, folder: Path, part: Part, say: Say) -> None:
    count = extras.load(extra, folder / part.file)
    if count != part.counts["files"]:
        raise BadBackup(f"{part.file} holds {count} files instead of {part.counts['files']}")
    say(f"{name}: {count:,} files are back")


class _Database:
    """A database that is to be filled."""

    def __init__(self, server: Server, name: str) -> None:
        self._server, self.name = server, name
        self._path = quote(f"{settings.COUCHDB_PREFIX}{name}", safe="")

    def documents(self) -> int:
        """All but those that `prepare` makes; 0 when there is no such database."""
        status, info = self._server.request("GET", self._path)
        if status == 404:
            return 0
        return int(info["doc_count"]) - sum(map(self._beginning_with, _PREPARED))

    def _beginning_with(self, prefix: str) -> int:
        query = urlencode({"startkey": json.dumps(prefix), "endkey": json.dumps(prefix + "\ufff0")})
        return len(self._server.request_ok("GET", f"{self._path}/_all_docs?{query}")["rows"])

    def make_anew(self) -> None:
        """Make the database empty, without tombstones and with another instance id.

        Tombstones might win over what is restored, and nobody must go on from a place in the old database.
        """
        self._server.request_ok("DELETE", self._path, accept=(404,))

    def fill(self, folder: Path, part: Part, say: Say) -> None:
        ensure((), [self.name])
        written, next_word = 0, time.monotonic() + _SAY_EVERY
        for batch in _batches(folder / part.file):
            self._write(batch)
            written += len(batch)
            if time.monotonic() > next_word:
                say(f"{self.name}: {written:,} documents so far")
                next_word = time.monotonic() + _SAY_EVERY
        self._compare(part)
        say(f"{self.name}: {part.counts['documents']:,} documents are back")

    def _write(self, batch: Sequence[dict[str, Any]]) -> None:
        body = {"docs": batch, "new_edits": False}
        status, answer = self._server.request("POST", f"{self._path}/_bulk_docs", body, timeout=_TIMEOUT)
        refused = answer if status >= 400 else [row for row in answer if "error" in row]
        if refused:
            raise CouchError(f"{self.name} does not take back its documents: {str(refused)[:300]}")

    def _compare(self, part: Part) -> None:
        """Raise BadBackup unless every document is there; views of the running version come on top."""
        info = self._server.request_ok("GET", self._path)
        found = (int(info["doc_count"]), int(info["doc_del_count"]))
        wanted = (part.counts["documents"], part.counts["deleted"])
        if found[0] < wanted[0] or found[1] != wanted[1]:
            raise CouchError(f"{self.name} has {found} documents and tombstones instead of {wanted}")


def _batches(path: Path) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    held = 0
    with gzip.open(path, "rb") as file:
        for line in file:
            batch.append(json.loads(line))
            held += len(line)
            if len(batch) >= _BATCH_DOCUMENTS or held >= _BATCH_BYTES:
                yield batch
                batch, held = [], 0
    if batch:
        yield batch
