"""Map a field of an aggregate to a field of a Django model, and its value in both directions."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from django.db import models

#: Bookkeeping of the aggregate that nobody edits.
HIDDEN = frozenset({"id", "version", "rev", "extra", "events", "event_seq"})
Getter = Callable[[Any], Any]
Setter = Callable[[Any, Any], None]


def as_it_is(value: Any) -> Any:
    """Return a form's value that the entity holds in the same way."""
    return value


@dataclasses.dataclass(frozen=True)
class Column:
    """One column: the model field, and how it is read from and written to the aggregate.

    `get(entity)` gives the model's value. `stored(value)` is its inverse: from a form's value to the
    entity's.
    `put(entity, stored)` writes it; without one the column cannot be edited. `path` names it in the document,
    as
    indexes do.
    """

    field: models.Field
    get: Getter
    put: Setter | None = None
    stored: Callable[[Any], Any] = as_it_is
    path: str = ""


def text(**options: Any) -> models.Field:
    """Return a long text's field, edited in a text area."""
    return models.TextField(blank=True, **options)


def choice(choices: type[Enum] | Iterable[Any], **options: Any) -> models.Field:
    """One of an Enum's values, or of (value, label) pairs, or of plain strings."""
    return models.CharField(max_length=200, choices=pairs(choices), **options)


def pairs(choices: type[Enum] | Iterable[Any]) -> list[tuple[str, str]]:
    """(value, label) of each choice."""
    if isinstance(choices, type) and issubclass(choices, Enum):
        return [(str(member.value), label(str(member.value))) for member in choices]
    return [item if isinstance(item, tuple) else (item, label(str(item))) for item in choices]


def label(value: str) -> str:
    """`in_stock` -> `In stock`."""
    return value.replace("_", " ").capitalize()


def mapping(name: str, **options: Any) -> Column:
    """Return the field of a mapping of texts, edited as `colour: red; size: M`."""

    def get(entity: Any) -> str:
        return "; ".join(f"{key}: {value}" for key, value in (getattr(entity, name) or {}).items())

    def stored(value: str) -> dict[str, str]:
        pieces = [piece.partition(":") for piece in (value or "").split(";") if piece.strip()]
        return {key.strip(): item.strip() for key, _, item in pieces if key.strip()}

    field = models.CharField(max_length=1000, blank=True, help_text="name: value; name: value", **options)
    return Column(field, get, _setter(name), stored)


@dataclasses.dataclass(frozen=True)
class money:  # noqa: N801 - reads as the function that it stands in for
    """Minor units in the document, a decimal in forms and lists. `places` as ISO 4217 says (EUR 2, JPY 0)."""

    currency: str = "EUR"
    places: int = 2
    optional: bool = False


def columns(entity_type: type, overrides: dict[str, Any]) -> dict[str, Column]:
    """All columns of the aggregate by name, in its own order; computed ones last."""
    hints = typing.get_type_hints(entity_type)
    found: dict[str, Column] = {}
    for field in dataclasses.fields(entity_type):
        if field.name not in HIDDEN:
            column = _column(field, hints[field.name], overrides.get(field.name))
            if column is not None:
                found[field.name] = column
    for name, override in overrides.items():
        if name not in found:
            found[name] = _computed(name, override)
    return found


def _computed(name: str, override: Any) -> Column:
    if not isinstance(override, Column):
        raise TypeError(f"{name} is no field of the aggregate: say how to read it with Column(field, get=…)")
    return override


def _column(declared: dataclasses.Field, hint: Any, override: Any) -> Column | None:
    name = declared.name
    if isinstance(override, Column):
        return override
    inner, optional = _optional(hint)
    if isinstance(override, money) or _is_money(inner):
        return _money_column(name, inner, optional, override if isinstance(override, money) else money())
    field = override or _field(inner, optional, declared.default == "")
    if field is None:
        return None
    return Column(field, _getter(name), _setter(name), _stored(inner, optional), name)


def _optional(hint: Any) -> tuple[Any, bool]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        inner = [part for part in typing.get_args(hint) if part is not type(None)]
        if len(inner) == 1:
            return inner[0], True
    return hint, False


def _is_money(hint: Any) -> bool:
    return dataclasses.is_dataclass(hint) and {f.name for f in dataclasses.fields(hint)} == {
        "amount",
        "currency",
    }


def _field(hint: Any, optional: bool, may_be_empty: bool) -> models.Field | None:
    """Return the model field for a plain type; None for lists and nested parts, which are shown as tables."""
    options: dict[str, Any] = {"null": optional, "blank": optional or may_be_empty}
    if not isinstance(hint, type):
        return None
    if issubclass(hint, Enum):
        return choice(hint, **options)
    if issubclass(hint, bool):
        return models.BooleanField(null=optional, blank=True)
    kinds: list[tuple[type, Callable[..., models.Field]]] = [
        (str, lambda **o: models.CharField(max_length=2000, **o)),
        (int, models.BigIntegerField),
        (float, models.FloatField),
        (datetime, models.DateTimeField),
        (date, models.DateField),
    ]
    return next((make(**options) for kind, make in kinds if issubclass(hint, kind)), None)


def _getter(name: str) -> Getter:
    def get(entity: Any) -> Any:
        value = getattr(entity, name)
        return value.value if isinstance(value, Enum) else value

    return get


def _setter(name: str) -> Setter:
    def put(entity: Any, value: Any) -> None:
        setattr(entity, name, value)

    return put


def _stored(hint: Any, optional: bool) -> Callable[[Any], Any]:
    """Return the stored value; a form gives "" for an empty optional text, and the value of an Enum."""

    def stored(value: Any) -> Any:
        if optional and value in ("", None):
            return None
        return hint(value) if isinstance(hint, type) and issubclass(hint, Enum) else value

    return stored


def _money_column(name: str, hint: Any, optional: bool, kind: money) -> Column:
    """Money kept as a whole number of minor units, or as a dataclass of amount and currency."""
    factor = 10**kind.places
    nested = _is_money(hint)
    optional = optional or kind.optional

    def get(entity: Any) -> Decimal | None:
        value = getattr(entity, name)
        if value is None:
            return None
        return (Decimal(value.amount if nested else value) / factor).quantize(Decimal(1).scaleb(-kind.places))

    def stored(value: Decimal | None) -> Any:
        if value is None:
            return None
        amount = int((Decimal(value) * factor).to_integral_value())
        return hint(amount, kind.currency) if nested else amount

    field = models.DecimalField(
        max_digits=14,
        decimal_places=kind.places,
        null=optional,
        blank=optional,
        help_text=f"in {kind.currency}",
    )
    return Column(field, get, _setter(name), stored, f"{name}.amount" if nested else name)
