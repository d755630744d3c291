"""Django's QuerySet, answered by a repository. Django parses; nothing here ever becomes SQL."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db.models.query import BaseIterable, QuerySet
from django.db.utils import NotSupportedError

from . import query_plan


class DocumentIterable(BaseIterable):
    """Model instances, each with its aggregate."""

    def __iter__(self) -> Iterator[Any]:
        return self.queryset._rows()


class DocumentQuerySet(QuerySet):
    """Overrides only what would execute. A filter that documents cannot answer raises when it is added."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._iterable_class = DocumentIterable

    def _plan(self) -> query_plan.Plan:
        query = self.query
        default = query.get_meta().ordering if query.default_ordering and not query.extra_order_by else []
        ordering = [name for name in (query.order_by or default or []) if isinstance(name, str)]
        if not query.standard_ordering:
            ordering = [name[1:] if name.startswith("-") else f"-{name}" for name in ordering]
        return query_plan.build_query_plan(self.model, query.where, ordering)

    def _rows(self) -> Iterator[Any]:
        if self.query.is_empty():
            return iter(())
        return islice(self._plan().rows(), self.query.low_mark, self.query.high_mark)

    def _filter_or_exclude_inplace(self, negate: bool, args: Any, kwargs: Any) -> None:
        super()._filter_or_exclude_inplace(negate, args, kwargs)
        if not self.query.is_empty():
            # Fail now, while the admin's list still knows how to say "wrong filter", not when it is rendered.
            self._plan()

    def count(self) -> int:
        """How many match, within the slice."""
        if self._result_cache is not None:
            return len(self._result_cache)
        if self.query.is_empty():
            return 0
        total = max(0, self._plan().count() - self.query.low_mark)
        high = self.query.high_mark
        return total if high is None else min(total, high - self.query.low_mark)

    def exists(self) -> bool:
        return bool(self._result_cache) or next(self._rows(), None) is not None

    def values_list(self, *fields: str, flat: bool = False, named: bool = False) -> list[Any]:  # type: ignore[override]
        """Return a plain list; distinct when `distinct()` was asked for."""
        rows = [tuple(getattr(row, field) for field in fields) for row in self._rows()]
        if self.query.distinct:
            rows = list(dict.fromkeys(rows))
        return [row[0] for row in rows] if flat else rows

    def iterator(self, chunk_size: int | None = None) -> Iterator[Any]:
        return self._rows()

    def _refused(self, *args: Any, **kwargs: Any) -> Any:
        raise NotSupportedError("documents are read through find, and written through their DocumentAdmin")

    aggregate = annotate = alias = values = update = delete = bulk_create = bulk_update = dates = (
        datetimes
    ) = _refused
    create = get_or_create = update_or_create = raw = extra = union = intersection = difference = _refused
