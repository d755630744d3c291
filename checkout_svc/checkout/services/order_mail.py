"""The order confirmation e-mail; the order records whether it was sent, so the task may be repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chassis.couch import Conflict, NotFound, Repository
from chassis.failpoints import failpoint

from ..domain import Money, Order

DEMO = "This shop is a demo: nothing was charged, and nothing will be sent."


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail; the same mail always has the same ``id``, so that receivers can recognise a duplicate."""

    id: str
    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """The port that sends e-mail."""

    def send(self, mail: Mail) -> None:
        """Send the mail. Raises OSError if the mail server does not accept it."""
        ...


class OrderMailService:
    """The use cases of order e-mail."""

    def __init__(
        self,
        orders: Repository[Order],
        mailer: Mailer,
        *,
        clock: Callable[[], datetime],
        public_url: str,
        token: Callable[[Order], str],
        demo: bool = False,
    ) -> None:
        self._orders, self._mailer, self._clock = orders, mailer, clock
        self._public_url, self._token, self._demo = public_url, token, demo

    def send_confirmation(self, number: str) -> bool:
        """Send the confirmation if it is due; return True if it was sent now."""
        try:
            order = self._orders.get(number)
        except NotFound:
            return False
        if not order.mail_due:
            return False
        try:
            self._mailer.send(self._confirmation(order))
        except OSError as error:
            trouble = f"mail: {error}"
            self._orders.update(number, lambda order: order.schedule_retry(self._clock(), trouble))
            return False
        failpoint("mail.after_send")
        self._mark_sent(order)
        return True

    def _mark_sent(self, order: Order) -> None:
        """Save that the mail was sent; the order is read again only if another writer changed it."""
        try:
            self._apply_sent(order)
            self._orders.save(order)
        except Conflict:
            self._orders.update(order.id, self._apply_sent)

    def _apply_sent(self, order: Order) -> None:
        order.mark_mailed(self._clock())
        if order.lease is None:
            order.release_lease(self._clock())

    def link(self, order: Order) -> str:
        """Return the URL of the order's page, with a guest's access token."""
        token = self._token(order)
        return f"{self._public_url}/orders/{order.id}" + (f"?token={token}" if token else "")

    def _confirmation(self, order: Order) -> Mail:
        lines = [
            f"  {line.quantity} x {line.title or line.sku}   {_format_money(line.line_total)}"
            for line in order.lines
        ]
        tax = _format_money(order.totals.tax)
        text = [
            f"Thank you for your order {order.id}.",
            *([DEMO] if self._demo else []),
            "",
            *lines,
            "",
            f"  Subtotal   {_format_money(order.totals.subtotal)}",
            f"  Shipping   {_format_money(order.totals.shipping)}",
            f"  Total      {_format_money(order.totals.total)}, VAT of {tax} included",
            "",
            f"Track your order: {self.link(order)}",
            "",
        ]
        return Mail(
            f"order-confirmed.{order.id}", order.email, f"Order confirmed: {order.id}", "\n".join(text)
        )


def _format_money(money: Money) -> str:
    return f"{money.amount // 100}.{money.amount % 100:02d} {money.currency}"
