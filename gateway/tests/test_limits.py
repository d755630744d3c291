"""Sizes, rates and what the gateway says when a service does not answer."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from stubs import Answer

pytestmark = pytest.mark.integration

KIB = 1024


def test_a_body_over_one_megabyte_is_refused(gateway):
    fits = gateway.ask("/api/cart/lines", "POST", body=b"x" * (1024 * KIB))
    too_large = gateway.ask("/api/cart/lines", "POST", body=b"x" * (1024 * KIB + 1))

    assert fits.json["size"] == 1024 * KIB
    assert (too_large.status, too_large.headers["content-type"]) == (413, "application/problem+json")
    assert too_large.json["type"] == "payload-too-large"


def test_a_picture_of_ten_megabytes_is_accepted(gateway):
    path = "/api/catalog/products/red-shoe/images"

    fits = gateway.ask(path, "POST", body=b"x" * (10 * 1024 * KIB))
    too_large = gateway.ask(path, "POST", body=b"x" * (10 * 1024 * KIB + 1))

    assert fits.json["size"] == 10 * 1024 * KIB
    assert (too_large.status, too_large.json["type"]) == (413, "payload-too-large")


def test_a_chunked_body_is_counted_too(gateway):
    with socket.create_connection(("127.0.0.1", gateway.outer), timeout=10) as client:
        client.sendall(b"POST /api/cart/lines HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.sendall(b"180000\r\n" + b"x" * 0x180000 + b"\r\n0\r\n\r\n")
        head = client.recv(4096)

    assert b"413" in head.split(b"\r\n")[0]


def test_a_long_address_and_long_headers_are_refused(gateway):
    address = gateway.ask("/api/catalog/products?q=" + "a" * 9000)
    headers = gateway.ask("/api/catalog/products", X_Long="a" * 9000)

    assert (address.status, address.json["type"]) == (414, "uri-too-long")
    assert (headers.status, headers.json["type"]) == (431, "headers-too-large")


def test_log_in_and_registration_are_limited_by_address(make_gateway):
    gateway = make_gateway(auth_rate=30, auth_burst=3)

    for path in ("/api/auth/token", "/api/auth/register"):
        replies = [gateway.ask(path, "POST", body=b"{}") for _ in range(6)]

        assert [reply.status for reply in replies] == [200] * 4 + [429] * 2
        refused = replies[-1]
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["retry-after"] == "2"
        assert refused.json["type"] == "too-many-requests"


def test_one_shopper_at_the_limit_does_not_delay_another(make_gateway):
    gateway = make_gateway(auth_burst=1)

    def log_in(address):
        return gateway.ask("/api/auth/token", "POST", inner=True, body=b"{}", X_Forwarded_For=address).status

    assert [log_in("203.0.113.1") for _ in range(3)] == [200, 200, 429]
    assert log_in("203.0.113.2") == 200


A, B = "a" * 32, "b" * 32
TOKEN = "Bearer " + "x" * 900 + ".{}-_{}"


@pytest.mark.parametrize(
    ("path", "service", "hot", "other"),
    [
        ("/api/cart/lines", "cart", {"X_Cart_Id": A}, {"X_Cart_Id": B}),
        (
            "/api/cart",
            "cart",
            {"Authorization": TOKEN.format("s", 1)},
            {"Authorization": TOKEN.format("s", 2)},
        ),
        ("/cart/change", "storefront", {"Cookie": f"consent=no; cart={A}"}, {"Cookie": f"cart={B}"}),
        ("/cart/add", "storefront", {"Cookie": "__Host-access=h.p.s1; x=y"}, {"Cookie": "access=h.p.s2"}),
    ],
)
def test_concurrent_requests_are_limited_per_cart(make_gateway, path, service, hot, other):
    gateway = make_gateway(cart_calls=3, cart_pages=3)
    gateway.stubs[service].answers[path] = Answer(delay=1.0)

    def post(headers):
        return gateway.ask(path, "POST", body=b"{}", **headers)

    with ThreadPoolExecutor(10) as pool:
        flood = [pool.submit(post, hot) for _ in range(9)]
        time.sleep(0.3)
        gateway.stubs[service].answers[path] = Answer()
        meanwhile = post(other).status
        replies = [each.result(10) for each in flood]

    assert sorted(reply.status for reply in replies) == [200] * 3 + [429] * 6
    assert meanwhile == 200
    refused = next(reply for reply in replies if reply.status == 429)
    assert (refused.headers["retry-after"], refused.json["type"]) == ("2", "too-many-requests")
    assert post(hot).status == 200


def test_requests_without_a_cart_are_not_limited(make_gateway):
    gateway = make_gateway(cart_calls=1, cart_pages=1)
    gateway.stubs["cart"].answers["/api/cart"] = Answer(delay=0.3)
    gateway.stubs["storefront"].answers["/search"] = Answer(delay=0.3)

    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(gateway.ask, "/api/cart") for _ in range(4)]
        pages = [pool.submit(gateway.ask, "/search", Cookie=f"cart={A}") for _ in range(4)]

    assert {each.result().status for each in (*calls, *pages)} == {200}


def test_reading_is_not_limited(gateway):
    assert {gateway.ask("/api/auth/me").status for _ in range(100)} == {200}


def test_an_unavailable_service_is_a_problem_with_a_request_id(gateway):
    gateway.stubs["cart"].stop()

    reply = gateway.ask("/api/cart", X_Request_ID="abc")

    assert (reply.status, reply.headers["content-type"]) == (502, "application/problem+json")
    assert reply.json == {
        "type": "bad-gateway",
        "title": "Bad gateway",
        "status": 502,
        "detail": "The service gives no answer just now.",
        "request_id": "abc",
    }
    assert reply.headers["x-request-id"] == "abc"
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_a_services_own_problem_goes_through_untouched(gateway):
    gateway.stubs["checkout"].answers["/api/checkout/orders"] = Answer(
        503, {"Content-Type": "application/problem+json", "Retry-After": "7"}, b'{"type":"unavailable"}'
    )

    reply = gateway.ask("/api/checkout/orders", "POST", body=b"{}")

    assert (reply.status, reply.body, reply.headers["retry-after"]) == (503, b'{"type":"unavailable"}', "7")


def test_an_unavailable_storefront_shows_a_page(gateway):
    gateway.stubs["storefront"].stop()

    page = gateway.ask("/somewhere", Accept="text/html,*/*;q=0.8", X_Request_ID="abc")
    data = gateway.ask("/somewhere", Accept="application/json")

    assert (page.status, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert b"Back in a moment" in page.body
    assert b"Reference: abc" in page.body
    assert page.headers["retry-after"] == "5"
    assert (data.status, data.headers["content-type"]) == (503, "application/problem+json")


def test_a_broken_connection_retries_a_get_and_never_a_post(make_gateway):
    gateway = make_gateway(replicas={"cart": ["cart", "logs"]})
    replicas = [gateway.stubs["cart"], gateway.stubs["logs"]]
    for replica in replicas:
        replica.answers["/api/cart/lines"] = Answer(breaks=True)

    posted = gateway.ask("/api/cart/lines", "POST", body=b"{}")
    times_posted = sum(len(replica.asked) for replica in replicas)
    read = gateway.ask("/api/cart/lines")
    times_read = sum(len(replica.asked) for replica in replicas) - times_posted

    assert (posted.status, times_posted) == (502, 1)
    assert (read.status, times_read) == (502, 2)
