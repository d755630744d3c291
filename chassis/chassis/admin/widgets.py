"""What a page shows besides Django's lists and forms: cards, tables, charts. Everything is escaped."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from chassis.stand_ins import mail_is_sent

#: Fields of a part that its table leaves out: unknown ones, and hashes to tell repetitions by.
NOT_FOR_PEOPLE = frozenset({"extra", "fingerprint"})


@dataclasses.dataclass(frozen=True)
class Card:
    """One figure on the dashboard. `tone` is "" (neutral), "ok", "warn" or "bad"."""

    title: str
    value: Any
    note: str = ""
    tone: str = ""
    url: str = ""
    kind: str = dataclasses.field(default="card", init=False)


@dataclasses.dataclass(frozen=True)
class Table:
    """A table on the dashboard.

    A cell may be made with format_html; anything else is escaped. A table of many columns is `full`: as wide
    as the page.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str = ""
    url: str = ""
    full: bool = False
    kind: str = dataclasses.field(default="table", init=False)


@dataclasses.dataclass(frozen=True)
class Chart:
    """A drawn series of (label, number), as bars or a line; drawn on the server, so it needs no script."""

    title: str
    points: Sequence[tuple[str, float]]
    style: str = "bar"
    unit: str = ""
    note: str = ""
    url: str = ""
    kind: str = dataclasses.field(default="chart", init=False)

    WIDTH = 600
    HEIGHT = 160

    @property
    def top(self) -> float:
        """The largest number, never 0."""
        return max((value for _, value in self.points), default=0) or 1

    @property
    def marks(self) -> list[dict[str, Any]]:
        """Where each point is drawn, in the units of the picture (600 x 160)."""
        step = self.WIDTH / max(len(self.points), 1)
        apart = -(-len(self.points) // 7)  # seven labels at most, for they are read on phones too
        return [
            {
                "label": label,
                "labelled": index % apart == 0,
                "value": value,
                "x": round(index * step + step * 0.12, 1),
                "middle": round(index * step + step / 2, 1),
                "width": round(step * 0.76, 1),
                "height": round(max(value, 0) / self.top * self.HEIGHT, 1),
                "y": round(self.HEIGHT - max(value, 0) / self.top * self.HEIGHT, 1),
            }
            for index, (label, value) in enumerate(self.points)
        ]

    @property
    def path(self) -> str:
        """The line through all points, as SVG wants it."""
        return " ".join(f"{mark['middle']},{mark['y']}" for mark in self.marks)


def mail_card() -> Card:
    """Say whether mails reach anybody, for services that send them."""
    if mail_is_sent():
        return Card("Mail", "Sent", note=f"by {settings.EMAIL_HOST}", tone="ok")
    return Card(
        "Mail", "Not sent", note="no mail server is configured: mails are only kept here", tone="warn"
    )


def parts_table(parts: Any) -> SafeString | str:
    """Nested parts (a list or one of dataclasses, mappings or plain values) as a read-only table."""
    rows = _rows(parts)
    if not rows:
        return "–"
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = format_html_join("", "<th>{}</th>", ((name.replace("_", " "),) for name in names))
    body = format_html_join(
        "",
        "<tr>{}</tr>",
        ((format_html_join("", "<td>{}</td>", ((plain(row.get(name)),) for name in names)),) for row in rows),
    )
    return format_html('<table class="parts"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', head, body)


def _rows(parts: Any) -> list[dict[str, Any]]:
    if parts is None or (isinstance(parts, str) and not parts):
        return []
    if isinstance(parts, Mapping):
        return [{"name": key, "value": value} for key, value in parts.items()]
    if isinstance(parts, Iterable) and not isinstance(parts, str):
        return [_row(part) for part in parts]
    return [_row(parts)]


def _row(part: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        names = [field.name for field in dataclasses.fields(part) if field.name not in NOT_FOR_PEOPLE]
        return {name: getattr(part, name) for name in names}
    return dict(part) if isinstance(part, Mapping) else {"value": part}


def plain(value: Any) -> Any:
    """Return a document's value as a person reads it: money as a decimal, a moment without fractions."""
    if value is None or value == "":
        return "–"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    amount, currency = _money(value)
    if currency:
        return f"{amount / 100:.2f} {currency}"
    if isinstance(value, Mapping):
        return format_html_join(", ", "{}: {}", ((key, plain(item)) for key, item in value.items())) or "–"
    if isinstance(value, (list, tuple)) or dataclasses.is_dataclass(value):
        return parts_table(value)
    return value


def _money(value: Any) -> tuple[int, str]:
    if isinstance(value, Mapping) and set(value) == {"amount", "currency"}:
        return value["amount"], value["currency"]
    if dataclasses.is_dataclass(value) and {f.name for f in dataclasses.fields(value)} == {
        "amount",
        "currency",
    }:
        return value.amount, value.currency  # type: ignore[attr-defined]
    return 0, ""
