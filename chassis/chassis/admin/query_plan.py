"""How a query is answered: which index is walked, in which direction, and what is left to test in Python."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any

from chassis.couch import Index

from .predicates import Predicate, bounds, equalities, predicate, wanted_ids

if TYPE_CHECKING:
    from .models_factory import DocumentModel, Source

#: Documents read per request while walking an index, and the most that a sort without an index looks at.
BATCH = 200
MOST_SORTED = 5000
#: Every repository can be walked by id.
BY_ID = Index("id", ())


@dataclasses.dataclass
class Plan:
    """One way through the collection.

    `ids` when the query names them, else `index` with `where` on its first fields.
    """

    model: type[DocumentModel]
    test: Predicate
    residual: bool
    ids: list[str] | None
    index: str
    where: dict[str, Any]
    start: Any
    end: Any
    descending: bool
    sort: list[tuple[str, bool]]

    def rows(self) -> Iterator[DocumentModel]:
        """All that match, in order."""
        found = (row for row in self._walk() if self.test(row))
        if not self.sort:
            return found
        return iter(sorted(self._some(found), key=cmp_to_key(self._compare)))

    @staticmethod
    def _some(rows: Iterator[DocumentModel]) -> list[DocumentModel]:
        return [row for _, row in zip(range(MOST_SORTED), rows, strict=False)]

    def count(self) -> int:
        """How many match: from a view when the index says it all, else by walking."""
        if self.ids is None and not self.residual:
            repository = self.model.source.repository()
            return int(repository.count(self.where, index=self.index) if self.where else repository.count())
        return sum(1 for _ in self.rows())

    def _walk(self) -> Iterator[DocumentModel]:
        repository = self.model.source.repository()
        if self.ids is not None:
            entities = repository.get_many([str(id) for id in dict.fromkeys(self.ids)])
            yield from map(self.model.from_entity, entities)
            return
        cursor = None
        while True:
            page = repository.find(
                self.index,
                self.where,
                descending=self.descending,
                limit=BATCH,
                cursor=cursor,
                start=self.start,
                end=self.end,
            )
            yield from map(self.model.from_entity, page.items)
            cursor = page.next
            if cursor is None:
                return

    def _compare(self, left: DocumentModel, right: DocumentModel) -> int:
        for name, descending in self.sort:
            one, two = _key(getattr(left, name)), _key(getattr(right, name))
            if one != two:
                return -1 if (one < two) is not descending else 1
        return 0


def _key(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


def build_query_plan(model: type[DocumentModel], where: Any, ordering: list[str]) -> Plan:
    """Return the best plan for a where tree and an ordering.

    An index for the order is preferred to one for the equalities.
    """
    source = model.source
    order = [
        (name.lstrip("-"), name.startswith("-")) for name in ordering if name.lstrip("-") not in ("pk", "id")
    ]
    ids = wanted_ids(where)
    equal = {name: value for name, value in equalities(where).items() if name in source.columns}
    index, used, ordered = _best_index(source, equal, order)
    start, end = _bounds(source, where, index, len(used))
    return Plan(
        model=model,
        test=predicate(where),
        residual=_leaves(where) > len(used),
        ids=ids,
        index=index.name,
        where={source.columns[name].path: source.columns[name].stored(equal[name]) for name in used},
        start=start,
        end=end,
        descending=bool(order) and ordered and order[0][1],
        sort=[] if ordered and ids is None else order,
    )


def _best_index(
    source: Source, equal: dict[str, Any], order: list[tuple[str, bool]]
) -> tuple[Any, list[str], bool]:
    names_of = _names_by_path(source)
    best: tuple[tuple[bool, int], Any, list[str]] | None = None
    for index in (BY_ID, *source.collection.indexes):
        names = [names_of.get(path, path) for path in index.fields]
        used = []
        for name in names:
            if name not in equal:
                break
            used.append(name)
        score = (_orders(names[len(used) :], used, order), len(used))
        if best is None or score > best[0]:
            best = (score, index, used)
    assert best is not None  # noqa: S101 - there is always the index by id
    return best[1], best[2], best[0][0]


def _names_by_path(source: Source) -> dict[str, str]:
    return {column.path: name for name, column in source.columns.items() if column.path}


def _bounds(source: Source, where: Any, index: Index, used: int) -> tuple[Any, Any]:
    """Return what a date filter says about the field by which the index goes on."""
    name = _names_by_path(source).get(index.fields[used]) if used < len(index.fields) else None
    if name is None:
        return None, None
    stored = source.columns[name].stored
    return tuple(None if value is None else stored(value) for value in bounds(where, name))  # type: ignore[return-value]


def _orders(rest: list[str], used: list[str], order: list[tuple[str, bool]]) -> bool:
    """Whether walking the rest of an index gives this order."""
    wanted = [(name, down) for name, down in order if name not in used]
    if len({down for _, down in wanted}) > 1:
        return False
    return [name for name, _ in wanted] == rest[: len(wanted)]


def _leaves(node: Any) -> int:
    return sum(_leaves(child) for child in node.children) if hasattr(node, "children") else 1
