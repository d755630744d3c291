"""What comes in and goes out of reco_svc's API."""

from __future__ import annotations

from rest_framework import serializers


class SuggestionOut(serializers.Serializer):
    product_id = serializers.CharField()
    score = serializers.FloatField()
    reason = serializers.CharField()


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
    status = serializers.ChoiceField(["queued", "running", "done", "failed"])
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


class TrainingPageOut(serializers.Serializer):
    results = TrainingOut(many=True)
    next = serializers.CharField(allow_null=True)
