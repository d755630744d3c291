"""Nested parts edited in place: a small table of inputs inside the aggregate's form.

    class ProductAdmin(DocumentAdmin):
        form_parts = {"variants": Inlines(Variant, ["sku", "price"], kinds={"price": money("EUR")})}

`values["variants"]` is then a list of Variant: known rows keep what is not in the table, a ticked row is left
out,
an empty new row is ignored.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.safestring import SafeString

from .fields import Column, columns, label

#: More rows than this in one document are not edited by hand, and a forged form must not make us read
#: millions.
MOST_ROWS = 200


@dataclasses.dataclass(frozen=True)
class Inlines:
    """Which part, which of its fields, how many empty rows to offer. `make(**values)` builds a new part."""

    type: type
    fields: Sequence[str]
    kinds: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    extra: int = 2
    readonly: Sequence[str] = ()
    make: Any = None
    help_text: str = ""

    def columns(self) -> dict[str, Column]:
        """Return the columns of the table by name."""
        found = columns(self.type, dict(self.kinds))
        return {name: found[name] for name in self.fields}

    def form_field(self, name: str) -> PartsField:
        """Return the field that stands for the whole list."""
        return PartsField(self, label=label(name), help_text=self.help_text)


class PartsWidget(forms.Widget):
    """Rows of inputs; `<name>-<row>-<column>` each, `<name>-<row>-at` says which known part a row is."""

    template_name = "admin/widgets/parts.html"
    media = forms.Media()

    def __init__(self, parts: Inlines) -> None:
        super().__init__()
        self.parts = parts
        self.inputs = {name: _form_field(column) for name, column in parts.columns().items()}

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        context = {
            "name": name,
            "heads": [label(column) for column in self.inputs],
            "rows": self._rows(name, value),
        }
        from django.template.loader import render_to_string

        return render_to_string(self.template_name, context)

    def _rows(self, name: str, value: Any) -> list[dict[str, Any]]:
        shown = [self._shown(position, part) for position, part in enumerate(value or [])]
        empty: list[dict[str, Any]] = [{} for _ in range(self.parts.extra)] if not _is_raw(value) else []
        return [self._row(name, number, values) for number, values in enumerate([*shown, *empty])]

    def _shown(self, position: int, part: Any) -> dict[str, Any]:
        """Return a known part's values, or what was typed when the form comes back with an error."""
        if isinstance(part, RawRow):
            return part.values
        return {"at": position, **{name: column.get(part) for name, column in self.parts.columns().items()}}

    def _row(self, name: str, number: int, values: dict[str, Any]) -> dict[str, Any]:
        known = str(values.get("at", "")) != ""
        cells = []
        for column, field in self.inputs.items():
            attrs = {"aria-label": label(column)}
            if known and column in self.parts.readonly:
                attrs["readonly"] = "readonly"
            shown = field.prepare_value(values.get(column))
            cells.append(field.widget.render(f"{name}-{number}-{column}", shown, attrs))
        return {"number": number, "at": values.get("at", ""), "known": known, "cells": cells}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[RawRow]:
        rows = []
        for number in range(MOST_ROWS):
            if f"{name}-{number}-at" not in data:
                break
            values = {
                column: field.widget.value_from_datadict(data, files, f"{name}-{number}-{column}")
                for column, field in self.inputs.items()
            }
            gone = bool(data.get(f"{name}-{number}-gone"))
            rows.append(RawRow({"at": data[f"{name}-{number}-at"], **values}, gone))
        return rows

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-0-at" not in data

    def id_for_label(self, id_: str) -> str:
        return ""


@dataclasses.dataclass(frozen=True)
class RawRow:
    """A row as it was typed."""

    values: dict[str, Any]
    gone: bool = False


class PartsField(forms.Field):
    """The list of parts. Its `known` is set by the form: the parts that the document has now."""

    def __init__(self, parts: Inlines, **options: Any) -> None:
        self.parts = parts
        self.known: Sequence[Any] = ()
        super().__init__(required=False, widget=PartsWidget(parts), **options)

    def clean(self, value: list[RawRow]) -> list[Any]:
        """Inlines as the entity holds them; all mistakes of all rows are told at once."""
        made, mistakes = [], []
        for number, row in enumerate(value or [], start=1):
            if row.gone or self._untouched(row):
                continue
            try:
                made.append(self._part(row))
            except forms.ValidationError as error:
                mistakes += [f"Row {number}: {message}" for message in error.messages]
        if mistakes:
            raise forms.ValidationError(mistakes)
        return made

    def _untouched(self, row: RawRow) -> bool:
        """Return True for a new row in which nothing was typed; a list of choices always sends one."""
        inputs = self.widget.inputs
        chosen = {name for name in inputs if isinstance(inputs[name].widget, forms.Select)}
        return not any(value for name, value in row.values.items() if name not in chosen)

    def _part(self, row: RawRow) -> Any:
        table, values, mistakes = self.parts.columns(), {}, []
        at = str(row.values.get("at", ""))
        known = self.known[int(at)] if at.isdigit() and int(at) < len(self.known) else None
        for name, field in self.widget.inputs.items():
            if known is not None and name in self.parts.readonly:
                continue
            try:
                values[name] = table[name].stored(field.clean(row.values.get(name)))
            except forms.ValidationError as error:
                mistakes += [f"{label(name)}: {message}" for message in error.messages]
        if mistakes:
            raise forms.ValidationError(mistakes)
        try:
            if known is not None:
                return dataclasses.replace(known, **values)
            return (self.parts.make or self.parts.type)(**values)
        except (TypeError, ValueError) as error:
            raise forms.ValidationError(str(error)) from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return list(self.clean(data)) != list(self.known)
        except forms.ValidationError:
            return True


def _form_field(column: Column) -> forms.Field:
    field = column.field.formfield()
    field.widget.attrs.setdefault("class", "parts-input")
    return field


def _is_raw(value: Any) -> bool:
    return bool(value) and isinstance(value[0], RawRow)
