"""Who reaches a limit is told so, and takes nothing from anybody else: the whole shop with its own limits."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local import ports
from tests.client import Client
from tests.conftest import Shop

pytestmark = pytest.mark.e2e

WRONG = {"email": "nobody@example.com", "password": "not this one"}


@pytest.fixture(scope="module")
def strict_shop() -> Iterator[Shop]:
    """Return a shop without the demo's goods, with the limits that a merchant's has."""
    data = Path(tempfile.mkdtemp(prefix="shop-"))
    running = Shop(data, ports.free(1)[0], AUTH_RATE="30", AUTH_ACCOUNT_RATE="30", SEED="none")
    try:
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(data, ignore_errors=True)


def test_thirty_wrong_passwords_from_one_address_take_sign_in_from_nobody_else(strict_shop: Shop) -> None:
    quick, other = Client(strict_shop.url, "127.0.0.2"), Client(strict_shop.url, "127.0.0.3")
    account = other.register()
    other.token = None
    right = {"email": account["user"]["email"], "password": "a long enough sentence"}

    with ThreadPoolExecutor(4) as pool:
        tries = list(pool.map(lambda _: quick.form("/signin", WRONG), range(50)))
    signed_in = other.form("/signin", right)
    cookies = "; ".join(line.partition(";")[0] for line in signed_in.headers.getlist("Set-Cookie"))
    page = other.get("/account", Cookie=cookies)

    # 503: on a machine that is busy with hashing, some wait three seconds for their turn in vain.
    assert {401, 429} <= {each.status for each in tries} <= {401, 429, 503}
    told = next(each for each in tries if each.status == 429)
    assert int(told.headers["Retry-After"]) >= 1
    assert b"That was a bit quick. Please wait" in told.body
    assert b"nobody@example.com" in told.body, "what was typed stays"
    assert signed_in.status == 303
    assert page.status == 200
    assert account["user"]["email"].encode() in page.body


@pytest.mark.parametrize("by", ["page", "api"])
def test_64_parallel_changes_of_one_cart_leave_the_others_alone(strict_shop: Shop, by: str) -> None:
    staff = strict_shop.staff()
    if staff.get("/api/catalog/categories").json == []:
        staff.post("/api/catalog/categories", {"slug": "games", "title": "Games"})
    _, sku = staff.product(on_hand=500)
    wild, other = Client(strict_shop.url, "127.0.0.2"), Client(strict_shop.url, "127.0.0.3")
    wild.add(sku)
    other.add(sku)
    started = threading.Barrier(65)

    def change(client: Client, quantity: int) -> int:
        if by == "api":
            return client.call("PATCH", f"/api/cart/lines/{sku}", {"quantity": quantity}).status
        form = {"do": "set", "sku": sku, "quantity": str(quantity)}
        return client.form("/cart/change", form, HX_Request="true", Cookie=f"cart={client.cart}").status

    def wildly(number: int) -> list[int]:
        started.wait(30)
        return [change(wild, 1 + (number + turn) % 99) for turn in range(3)]

    with ThreadPoolExecutor(64) as pool:
        wild_answers = [pool.submit(wildly, number) for number in range(64)]
        started.wait(30)
        answers = [_timed(lambda: change(other, 2)) for _ in range(5)]
        statuses = Counter(status for each in wild_answers for status in each.result(60))

    assert [status for status, _ in answers] == [200] * 5
    assert max(seconds for _, seconds in answers) < 5.0
    assert set(statuses) <= {200, 429}
    assert other.get("/api/cart").json["lines"][0]["quantity"] == 2
    assert change(wild, 7) == 200


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    began = time.monotonic()
    return call(), time.monotonic() - began
