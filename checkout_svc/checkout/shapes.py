"""The answers' shapes, for the OpenAPI document only; presenters.py writes them."""

from __future__ import annotations

from rest_framework import serializers as s

from .domain import FulfilmentStatus, OrderStatus, PaymentStatus
from .serializers import Address


class MoneyShape(s.Serializer):
    amount = s.IntegerField()
    currency = s.CharField()


class TaxShape(s.Serializer):
    amount = MoneyShape()
    rate = s.FloatField(allow_null=True)
    included = s.BooleanField()


class TaxShareShape(s.Serializer):
    rate = s.FloatField()
    base = MoneyShape()
    amount = MoneyShape()
    country = s.CharField()


class TotalsShape(s.Serializer):
    subtotal = MoneyShape()
    discount = MoneyShape()
    shipping = MoneyShape()
    tax = TaxShape()
    taxes = TaxShareShape(many=True)
    total = MoneyShape()


class ShippingMethodShape(s.Serializer):
    code = s.CharField()
    name = s.CharField()
    price = MoneyShape()
    min_days = s.IntegerField()
    max_days = s.IntegerField()


class ShippingMethodsShape(s.Serializer):
    results = ShippingMethodShape(many=True)


class PaymentMethodShape(s.Serializer):
    code = s.CharField(help_text="what `payment.method` of an order is")
    test = s.BooleanField(help_text="no money moves")


class PaymentMethodsShape(s.Serializer):
    results = PaymentMethodShape(many=True)


class LineShape(s.Serializer):
    sku = s.CharField()
    product_id = s.CharField(allow_blank=True)
    title = s.CharField(allow_blank=True)
    slug = s.CharField(allow_blank=True)
    image = s.JSONField(allow_null=True)
    attributes = s.DictField()
    quantity = s.IntegerField()
    unit_price = MoneyShape()
    line_total = MoneyShape()


class NextActionShape(s.Serializer):
    type = s.CharField()
    url = s.CharField()


class PaymentShape(s.Serializer):
    status = s.ChoiceField([status.value for status in PaymentStatus])
    method = s.CharField()
    last4 = s.CharField(allow_null=True)
    next_action = NextActionShape(required=False)


class SkuQuantityShape(s.Serializer):
    sku = s.CharField()
    quantity = s.IntegerField()


class ShipmentShape(s.Serializer):
    id = s.CharField()
    at = s.DateTimeField()
    carrier = s.CharField()
    tracking = s.CharField()
    lines = SkuQuantityShape(many=True)


class FulfilmentShape(s.Serializer):
    status = s.ChoiceField([status.value for status in FulfilmentStatus])
    shipments = ShipmentShape(many=True)


class RefundLineShape(s.Serializer):
    sku = s.CharField()
    quantity = s.IntegerField(help_text="0 where an amount was paid back and not units")
    amount = MoneyShape()


class RefundShape(s.Serializer):
    at = s.DateTimeField()
    amount = MoneyShape()
    lines = RefundLineShape(many=True)
    shipping = MoneyShape()
    status = s.ChoiceField(["pending", "done"])


class HappeningShape(s.Serializer):
    at = s.DateTimeField()
    what = s.CharField()


class OrderShape(s.Serializer):
    number = s.CharField()
    status = s.ChoiceField([status.value for status in OrderStatus])
    placed_at = s.DateTimeField()
    email = s.CharField(allow_blank=True)
    lines = LineShape(many=True)
    totals = TotalsShape()
    payment = PaymentShape()
    fulfilment = FulfilmentShape()
    refunds = RefundShape(many=True)
    timeline = HappeningShape(many=True)
    shipping_method = s.CharField()
    shipping_address = Address()
    billing_address = Address(allow_null=True)
    access_token = s.CharField(required=False)


class OrdersShape(s.Serializer):
    results = OrderShape(many=True)
    next = s.CharField(allow_null=True)
    total = s.IntegerField(required=False)
