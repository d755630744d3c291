"""Placements on the dashboard: a conversion chart for each shelf, and variants compared."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.admin import Chart, Table
from logs.domain.significance import Difference, Rate
from logs.services.conversion import RATES, Comparison, Conversion, WidgetFigures

_MAX_CHARTS = 6
_SHOWN_ROWS = 24
_STEPS = {"click": "Clicked", "add_to_cart": "Added", "purchase": "Bought"}


def placement_charts(conversion: Conversion, period: str) -> list[Chart | Table]:
    """Return the charts and tables of shelves; none if nothing was shown.

    Shelves without a click have no chart, only a row in the table.
    """
    clicked = [
        figures for figures in conversion.widgets if figures.counts["impression"] and figures.counts["click"]
    ]
    charts: list[Chart | Table] = [_chart(figures, period) for figures in clicked[:_MAX_CHARTS]]
    if conversion.widgets:
        charts.append(_table(conversion.widgets[:_SHOWN_ROWS], period))
    if conversion.comparisons:
        charts.append(_compared(conversion.comparisons, period))
    return charts


def _chart(figures: WidgetFigures, period: str) -> Chart:
    """Draw how many of 100 impressions reached each step."""
    points = [(_STEPS[step], round(100 * rate.rate, 2)) for step, rate in figures.rates.items() if rate]
    note = f"{figures.counts['impression']:,} seen, {period}"
    return Chart(f"From the shelf {_name(figures)}", points, unit=" % of impressions", note=note)


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
    columns = ["shelf", "seen", *(_STEPS[step].lower() for step in RATES), "seen without consent"]
    note = f"{period}; added and bought: within 24 hours of a click here; 95 % intervals"
    return Table("Conversion by shelf", columns, rows, note=note, full=True)


def _compared(comparisons: Sequence[Comparison], period: str) -> Table:
    rows = [
        [
            comparison.shelf,
            f"{comparison.variants[1]} minus {comparison.variants[0]}",
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
