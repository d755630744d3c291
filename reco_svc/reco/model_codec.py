"""The binary codec of a model file, which is read in place: nothing is parsed before it is needed.

    magic | length of head (8 bytes) | head: JSON {"size", "trending", "sections": {name: [place, bytes]}}
    sections, each at a multiple of 8, numbers as little-endian machines have them:
        products, …keys of people    texts, sorted: their count, the end of each (8 bytes each), UTF-8
        …keys of products            4 bytes each, sorted
        …ends                        the ends of a table's rows, 8 bytes each
        …products, …scores, …values  all rows, one after the other: 4 bytes a product, 8 a score

A product's name is written once; elsewhere it is its number in the sorted list of all. A list of 50 is 600
bytes.
"""

from __future__ import annotations

import json
import struct
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, Literal

from reco.domain import Lists, Scored

MAGIC = b"HMLISTS2"
NEIGHBOUR_TABLES = ("similar", "together", "personal")  # by product: pairs of product and score
PERSON_TABLES = ("histories", "owned")  # by person: products
TASTE_TABLE = "tastes"  # by person: numbers
ALIGNED = 8
_HEAD, _COUNT = struct.Struct("<8sQ"), struct.Struct("<Q")
_NUMBER: Final = "I"
_PLACE: Final = "Q"
_SCORE: Final = "d"
Numbers = Any  # a memoryview of whole numbers or of floating point ones
Section = Callable[..., Numbers]


class StringTable(Sequence[str]):
    """The sorted texts of a file, decoded when they are read."""

    def __init__(self, section: memoryview) -> None:
        (self._count,) = _COUNT.unpack_from(section)
        utf8 = _COUNT.size * (2 + self._count)
        self._ends, self._utf8 = section[_COUNT.size : utf8].cast(_PLACE), section[utf8:]

    def __len__(self) -> int:
        return int(self._count)

    def __getitem__(self, number: Any) -> Any:
        return str(self.raw(number), "utf-8")

    def raw(self, number: int) -> bytes:
        return bytes(self._utf8[self._ends[number] : self._ends[number + 1]])

    def place(self, text: str) -> int:
        """Return the number of a text, or -1."""
        wanted = text.encode("utf-8", "surrogatepass")
        place = bisect_left(range(self._count), wanted, key=self.raw)
        return place if place < self._count and self.raw(place) == wanted else -1


class Rows(Mapping[str, list[Any]]):
    """One table of a file.

    `find` returns the row of a key, or -1; `value` decodes the row between two ends.
    """

    def __init__(
        self,
        keys: Callable[[], Iterable[str]],
        find: Callable[[str], int],
        ends: Numbers,
        value: Callable[[int, int], list[Any]],
    ) -> None:
        self._keys, self._find, self._ends, self._value = keys, find, ends, value

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys())

    def __getitem__(self, key: str) -> list[Any]:
        row = self._find(key)
        if row < 0:
            raise KeyError(key)
        return self._value(self._ends[row], self._ends[row + 1])


def pack(lists: Lists) -> bytes:
    """Encode a model; the same lists give the same bytes."""
    names = _products(lists)
    number = {name: place for place, name in enumerate(names)}
    sections: dict[str, bytes | array[Any]] = {"products": _texts(names)}
    for table in NEIGHBOUR_TABLES:
        near: Mapping[str, list[Scored]] = getattr(lists, table)
        rows = {key: near[key] for key in sorted(near)}
        sections[f"{table}.keys"] = array(_NUMBER, map(number.__getitem__, rows))
        sections[f"{table}.ends"] = _ends(rows.values())
        every = chain.from_iterable
        sections[f"{table}.products"] = array(_NUMBER, (number[one] for one, _ in every(rows.values())))
        sections[f"{table}.scores"] = array(_SCORE, (score for _, score in every(rows.values())))
    for table in (*PERSON_TABLES, TASTE_TABLE):
        people: Mapping[str, list[Any]] = getattr(lists, table)
        held = {key: people[key] for key in sorted(people)}
        sections[f"{table}.keys"] = _texts(list(held))
        sections[f"{table}.ends"] = _ends(held.values())
        values = chain.from_iterable(held.values())
        sections[f"{table}.values"] = (
            array(_SCORE, values) if table == TASTE_TABLE else array(_NUMBER, map(number.__getitem__, values))
        )
    return _file(lists.trending, sections)


