"""Headers, other sites' forms, events and consent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import URLPattern, get_resolver

from shop import urls
from shop.middleware import PageHeaders, policy
from tests.backend import TOKEN, Backend
from tests.test_checkout import FORM

TEMPLATES = Path(__file__).resolve().parent.parent / "shop" / "templates"
VIEW = [{"type": "view", "product_id": "p1", "user": "someone else", "session_id": "made up"}]


def send(client: Client, events: Any = VIEW) -> Any:
    return client.post("/events", events, content_type="application/json")


def test_every_page_has_security_headers(shop: Client) -> None:
    for path in ("/", "/cart", "/nothing", "/fragments/header"):
        headers = shop.get(path).headers
        assert headers["Content-Security-Policy"] == policy("/media/")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]


def test_the_policy_allows_nothing_inline_and_no_frames() -> None:
    assert policy("https://cdn.example/media/") == (
        "default-src 'self'; img-src 'self' https://cdn.example; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )


def test_no_template_has_inline_scripts_styles_or_handlers() -> None:
    for template in TEMPLATES.rglob("*.html"):
        text = template.read_text()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|\shx-on|javascript:|https?://", text), (
            template.name
        )
        inline = re.findall(r"<script(?![^>]*(?:src=|ld\+json))", text)
        assert inline == [], template.name


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_ORIGIN": "https://evil.example"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},
    ],
)
def test_another_sites_form_changes_nothing(guest: Client, backend: Backend, headers: dict[str, str]) -> None:
    backend.calls.clear()

    answers = [
        guest.post("/cart/add", {"sku": "SKU-8"}, **headers).status_code,
        guest.post("/checkout", FORM, **headers).status_code,
        guest.post("/signout", **headers).status_code,
    ]

    assert answers == [403, 403, 403]
    assert backend.calls == []


def test_the_shops_own_forms_are_accepted(shop: Client) -> None:
    own = {"HTTP_ORIGIN": "http://testserver", "HTTP_SEC_FETCH_SITE": "same-origin"}

    assert shop.post("/cart/add", {"sku": "SKU-8"}, **own).status_code == 303


def routes() -> list[URLPattern]:
    return [pattern for pattern in urls.urlpatterns if isinstance(pattern, URLPattern)]


@pytest.mark.parametrize("route", routes(), ids=lambda route: route.name)
def test_each_view_declares_its_access(route: URLPattern) -> None:
    assert route.callback.access in ("everyone", "signed in")  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["/orders", "/account"])
def test_account_pages_require_sign_in(shop: Client, path: str) -> None:
    assert shop.get(path)["Location"].startswith("/signin?next=")


@pytest.mark.parametrize(
    "path", ["/cart/add", "/cart/change", "/signout", "/consent", "/events", "/verify/now"]
)
def test_get_changes_nothing(shop: Client, path: str) -> None:
    assert shop.get(path).status_code == 405


def test_every_address_has_a_name() -> None:
    assert all(route.name for route in routes())
    assert get_resolver().reverse("product", slug="x") == "p/x"


def test_events_without_consent_have_no_identity(member: Client, backend: Backend) -> None:
    assert send(member).status_code == 202

    sent = backend.calls_to("POST", "/api/logs/events")[0]
    assert sent.body == [{"type": "view", "product_id": "p1"}]
    assert {"authorization", "x-session-id", "x-cart-id"} & sent.headers.keys() == set()
    assert sent.headers["x-consent"] == "no"


def test_events_with_consent_have_account_and_session(member: Client, backend: Backend) -> None:
    member.post("/consent", {"answer": "yes"})

    send(member)

    sent = backend.calls_to("POST", "/api/logs/events")[0]
    assert sent.headers["authorization"] == f"Bearer {TOKEN}"
    assert sent.headers["x-session-id"] == member.cookies["sid"].value
    assert sent.headers["x-consent"] == "yes"
    assert "x-cart-id" not in sent.headers


def test_the_user_agent_is_passed_on_to_logs(shop: Client, backend: Backend) -> None:
    for name in ("Googlebot/2.1", "bad\r\nX-Injected: 1", "x" * 400):
        shop.post(
            "/events", '[{"type": "view"}]', content_type="application/json", headers={"User-Agent": name}
        )

    sent = [call.headers["user-agent"] for call in backend.calls_to("POST", "/api/logs/events")]
    assert sent == ["Googlebot/2.1", "", "x" * 300]


def test_withdrawing_consent_deletes_the_session_id(shop: Client) -> None:
    shop.post("/consent", {"answer": "yes"})
    assert len(shop.cookies["sid"].value) >= 22

    shop.post("/consent", {"answer": "no"})

    assert (shop.cookies["sid"].value, shop.cookies["consent"].value) == ("", "no")


def test_the_banner_is_shown_until_it_is_answered(shop: Client) -> None:
    assert b"May we remember" in shop.get("/fragments/consent").content

    shop.post("/consent", {"answer": "no"})

    assert shop.get("/fragments/consent").content == b""


@pytest.mark.parametrize(
    "body", ["", "{}", "[]", "[1]", '[{"type": "purchase"}]', '[{"type": {}}]', "[" * 5000, "x" * 70_000]
)
def test_invalid_events_are_refused(shop: Client, backend: Backend, body: str) -> None:
    response = shop.generic("POST", "/events", body, content_type="application/json")

    assert response.status_code == 400
    assert backend.calls == []


def test_an_oversized_form_is_refused_in_the_shops_design(shop: Client) -> None:
    response = shop.post("/cart/add", {"sku": "x" * 200_000})

    assert response.status_code == 400
    assert b"That was too much for us" in response.content


def test_the_client_address_of_the_gateway_is_passed_on(shop: Client, backend: Backend) -> None:
    shop.post(
        "/signin",
        {"email": "a@example.com", "password": "wrong"},
        HTTP_X_FORWARDED_FOR="6.6.6.6, 203.0.113.9",
    )

    assert backend.calls_to("POST", "/api/auth/token")[0].headers["x-forwarded-for"] == "203.0.113.9"


def test_tls_sets_strict_transport_security() -> None:
    def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse("x")

    with override_settings(PUBLIC_URL="https://shop.example"):
        response = PageHeaders(answer)(HttpRequest())

    assert response["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert response["Cache-Control"] == "no-store"
