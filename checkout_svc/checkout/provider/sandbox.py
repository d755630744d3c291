"""The sandbox payment provider: real rules and a real ledger, but no money. For demos only (`DEMO`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from chassis.couch import Busy, Conflict, NotFound, Repository, Unavailable
from chassis.failpoints import failpoint

from ..domain import CapturedPayment, Money, Outcome, Payment, PaymentRequest, ProviderDown, UnknownPayment
from .ledger import LedgerEntry
from .tokens import TOKENS

_PAGE = 500


class SandboxProvider:
    """``PaymentProvider`` over a ledger database.

    Payment ids are derived from order ids, so they are known before the charge.
    ``unknown_for`` is how long a ``tok_timeout_unknown`` stays processing. ``action_url`` maps a payment id
    to the page where the shopper of a ``tok_requires_action`` continues.
    """

    __test__ = False  # not a test class, whatever pytest thinks of its name
    methods: tuple[str, ...] = ("card",)

    def __init__(
        self,
        ledger: Repository[LedgerEntry],
        *,
        clock: Callable[[], datetime],
        action_url: Callable[[str], str],
        unknown_for: timedelta = timedelta(seconds=10),
    ) -> None:
        self._ledger, self._clock, self._action_url, self._unknown_for = (
            ledger,
            clock,
            action_url,
            unknown_for,
        )

    def accepts(self, method: str, token: str) -> bool:
        return method in self.methods and token in TOKENS

    def id_for(self, order_id: str) -> str:
        return f"pay_{order_id}"

    def create(self, request: PaymentRequest) -> Payment:
        behaviour = TOKENS[request.token]
        entry = self._entry(request.order_id, request.amount, request.token, behaviour.outcome)
        entry.code, entry.last4 = behaviour.code, behaviour.last4
        try:
            entry = self._ledger.add(entry)
        except Conflict:
            return self.get(entry.id)
        except (Unavailable, Busy) as error:
            raise ProviderDown(str(error)) from error
        failpoint("provider.after_charge")
        if not behaviour.answered:
            raise ProviderDown("the provider did not answer in time")
        return self._payment(entry)

    def get(self, payment_id: str) -> Payment:
        entry = self._find(payment_id)
        if entry.complete_if_due(self._clock()):
            entry = self._change(payment_id, lambda fresh: fresh.complete_if_due(self._clock()))
        return self._payment(entry)

    def confirm(self, payment_id: str) -> Payment:
        """Approve a payment whose shopper has done what was required."""
        return self.decide(payment_id, approve=True)

    def decide(self, payment_id: str, *, approve: bool) -> Payment:
        """Record the shopper's decision on the provider's page; later decisions are ignored."""

        def change(entry: LedgerEntry) -> bool:
            if entry.outcome is not Outcome.REQUIRES_ACTION:
                return False
            entry.pay() if approve else entry.refuse("authentication_failed")
            return True

        return self._payment(self._change(payment_id, change))

    def cancel(self, payment_id: str) -> Payment:
        """Cancel the payment, also before it exists, so that a late ``create`` finds it cancelled."""
        try:
            return self._payment(self._change(payment_id, LedgerEntry.cancel))
        except UnknownPayment:
            order_id = payment_id.removeprefix("pay_")
            entry = self._entry(order_id, Money(0), "", Outcome.CANCELLED)
        try:
            return self._payment(self._ledger.add(entry))
        except Conflict:
            return self.cancel(payment_id)

    def refund(self, payment_id: str, amount: Money, key: str) -> None:
        self._change(payment_id, lambda entry: entry.refund(amount, key))

    def captured_payments(self) -> Iterator[CapturedPayment]:
        cursor: str | None = None
        while True:
            try:
                page = self._ledger.find("id", limit=_PAGE, cursor=cursor)
            except (Unavailable, Busy) as error:
                raise ProviderDown(str(error)) from error
            for entry in page:
                yield CapturedPayment(entry.id, entry.captured, dict(entry.refunds))
            if page.next is None:
                return
            cursor = page.next

    def _entry(self, order_id: str, amount: Money, token: str, outcome: Outcome) -> LedgerEntry:
        now = self._clock()
        entry = LedgerEntry(self.id_for(order_id), order_id, amount, token, outcome, now)
        if outcome is Outcome.PAID:
            entry.captured = amount.amount
        if outcome is Outcome.PROCESSING:
            entry.settles_at = now + self._unknown_for
        return entry

    def _find(self, payment_id: str) -> LedgerEntry:
        try:
            return self._ledger.get(payment_id)
        except NotFound as error:
            raise UnknownPayment(payment_id) from error
        except (Unavailable, Busy) as error:
            raise ProviderDown(str(error)) from error

    def _change(self, payment_id: str, change: Callable[[LedgerEntry], bool]) -> LedgerEntry:
        """Apply ``change`` by compare-and-set and return the entry.

        ``change`` returns True if the entry must be saved.
        """
        for _ in range(25):
            entry = self._find(payment_id)
            if not change(entry):
                return entry
            try:
                return self._ledger.save(entry)
            except Conflict:
                continue
            except (Unavailable, Busy) as error:
                raise ProviderDown(str(error)) from error
        raise ProviderDown("the payment is too busy")

    def _payment(self, entry: LedgerEntry) -> Payment:
        url = self._action_url(entry.id) if entry.outcome is Outcome.REQUIRES_ACTION else ""
        return Payment(entry.id, entry.outcome, entry.amount, entry.last4, entry.code, url)
