"""Refunds by line and quantity: refunded units are neither refunded again nor shipped.

The balance of an order is computed from the order alone: each line's part of the total, the shipping,
and the refunds that were begun. The arithmetic is that of ``split``: the parts always add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from .money import Money, split
from .order_state import OrderState
from .totals import Line, Totals
from .value_objects import NotAllowed, OrderStatus, PaymentStatus, Refund, RefundLine


@dataclass(slots=True, frozen=True)
class RefundRequest:
    """A refund that staff request.

    Give an ``amount``, or ``lines`` (SKU to quantity), or neither to refund all that is left.
    ``id`` is the provider's idempotency key.
    """

    id: str
    at: datetime
    reason: str
    fingerprint: str = ""
    amount: Money | None = None
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class LineBalance:
    """A line's units and money in minor units; ``refunded`` includes refunds under way."""

    sku: str
    quantity: int
    paid: int
    refunded_quantity: int = 0
    refunded: int = 0

    @property
    def left(self) -> int:
        return self.paid - self.refunded

    @property
    def units_left(self) -> int:
        return self.quantity - self.refunded_quantity

    @property
    def fully_refunded(self) -> bool:
        """Return True if the line was refunded completely, by units or by amounts."""
        return not self.units_left or (self.paid > 0 and not self.left)

    def price_of(self, quantity: int) -> int:
        """Return the minor units for ``quantity`` of the units left; the last units take the remainder."""
        if quantity == self.units_left:
            return self.left
        units = split(self.paid, [1] * self.quantity)
        return min(sum(units[self.refunded_quantity : self.refunded_quantity + quantity]), self.left)

    def subtract(self, lines: Sequence[RefundLine]) -> LineBalance:
        mine = [line for line in lines if line.sku == self.sku]
        return replace(
            self,
            refunded_quantity=self.refunded_quantity + sum(line.quantity for line in mine),
            refunded=self.refunded + sum(line.amount.amount for line in mine),
        )


@dataclass(slots=True, frozen=True)
class Balance:
    """What is left of an order to refund: line by line, and its shipping in minor units."""

    lines: tuple[LineBalance, ...]
    shipping: int
    currency: str

    @classmethod
    def of(cls, lines: Sequence[Line], totals: Totals, refunds: Sequence[Refund]) -> Balance:
        prices = [line.line_total.amount for line in lines]
        discounts = split(totals.discount.amount, prices)
        balances = [
            LineBalance(line.sku, line.quantity, price - discount)
            for line, price, discount in zip(lines, prices, discounts, strict=True)
        ]
        balance = cls(tuple(balances), totals.shipping.amount, totals.total.currency)
        for refund in refunds:
            balance = balance.subtract(refund)
        return balance

    @property
    def left(self) -> int:
        return sum(line.left for line in self.lines) + self.shipping

    def subtract(self, refund: Refund) -> Balance:
        """Return the balance after ``refund``; a refund that the provider refused changes nothing."""
        if refund.failure:
            return self
        return replace(
            self,
            lines=tuple([line.subtract(refund.lines) for line in self.lines]),
            shipping=self.shipping - refund.shipping.amount,
        )

    def allocate_all(self) -> tuple[tuple[RefundLine, ...], Money]:
        """Return all that is left: lines and shipping."""
        lines = [self._line(line, line.units_left, line.left) for line in self.lines]
        return _without_empty(lines), Money(self.shipping, self.currency)

    def allocate_units(self, wanted: Mapping[str, int]) -> tuple[tuple[RefundLine, ...], Money]:
        """Return the refund lines for these units, without shipping.

        Raises NotAllowed for SKUs that are not in the order, and for more units than are left.
        """
        known = {line.sku: line for line in self.lines}
        strange = [sku for sku in wanted if sku not in known]
        if strange:
            raise NotAllowed("not-refundable", "The order has no such lines.", skus=strange)
        short = [sku for sku, quantity in wanted.items() if not 0 < quantity <= known[sku].units_left]
        if short:
            raise NotAllowed("refund-too-large", "More units than are left of these lines.", skus=short)
        lines = [
            self._line(known[sku], quantity, known[sku].price_of(quantity))
            for sku, quantity in wanted.items()
        ]
        return _without_empty(lines), Money(0, self.currency)

    def allocate_amount(self, wanted: int) -> tuple[tuple[RefundLine, ...], Money]:
        """Split an amount over what is left of lines and shipping; no unit counts as refunded."""
        parts = split(wanted, [*(line.left for line in self.lines), self.shipping])
        lines = [self._line(line, 0, part) for line, part in zip(self.lines, parts, strict=False)]
        return _without_empty(lines), Money(parts[-1], self.currency)

    def _line(self, line: LineBalance, quantity: int, amount: int) -> RefundLine:
        return RefundLine(line.sku, quantity, Money(amount, self.currency))


