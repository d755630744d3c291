"""The shop's mix for Locust, against a shop that writes down what it is asked."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from swarm.tests.conftest import ROOT

#: One visit for each of a user's tasks, as often as Locust would choose it on average; then what it counted.
VISITS = """
import collections, json, sys
from locust.env import Environment
from swarm.load.shop import Shopper
Shopper.host, asked, failed = sys.argv[1], collections.Counter(), []
environment = Environment()
def took(name, exception, **more):
    asked[name] += 1
    failed.extend([str(exception)] if exception else [])
environment.events.request.add_listener(took)
shopper = Shopper(environment)
shopper.on_start()
for task in shopper.tasks:
    task(shopper)
print(json.dumps({"visits": [task.__name__ for task in shopper.tasks], "asked": asked, "failed": failed}))
"""


class Shop(BaseHTTPRequestHandler):
    """Two goods, of which one can be sold out."""

    server: Any

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append((path, {}, ""))
        goods = [{"slug": f"good-{n}", "title": f"Good number {n}"} for n in (1, 2)]
        if path == "/api/catalog/products":
            self._answer(200, {"results": goods if self.server.goods else []})
        elif path.startswith("/api/catalog/products/"):
            self._answer(200, {"variants": [{"sku": f"{path.rpartition('/')[2]}-sku"}]})
        else:
            self._answer(200, {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body, self.headers["Idempotency-Key"]))
        if self.server.sold_out:
            self._answer(409, {"code": "out_of_stock"})
        else:
            self._answer(201, {"id": f"cart-{len(self.server.asked)}"})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def shop():
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.asked, server.goods, server.sold_out = [], True, False
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def visits(shop: Any) -> dict[str, Any]:
    command = [sys.executable, "-c", VISITS, f"http://127.0.0.1:{shop.server_port}"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, timeout=60, check=True)
    return json.loads(done.stdout)


def test_fourteen_visits_are_ten_browsing_three_carts_and_one_order(shop):
    done = visits(shop)

    assert Counter(done["visits"]) == {"browse": 10, "fill_a_cart": 3, "order": 1}
    assert done["asked"] == {
        "home": 10, "list": 11, "product page": 10, "suggest": 10, "product": 4, "add": 4, "order": 1,
    }  # fmt: skip
    assert done["failed"] == []
    written = [(body, key) for path, body, key in shop.asked if path == "/api/cart/lines"]
    assert {body["sku"] for body, _ in written} <= {"good-1-sku", "good-2-sku"}
    ((order, key),) = [(body, key) for path, body, key in shop.asked if path == "/api/checkout/orders"]
    assert order["cart_id"].startswith("cart-")
    assert len({key, *(key for _, key in written)}) == 5  # each is another one


def test_a_sold_out_product_is_no_failure_and_is_not_ordered(shop):
    shop.sold_out = True

    done = visits(shop)

    assert (done["asked"]["add"], done["failed"], "order" in done["asked"]) == (4, [], False)


def test_a_shop_without_products_is_browsed_and_nothing_is_ordered(shop):
    shop.goods = False

    done = visits(shop)

    assert (done["asked"], done["failed"]) == ({"home": 10, "list": 11}, [])


def test_every_requested_path_exists_in_the_shop(shop):
    visits(shop)

    known = (ROOT / "docs" / "api.md").read_text()
    for path, body, _ in shop.asked:
        if path.startswith("/api/"):
            of_one = path.startswith("/api/catalog/products/")
            shown = "/api/catalog/products/{slug}" if of_one else path
            assert f"| {'POST' if body else 'GET'} `{shown}` |" in known
