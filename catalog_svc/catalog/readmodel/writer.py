"""Writer of an index, of which there is one at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from catalog.readmodel.schema import open_index

_HEAP = 16_000_000
#: Errors of Tantivy for a folder that cannot be read or written, or is locked by another writer.
_TANTIVY_ERRORS = (OSError, ValueError)


class IndexBroken(Exception):
    """The index cannot be read or written any more."""


class IndexLocked(IndexBroken):
    """Another writer, of this process or another one, has the index open."""


class IndexWriter:
    """Transactional writer that holds the folder's lock until it is closed."""

    def __init__(self, path: Path) -> None:
        """Open the index for writing.

        Raises `IndexBroken` for files that cannot be read, `IndexLocked` while another writer is open.
        """
        self.path = path
        self._index = _translate_errors(lambda: open_index(str(path)))
        self._writer = _translate_errors(lambda: self._index.writer(heap_size=_HEAP, num_threads=1))

    def replace(self, ids: Sequence[str], documents: Sequence[Any]) -> None:
        """Delete the entries of `ids` and add `documents`, in one commit."""
        with self._transaction():
            for id in ids:
                self._writer.delete_documents_by_term("id", id)
            for document in documents:
                self._writer.add_document(document)

    def replace_all(self, documents: Sequence[Any]) -> None:
        """Replace the whole content by `documents`, in one commit."""
        with self._transaction():
            self._writer.delete_all_documents()
            for document in documents:
                self._writer.add_document(document)

    def searcher(self) -> Any:
        """Return a searcher of the last commit."""
        _translate_errors(self._index.reload)
        return self._index.searcher()

    def close(self) -> None:
        """Release the folder's lock and drop uncommitted changes."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with contextlib.suppress(*_TANTIVY_ERRORS):  # the folder may be gone, and the lock goes anyway
                writer.wait_merging_threads()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit or roll back, so that no later commit makes half a change final."""
        if self._writer is None:
            raise IndexBroken(f"{self.path.name} was closed")
        try:
            yield
            self._writer.commit()
        except BaseException as error:
            with contextlib.suppress(*_TANTIVY_ERRORS):
                self._writer.rollback()
            if isinstance(error, _TANTIVY_ERRORS):
                raise IndexBroken(f"{self.path.name}: {error}") from error
            raise


def _translate_errors(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except _TANTIVY_ERRORS as error:
        kind = IndexLocked if "LockBusy" in str(error) else IndexBroken
        raise kind(str(error)) from error
