"""Conversion figures of widgets: rates with confidence intervals, and comparisons of variants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, groupby

from logs.domain.significance import Difference, Rate, difference, rate
from logs.domain.widgets import STEPS, Tally, Widget, Widgets

#: The steps that follow an impression.
RATES = STEPS[1:]
_MAX_VARIANTS = 4  # of a shelf, the most shown


@dataclass(frozen=True, slots=True)
class WidgetFigures:
    """The figures of a shelf's variant.

    `counts` has the visitors' steps, `anonymous` the impressions and clicks without consent, `rates` the
    share of the visitors' impressions that reached each step.
    """

    shelf: str
    variant: str
    counts: Mapping[str, int]
    anonymous: Mapping[str, int]
    rates: Mapping[str, Rate | None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two variants of a shelf: for each step, the second rate minus the first."""

    shelf: str
    variants: tuple[str, str]
    differences: Mapping[str, Difference | None]


@dataclass(frozen=True, slots=True)
class Conversion:
    """The figures of all widgets, the most shown first."""

    widgets: list[WidgetFigures]
    comparisons: list[Comparison]

    @classmethod
    def of(cls, widgets: Widgets) -> Conversion:
        tallies = sorted(widgets.tallies.items(), key=lambda pair: (-pair[1].shown, pair[0]))
        return cls([_figures(widget, tally) for widget, tally in tallies], _comparisons(widgets))


def _figures(widget: Widget, tally: Tally) -> WidgetFigures:
    shelf, variant = widget
    buckets = tally.buckets
    return WidgetFigures(
        shelf=shelf,
        variant=variant,
        counts={step: tally.total(step) for step in STEPS},
        anonymous={step: tally.anonymous(step) for step in STEPS[:2]},
        rates={step: rate(buckets, STEPS.index(step)) for step in RATES},
    )


def _comparisons(widgets: Widgets) -> list[Comparison]:
    """Compare every two variants of each shelf; "" is no variant."""
    known = sorted(widget for widget in widgets.tallies if widget[1])
    found = []
    for shelf, group in groupby(known, key=lambda widget: widget[0]):
        most = sorted(group, key=lambda widget: -widgets.tallies[widget].shown)[:_MAX_VARIANTS]
        for one, two in combinations(sorted(most), 2):
            pair = widgets.tallies[one].buckets, widgets.tallies[two].buckets
            differences = {step: difference(*pair, STEPS.index(step)) for step in RATES}
            found.append(Comparison(shelf, (one[1], two[1]), differences))
    return found
