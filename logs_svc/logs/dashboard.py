"""The dashboard of the admin: traffic, the funnel, top products and searches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html_join

from chassis.admin import Card, Chart, Table, site
from chassis.clock import now
from logs import placements
from logs.container import dependencies
from logs.domain import MIN_MONTHS_AHEAD
from logs.services import Days
from logs.services.stats import DayFigures, RangeFigures

RANGES = (1, 7, 14, 30, 90, 365)
_DEFAULT_RANGE = 14
_SHOWN_ROWS = 10
_STEPS = {"view": "Viewed", "add_to_cart": "Added", "checkout_started": "To checkout", "purchase": "Bought"}
_REASONS = {"known": "named bots", "too many": "too many events", "repeats": "repeats"}


@site.dashboard
def dashboard(request: HttpRequest) -> list[Any]:
    if not request.user.has_perm("logs.event.read"):
        return []
    count = _days(request)
    today = now().date()
    board = dependencies().stats.range_figures(Days(today - timedelta(days=count - 1), today))
    period = "today" if count == 1 else f"the last {count} days"
    return [
        *_cards(board, count),
        *_charts(board, count, period),
        *placements.placement_charts(board.widgets, period),
        *_tables(board, period),
    ]


def _days(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    return int(asked) if asked.isdigit() and len(asked) < 4 and int(asked) in RANGES else _DEFAULT_RANGE


def _cards(board: RangeFigures, count: int) -> list[Card]:
    figures, today = board.overview, board.series[-1]
    conversion = "–" if figures.conversion is None else f"{100 * figures.conversion:.1f} %"
    bots = ", ".join(f"{_REASONS.get(why, why)} {number:,}" for why, number in figures.bots.items())
    cards = [
        Card("Period", "Today" if count == 1 else f"{count} days", note=_ranges(count)),
        Card("Visitors", f"{figures.visitors:,}", note="who viewed a product"),
        Card("Events", f"{figures.events:,}", note=f"{sum(today.counts.values()):,} today"),
        Card("Conversion", conversion, note="of those who viewed, bought"),
        Card("Orders", f"{figures.orders:,}", note=f"{figures.units:,} units"),
        *(Card("Revenue", _money(amount, currency)) for currency, amount in figures.revenue.items()),
        Card("Without identity", f"{figures.anonymous:,}", note="events without consent"),
        Card("Bots", f"{sum(figures.bots.values()):,}", note=bots or "none; not in any other figure"),
    ]
    return cards + _warnings()


def _warnings() -> list[Card]:
    """List what needs a person: events that wait, files that were refused, months that run out."""
    journal, found = dependencies().flusher.journal, [_months()]
    if journal.pending_bytes() > 1 << 20:
        waiting = f"{journal.pending_bytes() >> 20} MB"
        found.append(Card("Waiting to be stored", waiting, tone="warn", note="nothing is lost"))
    if journal.quarantined():
        note = f"in {journal.folder.name}, refused by the store"
        found.append(Card("Quarantined files", len(journal.quarantined()), tone="bad", note=note))
    return found


def _months() -> Card:
    registry = dependencies().registry
    left = max(0, registry.count_ahead())
    if left < MIN_MONTHS_AHEAD:
        note = "events then go to the last month: run make deploy, or manage.py prepare"
        return Card("Months prepared", left, tone="bad", note=note)
    return Card("Months prepared", left, note=f"to {registry.upcoming(left)[-1]}, after this month")


def _ranges(chosen: int) -> str:
    links = ((n, "page" if n == chosen else "false", _name(n)) for n in RANGES)
    return format_html_join(" · ", '<a class="logs-range" href="?days={}" aria-current="{}">{}</a>', links)


def _name(days: int) -> str:
    return {1: "Today", 7: "7 d", 14: "14 d", 30: "30 d", 90: "90 d", 365: "1 y"}[days]


def _charts(board: RangeFigures, count: int, period: str) -> list[Chart]:
    style = "bar" if count <= 14 else "line"
    funnel = [(_STEPS[step], visitors) for step, visitors, _ in board.funnel]
    charts = [Chart("Conversion funnel", funnel, unit=" visitors", note=period)]
    if count == 1:
        hours = [(f"{hour:02d}", number) for hour, number in enumerate(board.overview.hours)]
        return [Chart("Events an hour", hours, note="today, UTC"), *charts]
    series = _grouped(board.series)
    events = [(label, sum(sum(day.counts.values()) for day in days)) for label, days in series]
    each = "a day" if len(series) == len(board.series) else "a week"
    charts.insert(0, Chart(f"Events {each}", events, style=style, note=period))
    for currency in board.overview.revenue:
        points = [(label, sum(day.revenue.get(currency, 0) for day in days) / 100) for label, days in series]
        charts.append(Chart(f"Revenue {each}", points, style=style, unit=f" {currency}", note=period))
    return charts


def _grouped(series: Sequence[DayFigures]) -> list[tuple[str, Sequence[DayFigures]]]:
    """Group days into weeks where there are more than a chart can show."""
    step = 1 if len(series) <= 90 else 7
    return [(series[at].day[5:], series[at : at + step]) for at in range(0, len(series), step)]


def _tables(board: RangeFigures, period: str) -> list[Table]:
    viewed, bought = board.top_products("view", _SHOWN_ROWS), board.top_products("purchase", _SHOWN_ROWS)
    titles = dependencies().catalog.titles(sorted({id for id, _ in (*viewed, *bought)}))
    searches = [(query, times) for query, times, _ in board.searches(_SHOWN_ROWS)]
    without_results = [
        (query, empty) for query, _, empty in board.searches(_SHOWN_ROWS, without_results=True)
    ]
    return [
        Table("Most viewed", ["product", "views"], _named(viewed, titles), note=period),
        Table("Most bought", ["product", "units"], _named(bought, titles), note=period),
        Table("Top searches", ["query", "times"], searches, note=period),
        Table("Searches without results", ["query", "times"], without_results, note=period),
    ]


def _named(rows: Sequence[tuple[str, int]], titles: dict[str, str]) -> list[tuple[str, str]]:
    """Replace product ids by titles; a product that the catalogue does not know keeps its id."""
    return [(titles.get(id, id), f"{count:,}") for id, count in rows]


def _money(amount: int, currency: str) -> str:
    return f"{amount / 100:,.2f} {currency}"
