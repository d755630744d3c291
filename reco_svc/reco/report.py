"""The admin's report of a training: quality over time, parameters, and why it serves or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chassis.admin import Card, Chart, Table
from reco.container import dependencies
from reco.domain import Comparison, Quality, Training

LIST_TITLES = {"": "goes well with", "together_": "bought together", "personal_": "for you"}
MEANINGS = {
    "shrink": "people that a pair needs before it is believed",
    "asymmetry": "share of the product's own count in the cosine",
    "keep": "neighbours kept in the fit",
    "strength": "power of the weights: a purchase beside a view",
    "half_life": "days until what was done counts half; 0: nothing ages",
    "damping": "how much less long histories count",
    "prior": "power of how much is wanted of late",
    "prior_half_life": "days until that halves",
    "history_half_life": "days until a history's thing counts half; 0: nothing ages",
    "second": "share of the closed-form second model; 0: none",
    "ridge": "its regularization",
    "share_user": "weight of accounts' rows",
    "share_session": "weight of visits' rows",
    "kept": "products in each list",
}
TONES = {"done": "ok", "failed": "bad", "cancelled": "warn"}


def report(training: Training) -> list[Any]:
    """Return the cards, charts and tables of one training's page."""
    history = dependencies().trainings.training_history(training)
    return [
        Card("Training", training.status, note=_said(training), tone=TONES.get(training.status, "")),
        *([Card("Alert", "quality fell", note=training.alert, tone="warn")] if training.alert else []),
        *_result(training),
        Card(
            "Learned from",
            f"{training.events:,} events",
            note=f"{training.products:,} products have neighbours",
        ),
        Card("Duration", _duration(training.seconds), note=_when(training)),
        *over_time(history),
        *([_compared(training.compared)] if training.compared and training.compared.candidate.visits else []),
        *_tables(training),
    ]


def over_time(trainings: Sequence[Training]) -> list[Chart]:
    """Return charts of the trainings that were measured, given oldest first."""
    measured = [(f"{one.requested_at:%d %b %H:%M}", one, one.quality) for one in trainings if one.quality]
    return [
        Chart("NDCG@10 by training", [(at, q.ndcg_at_10) for at, _, q in measured], style="line"),
        Chart(
            "Coverage by training, %",
            [(at, round(100 * q.coverage, 1)) for at, _, q in measured],
            style="line",
        ),
        Chart("Duration by training, s", [(at, round(one.seconds, 1)) for at, one, _ in measured]),
    ]


def titles(ids: Iterable[str]) -> dict[str, str]:
    """Return the titles of products; a product that the catalogue does not know keeps its id."""
    held = dependencies().serving_state.products
    return {id: held[id].title if id in held and held[id].title else id for id in ids}


def _said(training: Training) -> str:
    return training.reason or f"{training.step}, {training.progress:.0%}"


def _result(training: Training) -> list[Card]:
    if training.status != "done" or training.quality is None:
        return []
    quality = training.quality
    return [
        Card(
            "Serves" if training.promoted else "Does not serve",
            "promoted" if training.promoted else "not promoted",
            note=training.reason,
            tone="ok" if training.promoted else "warn",
        ),
        Card(
            "NDCG@10", f"{quality.ndcg_at_10:.4f}", note=f"on {quality.visits:,} visits that it had not seen"
        ),
        Card("Hit rate at 10", f"{quality.hit_rate_at_10:.1%}", note="visits with a right product among ten"),
        Card("Coverage", f"{quality.coverage:.1%}", note="of the products are in some list"),
        Card("Size", _size(training.size_bytes), note="of the model's file"),
    ]


def _compared(compared: Comparison) -> Table:
    def row(name: str, quality: Quality) -> list[Any]:
        return [name, f"{quality.ndcg_at_10:.4f}", f"{quality.hit_rate_at_10:.1%}", f"{quality.coverage:.1%}"]

    return Table(
        "Beside the model that served",
        ["model", "NDCG@10", "hit rate", "coverage"],
        [row("this one", compared.candidate), row("the one that served", compared.serving)],
        note=f"on {compared.candidate.visits:,} visits that neither had learned from",
    )


def _tables(training: Training) -> list[Table]:
    found = []
    if training.examples:
        named = titles({id for pair in training.examples.items() for id in (pair[0], *pair[1])})
        rows = [
            [named[product], ", ".join(named[other] for other in near) or "nothing"]
            for product, near in training.examples.items()
        ]
        found.append(
            Table("What goes with what", ["most wanted", "goes well with"], rows, note="to judge by eye")
        )
    if training.parameters:
        names = [name for name in MEANINGS if name in training.parameters]
        rows = [[name, *(_chosen(training, name)), MEANINGS[name]] for name in names]
        heads = ["parameter", *LIST_TITLES.values(), "meaning"]
        found.append(
            Table("Chosen parameters", heads, rows, note="on the newest tenth of the visits", full=True)
        )
    return found


def _chosen(training: Training, name: str) -> list[str]:
    values = (training.parameters.get(f"{question}{name}") for question in LIST_TITLES)
    return ["–" if value is None else f"{value:g}" for value in values]


def _when(training: Training) -> str:
    asked = f"asked for by {training.requested_by}"
    return f"{asked}, begun {training.started_at:%Y-%m-%d %H:%M} UTC" if training.started_at else asked


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _size(bytes: int) -> str:
    return f"{bytes / 1024:,.0f} KB" if bytes < 1 << 20 else f"{bytes / (1 << 20):,.1f} MB"
