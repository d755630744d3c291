"""A whole training: choose parameters on a time split, refit on everything, measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from reco import domain
from reco.domain import Comparison, Interaction, Lists, Quality, Scored, Served
from reco.engine import matrices
from reco.engine.knn import SparseKNN
from reco.engine.trainset import trainset
from reco.engine.quality import measure

ALGORITHM = "surprise-knn-sparse"
GRID = tuple((shrink, asymmetry) for shrink in (5.0, 20.0, 100.0) for asymmetry in (0.4, 0.5, 0.7))
KEPT = 50

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Trained:
    lists: Lists
    parameters: dict[str, float]
    quality: Quality
    compared: Comparison | None
    algorithm: str = ALGORITHM


@dataclass(frozen=True, slots=True)
class _Choice:
    """The best parameters on the time split, and what they gave there."""

    shrink: float
    asymmetry: float
    quality: Quality
    lists: dict[str, list[Scored]]


def train(
    interactions: Sequence[Interaction],
    *,
    now: datetime,
    serving: Served | None = None,
    progress: Progress = lambda _step, _share: None,
) -> Trained:
    """Trained lists of these interactions; `serving` is compared on the visits since it was trained."""
    usable = [one for one in interactions if one.weight and one.visit]
    catalogue = {one.product_id for one in usable}
    older, newest = matrices.split(usable)
    best = _choose(matrices.visits(older), newest, catalogue, progress)
    progress("fitting", 0.7)
    seen, owned = domain.histories(usable)
    lists = Lists(
        similar=fit(matrices.visits(usable), best.shrink, best.asymmetry),
        together=fit(matrices.baskets(usable), best.shrink, best.asymmetry),
        trending=domain.trending(usable, now),
        histories=seen,
        owned=owned,
    )
    return Trained(
        lists=lists,
        parameters={"shrink": best.shrink, "asymmetry": best.asymmetry, "keep": float(KEPT)},
        quality=best.quality,
        compared=_compare(best.lists, serving, newest, catalogue),
    )


def fit(ratings: matrices.Ratings, shrink: float, asymmetry: float) -> dict[str, list[Scored]]:
    """Per product its nearest, the best first; empty where nothing was done together."""
    if not ratings:
        return {}
    known = trainset(ratings)
    model = SparseKNN(shrink=shrink, asymmetry=asymmetry, keep=KEPT).fit(known)
    names = [known.to_raw_iid(item) for item in range(known.n_items)]
    nearest = ((names[item], model.sim.nearest(item)) for item in range(known.n_items))
    return {name: [(names[j], round(score, 6)) for j, score in near] for name, near in nearest if near}


def _choose(
    ratings: matrices.Ratings, newest: list[Interaction], catalogue: set[str], progress: Progress
) -> _Choice:
    choices = []
    for step, (shrink, asymmetry) in enumerate(GRID):
        progress(f"tuning {step + 1} of {len(GRID)}", 0.2 + 0.5 * step / len(GRID))
        lists = fit(ratings, shrink, asymmetry)
        choices.append(_Choice(shrink, asymmetry, measure(lists, newest, catalogue), lists))
    return max(choices, key=lambda choice: choice.quality.ndcg_at_10)


def _compare(
    lists: dict[str, list[Scored]], serving: Served | None, newest: list[Interaction], catalogue: set[str]
) -> Comparison | None:
    """On the newest visits that began after the serving model's training: it has learned from the others."""
    if serving is None:
        return None
    known = {one.visit for one in newest if one.at <= serving.trained_at}
    fresh = [one for one in newest if one.visit not in known]
    return Comparison(measure(lists, fresh, catalogue), measure(serving.lists.similar, fresh, catalogue))
