"""What measurements are made with: the load must be what it says it is."""

import json
import subprocess
import sys
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from threading import Thread

import pytest
import urllib3
from conftest import ROOT

from local.bench.figures import percentile
from local.bench.history import PATH, page, serve_history
from local.bench.load_events import batches
from local.bench.load_lists import ListRequest, send_requests
from local.bench.shoppers import TASTES, Shoppers

SMALL = {"events": 3000, "products": 200, "people": 100}


def test_two_loads_share_no_event_id():
    ids = Counter(e["id"] for seed in (1, 2) for batch in islice(batches(seed), 20) for e in batch)

    assert len(ids) == 2000


def test_shoppers_are_the_same_for_the_same_seed():
    one, two, other = Shoppers(**SMALL), Shoppers(**SMALL), Shoppers(**SMALL, seed=8)

    def known(shoppers):
        return [{**shoppers.event(place), "at": ""} for place in range(0, 3000, 100)]

    assert known(one) == known(two) != known(other)


def test_shoppers_have_tastes_and_some_products_are_popular():
    shoppers = Shoppers(events=20_000, products=1000, people=500)

    tastes = [
        int(shoppers.account_id(place)[1:]) % TASTES == int(shoppers.product_id(place)[1:]) % TASTES
        for place in range(20_000)
    ]
    wanted = Counter(shoppers.product_id(place) for place in range(20_000)).most_common()

    assert 0.65 < sum(tastes) / 20_000 < 0.78
    assert wanted[0][1] > 10 * wanted[len(wanted) // 2][1]


def test_a_history_is_paginated_to_its_end():
    shoppers, found, cursor = Shoppers(**SMALL), [], "0"
    while cursor is not None:
        answer = page(shoppers, int(cursor), 1000)
        found += [event["id"] for event in answer["results"]]
        cursor = answer["next"]

    assert len(set(found)) == len(found) == 3000
    assert page(shoppers, int(answer["checkpoint"]), 1000) == {
        "results": [], "next": None, "checkpoint": "3000",
    }  # fmt: skip


def test_the_history_is_served_over_http():
    with serve_history(Shoppers(**SMALL)) as gateway:
        answer = urllib3.request("GET", f"{gateway}{PATH}?after=2990&limit=100")
        nothing = urllib3.request("GET", f"{gateway}/api/logs/other")

    assert (answer.status, len(answer.json()["results"]), nothing.status) == (200, 10, 404)


def test_percentiles_of_measured_values():
    assert [percentile(list(range(100)), share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 99]


@pytest.fixture
def lists():
    """Return a service whose lists are empty, and which refuses one address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            model = {"version": "m1", "algorithm": "none", "trained_at": None}
            body = json.dumps({"results": [], "model": model}).encode()
            self.send_response(404 if self.path == "/nothing" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_a_steady_load_keeps_its_rate_and_counts_answers(lists):
    answers = send_requests(lists, [ListRequest.of("similar", "/x", {})], seconds=0.5, connections=2, rate=40)

    assert 1 < len(answers.milliseconds) <= 21
    assert answers.empty == answers.kinds == Counter(similar=len(answers.milliseconds))
    assert set(answers.versions) == {"m1"}


def test_an_error_answer_ends_the_load(lists):
    with pytest.raises(RuntimeError, match="answered 404"):
        send_requests(lists, [ListRequest.of("similar", "/nothing", {})], seconds=5, connections=2)


@pytest.mark.integration
def test_lists_of_a_small_shop_are_measured_over_http(tmp_path):
    file = tmp_path / "lists.json"
    sizes = ["--events", "6000", "--products", "100", "--people", "200", "--seconds", "1.5", "--rate", "20"]

    done = subprocess.run(
        [sys.executable, "-m", "local.bench.lists", *sizes, "--json", str(file)],
        cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip

    assert done.returncode in (0, 1), done.stderr
    figures = json.loads(file.read_text())
    assert figures["targets_met"] is (done.returncode == 0)
    service = figures["steady"]["service_ms"]
    assert 0 < service["p50"] <= service["p95"] <= service["p99"]
    assert set(figures["steady"]["service_ms_by_list"]) == {"similar", "for-you", "together", "trending"}
    assert sum(figures["most"]["empty"].values()) == 0
    for load in (figures["steady"], figures["most"]):
        assert load["lists"] >= 20
        trip = load["round_trip_ms"]
        assert 0 < trip["p50"] <= trip["p95"] <= trip["p99"]
        assert load["cpu_ms_per_list"] > 0
        assert "for-you: surprise-knn-sparse" in load["algorithms"]
