"""Serializers of the conversion figures of widgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chassis.api import serializers
from logs.domain.significance import Difference, Rate
from logs.services.conversion import Comparison, Conversion, WidgetFigures

#: The API's names for what an impression may become.
_NAMES = {
    "impression": "impressions",
    "click": "clicks",
    "add_to_cart": "add_to_cart",
    "purchase": "purchases",
}
_SHARE = "A share of the impressions, from 0 to 1, with its 95 % interval; null when nothing was shown."


class RateOut(serializers.Serializer):
    rate = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class RatesOut(serializers.Serializer):
    clicks = RateOut(allow_null=True, help_text=_SHARE)
    add_to_cart = RateOut(allow_null=True, help_text=_SHARE)
    purchases = RateOut(allow_null=True, help_text=_SHARE)


class AnonymousOut(serializers.Serializer):
    impressions = serializers.IntegerField()
    clicks = serializers.IntegerField()


class WidgetOut(serializers.Serializer):
    shelf = serializers.CharField()
    variant = serializers.CharField(allow_blank=True, help_text="Empty for a shelf that compares nothing.")
    impressions = serializers.IntegerField()
    clicks = serializers.IntegerField()
    add_to_cart = serializers.IntegerField(help_text="Of products clicked here last, within 24 hours.")
    purchases = serializers.IntegerField(
        help_text="Order lines of products clicked here last, within 24 hours."
    )
    anonymous = AnonymousOut(help_text="Of people who did not agree, in none of the other figures.")
    rates = RatesOut()


class DifferenceOut(serializers.Serializer):
    difference = serializers.FloatField(help_text="The second variant's rate less the first one's.")
    low = serializers.FloatField()
    high = serializers.FloatField()
    significant = serializers.BooleanField(
        allow_null=True, help_text="Whether the 95 % interval leaves 0 out; null for too few visitors."
    )


class DifferencesOut(serializers.Serializer):
    clicks = DifferenceOut(allow_null=True)
    add_to_cart = DifferenceOut(allow_null=True)
    purchases = DifferenceOut(allow_null=True)


class ComparisonOut(serializers.Serializer):
    shelf = serializers.CharField()
    variants = serializers.ListField(child=serializers.CharField(), min_length=2, max_length=2)
    differences = DifferencesOut()


class WidgetsOut(serializers.Serializer):
    results = WidgetOut(many=True)
    comparisons = ComparisonOut(many=True)


def conversion_body(conversion: Conversion) -> dict[str, Any]:
    return {
        "results": [_widget(figures) for figures in conversion.widgets],
        "comparisons": [_comparison(comparison) for comparison in conversion.comparisons],
    }


def _widget(figures: WidgetFigures) -> dict[str, Any]:
    return {
        "shelf": figures.shelf,
        "variant": figures.variant,
        **_named(figures.counts),
        "anonymous": _named(figures.anonymous),
        "rates": {name: rate and _rate(rate) for name, rate in _named(figures.rates).items()},
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    differences = _named(comparison.differences)
    return {
        "shelf": comparison.shelf,
        "variants": list(comparison.variants),
        "differences": {name: each and _difference(each) for name, each in differences.items()},
    }


def _named(steps: Mapping[str, Any]) -> dict[str, Any]:
    return {_NAMES[step]: value for step, value in steps.items()}


def _rate(rate: Rate) -> dict[str, float]:
    return {"rate": round(rate.rate, 6), "low": round(rate.low, 6), "high": round(rate.high, 6)}


def _difference(each: Difference) -> dict[str, Any]:
    numbers = {name: round(getattr(each, name), 6) for name in ("difference", "low", "high")}
    return {**numbers, "significant": each.significant}
