"""A service's databases, and whatever else it keeps, as files in a folder, and back again.

    manifest.json          what there is: sums, counts, where each feed stood. Written last: without it a
                           backup is none
    <database>.jsonl.gz    every leaf of every document on a line of its own, attachments in base64, what was
                           deleted as tombstones; one pass over `_changes`, which is answered from a snapshot
    <extra>.tar            files of `container.BACKUP_EXTRA`, such as pictures of a blob store

`_local` documents (how far followers came) stay out: they belong to a database that is no more.
"""

from .extras import Blob, Extra
from .manifest import BadBackup, Manifest
from .restorer import NotEmpty, restore
from .writer import save

__all__ = ["BadBackup", "Blob", "Extra", "Manifest", "NotEmpty", "restore", "save"]
