"""What is counted of requests, by lines of nginx's log and by the real nginx."""

import re
import sys
import threading
import time
import urllib.request
from itertools import pairwise
from pathlib import Path

import pytest
from stubs import Answer, free_port

from gateway import figures
from gateway.figures import FileFollower, RequestFigures, Server, group_of

ROOT = Path(__file__).resolve().parents[2]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def values(text: str) -> dict[str, float]:
    rows = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name.removeprefix("hivemart_gateway_"): float(value) for name, value in rows}


def done(
    key="1.1", *, status=200, seconds=0.02, method="GET", path="/api/catalog/products", upstream="0.018"
):
    return f"d outer {key} {status} {seconds} {method} {path} {upstream}"


def arrived(key="1.1", *, method="GET", path="/api/catalog/products"):
    return f"a outer {key} {method} {path}"


PRODUCTS = '{listener="outer",service="catalog",route="GET /products"}'


@pytest.mark.parametrize(
    ("method", "path", "service", "route"),
    [
        ("GET", "/api/catalog/products/red-cup-3", "catalog", "GET /products/*"),
        ("POST", "/api/auth/token", "auth", "POST /token"),
        ("GET", "/api/cart/internal/carts/018f-a", "cart", "GET /internal/carts/*"),
        ("GET", "/admin/catalog/catalog/product/", "catalog", "GET /admin/*/product"),
        ("GET", "/", "storefront", "GET /"),
        ("BREW", "/p/red-cup", "storefront", "other /p/*"),
        ("GET", "/media/ab/cd.webp", "media", "GET /"),
    ],
)
def test_requests_are_grouped_by_service_and_route(method, path, service, route):
    assert group_of("outer", method, path) == ("outer", service, route)


def test_a_request_is_in_flight_from_its_arrival_to_its_end():
    counted = RequestFigures(Clock())

    counted.feed([arrived("1.1"), arrived("1.2"), done("1.1")])

    shown = values(counted.exposition())
    assert shown[f"in_flight{PRODUCTS}"] == 1
    assert shown[f"requests_total{PRODUCTS}"] == 1
    assert shown[f"upstream_seconds_total{PRODUCTS}"] == 0.018


def test_cached_answers_are_not_counted_for_the_service():
    counted = RequestFigures(Clock())

    counted.feed([arrived(), done(upstream="-")])

    shown = values(counted.exposition())
    assert not [name for name in shown if name.startswith(("requests_total", "in_flight", "request_seconds"))]
    assert shown['answers_total{listener="outer",service="catalog",code="2xx"}'] == 1


def test_errors_are_5xx_and_aborted_requests():
    counted = RequestFigures(Clock())

    counted.feed([done(status=503), done(status=499), done(status=404)])

    assert values(counted.exposition())[f"errors_total{PRODUCTS}"] == 2


def test_a_retried_request_takes_the_time_of_both_attempts():
    counted = RequestFigures(Clock())

    counted.feed([done(upstream="0.300, 0.020")])

    assert values(counted.exposition())[f"upstream_seconds_total{PRODUCTS}"] == 0.32


def test_latency_is_in_cumulative_buckets():
    counted = RequestFigures(Clock())

    counted.feed([done(seconds=0.03), done(seconds=0.4), done(seconds=60)])

    shown = values(counted.exposition())
    bucket = 'request_seconds_bucket{{listener="outer",service="catalog",le="{}"}}'
    assert [shown[bucket.format(top)] for top in ("0.025", "0.05", "0.5", "10.0", "+Inf")] == [0, 1, 2, 2, 3]
    assert shown['request_seconds_count{listener="outer",service="catalog"}'] == 3


def test_a_request_without_an_end_is_dropped_after_a_while():
    clock = Clock()
    counted = RequestFigures(clock)
    counted.feed([arrived()])

    clock.now += figures.LOST_AFTER_SECONDS + 1
    counted.feed([])

    assert "in_flight{" not in counted.exposition()


def test_a_malformed_line_is_counted_and_skipped():
    counted = RequestFigures(Clock())

    counted.feed(["", "d outer", "x outer 1.1 GET /", "d outer 1.1 200 soon GET / 0.1", done()])

    shown = values(counted.exposition())
    assert (shown["bad_lines_total"], shown[f"requests_total{PRODUCTS}"]) == (4, 1)


def test_the_number_of_groups_is_limited():
    counted = RequestFigures(Clock())
    words = sorted(figures.ROUTE_NAMES)

    counted.feed([done(path=f"/api/s{n}/{a}/{b}") for n in range(50) for a, b in pairwise(words)])

    groups = [name for name in values(counted.exposition()) if name.startswith("requests_total")]
    assert len(groups) <= (figures.MAX_SERVICES + 1) * (figures.MAX_ROUTES + 1)


def test_every_route_of_the_public_contract_keeps_its_names():
    paths = re.findall(r"`/api/\w+/([^`]*)`", (ROOT / "docs" / "api.md").read_text())
    names = {part for path in paths for part in path.split("/")[:3] if part and "{" not in part}

    assert names <= figures.ROUTE_NAMES | {""}


def test_the_file_is_followed_line_by_line_and_its_pages_are_freed(tmp_path):
    path = tmp_path / "figures.log"
    path.write_bytes(b"old\n" * 10_000)
    follower = FileFollower(path)

    with path.open("ab") as log:
        log.write(b"one\ntw")
        log.flush()
        first = list(follower.lines())
        log.write(b"o\n")
        log.flush()
        second = list(follower.lines())

    assert (first, second) == (["one"], ["two"])
    assert path.stat().st_size > 40_000
    follower.close()


@pytest.fixture
def counting(tmp_path):
    server = Server(("127.0.0.1", free_port()), tmp_path / "figures.log")
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def scrape(server) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=5) as answer:
        return values(answer.read().decode())


def within(seconds, look):
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="holes in files are Linux's")
def test_nginx_logs_arrivals_before_their_ends_with_the_listener(make_gateway, counting, tmp_path):
    gateway = make_gateway(figures=str(tmp_path / "figures.log"))
    gateway.stubs["cart"].answers["/api/cart/carts/c1"] = Answer(delay=1.0)
    flying = 'in_flight{listener="outer",service="cart",route="GET /carts/*"}'
    ended = flying.replace("in_flight", "requests_total")

    slow = threading.Thread(target=gateway.ask, args=("/api/cart/carts/c1?secret=1",))
    slow.start()
    seen = within(0.9, lambda: scrape(counting).get(flying))
    slow.join()
    gateway.ask("/api/auth/token", "POST", inner=True, body=b"{}")
    gateway.ask("/api/nobody/x")
    both = lambda shown: len([name for name in shown if "requests_total" in name]) > 1  # noqa: E731
    after = within(2, lambda: shown if both(shown := scrape(counting)) else None)

    assert seen == 1
    assert after[ended] == 1
    assert after[flying] == 0
    assert after['requests_total{listener="inner",service="auth",route="POST /token"}'] == 1
    assert not [name for name in after if "nobody" in name and "requests_total" in name]


def test_without_a_file_nothing_is_counted(make_gateway, tmp_path):
    make_gateway()

    assert "mirror" not in (tmp_path / "nginx.conf").read_text()