def unpack(data: Any) -> Lists:
    """Open a model over bytes or a memory map; raises ValueError if they are damaged or incomplete.

    Only the names of products are held in memory.
    """
    try:
        return _lists(*_parts(data))
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"the model's file is damaged: {error}") from error


def _parts(data: Any) -> tuple[dict[str, Any], memoryview]:
    """Return the head and the sections."""
    magic, length = _HEAD.unpack_from(data)
    if magic != MAGIC:
        raise ValueError("it begins like another kind of file")
    head = json.loads(bytes(data[_HEAD.size : _HEAD.size + length]))
    body = memoryview(data)[_aligned(_HEAD.size + length) :]
    if len(body) != head["size"]:
        raise ValueError(f"it has {len(body)} bytes of {head['size']}")
    return head, body


def _lists(head: dict[str, Any], body: memoryview) -> Lists:
    def section(name: str, type_: Literal["B", "I", "Q", "d"] = "B") -> Numbers:
        place, size = head["sections"][name]
        return body[place : place + size].cast(type_)

    names = list(StringTable(section("products")))
    made: dict[str, Any] = {table: _neighbour_rows(section, table, names) for table in NEIGHBOUR_TABLES}
    made |= {table: _person_rows(section, table, names) for table in (*PERSON_TABLES, TASTE_TABLE)}
    return Lists(trending=[(product, score) for product, score in head["trending"]], **made)


def _neighbour_rows(section: Section, table: str, names: list[str]) -> Rows:
    keys, ends = section(f"{table}.keys", _NUMBER), section(f"{table}.ends", _PLACE)
    products, scores = section(f"{table}.products", _NUMBER), section(f"{table}.scores", _SCORE)
    name = names.__getitem__

    def find(key: str) -> int:
        number = _place(names, key)
        return _place(keys, number) if number >= 0 else -1

    def value(start: int, end: int) -> list[Any]:
        return list(zip(map(name, products[start:end].tolist()), scores[start:end].tolist(), strict=True))

    return Rows(lambda: map(name, keys), find, ends, value)


def _person_rows(section: Section, table: str, names: list[str]) -> Rows:
    keys, ends = StringTable(section(f"{table}.keys")), section(f"{table}.ends", _PLACE)
    values = section(f"{table}.values", _SCORE if table == TASTE_TABLE else _NUMBER)

    def value(start: int, end: int) -> list[Any]:
        found = values[start:end].tolist()
        return found if table == TASTE_TABLE else [names[product] for product in found]

    return Rows(lambda: keys, keys.place, ends, value)


def _place(sorted_: Any, wanted: Any) -> int:
    place = bisect_left(sorted_, wanted)
    return place if place < len(sorted_) and sorted_[place] == wanted else -1


def _products(lists: Lists) -> list[str]:
    found: set[str] = set()
    for table in NEIGHBOUR_TABLES:
        near: Mapping[str, list[Scored]] = getattr(lists, table)
        for key in near:
            found.add(key)
            found.update(product for product, _ in near[key])
    for table in PERSON_TABLES:
        people: Mapping[str, list[str]] = getattr(lists, table)
        for key in people:
            found.update(people[key])
    return sorted(found)


def _texts(texts: Sequence[str]) -> bytes:
    raw = [text.encode() for text in texts]
    return _COUNT.pack(len(raw)) + _ends(raw).tobytes() + b"".join(raw)


def _ends(rows: Iterable[Any]) -> array[int]:
    found = array(_PLACE, [0])
    for row in rows:
        found.append(found[-1] + len(row))
    return found


def _file(trending: Sequence[Scored], sections: Mapping[str, bytes | array[Any]]) -> bytes:
    places: dict[str, list[int]] = {}
    chunks: list[bytes] = []
    size = 0
    for name, section in sections.items():
        chunk = section if isinstance(section, bytes) else section.tobytes()
        places[name] = [size, len(chunk)]
        chunks += [chunk, bytes(-len(chunk) % ALIGNED)]
        size += _aligned(len(chunk))
    about = {"size": size, "trending": trending, "sections": places}
    head = json.dumps(about, separators=(",", ":")).encode()
    start = _HEAD.pack(MAGIC, len(head)) + head
    return b"".join([start, bytes(-len(start) % ALIGNED), *chunks])


def _aligned(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED
