"""The operations of a database that the repository, the relay and the followers need.

`CouchStore` and `MemoryStore` both implement it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .collection import Design, Document

#: The characters that are safe in ids on every server and need no quoting in URLs.
SAFE_ID = re.compile(r"[A-Za-z0-9_.:-]{1,240}\Z")


def is_safe(id: str) -> bool:
    """Whether `id` may be a part of a document's id."""
    return isinstance(id, str) and SAFE_ID.match(id) is not None


@dataclass(frozen=True)
class Change:
    """A document that changed, in its latest revision; `doc` is None for a deleted one."""

    seq: Any
    id: str
    doc: Document | None
    deleted: bool = False


@dataclass(frozen=True)
class Changes:
    """A part of the feed; `last_seq` is where to go on."""

    results: list[Change]
    last_seq: Any


class Store(Protocol):
    """One database. Reads raise `NotFound`, writes `Conflict`, everything `Unavailable`."""

    name: str

    def get(self, id: str) -> Document: ...

    def get_many(self, ids: Sequence[str]) -> list[Document]:
        """In the order of `ids`, missing ones left out."""

    def put(self, document: Document) -> str:
        """Write compare-and-set on `_rev`; the new revision."""

    def put_new(self, documents: Sequence[Document]) -> list[str | None]:
        """Write new ones in one request, each by itself: its revision, None where the id is taken."""

    def delete(self, id: str, rev: str) -> None: ...

    def all_docs(self, params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return rows of the list of all documents, by id; params as CouchDB names them, as Python values."""

    def view(self, design: Design, params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Rows of a view; params as CouchDB names them, values as Python has them."""

    def total(self, design: Design) -> int:
        """How many rows a view has, without reading them."""

    def changes(self, since: Any, *, limit: int = 100, wait: float = 0.0) -> Changes:
        """Return the next changes after `since` (a `last_seq`, 0, or "now"), with their documents.

        Waits up to `wait` seconds for the first.
        """

    def get_local(self, id: str) -> Document | None:
        """Return a document that is not replicated and shows in no feed."""

    def put_local(self, id: str, body: Document) -> None: ...

    def add_local(self, id: str, body: Document) -> bool:
        """Write it if there is none; False when there is. CouchDB 3 itself lets two at once both write."""

    def attach(self, id: str, rev: str, name: str, data: bytes, content_type: str) -> str: ...

    def attachment(self, id: str, name: str) -> bytes: ...

    def detach(self, id: str, rev: str, name: str) -> str: ...

    def ensure(self, designs: Iterable[Design]) -> None:
        """Create the database and the views that it lacks, and build them. May be repeated."""
