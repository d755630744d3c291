"""Strict serializers of request bodies; those of responses are in output_serializers.py."""

from __future__ import annotations

from typing import Any

from catalog.domain import CURRENCY, PATTERNS, Money, ProductStatus, ReservationStatus, Variant
from catalog.domain.names import SLUG_LENGTH, is_attribute
from catalog.domain.product import MAX_IMAGES, MAX_VARIANTS
from catalog.domain.stock import MAX_ON_HAND
from chassis.api import serializers as s

#: About 10 million in the major unit; sort keys have 31 bits for it.
MAX_AMOUNT = 1_000_000_000


def _named(kind: str, **kwargs: Any) -> Any:
    return s.RegexField(rf"^(?:{PATTERNS[kind]})\Z", **kwargs)


def _line(max_length: int, **kwargs: Any) -> Any:
    """Return a field for one line of text without control characters."""
    return s.RegexField(r"^[^\x00-\x1f\x7f]*\Z", max_length=max_length, **kwargs)


def _prose(max_length: int, **kwargs: Any) -> Any:
    """Return a field for text with line breaks and tabs."""
    return s.RegexField(r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*\Z", max_length=max_length, **kwargs)


def _many(shape: Any, **kwargs: Any) -> Any:
    return shape(many=True, **kwargs)


class MoneyInput(s.Strict):
    amount = s.IntegerField(min_value=1, max_value=MAX_AMOUNT)
    currency = s.ChoiceField(choices=[CURRENCY])

    def to_internal_value(self, data: Any) -> Money:
        return Money(**super().to_internal_value(data))


class Attributes(s.DictField):
    """Attributes of a variant, such as `{"size": "M"}`."""

    child = _line(60, allow_blank=False)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if isinstance(data, dict) and (len(data) > 10 or not all(is_attribute(str(name)) for name in data)):
            raise s.ValidationError("At most 10, with names of small letters, digits and _.")
        values: dict[str, str] = super().to_internal_value(data)
        return values


class VariantInput(s.Strict):
    sku = _named("sku")
    attributes = Attributes(required=False)
    price = MoneyInput()
    compare_at_price = MoneyInput(required=False, allow_null=True)
    tax_class = s.ChoiceField(choices=["standard", "reduced", "zero"], required=False)
    weight = s.IntegerField(min_value=0, max_value=1_000_000, required=False, help_text="grams")

    def to_internal_value(self, data: Any) -> Variant:
        return Variant(**super().to_internal_value(data))


class ProductInput(s.Strict):
    title = _line(200)
    slug = _named("slug", max_length=SLUG_LENGTH, required=False)
    description = _prose(20_000, required=False, allow_blank=True)
    brand = _line(100, required=False, allow_blank=True)
    category = _named("slug", max_length=SLUG_LENGTH)
    status = s.ChoiceField(choices=[ProductStatus.ACTIVE.value, ProductStatus.HIDDEN.value], required=False)
    variants = _many(VariantInput, allow_empty=False, max_length=MAX_VARIANTS)

    def validate_status(self, value: str) -> ProductStatus:
        return ProductStatus(value)


class ImageOrderInput(s.Strict):
    id = _named("ident")
    alt = _line(300, required=False, allow_blank=True)


class ProductUpdateInput(ProductInput):
    images = _many(ImageOrderInput, required=False, max_length=MAX_IMAGES)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields


class CategoryInput(s.Strict):
    slug = _named("slug", max_length=SLUG_LENGTH, required=False)
    title = _line(100)
    parent = _named("slug", max_length=SLUG_LENGTH, required=False, allow_null=True)
    position = s.IntegerField(min_value=0, max_value=1_000_000, required=False)


class CategoryUpdateInput(s.Strict):
    title = _line(100, required=False)
    parent = _named("slug", max_length=SLUG_LENGTH, required=False, allow_null=True)
    position = s.IntegerField(min_value=0, max_value=1_000_000, required=False)


class StockCountInput(s.Strict):
    on_hand = s.IntegerField(min_value=0, max_value=MAX_ON_HAND)


class StockAdjustmentInput(s.Strict):
    delta = s.IntegerField(min_value=-MAX_ON_HAND, max_value=MAX_ON_HAND)
    reason = _line(200)

    def validate_delta(self, value: int) -> int:
        if value == 0:
            raise s.ValidationError("Must not be 0.")
        return value


class ReviewInput(s.Strict):
    rating = s.IntegerField(min_value=1, max_value=5)
    title = _line(120)
    body = _prose(5_000, allow_blank=True, required=False)


class LineInput(s.Strict):
    sku = _named("sku")
    quantity = s.IntegerField(min_value=1, max_value=10_000)


class _UniqueLines(s.Strict):
    def validate_lines(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({line["sku"] for line in lines}) != len(lines):
            raise s.ValidationError("Each SKU once only.")
        return lines


class LinesInput(_UniqueLines):
    """SKUs to change; an empty body means everything that the order holds."""

    lines = _many(LineInput, required=False, allow_empty=False, max_length=100)


class ReleaseInput(LinesInput):
    """Lines of an order to release.

    With `sold` the lines were committed, so they return to the shelf however long ago that was.
    """

    sold = s.BooleanField(required=False)

    def validate(self, fields: dict[str, Any]) -> dict[str, Any]:
        if fields.get("sold") and "lines" not in fields:
            raise s.ValidationError({"lines": ["Say what was sold."]})
        return fields


class ReservationInput(_UniqueLines):
    order_id = _named("ident")
    lines = _many(LineInput, allow_empty=False, max_length=100)
    ttl = s.IntegerField(min_value=1, max_value=7 * 24 * 3600)


class ExpectedReservationInput(_UniqueLines):
    """State of an order's units according to checkout.

    `sold_at` is when units that came back had been sold.
    """

    order_id = _named("ident")
    how = s.ChoiceField(choices=[how.value for how in ReservationStatus])
    since = s.DateTimeField()
    sold_at = s.DateTimeField(required=False, allow_null=True)
    lines = _many(LineInput, allow_empty=False, max_length=100)


class ReconciliationInput(s.Strict):
    orders = _many(ExpectedReservationInput, allow_empty=False, max_length=200)
