"""The order's mail. Whether it was sent stands in the order, so that the task may run twice or not at all."""

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
    """``id`` is the same for the same mail, for a receiver that wants to know whether it has it already."""

    id: str
    to: str
    subject: str
    text: str


class Post(Protocol):
    def send(self, mail: Mail) -> None:
        """Raises OSError when the mail server does not take it."""
        ...


class Mailing:
    def __init__(
        self,
        orders: Repository[Order],
        post: Post,
        *,
        clock: Callable[[], datetime],
        public_url: str,
        token: Callable[[Order], str],
        demo: bool = False,
    ) -> None:
        self._orders, self._post, self._clock = orders, post, clock
        self._public_url, self._token, self._demo = public_url, token, demo

    def send_confirmation(self, number: str) -> bool:
        """Whether a mail went out just now."""
        try:
            order = self._orders.get(number)
        except NotFound:
            return False
        if not order.mail_due:
            return False
        try:
            self._post.send(self._confirmation(order))
        except OSError as error:
            trouble = f"mail: {error}"
            self._orders.update(number, lambda order: order.try_again(self._clock(), trouble))
            return False
        failpoint("mail.after_send")
        self._note(order)
        return True

    def _note(self, order: Order) -> None:
        """Nobody else writes a confirmed order just now, as a rule, so it need not be read again."""
        try:
            self._sent(order)
            self._orders.save(order)
        except Conflict:
            self._orders.update(order.id, self._sent)

    def _sent(self, order: Order) -> None:
        order.mailed(self._clock())
        if order.lease is None:
            order.rest(self._clock())

    def link(self, order: Order) -> str:
        token = self._token(order)
        return f"{self._public_url}/orders/{order.id}" + (f"?token={token}" if token else "")

    def _confirmation(self, order: Order) -> Mail:
        lines = [
            f"  {line.quantity} x {line.title or line.sku}   {_shown(line.line_total)}"
            for line in order.lines
        ]
        text = [
            f"Thank you for your order {order.id}.",
            *([DEMO] if self._demo else []),
            "",
            *lines,
            "",
            f"  Subtotal   {_shown(order.totals.subtotal)}",
            f"  Shipping   {_shown(order.totals.shipping)}",
            f"  Total      {_shown(order.totals.total)}, VAT of {_shown(order.totals.tax)} included",
            "",
            f"See how it gets on: {self.link(order)}",
            "",
        ]
        return Mail(f"order-confirmed.{order.id}", order.email, f"Your order {order.id}", "\n".join(text))


def _shown(money: Money) -> str:
    return f"{money.amount // 100}.{money.amount % 100:02d} {money.currency}"
