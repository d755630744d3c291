"""Which shelf led to an addition or a purchase: the one in which the visitor last clicked that product.

A click is a small document beside the keys of its month, known by visitor and product: reading it back asks
no view, however many events there are. It names nobody: its id has a hash of the visitor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.couch import Conflict, NotFound
from chassis.couch.store import Store
from logs.domain import Told, moment, month_of
from logs.domain.widgets import CREDITED, WITHIN, Credit, Widget, visitor_of, widget_of
from logs.registry import Registry

_KIND = "clicked"
_ATTEMPTS = 3  # at writing a click down that another process writes down too

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
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def remember(self, told: Sequence[Told]) -> None:
        """Keep where each visitor last clicked each product."""
        months: dict[str, dict[str, _Click]] = {}
        for click in _clicks(told):
            newest = months.setdefault(click.at[:7], {})
            if click.id not in newest or newest[click.id].at <= click.at:
                newest[click.id] = click
        for month, clicks in months.items():
            store = self._registry.keys(month)
            revisions = store.put_new([click.document() for click in clicks.values()])
            for click, revision in zip(clicks.values(), revisions, strict=True):
                if revision is None:
                    _replace(store, click)

    def credits(self, told: Sequence[Told]) -> list[Credit]:
        """The additions and purchases that a shelf led to, each with that shelf and its variant."""
        wanted = [(event, id) for event in told if event.type in CREDITED and (id := _id_of(event))]
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

    def forget(self, visitor: str) -> int:
        """Remove what a session or an account clicked; how many clicks."""
        first = f"{_KIND}:{_hash(visitor)}:"
        query = {"startkey": first, "endkey": f"{first}\ufff0", "include_docs": True}
        forgotten = 0
        for month in self._registry.written().all:
            store = self._registry.keys(month)
            for row in store.all_docs(query):
                try:
                    store.delete(row["id"], row["doc"]["_rev"])
                except (Conflict, NotFound):
                    continue
                forgotten += 1
        return forgotten

    def _known(self, wanted: Sequence[tuple[Told, str]]) -> dict[str, list[Document]]:
        """Clicks by id, of the months that may matter."""
        months: dict[str, set[str]] = {}
        for event, id in wanted:
            at = moment(event.at)
            for month in {month_of(at), month_of(at - WITHIN)}:
                months.setdefault(month, set()).add(id)
        found: dict[str, list[Document]] = {}
        for month, ids in months.items():
            for document in self._registry.keys(month).get_many(sorted(ids)):
                found.setdefault(document["_id"], []).append(document)
        return found


def _clicks(told: Sequence[Told]) -> Iterator[_Click]:
    for event in told:
        widget = widget_of(event) if event.type == "click" else None
        id = _id_of(event)
        if widget and id:
            yield _Click(id, event.at, widget)


def _id_of(event: Told) -> str | None:
    """By what a click is known; None for people who did not agree, and for what is about no product."""
    visitor = visitor_of(event)
    return f"{_KIND}:{_hash(visitor)}:{event.product_id}" if visitor and event.product_id else None


def _hash(visitor: str) -> str:
    return hashlib.sha256(visitor.encode()).hexdigest()[:32]


def _led_to(click: Document, event: Told) -> bool:
    return moment(event.at) - WITHIN <= moment(click["at"]) <= moment(event.at)


def _replace(store: Store, click: _Click) -> None:
    """Unless what is there is newer."""
    for _attempt in range(_ATTEMPTS):
        try:
            known = store.get(click.id)
            if known["at"] < click.at:
                store.put({**click.document(), "_rev": known["_rev"]})
            return
        except Conflict:
            continue
        except NotFound:
            return  # its visitor was forgotten just now
