"""The admin of reco_svc: trainings with their quality, models that can be put back, and what is for sale."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db import models

from chassis.admin import Card, Chart, Column, DocumentAdmin, Table, document_model, register, site
from chassis.couch import couch_repository
from reco import repositories
from reco.domain import Training
from reco.wiring import parts


def examples(training: Training) -> str:
    """Of what is wanted most, what goes with it: for a person to judge."""
    held = parts().book.products

    def title(id: str) -> str:
        return held[id].title if id in held and held[id].title else id

    return " · ".join(
        f"{title(product)}: {', '.join(map(title, near)) or 'nothing'}"
        for product, near in training.examples.items()
    )


TrainingModel = document_model(
    repositories.TRAININGS,
    lambda: couch_repository(repositories.TRAININGS),
    app_label="reco",
    verbose_name="training",
    verbose_name_plural="trainings",
    # A field named `events` would be taken for an outbox, which the admin hides.
    fields={
        "learned_from": Column(models.IntegerField("events"), get=lambda training: training.events),
        "examples": Column(models.TextField("what goes with what"), get=examples),
    },
    ordering=["-requested_at"],
)
ModelModel = document_model(
    repositories.MODELS,
    lambda: couch_repository(repositories.MODELS),
    app_label="reco",
    verbose_name="model",
    verbose_name_plural="models",
    ordering=["-trained_at"],
)


class ReadOnly(DocumentAdmin):
    has_add = has_change = has_delete = False


@register(TrainingModel)
class TrainingAdmin(ReadOnly):
    noun = "training"
    list_display = [
        "id",
        "status",
        "step",
        "requested_at",
        "learned_from",
        "products",
        "seconds",
        "promoted",
        "reason",
    ]
    list_filter = ["status"]
    actions = ["cancel"]

    @admin.action(description="Cancel", permissions=["write"])
    def cancel(self, request, queryset):
        for training in queryset:
            try:
                parts().trainings.training_cancel(training.pk)
            except ValueError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.log_change(request, training, "Cancelled.")


@register(ModelModel)
class ModelAdmin(ReadOnly):
    noun = "model"
    list_display = ["id", "algorithm", "trained_at", "products"]
    actions = ["put_back"]

    @admin.action(description="Serve this model again", permissions=["change"])
    def put_back(self, request, queryset):
        chosen = list(queryset)
        if len(chosen) != 1:
            self.message_user(request, "Choose one model.", messages.ERROR)
            return
        try:
            parts().trainings.model_put_back(chosen[0].pk)
        except ValueError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.log_change(request, chosen[0], "Put back into service.")


@site.dashboard
def dashboard(request):
    """The last training, quality over time, and what is wanted just now."""
    trainings = parts().trainings.training_list(limit=14, cursor=None).items
    done = [training for training in reversed(trainings) if training.quality]
    last = trainings[0] if trainings else None
    book = parts().book
    book.refresh()
    popular = parts().recommendations.trending(category=None, limit=5).results
    return [
        Card("Last training", last.status if last else "none yet", note=last.reason if last else ""),
        *_warnings(last, book.problem),
        Card("Products with neighbours", len(book.lists.similar), note=f"of {len(book.products)} known"),
        Chart(
            "Coverage by training, %",
            [(f"{t.requested_at:%d %b %H:%M}", round(100 * t.quality.coverage, 1)) for t in done],
            kind="line",
        ),
        Chart(
            "NDCG@10 by training",
            [(f"{t.requested_at:%d %b %H:%M}", t.quality.ndcg_at_10) for t in done],
            kind="line",
        ),
        Table(
            "Wanted just now",
            ["product", "score"],
            [[book.products[s.product_id].title, round(s.score, 1)] for s in popular],
        ),
    ]


def _warnings(last, problem):
    """What needs somebody: quality that fell, a model that cannot be served."""
    found = []
    if last and last.alert:
        found.append(Card("Quality", "fell", note=last.alert, tone="warn"))
    if problem:
        found.append(Card("Chosen model", "not served", note=problem, tone="warn"))
    return found
