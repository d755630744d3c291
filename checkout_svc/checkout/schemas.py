"""Response schemas for the OpenAPI document only; presenters.py writes the responses."""

from __future__ import annotations

from rest_framework import serializers as s

from .domain import FulfilmentStatus, OrderStatus, PaymentStatus
from .serializers import Address


class MoneySchema(s.Serializer):
    amount = s.IntegerField()
    currency = s.CharField()


class TaxSchema(s.Serializer):
    amount = MoneySchema()
    rate = s.FloatField(allow_null=True)
    included = s.BooleanField()


class TaxShareSchema(s.Serializer):
    rate = s.FloatField()
    base = MoneySchema()
    amount = MoneySchema()
    country = s.CharField()


class TotalsSchema(s.Serializer):
    subtotal = MoneySchema()
    discount = MoneySchema()
    shipping = MoneySchema()
    tax = TaxSchema()
    taxes = TaxShareSchema(many=True)
    total = MoneySchema()


class ShippingMethodSchema(s.Serializer):
    code = s.CharField()
    name = s.CharField()
    price = MoneySchema()
    min_days = s.IntegerField()
    max_days = s.IntegerField()


class ShippingMethodsSchema(s.Serializer):
    results = ShippingMethodSchema(many=True)


class PaymentMethodSchema(s.Serializer):
    code = s.CharField(help_text="what `payment.method` of an order is")
    test = s.BooleanField(help_text="no money moves")


class PaymentMethodsSchema(s.Serializer):
    results = PaymentMethodSchema(many=True)


class LineSchema(s.Serializer):
    sku = s.CharField()
    product_id = s.CharField(allow_blank=True)
    title = s.CharField(allow_blank=True)
    slug = s.CharField(allow_blank=True)
    image = s.JSONField(allow_null=True)
    attributes = s.DictField()
    quantity = s.IntegerField()
    unit_price = MoneySchema()
    line_total = MoneySchema()


class NextActionSchema(s.Serializer):
    type = s.CharField()
    url = s.CharField()


class PaymentSchema(s.Serializer):
    status = s.ChoiceField([status.value for status in PaymentStatus])
    method = s.CharField()
    last4 = s.CharField(allow_null=True)
    next_action = NextActionSchema(required=False)


class SkuQuantitySchema(s.Serializer):
    sku = s.CharField()
    quantity = s.IntegerField()


class ShipmentSchema(s.Serializer):
    id = s.CharField()
    at = s.DateTimeField()
    carrier = s.CharField()
    tracking = s.CharField()
    lines = SkuQuantitySchema(many=True)


class FulfilmentSchema(s.Serializer):
    status = s.ChoiceField([status.value for status in FulfilmentStatus])
    shipments = ShipmentSchema(many=True)


class RefundLineSchema(s.Serializer):
    sku = s.CharField()
    quantity = s.IntegerField(help_text="0 where an amount was paid back and not units")
    amount = MoneySchema()


class RefundSchema(s.Serializer):
    at = s.DateTimeField()
    amount = MoneySchema()
    lines = RefundLineSchema(many=True)
    shipping = MoneySchema()
    status = s.ChoiceField(["pending", "done"])


class TimelineEntrySchema(s.Serializer):
    at = s.DateTimeField()
    what = s.CharField()


class OrderSchema(s.Serializer):
    number = s.CharField()
    status = s.ChoiceField([status.value for status in OrderStatus])
    placed_at = s.DateTimeField()
    email = s.CharField(allow_blank=True)
    lines = LineSchema(many=True)
    totals = TotalsSchema()
    payment = PaymentSchema()
    fulfilment = FulfilmentSchema()
    refunds = RefundSchema(many=True)
    timeline = TimelineEntrySchema(many=True)
    shipping_method = s.CharField()
    shipping_address = Address()
    billing_address = Address(allow_null=True)
    access_token = s.CharField(required=False)


class OrdersSchema(s.Serializer):
    results = OrderSchema(many=True)
    next = s.CharField(allow_null=True)
    total = s.IntegerField(required=False)
