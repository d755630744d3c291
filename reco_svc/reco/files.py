"""A trained model as one file that is named by its content, and read where it lies.

The file is mapped into memory, so that all workers of a machine share its pages and a swap costs nothing; a
list is parsed when it is asked for (about 20 µs). Readers that still hold the model before go on reading it.

    magic | length of head (8 bytes) | head: JSON {"trending": …, "tables": {name: [place, entries]}}
    per table: (entries + 1) places of 8 bytes, then records sorted by key: length (2 bytes), key, JSON
"""

from __future__ import annotations

import hashlib
import json
import logging
import mmap
import os
import struct
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from sys import intern
from typing import Any

from reco.domain import KEPT_MODELS, Lists

log = logging.getLogger(__name__)

MAGIC = b"HMLISTS1"
NEAR = ("similar", "together", "personal")  # values are pairs of product and score
PLAIN = ("histories", "tastes", "owned")
STRIDE = 64  # of the sorted keys every so many is held in memory, where a search begins
HOT = 1000  # lists of a table that stay parsed, some 5 KB each, names of products shared
ABANDONED = 3600.0  # seconds after which nobody is writing a copy any more
_HEAD = struct.Struct("<8sQ")
_KEY = struct.Struct("<H")


class Table(Mapping[str, list[Any]]):
    """One mapping of a file, found by bisection. What it answers must not be changed."""

    def __init__(self, data: Any, place: int, entries: int, *, pairs: bool) -> None:
        self._data, self._place, self._entries, self._pairs = data, place, entries, pairs
        self._guide = [self._key(number) for number in range(0, entries, STRIDE)]
        self._hot: dict[str, list[Any]] = {}

    def __len__(self) -> int:
        return self._entries

    def __iter__(self) -> Iterator[str]:
        return (self._key(number).decode() for number in range(self._entries))

    def __getitem__(self, key: str) -> list[Any]:
        hot = self._hot.get(key)
        if hot is not None:
            return hot
        value = self._read(key)
        if self._pairs:  # lists of products are asked for by many, what is known of a person by one
            if len(self._hot) >= HOT:
                self._hot.clear()
            self._hot[key] = value
        return value

    def _read(self, key: str) -> list[Any]:
        wanted = key.encode()
        after = bisect_right(self._guide, wanted)
        low, high = STRIDE * max(0, after - 1), min(STRIDE * after, self._entries)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self._key(middle) < wanted else (low, middle)
        if low == self._entries or self._key(low) != wanted:
            raise KeyError(key)
        start, end = self._span(low)
        value: list[Any] = json.loads(self._data[start + _KEY.size + len(wanted) : end])
        return [(intern(product), score) for product, score in value] if self._pairs else value

    def _span(self, number: int) -> tuple[int, int]:
        start, end = struct.unpack_from("<QQ", self._data, self._place + 8 * number)
        return start, end

    def _key(self, number: int) -> bytes:
        start, _ = self._span(number)
        (length,) = _KEY.unpack_from(self._data, start)
        return bytes(self._data[start + _KEY.size : start + _KEY.size + length])


def pack(lists: Lists) -> bytes:
    """The file of these lists; the same lists give the same bytes."""
    names = (*NEAR, *PLAIN)
    parts = {name: _records(getattr(lists, name)) for name in names}
    head = _head(lists, {name: [0, len(parts[name])] for name in names})
    # Places are written with a fixed width, so that the head's length is known before they are.
    place = _HEAD.size + len(head)
    tables, chunks = {}, []
    for name in names:
        starts, records = array("Q"), parts[name]
        tables[name] = [place, len(records)]
        at = place + 8 * (len(records) + 1)
        for record in records:
            starts.append(at)
            at += len(record)
        starts.append(at)
        chunks += [starts.tobytes(), *records]
        place = at
    return b"".join([_HEAD.pack(MAGIC, len(head)), _head(lists, tables), *chunks])


def unpack(data: Any) -> Lists:
    """Lists that read from these bytes or this map; ValueError for what is no such file."""
    try:
        magic, length = _HEAD.unpack_from(data)
        head = json.loads(data[_HEAD.size : _HEAD.size + length])
        places = {name: (int(place), int(entries)) for name, (place, entries) in head["tables"].items()}
        tables = {name: Table(data, *places[name], pairs=name in NEAR) for name in (*NEAR, *PLAIN)}
        trending = [(product, score) for product, score in head["trending"]]
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the model's file is damaged: {error}") from error
    if magic != MAGIC:
        raise ValueError("the model's file is damaged: it begins like another kind of file")
    return Lists(trending=trending, **tables)


def name_of(data: bytes) -> str:
    """What a file is called: by its content."""
    return hashlib.sha256(data).hexdigest() + ".lists"


def checked(data: bytes, name: str) -> bytes:
    """The same bytes; ValueError when they are not those of this name."""
    if name_of(data) != name:
        raise ValueError(f"the model's file is damaged: {len(data)} bytes that are not {name[:12]}…")
    return data


class Files:
    """Files of models on this machine's disk, shared by the workers; what is damaged is fetched again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, name: str, fetch: Callable[[], bytes]) -> Lists:
        """Raises ValueError when what was fetched is not the file of this name."""
        path = self._folder / name
        if not self._sound(path):
            self._write(path, checked(fetch(), name))
        with path.open("rb") as file:
            lists = unpack(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        path.touch()
        self._tidy()
        return lists

    @staticmethod
    def _sound(path: Path) -> bool:
        if not path.exists():
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() + ".lists" == path.name

    def _write(self, path: Path, data: bytes) -> None:
        """Under another name first: a worker beside this one never sees half a file."""
        self._folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".part-{os.getpid()}")
        part.write_bytes(data)
        part.replace(path)

    def _tidy(self) -> None:
        """Only what may be put back stays; who still reads a removed file goes on reading it. So do copies
        that another worker is writing, but not those of one that was killed at it."""
        files = sorted(self._folder.glob("*.lists"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in files[KEPT_MODELS:]:
            path.unlink(missing_ok=True)
        for path in self._folder.glob("*.part-*"):
            if path.stat().st_mtime < time.time() - ABANDONED:
                path.unlink(missing_ok=True)


def _records(table: Mapping[str, Any]) -> list[bytes]:
    found = []
    for key in sorted(table, key=str.encode):
        raw = key.encode()
        value = json.dumps(table[key], separators=(",", ":")).encode()
        found.append(_KEY.pack(len(raw)) + raw + value)
    return found


def _head(lists: Lists, tables: Mapping[str, list[int]]) -> bytes:
    wide = {name: [f"{place:020d}", entries] for name, (place, entries) in tables.items()}
    return json.dumps({"trending": lists.trending, "tables": wide}, separators=(",", ":")).encode()
