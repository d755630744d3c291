"""Stock: counted by staff; reserved, committed and released for orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from catalog.domain import (
    Availability,
    Claim,
    InsufficientStock,
    ReservationReleased,
    Stock,
    UnknownReservation,
)
from catalog.services import events
from catalog.services.events import Actor
from catalog.services.stock_writer import StockWriter
from chassis.couch import NotFound, Repository

Clock = Callable[[], datetime]
VersionCheck = Callable[[int], None]
AuditHook = Callable[[Stock], None]


@dataclass(frozen=True)
class ReservationLine:
    sku: str
    quantity: int


class UnknownSku(Exception):
    """No product has these SKUs."""

    def __init__(self, skus: Sequence[str]) -> None:
        super().__init__(", ".join(skus))
        self.skus = list(skus)


class OutOfStock(Exception):
    """Nothing was reserved; `short` names the SKUs with too few units and what is left of them."""

    def __init__(self, short: Sequence[InsufficientStock]) -> None:
        super().__init__(", ".join(each.sku for each in short))
        self.short = [{"sku": each.sku, "available": each.available} for each in short]


class StockService:
    """Use cases of stock.

    Every change is one compare-and-set of one SKU's document; an order over several SKUs is rolled back
    here.
    """

    def __init__(self, stock: Repository[Stock], skus: Repository[Claim], clock: Clock) -> None:
        self._stock = stock
        self._skus = skus
        self._clock = clock
        self._writer = StockWriter(stock, self._after_write)

    # -- staff

    def get(self, sku: str) -> Stock:
        """Return the stock of an SKU.

        Raises `NotFound`, also for an SKU that is sold but was never counted.
        """
        return self._stock.get(sku)

    def set_on_hand(
        self,
        *,
        sku: str,
        on_hand: int,
        actor: Actor | None = None,
        check_version: VersionCheck | None = None,
        add_audit: AuditHook | None = None,
    ) -> Stock:
        """Set the number of units; `check_version(version)` may refuse a stale edit."""

        def apply(stock: Stock) -> None:
            if check_version:
                check_version(stock.version)
            before = stock.on_hand
            stock.set_on_hand(on_hand)
            self._audit(stock, actor, f"Counted {on_hand} (before: {before}).")
            if add_audit:
                add_audit(stock)

        return self._staff_change(sku, apply)

    def adjust(
        self,
        *,
        sku: str,
        delta: int,
        reason: str,
        actor: Actor | None = None,
        check_version: VersionCheck | None = None,
    ) -> Stock:
        """Add or remove units."""

        def apply(stock: Stock) -> None:
            if check_version:
                check_version(stock.version)
            stock.adjust(delta, reason)
            self._audit(stock, actor, f"{delta:+d}: {reason}")

        return self._staff_change(sku, apply)

    def create_missing(self, skus: Sequence[str], product_id: str) -> None:
        """Create missing stock documents, and set the product in the existing ones."""
        for sku in skus:
            self._stock.update(
                sku,
                partial(_set_product, product_id=product_id),
                create=partial(Stock, sku, product_id=product_id),
            )

    def availability(self, skus: Sequence[str]) -> dict[str, Availability]:
        return {stock.sku: stock.availability for stock in self._stock.get_many(skus)}

    def _staff_change(self, sku: str, apply: Callable[[Stock], None]) -> Stock:
        try:
            self._stock.get(sku)
        except NotFound:
            self.create_missing([sku], self._skus.get(sku).owner)  # NotFound for an SKU that is not sold

        def applied(stock: Stock) -> Stock:
            apply(stock)
            return stock

        changed: Stock = self._writer.change(sku, applied)
        return changed

    def _audit(self, stock: Stock, actor: Actor | None, message: str) -> None:
        events.append_audit(stock, actor, "change", "stock", stock.sku, message, self._clock())

    # -- orders

    def reserve(self, *, order_id: str, lines: Sequence[ReservationLine], ttl: int) -> None:
        """Reserve all lines for the order, or nothing; repeating it changes nothing.

        `ttl` in seconds is when checkout expects to be done. Raises `OutOfStock`, `UnknownSku` or
        `ReservationReleased`.
        """
        wanted = sorted(lines, key=lambda line: line.sku)
        if len(wanted) > 1:
            self._check_available(order_id, wanted)
        until = self._clock() + timedelta(seconds=ttl)
        kept: list[str] = []
        try:
            for line in wanted:
                if self._change(line.sku, _reserve_for(order_id, line.quantity, until)):
                    kept.append(line.sku)
        except InsufficientStock as short:
            self._roll_back(order_id, kept)
            raise OutOfStock([short]) from short
        except Exception:
            self._roll_back(order_id, kept)
            raise

    def commit(self, *, order_id: str, lines: Sequence[ReservationLine] | None = None) -> None:
        """Take the units of a paid order off the shelf.

        Raises `ReservationReleased` or `UnknownReservation`.
        """
        now = self._clock()
        self._finish(order_id, lines, lambda line, stock: stock.commit(order_id, now))

    def release(
        self, *, order_id: str, lines: Sequence[ReservationLine] | None = None, sold: bool = False
    ) -> None:
        """Return the order's units; a late `reserve` of it is then refused for the named SKUs.

        With `sold` the lines were committed, and return also if the catalogue has forgotten that.
        """
        now = self._clock()
        self._finish(
            order_id,
            lines,
            lambda line, stock: stock.release(order_id, now, sold=line.quantity if sold else 0),
        )

    def _finish(
        self,
        order_id: str,
        lines: Sequence[ReservationLine] | None,
        finish: Callable[[ReservationLine, Stock], bool],
    ) -> None:
        """Finish each line by itself, in one read and one write; raise `UnknownSku` at the end."""
        if lines is None:
            rows = self._stock.rows("holds", key=order_id)
            lines = [ReservationLine(row.id.partition(":")[2], row.value) for row in rows]
        missing: list[str] = []
        for line in sorted(lines, key=lambda line: line.sku):
            try:
                self._change(line.sku, partial(finish, line))
            except UnknownSku:
                missing.append(line.sku)
        if missing:
            raise UnknownSku(missing)

    def _change(self, sku: str, apply: Callable[[Stock], bool]) -> bool:
        try:
            return bool(self._writer.change(sku, apply))
        except NotFound as error:
            raise UnknownSku([sku]) from error

    def _check_available(self, order_id: str, lines: Sequence[ReservationLine]) -> None:
        """Refuse an order that cannot succeed, without a write, naming everything that is short.

        For a single line the write itself finds out as much.
        """
        found: Mapping[str, Stock] = {s.sku: s for s in self._stock.get_many([line.sku for line in lines])}
        if missing := [line.sku for line in lines if line.sku not in found]:
            raise UnknownSku(missing)
        short = []
        for line in lines:
            try:
                # Tried on a copy: the same rule as in the write.
                found[line.sku].reserve(order_id, line.quantity, self._clock())
            except InsufficientStock as error:
                short.append(error)
        if short:
            raise OutOfStock(short)

    def _roll_back(self, order_id: str, skus: Sequence[str]) -> None:
        for sku in skus:
            self._writer.change(sku, lambda stock: stock.cancel_hold(order_id))

    def _after_write(self, before: Availability, stock: Stock) -> None:
        now = self._clock()
        stock.prune(now)
        if stock.availability is not before:
            events.append_availability_changed(stock, now)


def _set_product(stock: Stock, product_id: str) -> None:
    stock.product_id = product_id


def _reserve_for(order_id: str, quantity: int, until: datetime) -> Callable[[Stock], bool]:
    return lambda stock: stock.reserve(order_id, quantity, until)


__all__ = [
    "OutOfStock",
    "ReservationLine",
    "ReservationReleased",
    "StockService",
    "UnknownReservation",
    "UnknownSku",
]
