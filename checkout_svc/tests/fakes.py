"""In-memory fakes of the other services, with the same rules as the real ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.couch import MemoryRepository
from checkout import container, repositories
from checkout.domain import Address, Money
from checkout.services import (
    Basket,
    Cart,
    Correction,
    DependencyUnavailable,
    ExpectedReservation,
    Mail,
    PlaceOrderCommand,
    ReservationStatus,
    RuleViolation,
    Sku,
    StockSnapshot,
)

HOME = Address(name="Ada", line1="1 Main St", postal_code="1000", city="Brussels", country="BE")


@dataclass
class FakeCatalog:
    """A catalogue; ``on_hand`` counts unsold units.

    Holds and released holds are kept by order id, as in catalog_svc.
    """

    prices: dict[str, int]
    on_hand: dict[str, int]
    held: dict[str, dict[str, int]] = field(default_factory=dict)
    sold: dict[str, dict[str, int]] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)
    unavailable: set[str] = field(default_factory=set)
    lost_responses: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)

    def skus(self, skus: Sequence[str]) -> dict[str, Sku]:
        with self._call("skus"):
            return {
                s: Sku(s, Money(self.prices[s]), f"p-{s}", s.title(), s.lower())
                for s in skus
                if s in self.prices
            }

    def reserve(self, order_id: str, lines: Mapping[str, int]) -> None:
        with self._call("reserve"):
            if order_id in self.released:
                raise DependencyUnavailable("released before")
            if order_id in self.held or order_id in self.sold:
                return
            short = [
                {"sku": s, "available": self.available(s)} for s, q in lines.items() if self.available(s) < q
            ]
            if short:
                raise RuleViolation(409, "out-of-stock", "Some of it is not in stock any more.", short=short)
            self.held[order_id] = dict(lines)

    def commit(self, order_id: str, lines: Mapping[str, int]) -> None:
        with self._call("commit"):
            if order_id in self.sold:
                return
            if order_id not in self.held:
                raise RuleViolation(409, "unknown-reservation", "Nothing is held for it.")
            self.sold[order_id] = self.held.pop(order_id)
            for sku, quantity in self.sold[order_id].items():
                self.on_hand[sku] -= quantity

    def release(self, order_id: str, lines: Mapping[str, int], *, sold: bool = False) -> None:
        with self._call("release"):
            if order_id not in self.released:
                self.released.add(order_id)
                forgotten = lines if sold and order_id not in self.held else {}
                self.held.pop(order_id, None)
                for sku, quantity in self.sold.pop(order_id, forgotten).items():
                    self.on_hand[sku] += quantity

    def correct(self, expected: Sequence[ExpectedReservation]) -> list[Correction]:
        with self._call("correct"):
            return [
                Correction(reservation.hold_id, sku, outcome)
                for reservation in expected
                for sku, outcome in self._correct(reservation)
            ]

    def _correct(self, reservation: ExpectedReservation) -> list[tuple[str, str]]:
        """Correct a reservation that is remembered; catalog_svc tests the rule for forgotten ones."""
        id, lines = reservation.hold_id, reservation.lines
        if reservation.status is not ReservationStatus.RELEASED and id in self.released:
            return [(sku, "was-released") for sku in lines]
        if reservation.status is ReservationStatus.HELD and id not in self.held and id not in self.sold:
            if any(self.available(sku) < quantity for sku, quantity in lines.items()):
                return [(sku, "short") for sku in lines]
            self.held[id] = dict(lines)
            return [(sku, "held") for sku in lines]
        if reservation.status is ReservationStatus.COMMITTED and id not in self.sold:
            self.held.pop(id, None)
            self.sold[id] = dict(lines)
            for sku, quantity in lines.items():
                self.on_hand[sku] -= quantity
            return [(sku, "committed") for sku in lines]
        if reservation.status is ReservationStatus.RELEASED and (id in self.held or id in self.sold):
            outcome = "released" if id in self.held else "returned"
            for sku, quantity in self.sold.pop(id, {}).items():
                self.on_hand[sku] += quantity
            self.held.pop(id, None)
            self.released.add(id)
            return [(sku, outcome) for sku in lines]
        return []

    def stock_snapshots(self) -> Iterator[StockSnapshot]:
        with self._call("stock_snapshots"):
            for sku in sorted(self.on_hand):
                holds = {
                    id: (ReservationStatus.HELD, lines[sku])
                    for id, lines in self.held.items()
                    if sku in lines
                }
                holds |= {
                    id: (ReservationStatus.COMMITTED, lines[sku])
                    for id, lines in self.sold.items()
                    if sku in lines
                }
                yield StockSnapshot(sku, self.available(sku), holds)

    def forget(self) -> None:
        """Forget finished orders, as the catalogue does after a day."""
        self.sold.clear()
        self.released.clear()

    def available(self, sku: str) -> int:
        return self.on_hand.get(sku, 0) - sum(lines.get(sku, 0) for lines in self.held.values())

    @contextmanager
    def _call(self, name: str) -> Iterator[None]:
        """Run a call: ``unavailable`` ones never arrive, ``lost_responses`` take effect unanswered."""
        self.calls.append(name)
        if name in self.unavailable:
            raise DependencyUnavailable(f"catalog: {name}")
        yield
        if name in self.lost_responses:
            raise DependencyUnavailable(f"catalog: the answer to {name} was lost")


@dataclass
class FakeCarts:
    carts: dict[str, Cart] = field(default_factory=dict)
    claims: dict[str, str] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    unavailable: set[str] = field(default_factory=set)

    def get(self, cart_id: str) -> Cart | None:
        self._call("get")
        return self.carts.get(cart_id)

    def claim(self, cart_id: str, order_id: str, version: int) -> None:
        self._call("claim")
        free = self.claims.get(cart_id, order_id) == order_id
        if not free or self.carts[cart_id].version != version:
            raise RuleViolation(
                409, "cart-claimed", "Another order of this cart is being placed, or the cart has changed."
            )
        self.claims[cart_id] = order_id

    def unclaim(self, cart_id: str, order_id: str) -> None:
        self._call("unclaim")
        if self.claims.get(cart_id) == order_id:
            del self.claims[cart_id]

    def remove_ordered(self, cart_id: str, order_id: str, lines: Mapping[str, int]) -> None:
        self._call("remove_ordered")
        if order_id in self.settled:
            return
        self.settled.add(order_id)
        self.claims.pop(cart_id, None)
        cart = self.carts[cart_id]
        left = {sku: n - lines.get(sku, 0) for sku, n in cart.lines.items() if n > lines.get(sku, 0)}
        self.carts[cart_id] = Cart(cart.id, cart.version + 1, cart.account_id, left)

    def _call(self, name: str) -> None:
        if name in self.unavailable:
            raise DependencyUnavailable(f"cart: {name}")


@dataclass
class FakeMailer:
    sent: list[Mail] = field(default_factory=list)
    broken: bool = False

    def send(self, mail: Mail) -> None:
        if self.broken:
            raise OSError("no mail server")
        self.sent.append(mail)


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2025, 6, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **delta: float) -> None:
        self.at += timedelta(**delta)


class Shop:
    """Checkout with fakes of everything around it."""

    def __init__(self) -> None:
        self.catalog = FakeCatalog({"TEA": 1000, "CUP": 2500, "POT": 9900}, {"TEA": 10, "CUP": 10, "POT": 10})
        self.carts, self.mailer, self.clock = FakeCarts(), FakeMailer(), Clock()
        self.requested_mails: list[str] = []
        self.slept: list[float] = []
        self.orders = MemoryRepository(repositories.ORDERS)
        self.ledger = MemoryRepository(repositories.LEDGER)
        self.parts = self.bootstrap()

    def bootstrap(self, **other: Any) -> container.Dependencies:
        """Build the service as in another process over the same databases."""
        return container.bootstrap(
            **{
                "orders": self.orders,
                "ledger": self.ledger,
                "catalog": self.catalog,
                "carts": self.carts,
                "send_mail": self._request_mail,
                "mailer": self.mailer,
                "now": self.clock,
                "sleep": self._sleep,
                **other,
            }
        )

    def wired(self) -> Any:
        return container.container.override(self.parts)

    def fill_cart(self, lines: dict[str, int], *, id: str = "cart-1", account_id: str | None = None) -> str:
        self.carts.carts[id] = Cart(id, 3, account_id, dict(lines))
        return id

    def command(self, **other: Any) -> PlaceOrderCommand:
        """Build a command: two teas for a guest, unless ``other`` says otherwise."""
        return PlaceOrderCommand(
            **{
                "key": "key-1",
                "fingerprint": "body-1",
                "account_id": None,
                "session_id": None,
                "basket": Basket(lines={"TEA": 2}),
                "email": "ada@example.com",
                "shipping_address": HOME,
                "billing_address": None,
                "shipping_method": "standard",
                "payment_method": "card",
                "payment_token": "tok_ok",
                **other,
            }
        )

    def place(self, **other: Any) -> Any:
        return self.parts.place_order.place(self.command(**other))

    def charged(self) -> int:
        """Return the net amount of all payments in the ledger, in cents."""
        return sum(entry.captured - sum(entry.refunds.values()) for entry in self.ledger.find("id"))

    def run_recovery(self, *, seconds: float = 30) -> None:
        """Let time pass second by second, and run the recovery job each second."""
        for _ in range(int(seconds)):
            self.clock.advance(seconds=1)
            self.parts.recovery.resume_due()

    def _request_mail(self, number: str) -> bool:
        self.requested_mails.append(number)
        return True

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds=seconds)


class Crash(BaseException):
    """Simulates a process that dies."""


class Crashing:
    """A proxy that raises Crash before or after the call ``name``."""

    def __init__(self, target, name: str, when: str) -> None:
        self._target, self._name, self._last_time = target, name, when

    def __getattr__(self, name):
        found = getattr(self._target, name)
        return found if name != self._name else self._dying(found)

    def _dying(self, found):
        def call(*args, **kwargs):
            if self._last_time == "before":
                raise Crash
            found(*args, **kwargs)
            raise Crash

        return call
