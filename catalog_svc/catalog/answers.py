"""Shapes of answers, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from chassis.api import serializers as s


class MoneyAnswer(s.Serializer):
    amount = s.IntegerField(help_text="minor units")
    currency = s.CharField()


class RenditionAnswer(s.Serializer):
    url = s.CharField()
    width = s.IntegerField()
    height = s.IntegerField()
    format = s.CharField()


class PictureAnswer(s.Serializer):
    id = s.CharField()
    alt = s.CharField()
    renditions = RenditionAnswer(many=True)


class RatingAnswer(s.Serializer):
    average = s.FloatField(allow_null=True)
    count = s.IntegerField()


_AVAILABILITY = ["in_stock", "low", "out"]


class Card(s.Serializer):
    id = s.CharField()
    slug = s.CharField()
    title: Any = s.CharField()
    brand = s.CharField()
    category = s.CharField()
    image = PictureAnswer(allow_null=True)
    price_from = MoneyAnswer()
    compare_at_price = MoneyAnswer(allow_null=True)
    availability = s.ChoiceField(choices=_AVAILABILITY)
    rating = RatingAnswer()
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


class VariantAnswer(s.Serializer):
    sku = s.CharField()
    attributes = s.DictField(child=s.CharField())
    price = MoneyAnswer()
    compare_at_price = MoneyAnswer(allow_null=True)
    availability = s.ChoiceField(choices=_AVAILABILITY)


class Crumb(s.Serializer):
    slug = s.CharField()
    title: Any = s.CharField()


class ProductAnswer(s.Serializer):
    id = s.CharField()
    slug = s.CharField()
    title: Any = s.CharField()
    description = s.CharField()
    brand = s.CharField()
    category = s.CharField()
    breadcrumbs = Crumb(many=True)
    variants = VariantAnswer(many=True)
    images = PictureAnswer(many=True)
    rating = RatingAnswer()
    price_from = MoneyAnswer()
    availability = s.ChoiceField(choices=_AVAILABILITY)
    status = s.ChoiceField(choices=["active", "hidden"])


class CategoryNode(s.Serializer):
    slug = s.CharField()
    title: Any = s.CharField()
    count = s.IntegerField()
    children = s.ListField(child=s.DictField(), help_text="the same again")


class CategoryAnswer(s.Serializer):
    slug = s.CharField()
    title: Any = s.CharField()
    parent = s.CharField(allow_null=True)
    position = s.IntegerField()


class SuggestAnswer(s.Serializer):
    products = Card(many=True)
    categories = Crumb(many=True)
    queries = s.ListField(child=s.CharField())


class StockAnswer(s.Serializer):
    sku = s.CharField()
    on_hand = s.IntegerField()
    reserved = s.IntegerField()
    available = s.IntegerField()
    availability = s.ChoiceField(choices=_AVAILABILITY)


class UploadAnswer(s.Serializer):
    id = s.CharField()
    status = s.ChoiceField(choices=["processing"])


class ImageAnswer(s.Serializer):
    id = s.CharField()
    product_id = s.CharField()
    alt = s.CharField()
    status = s.ChoiceField(choices=["processing", "ready", "failed"])
    reason = s.CharField(allow_null=True)
    renditions = RenditionAnswer(many=True)


class ReviewAnswer(s.Serializer):
    rating = s.IntegerField()
    title: Any = s.CharField()
    body = s.CharField()
    author = s.CharField()
    verified_purchase = s.BooleanField()
    created_at = s.DateTimeField()


class ReviewPage(s.Serializer):
    results = ReviewAnswer(many=True)
    next = s.CharField(allow_null=True)
