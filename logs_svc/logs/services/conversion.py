"""What became of what shelves showed, for people: rates with how sure they are, variants compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, groupby

from logs.domain.significance import Difference, Rate, difference, rate
from logs.domain.widgets import STEPS, Tally, Widget, Widgets

#: What an impression may become.
RATES = STEPS[1:]
_MOST_COMPARED = 4  # variants of a shelf, the most shown


@dataclass(frozen=True, slots=True)
class WidgetFigures:
    """A shelf's variant: how often each step was reached by visitors (`counts`), by people who did not agree
    (`anonymous`: of impressions and clicks only), and which share of the visitors' impressions became each.
    """

    shelf: str
    variant: str
    counts: Mapping[str, int]
    anonymous: Mapping[str, int]
    rates: Mapping[str, Rate | None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two variants of a shelf: by step, the rate of the second less that of the first."""

    shelf: str
    variants: tuple[str, str]
    differences: Mapping[str, Difference | None]


@dataclass(frozen=True, slots=True)
class Conversion:
    """All shelves, the most shown first."""

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
    """Of each shelf with several variants, every two; "" is no variant."""
    known = sorted(widget for widget in widgets.tallies if widget[1])
    found = []
    for shelf, group in groupby(known, key=lambda widget: widget[0]):
        most = sorted(group, key=lambda widget: -widgets.tallies[widget].shown)[:_MOST_COMPARED]
        for one, two in combinations(sorted(most), 2):
            pair = widgets.tallies[one].buckets, widgets.tallies[two].buckets
            differences = {step: difference(*pair, STEPS.index(step)) for step in RATES}
            found.append(Comparison(shelf, (one[1], two[1]), differences))
    return found