def _without_empty(lines: Sequence[RefundLine]) -> tuple[RefundLine, ...]:
    return tuple(line for line in lines if line.quantity or line.amount.amount)


class RefundableOrder(OrderState):
    """The transitions of an order that refund money."""

    __slots__ = ()

    @property
    def balance(self) -> Balance:
        return Balance.of(self.lines, self.totals, self.refunds)

    @property
    def refundable(self) -> Money:
        """Return what was paid less all refunds, those under way included."""
        if self.payment.status in (PaymentStatus.PENDING, PaymentStatus.REFUSED):
            return Money(0, self.totals.total.currency)
        return Money(self.balance.left, self.totals.total.currency)

    def begin_refund(self, request: RefundRequest) -> bool:
        """Record a refund; return False if the same request was recorded before under the same id."""
        known = self.refund(request.id)
        if known:
            same = known.fingerprint == request.fingerprint
            self._require(same, "idempotency-key-reused", "This key made another refund.")
            return False
        sold = self.status is OrderStatus.CONFIRMED and not self.undoing
        self._require(sold, "not-refundable", "Only a confirmed order can be refunded.")
        self._require_no_open_refund()
        self.refunds += (self._refund_for(request),)
        self.version += 1
        return True

    def refund(self, id: str) -> Refund | None:
        return next((one for one in self.refunds if one.id == id), None)

    def mark_refunded(self, id: str, now: datetime) -> None:
        """Record that the provider has refunded the money."""
        self._replace_refund(id, done_at=now)
        back = sum(one.amount.amount for one in self.refunds if one.done_at)
        whole = back >= self.totals.total.amount
        self.payment.status = PaymentStatus.REFUNDED if whole else PaymentStatus.PARTIALLY_REFUNDED
        self._add_to_timeline(now, "refunded")

    def mark_refund_refused(self, id: str, why: str) -> None:
        """Record that the provider refused the refund; its lines can be refunded again."""
        self._replace_refund(id, failure=why or "refused")
        self.version += 1

    def _require_no_open_refund(self) -> None:
        """Raise NotAllowed while a refund is open, or the same money could be refunded twice."""
        detail = "A refund of it is still under way; try again soon."
        self._require(not self.owed_refunds, "refund-in-progress", detail)

    def _refund_for(self, request: RefundRequest) -> Refund:
        balance, currency = self.balance, self.totals.total.currency
        if request.lines:
            lines, shipping = balance.allocate_units(request.lines)
        elif request.amount is not None:
            self._require(
                request.amount.currency == currency, "not-refundable", f"It was paid in {currency}."
            )
            fits = 0 < request.amount.amount <= balance.left
            self._require(fits, "refund-too-large", "More than is left of it.")
            lines, shipping = balance.allocate_amount(request.amount.amount)
        else:
            lines, shipping = balance.allocate_all()
        amount = Money(sum(line.amount.amount for line in lines) + shipping.amount, currency)
        self._require(amount.amount > 0, "refund-too-large", "All that was paid for it went back already.")
        return Refund(
            request.id,
            request.at,
            amount,
            request.reason,
            request.fingerprint,
            lines=lines,
            shipping=shipping,
        )

    def _replace_refund(self, id: str, **changes: Any) -> None:
        self.refunds = tuple(replace(one, **changes) if one.id == id else one for one in self.refunds)
