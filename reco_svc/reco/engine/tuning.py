"""Chooses a recipe on a validation split: one parameter after the other, keeping what helped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from reco.engine import second
from reco.engine.deeds import Deeds, Recipe

Score = Callable[[Recipe], float]
Change = dict[str, Any]

# What a change must bring: less is the noise of a few thousand questions, and the starting point is sound.
WORTH = 1.01
# The second model makes a fit ten times as dear, except where even that is little.
DEAR = 1.05
CHEAP = 2000  # products
_AGES = ("half_life", "history_half_life")  # 0 in a description stands for none


def start(deeds: Deeds, kinds: tuple[tuple[str, float], ...], like: Recipe | None = None) -> Recipe:
    """Where the search begins, and what serves when there is nothing to validate on."""
    return replace(
        like or Recipe(), kinds=tuple((kind, share) for kind, share in kinds if kind in deeds.owners)
    )


def tune(
    recipe: Recipe, deeds: Deeds, score: Score, progress: Callable[[str, float], None] | None = None
) -> Recipe:
    """The recipe that `score` (on deeds that the fit does not see) likes best; ties keep the earlier one.

    Coordinate descent: about 80 fits. Half-lives are shares of the time that the data spans, so that a
    shop of ten years and a day of sessions are searched alike.
    """
    best, held = recipe, score(recipe)
    steps = list(_steps(deeds))
    for number, step in enumerate(steps):

        def told(one: Recipe, number: int = number) -> float:
            if progress:
                progress(f"step {number + 1} of {len(steps)}", number / len(steps))
            return score(one)

        tried = [one for one in (replace(best, **change) for change in step(best)) if one != best]
        scored = [(told(one), -place) for place, one in enumerate(tried)]
        value, place = max(scored, default=(0.0, 0))
        if tried and value > held * _worth(best, tried[-place], deeds.products):
            best, held = tried[-place], value
    return best


def _worth(best: Recipe, tried: Recipe, products: int) -> float:
    return DEAR if tried.second and not best.second and products > CHEAP else WORTH


def _steps(deeds: Deeds) -> Iterator[Callable[[Recipe], list[Change]]]:
    """Twice over what matters most and depends on each other: ageing, and what is wanted of late."""
    for _ in range(2):
        yield from _ageing(deeds.span)
        if len(deeds) and deeds.weight.min() < deeds.weight.max():
            yield lambda _: [{"strength": power} for power in (0.0, 0.25, 1.0)]
        yield lambda _: [{"damping": power} for power in (0.0, 0.25, 0.5)]
        yield lambda _: [{"asymmetry": a} for a in (0.4, 0.5, 0.6, 0.7, 0.8)]
        yield lambda _: [{"shrink": shrink} for shrink in (1.0, 5.0, 20.0, 50.0, 100.0)]
    yield lambda _: [{"keep": keep} for keep in (50, 200)]
    yield _shares
    if second.possible(deeds):
        yield lambda _: [{"second": share} for share in (0.5, 2.0, 8.0)]
        yield lambda best: [{"ridge": 150.0}, {"ridge": 1000.0}] if best.second else []


def _ageing(span: float) -> Iterator[Callable[[Recipe], list[Change]]]:
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


def _shares(best: Recipe) -> list[Change]:
    """The first kind of owners stays at 1; how much the others weigh beside it."""
    first, *others = best.kinds
    return [
        {"kinds": (first, *((kind, share) for kind, _ in others))} for share in (0.0, 0.25, 1.0) if others
    ]


def recipe_of(parameters: Mapping[str, float], prefix: str, kinds: tuple[tuple[str, float], ...]) -> Recipe:
    """The recipe that was `described` under names with this prefix; what is missing is as at the start."""
    known = {name: parameters[prefix + name] for name in Recipe.__slots__ if prefix + name in parameters}
    chosen: Change = {name: (value or None) if name in _AGES else value for name, value in known.items()}
    if "keep" in chosen:
        chosen["keep"] = int(chosen["keep"])
    shares = tuple((kind, parameters.get(f"{prefix}share_{kind}", share)) for kind, share in kinds)
    return replace(Recipe(), **chosen, kinds=shares)


def described(recipe: Recipe) -> dict[str, float]:
    """Numbers for a report; 0 stands for a half-life of for ever."""
    plain = {name: getattr(recipe, name) for name in Recipe.__slots__ if name != "kinds"}
    shares = {f"share_{kind}": share for kind, share in recipe.kinds}
    return {name: round(float(value or 0.0), 4) for name, value in {**plain, **shares}.items()}
