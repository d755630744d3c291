"""Serializers that validate requests; presenters.py writes responses, schemas.py describes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.api import serializers

from .domain import COUNTRIES, OrderStatus

_CART = r"^[A-Za-z0-9_.-]{1,128}\Z"
MAX_LINES = 100
_NUMBER = r"^HM-[0-9A-Z]{12}\Z"


class Country(serializers.CharField):
    """An ISO 3166-1 alpha-2 code, in capitals."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        if text not in COUNTRIES:
            raise serializers.ValidationError("Must be a country's two capital letters (ISO 3166-1).")
        return text


class Moment(serializers.CharField):
    """An RFC 3339 moment, or a day, which begins at midnight UTC."""

    def to_internal_value(self, data: Any) -> datetime:
        text = str(super().to_internal_value(data)).replace(" ", "+")
        try:
            moment = datetime.fromisoformat(text)
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return aware.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise serializers.ValidationError("Must be a day or a moment (RFC 3339).") from error


def _text(longest: int, **kwargs: Any) -> serializers.CharField:
    return serializers.CharField(max_length=longest, **kwargs)


class Line(serializers.Strict):
    sku = _text(64)
    quantity = serializers.IntegerField(min_value=1, max_value=99)


class Lines(serializers.Strict):
    """Lines of SKU and quantity, each SKU once."""

    lines = Line(many=True, required=False, allow_empty=False, max_length=MAX_LINES)

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({line["sku"] for line in lines}) < len(lines):
            raise serializers.ValidationError("Each SKU once, please.")
        return lines


class Address(serializers.Strict):
    name = _text(120)
    line1 = _text(200)
    line2 = _text(200, required=False, allow_blank=True)
    postal_code = _text(20)
    city = _text(120)
    region = _text(120, required=False, allow_blank=True)
    country = Country()
    phone = _text(40, required=False, allow_blank=True)


class QuoteAddress(Address):
    """An address for a quote, of which only the country is required."""

    name = _text(120, required=False, allow_blank=True)
    line1 = _text(200, required=False, allow_blank=True)
    postal_code = _text(20, required=False, allow_blank=True)
    city = _text(120, required=False, allow_blank=True)


class _Basket(Lines):
    """A cart's id or lines, exactly one of them."""

    cart_id = serializers.RegexField(_CART, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("cart_id" in attrs) == ("lines" in attrs):
            raise serializers.ValidationError({"lines": ["Either cart_id or lines is needed, and not both."]})
        return attrs


class Quote(_Basket):
    shipping_address = QuoteAddress()
    shipping_method = _text(40)
    coupon = _text(64, required=False)


class Payment(serializers.Strict):
    method = serializers.ChoiceField(["card"])
    token = _text(255)


class NewOrder(_Basket):
    email = serializers.EmailField(max_length=254)
    shipping_address = Address()
    billing_address = Address(required=False)
    shipping_method = _text(40)
    payment = Payment()
    expected_total = serializers.Money(required=False)


class ShippingQuery(serializers.Query):
    country = Country()
    weight = serializers.IntegerField(required=False, min_value=0)
    subtotal = serializers.IntegerField(required=False, min_value=0)


class EmptyQuery(serializers.Query):
    """A query without parameters."""


class PageQuery(serializers.Query):
    limit = serializers.IntegerField(required=False, min_value=1, max_value=100)
    cursor = serializers.CharField(required=False)


class StaffQuery(PageQuery):
    status = serializers.ChoiceField([status.value for status in OrderStatus], required=False)
    email = serializers.EmailField(required=False)
    number = serializers.RegexField(_NUMBER, required=False)
    to = Moment(required=False)

    def get_fields(self) -> dict[str, Any]:
        return {
            **super().get_fields(),
            "from": Moment(required=False),
        }  # a keyword, so it cannot be an attribute


class Cancel(serializers.Strict):
    reason = _text(200, required=False, allow_blank=True)


class NewShipment(Lines):
    carrier = _text(60)
    tracking = _text(120)


class NewRefund(Lines):
    """A refund of an amount, or of lines, or of all that is left if neither is given."""

    amount = serializers.Money(required=False)
    reason = _text(200)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "amount" in attrs and "lines" in attrs:
            raise serializers.ValidationError({"amount": ["Either amount or lines, not both."]})
        return attrs


class Decision(serializers.Strict):
    """The shopper's decision on the sandbox provider's page."""

    decision = serializers.ChoiceField(["approve", "refuse"])


class KeyQuery(serializers.Query):
    key = serializers.CharField(max_length=64)
