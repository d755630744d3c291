"""What Django parsed into a query, as a test on a model instance; what cannot be said is refused at once."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from django.core.exceptions import FieldError
from django.db.models import Model
from django.db.models.expressions import Col
from django.db.models.lookups import Lookup
from django.db.models.sql.where import AND, OR, NothingNode, WhereNode

Predicate = Callable[[Model], bool]


def _text(test: Callable[[str, str], bool], fold: bool) -> Callable[[Any, Any], bool]:
    def compare(value: Any, wanted: Any) -> bool:
        left, right = str(value), str(wanted)
        return test(left.casefold(), right.casefold()) if fold else test(left, right)

    return compare


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "exact": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda value, wanted: value in wanted,
    "range": lambda value, wanted: wanted[0] <= value <= wanted[1],
    "iexact": _text(operator.eq, fold=True),
    "contains": _text(operator.contains, fold=False),
    "icontains": _text(operator.contains, fold=True),
    "startswith": _text(str.startswith, fold=False),
    "istartswith": _text(str.startswith, fold=True),
    "endswith": _text(str.endswith, fold=False),
    "iendswith": _text(str.endswith, fold=True),
    "regex": lambda value, wanted: re.search(wanted, str(value)) is not None,
}


def predicate(node: Any) -> Predicate:
    """Return the test that a where tree stands for.

    Raises FieldError for a lookup that documents cannot answer.
    """
    if isinstance(node, WhereNode):
        return _combined(node)
    if isinstance(node, NothingNode):
        return lambda instance: False
    if isinstance(node, Lookup):
        return _lookup(node)
    raise FieldError(f"documents cannot be filtered by {node!r}")


def _combined(node: WhereNode) -> Predicate:
    tests = [predicate(child) for child in node.children]
    combine = {AND: all, OR: any}.get(node.connector)
    if combine is None:
        raise FieldError(f"documents cannot be filtered by {node.connector}")

    def holds(instance: Model) -> bool:
        # An empty tree holds for everything, whatever its connector.
        return (not tests or combine(test(instance) for test in tests)) is not node.negated

    return holds


def _lookup(node: Lookup) -> Predicate:
    name, wanted = column_of(node), node.rhs
    if node.lookup_name == "isnull":
        return lambda instance: (getattr(instance, name) is None) is bool(wanted)
    test = _TESTS.get(node.lookup_name)
    if test is None:
        raise FieldError(f"documents cannot be filtered by {node.lookup_name}")
    if isinstance(wanted, (list, tuple, set, frozenset)):
        wanted = list(wanted)

    def holds(instance: Model) -> bool:
        value = getattr(instance, name)
        return value is not None and test(value, wanted)

    return holds


def column_of(node: Lookup) -> str:
    """Return the name of the model's field that a lookup is about."""
    if not isinstance(node.lhs, Col) or hasattr(node.rhs, "resolve_expression"):
        raise FieldError("documents can be filtered by their own fields only")
    return str(node.lhs.target.attname)


def equalities(where: WhereNode) -> dict[str, Any]:
    """{field: value} of what must be equal for the whole tree to hold: the part an index can answer."""
    if where.negated or (where.connector != AND and len(where.children) > 1):
        return {}
    found: dict[str, Any] = {}
    for child in where.children:
        if isinstance(child, WhereNode):
            found |= equalities(child)
        elif isinstance(child, Lookup) and child.lookup_name == "exact" and child.rhs is not None:
            found[column_of(child)] = child.rhs
    return found


def bounds(where: WhereNode, field: str) -> tuple[Any, Any]:
    """(from, to) that a field must lie within, `from <= value < to`; None where it is open."""
    low = high = None
    if where.negated or (where.connector != AND and len(where.children) > 1):
        return None, None
    for child in where.children:
        if isinstance(child, WhereNode):
            below, above = bounds(child, field)
            low, high = low if below is None else below, high if above is None else above
        elif isinstance(child, Lookup) and column_of(child) == field:
            low = child.rhs if child.lookup_name in ("gte", "gt") else low
            high = child.rhs if child.lookup_name == "lt" else high
    return low, high


def wanted_ids(where: WhereNode) -> list[str] | None:
    """Return the ids that a tree asks for by `pk=` or `pk__in=`, or None when it does not."""
    if where.negated or (where.connector != AND and len(where.children) > 1):
        return None
    for child in where.children:
        if isinstance(child, WhereNode):
            ids = wanted_ids(child)
            if ids is not None:
                return ids
        elif isinstance(child, Lookup) and column_of(child) == "id" and child.lookup_name in ("exact", "in"):
            return [child.rhs] if child.lookup_name == "exact" else list(child.rhs)
    return None
