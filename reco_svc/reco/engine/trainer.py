"""A whole training: choose parameters on a time split, refit on everything, measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from reco import domain
from reco.domain import Interaction, Lists, Quality, Scored
from reco.engine import matrices
from reco.engine.knn import SparseKNN, trainset
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
    serving_quality: Quality | None
    algorithm: str = ALGORITHM


def train(
    interactions: Sequence[Interaction],
    *,
    now: datetime,
    serving: Lists | None = None,
    progress: Progress = lambda _step, _share: None,
) -> Trained:
    """Trained lists of these interactions; `serving` is measured beside them on the same visits."""
    usable = [one for one in interactions if one.weight and one.visit]
    catalogue = {one.product_id for one in usable}
    shrink, asymmetry, quality, newest = _choose(usable, catalogue, progress)
    progress("fitting", 0.7)
    seen, owned = domain.histories(usable)
    lists = Lists(
        similar=fit(matrices.visits(usable), shrink, asymmetry),
        together=fit(matrices.baskets(usable), shrink, asymmetry),
        trending=domain.trending(usable, now),
        histories=seen,
        owned=owned,
    )
    return Trained(
        lists=lists,
        parameters={"shrink": shrink, "asymmetry": asymmetry, "keep": float(KEPT)},
        quality=quality,
        serving_quality=measure(serving.similar, newest, catalogue) if serving else None,
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
    usable: list[Interaction], catalogue: set[str], progress: Progress
) -> tuple[float, float, Quality, list[Interaction]]:
    older, newest = matrices.split(usable)
    ratings = matrices.visits(older)
    best, chosen = Quality(), (20.0, 0.5)
    for step, (shrink, asymmetry) in enumerate(GRID):
        progress(f"tuning {step + 1} of {len(GRID)}", 0.2 + 0.5 * step / len(GRID))
        quality = measure(fit(ratings, shrink, asymmetry), newest, catalogue)
        if quality.ndcg_at_10 > best.ndcg_at_10 or not step:
            best, chosen = quality, (shrink, asymmetry)
    return *chosen, best, newest
