"""The dashboard of the admin: the last training, quality over time, trending products."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from chassis.admin import Card, Table, site
from reco.container import dependencies
from reco.domain import Training
from reco.report import over_time, titles

TRAININGS = 30


@site.dashboard
def dashboard(request: HttpRequest) -> list[Any]:
    if not request.user.has_perm("reco.training.read"):
        return []
    trainings = dependencies().trainings.training_list(limit=TRAININGS, cursor=None).items
    last = trainings[0] if trainings else None
    serving_state = dependencies().serving_state
    serving_state.refresh()
    popular = dependencies().recommendations.trending(category=None, limit=5).results
    named = titles([one.product_id for one in popular])
    return [
        _last(last),
        *_warnings(last, serving_state.problem),
        Card(
            "Products with neighbours",
            f"{len(serving_state.lists.similar):,}",
            note=f"of {len(serving_state.products):,} known",
        ),
        *over_time([training for training in reversed(trainings) if training.quality]),
        Table(
            "Trending",
            ["product", "score"],
            [[named[one.product_id], round(one.score, 1)] for one in popular],
        ),
    ]


def _last(last: Training | None) -> Card:
    if last is None:
        return Card("Last training", "none yet")
    url = reverse("admin:reco_training_change", args=[last.id])
    return Card("Last training", last.status, note=last.reason, url=url)


def _warnings(last: Training | None, problem: str) -> list[Card]:
    """List what needs attention: a fall in quality, a model that cannot be served."""
    found = []
    if last and last.alert:
        found.append(Card("Quality", "fell", note=last.alert, tone="warn"))
    if problem:
        found.append(Card("Chosen model", "not served", note=problem, tone="warn"))
    return found
