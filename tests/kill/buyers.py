"""Buyers who write down every answer, and ask again with the same key when they got none."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import urllib3

from tests.client import Answer, Client

CARDS = ["tok_ok"] * 8 + ["tok_declined", "tok_timeout_then_ok"]
ASK_AGAIN = (429, 500, 502, 503, 504)


class Buyers:
    """`count` threads that buy from `skus` until told to stop, each answer a line of `file`."""

    def __init__(self, url: str, skus: list[str], file: Path, *, count: int = 8, seed: int = 0) -> None:
        self.failures: list[str] = []
        self.orders = 0
        self._url, self._skus, self._file = url, skus, file
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(random.Random(seed * 100 + n),), daemon=True)  # noqa: S311
            for n in range(count)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 60) -> None:
        """No new orders; who waits for an answer goes on asking."""
        self._stop.set()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.1, end - time.monotonic()))

    def _run(self, dice: random.Random) -> None:
        while not self._stop.is_set():
            try:
                self._buy(Client(self._url), dice)
            except (urllib3.exceptions.HTTPError, AssertionError, ValueError):
                time.sleep(0.3)  # a cart could not be filled; another one will

    def _buy(self, client: Client, dice: random.Random) -> None:
        lines = {sku: dice.randint(1, 3) for sku in dice.sample(self._skus, dice.randint(1, 2))}
        wish: dict[str, Any] = {"lines": [{"sku": sku, "quantity": n} for sku, n in lines.items()]}
        if dice.random() < 0.5:
            for sku, quantity in lines.items():
                client.add(sku, quantity)
            wish = {"cart_id": client.cart}
            if dice.random() < 0.1:
                self._write({"what": "cart", "id": client.cart, "lines": lines})
                return
        key, card = str(uuid.uuid4()), dice.choice(CARDS)
        email = f"{key[:8]}@example.com"
        for _ in range(2 if dice.random() < 0.2 else 1):  # some ask twice, to be sure
            self._order(client, key, card, lines, {**wish, "email": email})
        self.orders += 1

    def _order(
        self, client: Client, key: str, card: str, lines: dict[str, int], wish: dict[str, Any]
    ) -> None:
        end = time.monotonic() + 90
        while time.monotonic() < end:
            answer = self._ask(client, key, card, wish)
            if answer is not None:
                body = answer.json or {}
                self._write(
                    {"what": "order", "key": key, "lines": lines, "status": answer.status, "body": body}
                )
                if answer.status == 500:
                    self.failures.append(f"500: {body}")
                if answer.status not in ASK_AGAIN and body.get("type") != "idempotency-in-progress":
                    return
            time.sleep(0.3)
        self.failures.append(f"no answer for key {key} in 90 s")

    @staticmethod
    def _ask(client: Client, key: str, card: str, wish: dict[str, Any]) -> Answer | None:
        try:
            return client.order(card=card, key=key, **wish)
        except (urllib3.exceptions.HTTPError, ValueError):
            return None

    def _write(self, record: dict[str, Any]) -> None:
        with self._lock, self._file.open("a") as file:
            file.write(json.dumps(record) + "\n")
