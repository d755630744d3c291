"""Sign in, sign up, passwords, and the tokens behind them."""

from __future__ import annotations

from django.test import Client, override_settings

from tests.backend import TOKEN, Backend
from tests.pages import heading, words

RIGHT = {"email": "ada@example.com", "password": "right"}


def test_signing_in_sets_cookies_that_scripts_cannot_read(shop: Client) -> None:
    response = shop.post("/signin", RIGHT | {"next": "/p/floor-lamp"})

    assert (response.status_code, response["Location"]) == (303, "/p/floor-lamp")
    for name, value in (("access", TOKEN), ("refresh", "refresh-2"), ("name", "Ada")):
        cookie = response.cookies[name]
        assert (cookie.value, cookie["httponly"], cookie["samesite"], cookie["path"]) == (
            value,
            True,
            "Lax",
            "/",
        )
    assert "Ada" in words(shop.get("/fragments/header"))


def test_over_tls_cookies_are_host_bound_and_secure(shop: Client) -> None:
    with override_settings(COOKIES_SECURE=True):
        response = shop.post("/signin", RIGHT)

    cookie = response.cookies["__Host-access"]
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")


def test_wrong_credentials_are_refused_without_detail(shop: Client) -> None:
    response = shop.post("/signin", RIGHT | {"password": "wrong"})

    assert response.status_code == 401
    assert "This e-mail and password do not go together." in words(response)
    assert 'value="ada@example.com"' in response.content.decode()
    assert "wrong" not in response.content.decode()


def test_sign_in_never_redirects_to_another_site(shop: Client) -> None:
    for hostile in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        assert shop.post("/signin", RIGHT | {"next": hostile})["Location"] == "/"


def test_signing_up_signs_in(shop: Client) -> None:
    form = {"name": "Grace", "email": "grace@example.com", "password": "long enough"}

    response = shop.post("/signup", form)

    assert response["Location"] == "/account"
    assert "Grace" in words(shop.get("/fragments/header"))


def test_a_taken_email_is_reported_at_its_field(shop: Client) -> None:
    response = shop.post("/signup", {"name": "G", "email": "taken@example.com", "password": "long enough"})

    assert response.status_code == 409
    assert "There is already an account with this e-mail." in words(response)


def test_signing_out_deletes_cookies_and_revokes_tokens(member: Client, backend: Backend) -> None:
    response = member.post("/signout")

    assert response["Location"] == "/"
    assert {name: member.cookies[name].value for name in ("access", "refresh", "name")} == dict.fromkeys(
        ("access", "refresh", "name"), ""
    )
    assert backend.calls_to("POST", "/api/auth/token/revoke")[0].body == {"refresh": "refresh-2"}


def test_an_expired_access_token_is_renewed_before_a_page(member: Client, backend: Backend) -> None:
    del member.cookies["access"]

    response = member.get("/account")

    assert heading(response) == "Hello, Ada"
    assert response.cookies["access"].value == TOKEN
    assert len(backend.calls_to("POST", "/api/auth/token/refresh")) == 1


def test_a_public_fragment_never_renews_tokens(member: Client, backend: Backend) -> None:
    del member.cookies["access"]

    member.get("/fragments/trending/kitchen")

    assert backend.calls_to("POST", "/api/auth/token/refresh") == []


def test_a_public_page_that_renewed_tokens_is_not_cacheable(member: Client) -> None:
    del member.cookies["access"]

    response = member.get("/")

    assert response.cookies["access"].value == TOKEN
    assert response["Cache-Control"] == "private, no-store"


def test_an_ended_session_leads_to_sign_in_and_back(shop: Client) -> None:
    shop.cookies["refresh"] = "wrong"

    response = shop.get("/orders")

    assert response["Location"] == "/signin?next=%2Forders"
    assert response.cookies["refresh"]["max-age"] == 0


def test_a_revoked_token_is_renewed_once(member: Client, backend: Backend) -> None:
    backend.answers["GET", "/api/checkout/orders"] = (401, {"type": "not-authenticated"}, {})

    response = member.get("/orders")

    assert response["Location"] == "/signin?next=%2Forders"
    assert len(backend.calls_to("POST", "/api/auth/token/refresh")) == 1


def test_forgot_password_responds_alike_for_everyone(shop: Client) -> None:
    assert heading(shop.post("/forgot", {"email": "nobody@example.com"})) == "Look at your mail"


def test_the_reset_link_sets_a_password_once(member: Client) -> None:
    page = member.get("/reset?token=fresh")
    assert 'value="fresh"' in page.content.decode()

    done = member.post("/reset", {"token": "fresh", "password": "a new long one"})
    again = member.post("/reset", {"token": "used", "password": "a new long one"})

    assert heading(done) == "Your new password is set"
    assert done.cookies["access"]["max-age"] == 0
    assert again.status_code == 400
    assert "This link has been used or is too old." in words(again)


def test_a_short_password_is_refused_before_the_link_is_used(shop: Client, backend: Backend) -> None:
    response = shop.post("/reset", {"token": "fresh", "password": "short"})

    assert "Please take at least 8 characters." in words(response)
    assert backend.calls_to("POST", "/api/auth/password/reset") == []


def test_the_name_can_be_changed_and_shows_in_the_header(member: Client) -> None:
    response = member.post("/account", {"name": "Countess Ada"})

    assert response["Location"] == "/account?saved=1"
    assert "Countess Ada" in words(member.get("/fragments/header"))


def test_an_email_is_verified_by_the_button_only(shop: Client, backend: Backend) -> None:
    shop.get("/verify?token=t")
    assert backend.calls_to("POST", "/api/auth/email/verify") == []

    shop.post("/verify/now", {"token": "t"})
    assert backend.calls_to("POST", "/api/auth/email/verify")[0].body == {"token": "t"}
