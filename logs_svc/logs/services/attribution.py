"""Attribution of additions and purchases to the widget in which the visitor last clicked the product.

A click is a small document beside the keys of its month, with an id made of visitor and product: reading it
needs no view, however many events there are. It identifies nobody: the id has a hash of the visitor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.couch import Conflict, NotFound
from chassis.couch.store import Store
from logs.domain import IncomingEvent, month_of, parse_time
from logs.domain.widgets import ATTRIBUTION_WINDOW, CREDITED_STEPS, Credit, Widget, visitor_of, widget_of
from logs.registry import MonthRegistry

_KIND = "clicked"
_ATTEMPTS = 3  # to store a click that another process stores too

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Click:
    id: str
    at: str
    widget: Widget

    def document(self) -> Document:
        shelf, variant = self.widget
        return {"_id": self.id, "type": _KIND, "shelf": shelf, "variant": variant, "at": self.at}


class Attribution:
    def __init__(self, registry: MonthRegistry) -> None:
        self._registry = registry

    def store_clicks(self, events: Sequence[IncomingEvent]) -> None:
        """Store where each visitor last clicked each product."""
        months: dict[str, dict[str, _Click]] = {}
        for click in _clicks(events):
            newest = months.setdefault(click.at[:7], {})
            if click.id not in newest or newest[click.id].at <= click.at:
                newest[click.id] = click
        for month, clicks in months.items():
            store = self._registry.keys(month)
            revisions = store.put_new([click.document() for click in clicks.values()])
            for click, revision in zip(clicks.values(), revisions, strict=True):
                if revision is None:
                    _replace(store, click)

    def find_credits(self, events: Sequence[IncomingEvent]) -> list[Credit]:
        """Return the additions and purchases that a widget led to, each with that widget."""
        wanted = [(event, id) for event in events if event.type in CREDITED_STEPS and (id := _id_of(event))]
        if not wanted:
            return []
        known = self._known(wanted)
        found = []
        for event, id in wanted:
            before = [click for click in known.get(id, ()) if _led_to(click, event)]
            if before:
                last = max(before, key=lambda click: str(click["at"]))
                found.append((event, (str(last["shelf"]), str(last["variant"]))))
        return found

    def delete_clicks(self, visitor: str) -> int:
        """Delete the clicks of a session or an account, and return their number."""
        first = f"{_KIND}:{_hash(visitor)}:"
        query = {"startkey": first, "endkey": f"{first}\ufff0", "include_docs": True}
        forgotten = 0
        for month in self._registry.active().all:
            store = self._registry.keys(month)
            for row in store.all_docs(query):
                try:
                    store.delete(row["id"], row["doc"]["_rev"])
                except (Conflict, NotFound):
                    continue
                forgotten += 1
        return forgotten

    def _known(self, wanted: Sequence[tuple[IncomingEvent, str]]) -> dict[str, list[Document]]:
        """Return the stored clicks by id, of the months that may matter."""
        months: dict[str, set[str]] = {}
        for event, id in wanted:
            at = parse_time(event.at)
            for month in {month_of(at), month_of(at - ATTRIBUTION_WINDOW)}:
                months.setdefault(month, set()).add(id)
        found: dict[str, list[Document]] = {}
        for month, ids in months.items():
            for document in self._registry.keys(month).get_many(sorted(ids)):
                found.setdefault(document["_id"], []).append(document)
        return found


def _clicks(events: Sequence[IncomingEvent]) -> Iterator[_Click]:
    for event in events:
        widget = widget_of(event) if event.type == "click" else None
        id = _id_of(event)
        if widget and id:
            yield _Click(id, event.at, widget)


def _id_of(event: IncomingEvent) -> str | None:
    """Return the id of a click; None without consent or without a product."""
    visitor = visitor_of(event)
    return f"{_KIND}:{_hash(visitor)}:{event.product_id}" if visitor and event.product_id else None


def _hash(visitor: str) -> str:
    return hashlib.sha256(visitor.encode()).hexdigest()[:32]


def _led_to(click: Document, event: IncomingEvent) -> bool:
    return parse_time(event.at) - ATTRIBUTION_WINDOW <= parse_time(click["at"]) <= parse_time(event.at)


def _replace(store: Store, click: _Click) -> None:
    """Replace the stored click unless it is newer."""
    for _attempt in range(_ATTEMPTS):
        try:
            known = store.get(click.id)
            if known["at"] < click.at:
                store.put({**click.document(), "_rev": known["_rev"]})
            return
        except Conflict:
            continue
        except NotFound:
            return  # its visitor was erased just now
