"""Steps of load: a little is asked of four services all the time, and much of one when it is its turn."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.swarm.shoppers import Server, Shopper

FORGOTTEN = 30.0  # seconds after which a browser uses no connection any more
Answer = tuple[int, bytes]


@dataclass(frozen=True)
class Kind:
    """One kind of request. quiet, busy: a second; status: of the right answer."""

    service: str
    quiet: float
    busy: float
    status: int
    ask: Callable[[Shopper, int], Answer]


def _search(who: Shopper, number: int) -> Answer:
    return who.ask("GET", f"/api/catalog/products?q=bowl&limit=24&min_price={number}")  # none is in a cache


def _log_in(who: Shopper, number: int) -> Answer:
    body = {"email": f"nobody{number}@example.com", "password": "not the password"}
    return who.ask("POST", "/api/auth/token", body)


def _cart(who: Shopper, number: int) -> Answer:
    return who.ask("GET", "/api/cart")


def _event(who: Shopper, number: int) -> Answer:
    event: dict[str, Any] = {"id": str(uuid.uuid4()), "type": "search", "data": {"q": f"bowl {number}"}}
    return who.ask("POST", "/api/logs/events", [event])


# Each step is worth 0.2 to 0.4 of a core, so that it fits on a small machine beside what sends it.
KINDS = (
    Kind("catalog", 4.0, 80.0, 200, _search),
    Kind("auth", 0.5, 8.0, 401, _log_in),
    Kind("cart", 4.0, 100.0, 200, _cart),
    Kind("logs", 4.0, 100.0, 202, _event),
)


class Asking:
    """Requests of one kind at a rate that can be changed, each when it is due; every answer is noted."""

    def __init__(self, url: str, kind: Kind) -> None:
        self.kind, self.rate = kind, kind.quiet
        self.wrong: list[str] = []
        self.asked = 0
        self._server, self._stop = Server(url), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._shoppers: list[Shopper] = []

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for who in self._shoppers:
            who.leave()

    def _run(self) -> None:
        shoppers = threading.local()
        due, number = time.monotonic(), 0
        with ThreadPoolExecutor(24) as pool:
            while not self._stop.wait(min(0.1, max(0.0, due - time.monotonic()))):
                due = min(due, time.monotonic() + 1 / self.rate)  # the rate was raised meanwhile
                if time.monotonic() >= due:
                    due, number = max(due, time.monotonic() - 1) + 1 / self.rate, number + 1
                    pool.submit(self._one, shoppers, number)

    def _one(self, shoppers: threading.local, number: int) -> None:
        if not hasattr(shoppers, "who"):
            shoppers.who, shoppers.last = Shopper(self._server, keeps=True), 0.0
            self._shoppers.append(shoppers.who)
        who = shoppers.who
        if time.monotonic() - shoppers.last > FORGOTTEN:  # the gateway ends what is idle for 65 s
            who.leave()
        shoppers.last = time.monotonic()
        try:
            status, body = self.kind.ask(who, number)
            self.wrong += [] if status == self.kind.status else [f"{status} {body[:160]!r}"]
        except OSError as error:
            self.wrong.append(repr(error))
        self.asked += 1
