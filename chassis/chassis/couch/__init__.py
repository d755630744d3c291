"""Documents in CouchDB.

Collections declared as data, repositories (also in memory, for tests), and the feed of changes.
"""

from .changes import FileCursor, Follower, LocalCursor, end_of_feed
from .collection import Collection, Index, Page, Row, View
from .exceptions import BadCursor, Busy, Conflict, CouchError, NotFound, Unavailable
from .factories import MemoryRepository, couch_repository
from .repository import Repository, iter_all
from .schema import ensure, open_store
from .store import Change

__all__ = [
    "BadCursor",
    "Busy",
    "Change",
    "Collection",
    "Conflict",
    "CouchError",
    "FileCursor",
    "Follower",
    "Index",
    "LocalCursor",
    "MemoryRepository",
    "NotFound",
    "Page",
    "Repository",
    "Row",
    "Unavailable",
    "View",
    "couch_repository",
    "end_of_feed",
    "ensure",
    "iter_all",
    "open_store",
]
