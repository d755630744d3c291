"""Serializers of response bodies, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from chassis.api import serializers as s


class MoneyOutput(s.Serializer):
    amount = s.IntegerField(help_text="minor units")
    currency = s.CharField()


class RenditionOutput(s.Serializer):
    url = s.CharField()
    width = s.IntegerField()
    height = s.IntegerField()
    format = s.CharField()


class ImageOutput(s.Serializer):
    id = s.CharField()
    alt = s.CharField()
    renditions = RenditionOutput(many=True)


class RatingOutput(s.Serializer):
    average = s.FloatField(allow_null=True)
    count = s.IntegerField()


_AVAILABILITY = ["in_stock", "low", "out"]


class Card(s.Serializer):
    id = s.CharField()
    slug = s.CharField()
    title: Any = s.CharField()
    brand = s.CharField()
    category = s.CharField()
    image = ImageOutput(allow_null=True)
    price_from = MoneyOutput()
    compare_at_price = MoneyOutput(allow_null=True)
    availability = s.ChoiceField(choices=_AVAILABILITY)
    rating = RatingOutput()
    sku = s.CharField(required=False, help_text="when there is one variant")


class FacetValue(s.Serializer):
    value = s.CharField()
    label: Any = s.CharField()
    count = s.IntegerField()


class CardPage(s.Serializer):
    results = Card(many=True)
    facets = s.DictField(child=FacetValue(many=True), required=False)
    total = s.IntegerField()
    did_you_mean = s.CharField(required=False)
    next = s.CharField(allow_null=True)


class VariantOutput(s.Serializer):
    sku = s.CharField()
    attributes = s.DictField(child=s.CharField())
    price = MoneyOutput()
    compare_at_price = MoneyOutput(allow_null=True)
    availability = s.ChoiceField(choices=_AVAILABILITY)


class Crumb(s.Serializer):
    slug = s.CharField()
    title: Any = s.CharField()


class ProductOutput(s.Serializer):
    id = s.CharField()
    slug = s.CharField()
    title: Any = s.CharField()
    description = s.CharField()
    brand = s.CharField()
    category = s.CharField()
    breadcrumbs = Crumb(many=True)
    variants = VariantOutput(many=True)
    images = ImageOutput(many=True)
    rating = RatingOutput()
    price_from = MoneyOutput()
    availability = s.ChoiceField(choices=_AVAILABILITY)
    status = s.ChoiceField(choices=["active", "hidden"])


class CategoryNode(s.Serializer):
    slug = s.CharField()
    title: Any = s.CharField()
    count = s.IntegerField()
    children = s.ListField(child=s.DictField(), help_text="the same again")


class CategoryOutput(s.Serializer):
    slug = s.CharField()
    title: Any = s.CharField()
    parent = s.CharField(allow_null=True)
    position = s.IntegerField()


class SuggestOutput(s.Serializer):
    products = Card(many=True)
    categories = Crumb(many=True)
    queries = s.ListField(child=s.CharField())


class StockOutput(s.Serializer):
    sku = s.CharField()
    on_hand = s.IntegerField()
    reserved = s.IntegerField()
    available = s.IntegerField()
    availability = s.ChoiceField(choices=_AVAILABILITY)


class UploadOutput(s.Serializer):
    id = s.CharField()
    status = s.ChoiceField(choices=["processing"])


class UploadedImageOutput(s.Serializer):
    id = s.CharField()
    product_id = s.CharField()
    alt = s.CharField()
    status = s.ChoiceField(choices=["processing", "ready", "failed"])
    reason = s.CharField(allow_null=True)
    renditions = RenditionOutput(many=True)


class ReviewOutput(s.Serializer):
    rating = s.IntegerField()
    title: Any = s.CharField()
    body = s.CharField()
    author = s.CharField()
    verified_purchase = s.BooleanField()
    created_at = s.DateTimeField()


class ReviewPage(s.Serializer):
    results = ReviewOutput(many=True)
    next = s.CharField(allow_null=True)
