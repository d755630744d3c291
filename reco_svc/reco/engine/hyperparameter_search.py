"""Hyperparameter search on a validation split: one parameter after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from reco.engine import ease
from reco.engine.interactions import Hyperparameters, InteractionArrays

Score = Callable[[Hyperparameters], float]
Change = dict[str, Any]

# The gain that a change must bring: less is the noise of a few thousand queries.
MIN_GAIN = 1.01
# The second model makes a fit ten times as expensive, except for small catalogues.
MIN_GAIN_DENSE = 1.05
CHEAP = 2000  # products
_AGES = ("half_life", "history_half_life")  # stored as 0 if there is none


def start(
    arrays: InteractionArrays, kinds: tuple[tuple[str, float], ...], like: Hyperparameters | None = None
) -> Hyperparameters:
    """Return the start of the search, which also serves if there is nothing to validate on."""
    return replace(
        like or Hyperparameters(),
        kinds=tuple((kind, share) for kind, share in kinds if kind in arrays.owners),
    )


def tune(
    params: Hyperparameters,
    arrays: InteractionArrays,
    score: Score,
    progress: Callable[[str, float], None] | None = None,
) -> Hyperparameters:
    """Return the hyperparameters with the best `score` on unseen interactions.

    Ties keep the earlier ones. Coordinate descent: about 80 fits. Half-lives are shares of the time that the
    data spans, so that a shop of ten years and a day of sessions are searched alike.
    """
    best, held = params, score(params)
    steps = list(_steps(arrays))
    for number, step in enumerate(steps):

        def report_and_score(one: Hyperparameters, number: int = number) -> float:
            if progress:
                progress(f"step {number + 1} of {len(steps)}", number / len(steps))
            return score(one)

        tried = [one for one in (replace(best, **change) for change in step(best)) if one != best]
        scored = [(report_and_score(one), -place) for place, one in enumerate(tried)]
        value, place = max(scored, default=(0.0, 0))
        if tried and value > held * _min_gain(best, tried[-place], arrays.products):
            best, held = tried[-place], value
    return best


def _min_gain(best: Hyperparameters, tried: Hyperparameters, products: int) -> float:
    return MIN_GAIN_DENSE if tried.second and not best.second and products > CHEAP else MIN_GAIN


def _steps(arrays: InteractionArrays) -> Iterator[Callable[[Hyperparameters], list[Change]]]:
    """Iterate twice over the parameters that matter most and depend on each other."""
    for _ in range(2):
        yield from _ageing(arrays.span)
        if len(arrays) and arrays.weight.min() < arrays.weight.max():
            yield lambda _: [{"strength": power} for power in (0.0, 0.25, 1.0)]
        yield lambda _: [{"damping": power} for power in (0.0, 0.25, 0.5)]
        yield lambda _: [{"asymmetry": a} for a in (0.4, 0.5, 0.6, 0.7, 0.8)]
        yield lambda _: [{"shrink": shrink} for shrink in (1.0, 5.0, 20.0, 50.0, 100.0)]
    yield lambda _: [{"keep": keep} for keep in (50, 200)]
    yield _shares
    if ease.is_feasible(arrays):
        yield lambda _: [{"second": share} for share in (0.5, 2.0, 8.0)]
        yield lambda best: [{"ridge": 150.0}, {"ridge": 1000.0}] if best.second else []


def _ageing(span: float) -> Iterator[Callable[[Hyperparameters], list[Change]]]:
    if not span:
        yield lambda _: [{"prior": power} for power in (-0.25, 0.25, 0.5)]
        return
    yield lambda _: [{"half_life": span / part} for part in (1, 2, 4, 8, 16)]
    yield lambda _: [
        {"prior": power, "prior_half_life": span / part}
        for part in (1, 6, 12, 25, 50)
        for power in (0.25, 0.4, 0.55, 0.7)
    ]
    yield lambda _: [{"history_half_life": span / part} for part in (1, 3, 10, 30, 100)]


def _shares(best: Hyperparameters) -> list[Change]:
    """Vary the weights of the other kinds of owners; the first kind stays at 1."""
    first, *others = best.kinds
    return [
        {"kinds": (first, *((kind, share) for kind, _ in others))} for share in (0.0, 0.25, 1.0) if others
    ]


def parse_hyperparameters(
    parameters: Mapping[str, float], prefix: str, kinds: tuple[tuple[str, float], ...]
) -> Hyperparameters:
    """Read hyperparameters that were `to_parameters` with this prefix; missing ones have the default."""
    known = {
        name: parameters[prefix + name] for name in Hyperparameters.__slots__ if prefix + name in parameters
    }
    chosen: Change = {name: (value or None) if name in _AGES else value for name, value in known.items()}
    if "keep" in chosen:
        chosen["keep"] = int(chosen["keep"])
    shares = tuple((kind, parameters.get(f"{prefix}share_{kind}", share)) for kind, share in kinds)
    return replace(Hyperparameters(), **chosen, kinds=shares)


def to_parameters(params: Hyperparameters) -> dict[str, float]:
    """Return the hyperparameters as numbers for a report; 0 means no half-life."""
    plain = {name: getattr(params, name) for name in Hyperparameters.__slots__ if name != "kinds"}
    shares = {f"share_{kind}": share for kind, share in params.kinds}
    return {name: round(float(value or 0.0), 4) for name, value in {**plain, **shares}.items()}
