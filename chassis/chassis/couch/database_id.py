"""The id of a database, by which followers notice that it was made anew. It is not replicated.

It is written by whoever made the database, before anybody follows it (`Store.ensure`). Making a database
succeeds for one caller only, which is what decides: CouchDB 3 takes a second new `_local` document of the
same name without a conflict. Source: couch_db_updater.erl of apache/couchdb, `increment_local_doc_revs`.
"""

from __future__ import annotations

import threading
import uuid

from .store import Store

_NAME = "hivemart-instance"
_making = threading.Lock()


def instance_id(store: Store) -> str:
    """Return the id of this very database; made when it has none, as a replica that was promoted.

    All threads of a process get the same one; so do several processes, where the server refuses a second new
    document.
    """
    found = store.get_local(_NAME)
    if found is None:
        with _making:  # read once more: another thread may have made it
            found = store.get_local(_NAME) or _make(store)
    return str(found["instance"])


def _make(store: Store) -> dict[str, str]:
    """Add or read; what is there counts, whoever wrote it."""
    store.add_local(_NAME, {"instance": uuid.uuid4().hex})
    return dict(store.get_local(_NAME) or {})
