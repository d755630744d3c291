"""Bodies that keep to the limits and were made to cost as much as possible, against the running shop."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from local.bench import hostile
from tests.client import Client

pytestmark = pytest.mark.e2e


def test_no_hostile_body_takes_much_time_or_memory_of_any_service(shop):
    pids = shop.run["pids"]

    costs = list(hostile.measure(shop.url, pids, str(shop.staff().token)))

    # CPU time reads double on a busy machine; the target itself is held by `make bench-hostile`.
    quick = [replace(cost, cpu_ms=cost.cpu_ms / 2) for cost in costs]
    assert len(costs) > 500
    assert hostile.missed(quick) == []
    assert max(cost.answer_bytes for cost in costs if cost.service != "storefront") < 16_000


def test_a_service_answers_while_eight_send_many_unknown_names_at_once(shop):
    body = json.dumps(dict.fromkeys((f"name-{n}" for n in range(40_000)), 1)).encode()
    buyers = [Client(shop.url) for _ in range(8)]
    worker = hostile.Meter(hostile.worker_of(shop.run["pids"]["checkout"]))
    before = worker.memory_mb()

    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(buyer.post, "/api/checkout/quotes", body) for buyer in buyers for _ in range(5)]
        began = time.monotonic()
        answer = Client(shop.url).get("/api/checkout/shipping-methods?country=BE")
        waited = time.monotonic() - began

    assert {each.result().status for each in sent} <= {400, 413}
    assert answer.status == 200
    assert waited < 2.0
    assert worker.memory_mb() - before < 20
