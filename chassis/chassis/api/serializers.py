"""Strict input for JSON bodies and query strings.

`from chassis.api import serializers` gives DRF's fields and these bases:

    class Line(serializers.Strict):
        sku = serializers.CharField(max_length=64)
        quantity = serializers.IntegerField(min_value=1, max_value=99)

    line = Line.of(request)          # validated dict, or 400

`Strict` is for JSON bodies: an unknown field is refused, 1 is not "1" and true is not 1. `Query` is for query
strings: everything arrives as text, so numbers and booleans are read from it, but only in one spelling.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from functools import cache, cached_property
from typing import Any

from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.fields import (
    BooleanField,
    CharField,
    ChoiceField,
    DateField,
    DateTimeField,
    DecimalField,
    DictField,
    EmailField,
    Field,
    FileField,
    FloatField,
    IntegerField,
    JSONField,
    ListField,
    MultipleChoiceField,
    ReadOnlyField,
    RegexField,
    SerializerMethodField,
    SlugField,
    URLField,
    UUIDField,
    empty,
)
from rest_framework.request import Request
from rest_framework.serializers import ListSerializer, Serializer
from rest_framework.utils.serializer_helpers import BindingDict

from chassis.api.field_errors import MAX_ERRORS

__all__ = [
    "BooleanField",
    "CharField",
    "ChoiceField",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "DictField",
    "EmailField",
    "Field",
    "FileField",
    "FloatField",
    "IntegerField",
    "JSONField",
    "ListField",
    "ListSerializer",
    "Money",
    "MultipleChoiceField",
    "Query",
    "ReadOnlyField",
    "RegexField",
    "Serializer",
    "SerializerMethodField",
    "SlugField",
    "Strict",
    "URLField",
    "UUIDField",
    "ValidationError",
    "money",
]

SAFE_INTEGER = 2**53 - 1  # beyond it JavaScript, and so the store's server, rounds


def _is_int(value: Any) -> bool:
    return type(value) is int and abs(value) <= SAFE_INTEGER


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _is_text(value: Any) -> bool:
    return type(value) is str


# What JSON type each field takes, and what to say otherwise.
_KINDS: list[tuple[tuple[type, ...], Callable[[Any], bool], str]] = [
    ((BooleanField,), lambda value: type(value) is bool, "Must be true or false."),
    ((IntegerField,), _is_int, "Must be a whole number."),
    ((FloatField, DecimalField), _is_number, "Must be a number."),
    ((CharField, UUIDField, DateTimeField, DateField), _is_text, "Must be text."),
    (
        (ChoiceField,),
        lambda value: isinstance(value, str | int) and not isinstance(value, bool),
        "Not a choice.",
    ),
]


def _harden(field: Any) -> None:
    """Make the field look at type and length before it converts or matches; its children as well."""
    _check_length_first(field)
    child = getattr(field, "child", None)
    if child is not None and not isinstance(field, ListSerializer):
        _harden(child)
    for classes, fits, reason in _KINDS:
        if isinstance(field, classes) and not isinstance(field, MultipleChoiceField):
            _check_first(field, fits, reason)
            return


def _check_first(field: Any, fits: Callable[[Any], bool], reason: str) -> None:
    validate = field.run_validation

    def run_validation(data: Any = empty) -> Any:
        if data is not empty and data is not None and not fits(data):
            raise ValidationError([ErrorDetail(reason, code="invalid")])
        return validate(data)

    field.run_validation = run_validation


def _check_length_first(field: Any) -> None:
    """Let no pattern, no validator and no child see what is too long anyway."""
    longest = getattr(field, "max_length", None)
    if longest is None or not isinstance(field, CharField | ListField):
        return
    validate = field.run_validation
    trims = getattr(field, "trim_whitespace", False)

    def run_validation(data: Any = empty) -> Any:
        if isinstance(data, str | list) and len(data) > longest:
            kept = data.strip() if trims and isinstance(data, str) else data
            if len(kept) > longest:
                field.fail("max_length", max_length=longest)
        return validate(data)

    field.run_validation = run_validation


class _Items(ListSerializer):
    """A list of objects: once MAX_ERRORS of them are refused, the others are not looked at."""

    def to_internal_value(self, data: Any) -> Any:
        self._refused = 0
        return super().to_internal_value(data)

    def run_child_validation(self, data: Any) -> Any:
        if self._refused >= MAX_ERRORS:
            raise ValidationError({})
        try:
            return super().run_child_validation(data)
        except ValidationError:
            self._refused += 1
            raise


class _Refusing(Serializer):
    """Refuses names that it does not declare, and those that only answers have."""

    class Meta:
        list_serializer_class = _Items

    def to_internal_value(self, data: Any) -> Any:
        if hasattr(data, "keys"):
            takes = {field.field_name for field in self._writable_fields}
            unknown = itertools.islice(data.keys() - takes, MAX_ERRORS)
            refused = {str(name): ["Unknown field."] for name in unknown}
            if refused:
                raise ValidationError(refused)
        return super().to_internal_value(data)


class Strict(_Refusing):
    """A JSON body."""

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for field in fields.values():
            _harden(field)
        return fields

    @classmethod
    def of(cls, request: Request, **kwargs: Any) -> dict[str, Any]:
        """Return the validated body of the request; `many=True` for an array.

        Raises ValidationError (400).
        """
        serializer = cls(data=request.data, **kwargs)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,15})\Z")  # one spelling each, and never a 4,000 digit number
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?\Z")


def _reads_whole(value: Any) -> bool:
    return isinstance(value, str) and bool(_WHOLE.match(value))


def _reads_number(value: Any) -> bool:
    return isinstance(value, str) and bool(_NUMBER.match(value))


@cache
def _fields_of(query: type[Query]) -> Any:
    template = query()
    made = BindingDict(template)
    for name, field in template.get_fields().items():
        made[name] = field
    return made


class Query(_Refusing):
    """A query string: unknown and repeated names are refused, `true` and `false` are the only booleans.

    Its fields are made once for each class, not for each request, which took half of the time of a small
    answer. They look at nothing but the value, so they know no context.
    """

    @cached_property
    def fields(self) -> Any:
        return _fields_of(type(self))

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for field in fields.values():
            if isinstance(field, BooleanField):
                _check_first(field, lambda value: value in ("true", "false"), "Must be true or false.")
            elif isinstance(field, IntegerField):
                _check_first(field, _reads_whole, "Must be a whole number.")
            elif isinstance(field, FloatField | DecimalField):
                _check_first(field, _reads_number, "Must be a number.")
        return fields

    @classmethod
    def of(cls, request: Request, **kwargs: Any) -> dict[str, Any]:
        """Return the validated query of the request.

        Raises ValidationError (400).
        """
        pairs = request.query_params
        repeated = {name: ["Only once, please."] for name, values in pairs.lists() if len(values) > 1}
        if repeated:
            raise ValidationError(repeated)
        serializer = cls(data={name: pairs[name] for name in pairs}, **kwargs)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


class Money(Strict):
    """`{"amount": 1999, "currency": "EUR"}`, amount in minor units, not negative."""

    amount = IntegerField(min_value=0, max_value=10**12)
    currency = RegexField(r"^[A-Z]{3}\Z")


def money(amount: int, currency: str = "EUR") -> dict[str, Any]:
    """Money as an answer shows it."""
    return {"amount": amount, "currency": currency}
