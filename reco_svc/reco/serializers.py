"""Serializers of the API of reco_svc."""

from __future__ import annotations

from typing import Any

from chassis.api import serializers
from reco.domain import SENTENCES


class ListQuery(serializers.Query):
    limit = serializers.IntegerField(min_value=1, max_value=100, default=12)


class TrendingQuery(ListQuery):
    category = serializers.RegexField(r"^[a-z0-9-]{1,100}\Z", required=False)


class IdsField(serializers.CharField):
    """1 to 100 product ids, separated by commas."""

    def to_internal_value(self, data: Any) -> Any:
        ids = [part for part in super().to_internal_value(data).split(",") if part]
        if not 1 <= len(ids) <= 100 or any(len(part) > 64 or not part.isprintable() for part in ids):
            raise serializers.ValidationError("Must be 1 to 100 product ids, separated by commas.")
        return ids


class TogetherQuery(ListQuery):
    ids = IdsField(max_length=8000)


class TrainingIn(serializers.Strict):
    """An empty body; unknown fields are refused."""


class BecauseOut(serializers.Serializer):
    kind = serializers.ChoiceField(sorted(SENTENCES))
    product_id = serializers.CharField(required=False)
    title = serializers.CharField(required=False)


class SuggestionOut(serializers.Serializer):
    product_id = serializers.CharField()
    score = serializers.FloatField()
    reason = serializers.CharField(help_text="The cause in a shopper's words; clients branch on `because`.")
    because = BecauseOut()


class ModelOut(serializers.Serializer):
    version = serializers.CharField(allow_null=True)
    algorithm = serializers.CharField()
    trained_at = serializers.DateTimeField(allow_null=True)


class ListOut(serializers.Serializer):
    results = SuggestionOut(many=True)
    model = ModelOut()


class QualityOut(serializers.Serializer):
    ndcg_at_10 = serializers.FloatField()
    hit_rate_at_10 = serializers.FloatField()
    coverage = serializers.FloatField()
    visits = serializers.IntegerField(help_text="Held-out visits that were measured.")


class TrainingOut(serializers.Serializer):
    id = serializers.CharField()
    status = serializers.ChoiceField(["queued", "running", "done", "failed", "cancelled"])
    progress = serializers.FloatField(help_text="0 to 1.")
    step = serializers.CharField()
    requested_at = serializers.DateTimeField()
    requested_by = serializers.CharField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    events = serializers.IntegerField()
    products = serializers.IntegerField()
    seconds = serializers.FloatField()
    size_bytes = serializers.IntegerField()
    parameters = serializers.DictField(child=serializers.FloatField())
    quality = QualityOut(allow_null=True)
    model = serializers.CharField(allow_null=True)
    promoted = serializers.BooleanField()
    reason = serializers.CharField()
    alert = serializers.CharField(help_text="What staff should look at; empty when all is well.")


class TrainingPageOut(serializers.Serializer):
    results = TrainingOut(many=True)
    next = serializers.CharField(allow_null=True)
