"""Which upstream gets which request, and with which headers about the shopper."""

import pytest
from stubs import Answer

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("service", ["auth", "catalog", "cart", "checkout", "logs", "reco"])
def test_each_service_gets_its_own_api_and_admin(gateway, service):
    api = gateway.ask(f"/api/{service}/things?q=a%2Fb").json
    admin = gateway.ask(f"/admin/{service}/").json

    assert (api["service"], api["path"]) == (service, f"/api/{service}/things?q=a%2Fb")
    assert (admin["service"], admin["path"]) == (service, f"/admin/{service}/")


def test_a_bare_api_name_reaches_its_service(gateway):
    assert gateway.ask("/api/cart").json["service"] == "cart"


def test_everything_else_is_the_storefront(gateway):
    assert gateway.ask("/p/red-shoe").json["service"] == "storefront"
    assert gateway.ask("/apiary").json["service"] == "storefront"


def test_an_unknown_service_is_a_problem_and_not_a_page(gateway):
    reply = gateway.ask("/api/nobody/things")

    assert (reply.status, reply.headers["content-type"]) == (404, "application/problem+json")
    assert reply.json == {
        "type": "not-found",
        "title": "Not found",
        "status": 404,
        "detail": "There is nothing at this address.",
        "request_id": reply.headers["x-request-id"],
    }


@pytest.mark.parametrize(
    "path",
    [
        "/internal/skus",
        "/internal",
        "/livez",
        "/readyz",
        "/metrics",
        "//livez",
        "/%6civez",
        "/api/catalog/internal/skus",
        "/api/catalog/internal",
        "/api/catalog//internal/skus",
        "/api/catalog/%69nternal/skus",
        "/api/catalog/x/../internal/skus",
        "/api/catalog/x/..%2finternal/skus",
        "/api/catalog/livez",
        "/api/catalog/readyz",
        "/api/catalog/metrics",
        "/api/nobody/internal/x",
    ],
)
def test_the_outer_listener_closes_what_is_internal(gateway, path):
    reply = gateway.ask(path)

    assert (reply.status, reply.json["type"]) == (404, "not-found")
    assert [stub.asked for stub in gateway.stubs.values() if stub.asked] == []


def test_the_inner_listener_routes_internal_to_the_root_of_the_service(gateway):
    request = gateway.ask("/api/catalog/internal/skus?sku=a,b", inner=True, X_Service_Token="t").json

    assert (request["service"], request["path"]) == ("catalog", "/internal/skus?sku=a,b")
    assert request["headers"]["x-service-token"] == "t"


def test_the_inner_listener_keeps_health_and_metrics_closed_too(gateway):
    assert gateway.ask("/metrics", inner=True).status == 404
    assert gateway.ask("/api/catalog/metrics", inner=True).status == 404


def test_the_outer_listener_ignores_forwarded_headers_of_clients(gateway):
    headers = gateway.ask(
        "/api/cart/lines",
        X_Forwarded_For="6.6.6.6",
        X_Forwarded_Host="evil.example",
        X_Forwarded_Proto="https",
        X_Real_IP="6.6.6.6",
        Forwarded="for=6.6.6.6",
        X_Service_Token="forged",
        Host="shop.example",
    ).json["headers"]

    forwarded = {
        name: value for name, value in headers.items() if name.startswith(("x-f", "x-real", "forw", "x-serv"))
    }
    assert forwarded == {
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-host": "shop.example",
        "x-forwarded-proto": "http",
    }
    assert headers["host"] == "shop.example"


def test_the_inner_listener_passes_the_shoppers_address_on(gateway):
    headers = gateway.ask(
        "/api/cart/lines",
        inner=True,
        X_Forwarded_For="203.0.113.9",
        X_Forwarded_Host="shop.example",
        X_Forwarded_Proto="https",
    ).json["headers"]

    forwarded = {name: value for name, value in headers.items() if name.startswith("x-forwarded")}
    assert forwarded == {
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-host": "shop.example",
        "x-forwarded-proto": "https",
    }


def test_a_good_request_id_is_kept_passed_on_and_returned(gateway):
    reply = gateway.ask("/api/cart", X_Request_ID="Abc-123")

    assert reply.headers["x-request-id"] == "Abc-123"
    assert reply.json["headers"]["x-request-id"] == "Abc-123"


@pytest.mark.parametrize("bad", ["a b", "a" * 65, "x\ty", "<script>", "é"])
def test_a_bad_request_id_is_replaced(gateway, bad):
    reply = gateway.ask("/api/cart", X_Request_ID=bad)

    assert len(reply.headers["x-request-id"]) == 32
    assert reply.json["headers"]["x-request-id"] == reply.headers["x-request-id"]


def test_pictures_come_from_the_blob_store_without_the_shoppers_headers(gateway):
    gateway.stubs["media"].answers["/account/media/p/a1.webp"] = _picture()

    reply = gateway.ask("/media/p/a1.webp", Cookie="access=secret", Authorization="Bearer secret")

    assert (reply.status, reply.body) == (200, b"RIFF")
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert [name for name in reply.headers if name.startswith("x-ms")] == []
    asked = gateway.stubs["media"].asked[0]["headers"]
    assert "cookie" not in asked
    assert "authorization" not in asked


def test_pictures_are_served_from_the_cache_while_the_blob_store_is_unavailable(gateway):
    gateway.stubs["media"].answers["/account/media/p/a2.webp"] = _picture()
    gateway.ask("/media/p/a2.webp")
    gateway.stubs["media"].stop()

    assert gateway.ask("/media/p/a2.webp").body == b"RIFF"
    placeholder = gateway.ask("/media/p/never-seen.webp")
    assert (placeholder.status, placeholder.headers["content-type"]) == (503, "image/svg+xml")
    assert placeholder.headers["cache-control"] == "no-store"


def test_a_missing_picture_is_a_problem_without_details_of_the_store(gateway):
    gateway.stubs["media"].answers["/account/media/p/gone.webp"] = _picture(status=404)

    reply = gateway.ask("/media/p/gone.webp")

    assert (reply.status, reply.json["type"]) == (404, "not-found")


def test_pictures_are_read_only(gateway):
    reply = gateway.ask("/media/p/a1.webp", "PUT", body=b"x")

    assert reply.status in {403, 404, 405}
    assert gateway.stubs["media"].asked == []


def test_health_is_read_only(gateway):
    reply = gateway.ask("/healthz", "POST", body=b"x")

    assert (reply.status, reply.json["type"]) == (405, "method-not-allowed")
    assert gateway.stubs["health"].asked == []


def test_health_and_mail_have_their_own_pages(gateway):
    assert gateway.ask("/healthz").json["service"] == "health"
    assert gateway.ask("/mail/").json["service"] == "mailbox"


def _picture(status=200):
    return Answer(status=status, body=b"RIFF", headers={"Content-Type": "image/webp", "x-ms-version": "2021"})
