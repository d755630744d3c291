"""Shelves on the overview: a chart each of what became of what they showed, and variants compared."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.admin import Chart, Table
from logs.domain.significance import Difference, Rate
from logs.services.conversion import RATES, Comparison, Conversion, WidgetFigures

_DRAWN = 6
_SHOWN_ROWS = 24
_STEPS = {"click": "Clicked", "add_to_cart": "Added", "purchase": "Bought"}


def parts_of(conversion: Conversion, period: str) -> list[Chart | Table]:
    """What there is to show of the shelves; nothing when none was seen. Those that led to nothing are not
    drawn: the table says so."""
    drawn = [
        figures for figures in conversion.widgets if figures.counts["impression"] and figures.counts["click"]
    ]
    parts: list[Chart | Table] = [_chart(figures, period) for figures in drawn[:_DRAWN]]
    if conversion.widgets:
        parts.append(_table(conversion.widgets[:_SHOWN_ROWS], period))
    if conversion.comparisons:
        parts.append(_compared(conversion.comparisons, period))
    return parts


def _chart(figures: WidgetFigures, period: str) -> Chart:
    """Of 100 that were seen, how many became what."""
    points = [(_STEPS[step], round(100 * rate.rate, 2)) for step, rate in figures.rates.items() if rate]
    note = f"{figures.counts['impression']:,} seen, {period}"
    return Chart(f"From the shelf {_name(figures)}", points, unit=" % of what was seen", note=note)


def _table(widgets: Sequence[WidgetFigures], period: str) -> Table:
    rows = [
        [
            _name(figures),
            f"{figures.counts['impression']:,}",
            *(f"{figures.counts[step]:,}{_rate(figures.rates[step])}" for step in RATES),
            f"{figures.anonymous['impression']:,}",
        ]
        for figures in widgets
    ]
    columns = ["shelf", "seen", *(_STEPS[step].lower() for step in RATES), "seen without identity"]
    note = f"{period}; added and bought: within 24 hours of a click here; 95 % intervals"
    return Table("What shelves led to", columns, rows, note=note, full=True)


def _compared(comparisons: Sequence[Comparison], period: str) -> Table:
    rows = [
        [
            comparison.shelf,
            f"{comparison.variants[1]} less {comparison.variants[0]}",
            *(_difference(comparison.differences[step]) for step in RATES),
        ]
        for comparison in comparisons
    ]
    columns = ["shelf", "variants", *(_STEPS[step].lower() for step in RATES)]
    note = f"{period}; percent points, 95 % intervals"
    return Table("Variants compared", columns, rows, note=note, full=True)


def _name(figures: WidgetFigures) -> str:
    return f"{figures.shelf}, {figures.variant}" if figures.variant else figures.shelf


def _rate(rate: Rate | None) -> str:
    return (
        "" if rate is None else f" · {_percent(rate.rate)} % ({_percent(rate.low)} to {_percent(rate.high)})"
    )


def _difference(each: Difference | None) -> str:
    if each is None:
        return "–"
    words = {True: "significant", False: "not significant", None: "too few visitors"}[each.significant]
    numbers = f"{100 * each.difference:+.2f} ({100 * each.low:+.2f} to {100 * each.high:+.2f})"
    return f"{numbers}, {words}"


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"
