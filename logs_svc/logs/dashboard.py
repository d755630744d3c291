"""The overview of the admin: traffic, the way from looking to buying, what is wanted and not found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html_join

from chassis.admin import Card, Chart, Table, site
from chassis.clock import now
from logs import shelves
from logs.domain import LEAST
from logs.services import Days
from logs.services.stats import Board, DayFigures
from logs.wiring import parts

RANGES = (1, 7, 14, 30, 90, 365)
_USUAL = 14
_SHOWN_ROWS = 10
_STEPS = {"view": "Looked", "add_to_cart": "Added", "checkout_started": "To checkout", "purchase": "Bought"}
_REASONS = {"known": "named bots", "too many": "too many events", "repeats": "repeats"}


@site.dashboard
def dashboard(request: HttpRequest) -> list[Any]:
    if not request.user.has_perm("logs.event.read"):
        return []
    count = _days(request)
    today = now().date()
    board = parts().stats.everything(Days(today - timedelta(days=count - 1), today))
    period = "today" if count == 1 else f"the last {count} days"
    return [
        *_cards(board, count),
        *_charts(board, count, period),
        *shelves.parts_of(board.widgets, period),
        *_tables(board, period),
    ]


def _days(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    return int(asked) if asked.isdigit() and len(asked) < 4 and int(asked) in RANGES else _USUAL


def _cards(board: Board, count: int) -> list[Card]:
    figures, today = board.overview, board.series[-1]
    conversion = "–" if figures.conversion is None else f"{100 * figures.conversion:.1f} %"
    bots = ", ".join(f"{_REASONS.get(why, why)} {number:,}" for why, number in figures.bots.items())
    cards = [
        Card("Period", "Today" if count == 1 else f"{count} days", note=_ranges(count)),
        Card("Visitors", f"{figures.visitors:,}", note="who looked at a product"),
        Card("Events", f"{figures.events:,}", note=f"{sum(today.counts.values()):,} today"),
        Card("Conversion", conversion, note="of those who looked, bought"),
        Card("Orders", f"{figures.orders:,}", note=f"{figures.units:,} units"),
        *(Card("Revenue", _money(amount, currency)) for currency, amount in figures.revenue.items()),
        Card("Without identity", f"{figures.anonymous:,}", note="events of people who did not agree"),
        Card("Bots", f"{sum(figures.bots.values()):,}", note=bots or "none; counted apart from all else"),
    ]
    return cards + _warnings()


def _warnings() -> list[Card]:
    """What needs a person: events that wait for the store, those that it will never take, months that end."""
    journal, found = parts().drain.journal, [_months()]
    if journal.waiting() > 1 << 20:
        waiting = f"{journal.waiting() >> 20} MB"
        found.append(Card("Waiting for the store", waiting, tone="warn", note="nothing of it is lost"))
    if journal.bad():
        note = f"files in {journal.folder.name} that the store refuses"
        found.append(Card("Set aside", len(journal.bad()), tone="bad", note=note))
    return found


def _months() -> Card:
    registry = parts().registry
    left = max(0, registry.left())
    if left < LEAST:
        note = "then events go on into the last one: run make deploy, or manage.py prepare"
        return Card("Months prepared", left, tone="bad", note=note)
    return Card("Months prepared", left, note=f"to {registry.ahead(left)[-1]}, besides this one")


def _ranges(chosen: int) -> str:
    links = ((n, "page" if n == chosen else "false", _name(n)) for n in RANGES)
    return format_html_join(" · ", '<a class="logs-range" href="?days={}" aria-current="{}">{}</a>', links)


def _name(days: int) -> str:
    return {1: "Today", 7: "7 d", 14: "14 d", 30: "30 d", 90: "90 d", 365: "1 y"}[days]


def _charts(board: Board, count: int, period: str) -> list[Chart]:
    style = "bar" if count <= 14 else "line"
    funnel = [(_STEPS[step], visitors) for step, visitors, _ in board.funnel]
    charts = [Chart("From looking to buying", funnel, unit=" visitors", note=period)]
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
    """Days by themselves, or weeks where there are more than a chart can show."""
    step = 1 if len(series) <= 90 else 7
    return [(series[at].day[5:], series[at : at + step]) for at in range(0, len(series), step)]


def _tables(board: Board, period: str) -> list[Table]:
    viewed, bought = board.top_products("view", _SHOWN_ROWS), board.top_products("purchase", _SHOWN_ROWS)
    titles = parts().catalog.titles(sorted({id for id, _ in (*viewed, *bought)}))
    searches = [(query, times) for query, times, _ in board.searches(_SHOWN_ROWS)]
    vain = [(query, empty) for query, _, empty in board.searches(_SHOWN_ROWS, without_results=True)]
    return [
        Table("Most looked at", ["product", "views"], _named(viewed, titles), note=period),
        Table("Most bought", ["product", "units"], _named(bought, titles), note=period),
        Table("Top searches", ["searched for", "times"], searches, note=period),
        Table("Searched for in vain", ["searched for", "times"], vain, note=period),
    ]


def _named(rows: Sequence[tuple[str, int]], titles: dict[str, str]) -> list[tuple[str, str]]:
    """A product that the catalogue does not know (any more) is shown by its id."""
    return [(titles.get(id, id), f"{count:,}") for id, count in rows]


def _money(amount: int, currency: str) -> str:
    return f"{amount / 100:,.2f} {currency}"
