"""From databases to files."""

from __future__ import annotations

import gzip
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from chassis import clock

from . import extras
from .extras import Extra, Say
from .feed import Feed
from .manifest import FILE, BadBackup, Manifest, Part

_LEVEL = 3  # of 9: twice as quick as the default, 5 % larger
_SAY_EVERY = 5.0  # seconds


def save(
    folder: Path, *, service: str, databases: Iterable[str], more: Mapping[str, Extra], say: Say
) -> Manifest:
    """Write a backup into an empty folder. Raises `BadBackup` for another one, and `Unavailable`."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / FILE).exists():
        raise BadBackup(f"{folder} holds a backup already")
    began = clock.now().isoformat(timespec="seconds").replace("+00:00", "Z")
    saved = {name: _database(name, folder / f"{name}.jsonl.gz", say) for name in databases}
    others = {name: _extra(name, extra, folder / f"{name}.tar", say) for name, extra in more.items()}
    made = Manifest(service, began, saved, others)
    made.write(folder)
    return made


def _database(name: str, path: Path, say: Say) -> Part:
    counts: Counter[str] = Counter(documents=0, deleted=0, conflicts=0, attachments=0)
    feed, last, next_word = Feed(name), "", time.monotonic() + _SAY_EVERY
    with path.open("wb") as raw, gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as file:
        for document in feed:
            _count(counts, document, document["_id"] == last)
            last = document["_id"]
            file.write(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            if time.monotonic() > next_word:
                say(f"{name}: {counts['documents']:,} documents so far")
                next_word = time.monotonic() + _SAY_EVERY
    part = Part.of(path, counts, feed.last_seq)
    found = f"{counts['documents']:,} documents, {counts['attachments']:,} attachments"
    say(f"{name}: {found}, {size(part.bytes)}")
    return part


def _count(counts: Counter[str], document: Mapping[str, Any], again: bool) -> None:
    if again:
        counts["conflicts"] += 1
    else:
        counts["deleted" if document.get("_deleted") else "documents"] += 1
    counts["attachments"] += len(document.get("_attachments", ()))


def _extra(name: str, extra: Extra, path: Path, say: Say) -> Part:
    part = Part.of(path, {"files": extras.save(extra, path)})
    say(f"{name}: {part.counts['files']:,} files, {size(part.bytes)}")
    return part


def size(number: float) -> str:
    """Bytes for people: 1.3 MB."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"
