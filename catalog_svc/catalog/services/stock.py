"""Units on the shelf: counted by staff, reserved, sold and given back for orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from catalog.domain import (
    Availability,
    Claim,
    Released,
    ShortOf,
    Stock,
    UnknownReservation,
)
from catalog.services import facts
from catalog.services.batch import StockWriter
from catalog.services.facts import Actor
from chassis.couch import NotFound, Repository

Clock = Callable[[], datetime]
Match = Callable[[int], None]
Note = Callable[[Stock], None]


@dataclass(frozen=True)
class Line:
    sku: str
    quantity: int


class UnknownSku(Exception):
    """Nothing is sold under these SKUs."""

    def __init__(self, skus: Sequence[str]) -> None:
        super().__init__(", ".join(skus))
        self.skus = list(skus)


class OutOfStock(Exception):
    """Nothing was reserved; `short` says what is left of the SKUs that are too few."""

    def __init__(self, short: Sequence[ShortOf]) -> None:
        super().__init__(", ".join(each.sku for each in short))
        self.short = [{"sku": each.sku, "available": each.available} for each in short]


class StockService:
    """Every change is one compare-and-set of one SKU's document; an order over several SKUs is undone by
    hand.
    """

    def __init__(self, stock: Repository[Stock], skus: Repository[Claim], clock: Clock) -> None:
        self._stock = stock
        self._skus = skus
        self._clock = clock
        self._writer = StockWriter(stock, self._settle)

    # -- staff

    def get(self, sku: str) -> Stock:
        """Raises `NotFound`, also for an SKU that is sold but was never counted anywhere."""
        return self._stock.get(sku)

    def count(
        self, *, sku: str, on_hand: int, actor: Actor | None = None, match: Match | None = None,
        note: Note | None = None,
    ) -> Stock:  # fmt: skip
        """Set the number of units there are. `match(version)` may refuse a stale edit."""

        def apply(stock: Stock) -> None:
            if match:
                match(stock.version)
            before = stock.on_hand
            stock.count(on_hand)
            self._audit(stock, actor, f"Counted {on_hand} (before: {before}).")
            if note:
                note(stock)

        return self._staff_change(sku, apply)

    def adjust(
        self, *, sku: str, delta: int, reason: str, actor: Actor | None = None, match: Match | None = None
    ) -> Stock:
        """Add or take away units."""

        def apply(stock: Stock) -> None:
            if match:
                match(stock.version)
            stock.adjust(delta, reason)
            self._audit(stock, actor, f"{delta:+d}: {reason}")

        return self._staff_change(sku, apply)

    def open(self, skus: Sequence[str], product_id: str) -> None:
        """Make sure that each SKU has a document that names its product."""
        for sku in skus:
            self._stock.update(
                sku,
                partial(_belong, product_id=product_id),
                create=partial(Stock, sku, product_id=product_id),
            )

    def availability(self, skus: Sequence[str]) -> dict[str, Availability]:
        return {stock.sku: stock.availability for stock in self._stock.get_many(skus)}

    def _staff_change(self, sku: str, apply: Callable[[Stock], None]) -> Stock:
        try:
            self._stock.get(sku)
        except NotFound:
            self.open([sku], self._skus.get(sku).owner)  # NotFound for what is not sold

        def applied(stock: Stock) -> Stock:
            apply(stock)
            return stock

        changed: Stock = self._writer.change(sku, applied)
        return changed

    def _audit(self, stock: Stock, actor: Actor | None, message: str) -> None:
        facts.audited(stock, actor, "change", "stock", stock.sku, message, self._clock())

    # -- orders

    def reserve(self, *, order_id: str, lines: Sequence[Line], ttl: int) -> None:
        """Keep all lines for the order, or nothing: raises `OutOfStock`, `UnknownSku` or `Released`.

        `ttl` in seconds says when checkout means to be done. Repeating it changes nothing.
        """
        wanted = sorted(lines, key=lambda line: line.sku)
        if len(wanted) > 1:
            self._look_first(order_id, wanted)
        until = self._clock() + timedelta(seconds=ttl)
        kept: list[str] = []
        try:
            for line in wanted:
                if self._change(line.sku, _reserving(order_id, line.quantity, until)):
                    kept.append(line.sku)
        except ShortOf as short:
            self._undo(order_id, kept)
            raise OutOfStock([short]) from short
        except Exception:
            self._undo(order_id, kept)
            raise

    def commit(self, *, order_id: str, lines: Sequence[Line] | None = None) -> None:
        """The order is paid: its units leave the shelf. Raises `Released` or `UnknownReservation`."""
        now = self._clock()
        self._finish(order_id, lines, lambda line, stock: stock.commit(order_id, now))

    def release(self, *, order_id: str, lines: Sequence[Line] | None = None, sold: bool = False) -> None:
        """Give the order's units back; a late `reserve` of it is then refused, for the SKUs that are
        named. `sold`: the lines were committed, and return also when the catalogue has forgotten that.
        """
        now = self._clock()
        self._finish(
            order_id,
            lines,
            lambda line, stock: stock.release(order_id, now, sold=line.quantity if sold else 0),
        )

    def _finish(
        self, order_id: str, lines: Sequence[Line] | None, how: Callable[[Line, Stock], bool]
    ) -> None:
        """Each line by itself, in one read and one write; what is not sold here is named in the end."""
        if lines is None:
            rows = self._stock.rows("holds", key=order_id)
            lines = [Line(row.id.partition(":")[2], row.value) for row in rows]
        missing: list[str] = []
        for line in sorted(lines, key=lambda line: line.sku):
            try:
                self._change(line.sku, partial(how, line))
            except UnknownSku:
                missing.append(line.sku)
        if missing:
            raise UnknownSku(missing)

    def _change(self, sku: str, apply: Callable[[Stock], bool]) -> bool:
        try:
            return bool(self._writer.change(sku, apply))
        except NotFound as error:
            raise UnknownSku([sku]) from error

    def _look_first(self, order_id: str, lines: Sequence[Line]) -> None:
        """Refuse without a write what cannot succeed, naming everything that is short. Of one line the write
        itself finds out as much.
        """
        found: Mapping[str, Stock] = {s.sku: s for s in self._stock.get_many([line.sku for line in lines])}
        if missing := [line.sku for line in lines if line.sku not in found]:
            raise UnknownSku(missing)
        short = []
        for line in lines:
            try:
                # Tried on a copy that is thrown away: the same rule as in the write.
                found[line.sku].reserve(order_id, line.quantity, self._clock())
            except ShortOf as error:
                short.append(error)
        if short:
            raise OutOfStock(short)

    def _undo(self, order_id: str, skus: Sequence[str]) -> None:
        for sku in skus:
            self._writer.change(sku, lambda stock: stock.forget(order_id))

    def _settle(self, before: Availability, stock: Stock) -> None:
        now = self._clock()
        stock.prune(now)
        if stock.availability is not before:
            facts.availability_changed(stock, now)


def _belong(stock: Stock, product_id: str) -> None:
    stock.product_id = product_id


def _reserving(order_id: str, quantity: int, until: datetime) -> Callable[[Stock], bool]:
    return lambda stock: stock.reserve(order_id, quantity, until)


__all__ = ["Line", "OutOfStock", "Released", "StockService", "UnknownReservation", "UnknownSku"]
