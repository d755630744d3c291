"""Refunds by line and quantity, and parcels: what was paid back is neither paid back again nor sent.

What is left of an order is computed from the order alone: each line's part of the total, the shipping,
and the refunds that were begun. The arithmetic is that of ``split``: the parts always add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from .money import Money, split
from .parts import NotAllowed, OrderStatus, PaymentStatus, Refund, RefundLine
from .record import OrderRecord
from .totals import Line, Totals


@dataclass(slots=True, frozen=True)
class RefundRequest:
    """What staff ask for: an ``amount``, or ``lines`` (SKU to quantity), or neither for all that is left.

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
    """A line's units and money in minor units: ``paid`` for it, and ``refunded`` or about to be."""

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
    def paid_back(self) -> bool:
        """Return True if all that was paid for it went back, by units or by amounts."""
        return not self.units_left or (self.paid > 0 and not self.left)

    def worth(self, quantity: int) -> int:
        """Minor units for so many of the units that are left; the last ones take the rest."""
        if quantity == self.units_left:
            return self.left
        units = split(self.paid, [1] * self.quantity)
        return min(sum(units[self.refunded_quantity : self.refunded_quantity + quantity]), self.left)

    def less(self, lines: Sequence[RefundLine]) -> LineBalance:
        mine = [line for line in lines if line.sku == self.sku]
        return replace(
            self,
            refunded_quantity=self.refunded_quantity + sum(line.quantity for line in mine),
            refunded=self.refunded + sum(line.amount.amount for line in mine),
        )


@dataclass(slots=True, frozen=True)
class Balance:
    """What is left of an order: line by line, and of its shipping in minor units."""

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
            balance = balance.less(refund)
        return balance

    @property
    def left(self) -> int:
        return sum(line.left for line in self.lines) + self.shipping

    def less(self, refund: Refund) -> Balance:
        """The balance after ``refund``; one that the provider refused took nothing."""
        if refund.failure:
            return self
        return replace(
            self,
            lines=tuple([line.less(refund.lines) for line in self.lines]),
            shipping=self.shipping - refund.shipping.amount,
        )

    def rest(self) -> tuple[tuple[RefundLine, ...], Money]:
        """All that is left: lines, and shipping."""
        lines = [self._line(line, line.units_left, line.left) for line in self.lines]
        return _kept(lines), Money(self.shipping, self.currency)

    def units(self, wanted: Mapping[str, int]) -> tuple[tuple[RefundLine, ...], Money]:
        """So many units of these lines, without shipping."""
        known = {line.sku: line for line in self.lines}
        strange = [sku for sku in wanted if sku not in known]
        if strange:
            raise NotAllowed("not-refundable", "The order has no such lines.", skus=strange)
        short = [sku for sku, quantity in wanted.items() if not 0 < quantity <= known[sku].units_left]
        if short:
            raise NotAllowed("refund-too-large", "More units than are left of these lines.", skus=short)
        lines = [
            self._line(known[sku], quantity, known[sku].worth(quantity)) for sku, quantity in wanted.items()
        ]
        return _kept(lines), Money(0, self.currency)

    def amount(self, wanted: int) -> tuple[tuple[RefundLine, ...], Money]:
        """A bare amount, split over what is left of lines and shipping; it counts no unit as paid back."""
        parts = split(wanted, [*(line.left for line in self.lines), self.shipping])
        lines = [self._line(line, 0, part) for line, part in zip(self.lines, parts, strict=False)]
        return _kept(lines), Money(parts[-1], self.currency)

    def _line(self, line: LineBalance, quantity: int, amount: int) -> RefundLine:
        return RefundLine(line.sku, quantity, Money(amount, self.currency))


def _kept(lines: Sequence[RefundLine]) -> tuple[RefundLine, ...]:
    return tuple(line for line in lines if line.quantity or line.amount.amount)


class RefundableOrder(OrderRecord):
    """The part of an order's transitions that pays money back."""

    __slots__ = ()

    @property
    def balance(self) -> Balance:
        return Balance.of(self.lines, self.totals, self.refunds)

    @property
    def refundable(self) -> Money:
        """What was paid and is not given back, nor about to be."""
        if self.payment.status in (PaymentStatus.PENDING, PaymentStatus.REFUSED):
            return Money(0, self.totals.total.currency)
        return Money(self.balance.left, self.totals.total.currency)

    def begin_refund(self, request: RefundRequest) -> bool:
        """Write down what is to be paid back. False if the same id did already, with the same request."""
        known = self.refund(request.id)
        if known:
            same = known.fingerprint == request.fingerprint
            self._need(same, "idempotency-key-reused", "This key made another refund.")
            return False
        sold = self.status is OrderStatus.CONFIRMED and not self.undoing
        self._need(sold, "not-refundable", "Only a confirmed order can be refunded.")
        self._need_no_open_refund()
        self.refunds += (self._refund_for(request),)
        self.version += 1
        return True

    def refund(self, id: str) -> Refund | None:
        return next((one for one in self.refunds if one.id == id), None)

    def refunded(self, id: str, now: datetime) -> None:
        """The provider gave it back."""
        self._replace_refund(id, done_at=now)
        back = sum(one.amount.amount for one in self.refunds if one.done_at)
        whole = back >= self.totals.total.amount
        self.payment.status = PaymentStatus.REFUNDED if whole else PaymentStatus.PARTIALLY_REFUNDED
        self._happened(now, "refunded")

    def refund_refused(self, id: str, why: str) -> None:
        """The provider will not give it back: its lines are as if it had never been asked for."""
        self._replace_refund(id, failure=why or "refused")
        self.version += 1

    def _need_no_open_refund(self) -> None:
        """The outcome of a refund that was sent must be known, or the same money might go back twice."""
        detail = "A refund of it is still under way; try again soon."
        self._need(not self.owed_refunds, "refund-in-progress", detail)

    def _refund_for(self, request: RefundRequest) -> Refund:
        balance, currency = self.balance, self.totals.total.currency
        if request.lines:
            lines, shipping = balance.units(request.lines)
        elif request.amount is not None:
            self._need(request.amount.currency == currency, "not-refundable", f"It was paid in {currency}.")
            fits = 0 < request.amount.amount <= balance.left
            self._need(fits, "refund-too-large", "More than is left of it.")
            lines, shipping = balance.amount(request.amount.amount)
        else:
            lines, shipping = balance.rest()
        amount = Money(sum(line.amount.amount for line in lines) + shipping.amount, currency)
        self._need(amount.amount > 0, "refund-too-large", "All that was paid for it went back already.")
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
