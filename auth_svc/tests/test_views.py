"""Tests of the HTTP API."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.test import Client
from rest_framework.test import APIRequestFactory

from accounts.views import passwords
from chassis.api import throttling
from chassis.testing import bad_input
from chassis.testing.bad_input import assert_problem, assert_refuses_bad_bodies, assert_refuses_values
from chassis.testing.identity import AUTH_KEY, bearer, make_token, service_headers
from chassis.testing.permissions import assert_every_view_declares_permissions

API = "/api/auth"
ADA = {"email": "ada@example.com", "password": "correct horse", "name": "Ada"}
ADDRESS = {"name": "Ada", "line1": "Street 1", "postal_code": "1000", "city": "Brussels", "country": "BE"}

pytestmark = pytest.mark.usefixtures("world")


def send(method: str, path: str, body: Any = None, **headers: str) -> Any:
    data = "" if body is None else json.dumps(body)
    return Client().generic(method, API + path, data, content_type="application/json", headers=headers)


def registered() -> dict[str, Any]:
    made: dict[str, Any] = send("POST", "/register", ADA).json()
    return made


def as_ada(made: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {made['access']}"}


def test_every_view_declares_permissions() -> None:
    assert_every_view_declares_permissions()


def test_registering_signs_in() -> None:
    answer = send("POST", "/register", ADA)

    made = answer.json()
    user = made.pop("user")
    claims = jwt.decode(made.pop("access"), AUTH_KEY.public_key(), algorithms=["EdDSA"], audience="hivemart")
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    assert made.pop("refresh")
    assert made == {"token_type": "Bearer", "expires_in": 600}
    assert user | {"id": "", "created_at": ""} == {
        "id": "",
        "email": "ada@example.com",
        "name": "Ada",
        "email_verified": False,
        "roles": ["customer"],
        "created_at": "",
    }
    assert claims | {"iat": 0, "exp": 0, "jti": ""} == {
        "sub": user["id"],
        "iss": "hivemart-auth",
        "aud": "hivemart",
        "iat": 0,
        "exp": 0,
        "jti": "",
        "typ": "access",
        "roles": ["customer"],
        "permissions": [],
        "email_verified": False,
    }
    assert claims["exp"] - claims["iat"] == 600


def test_a_taken_address_is_a_conflict() -> None:
    registered()

    assert (
        assert_problem(send("POST", "/register", ADA | {"email": "ADA@example.com"}), 409)["type"]
        == "email-taken"
    )


def test_signing_in_returns_a_token_pair() -> None:
    registered()

    answer = send("POST", "/token", {"email": "Ada@example.com", "password": "correct horse"})

    assert (answer.status_code, set(answer.json())) == (
        200,
        {"access", "refresh", "token_type", "expires_in"},
    )


def test_a_wrong_password_and_an_unknown_address_look_alike() -> None:
    registered()

    wrong = assert_problem(send("POST", "/token", {"email": ADA["email"], "password": "wrong horse"}), 401)
    unknown = assert_problem(
        send("POST", "/token", {"email": "x@example.com", "password": "wrong horse"}), 401
    )

    assert wrong | {"request_id": ""} == unknown | {"request_id": ""}


def test_a_repeated_refresh_returns_the_same_refresh_token() -> None:
    made = registered()

    first = send("POST", "/token/refresh", {"refresh": made["refresh"]}).json()
    again = send("POST", "/token/refresh", {"refresh": made["refresh"]}).json()

    assert first["refresh"] == again["refresh"] != made["refresh"]


def test_a_revoked_token_is_refused_and_revoking_always_succeeds() -> None:
    made = registered()

    answers = [
        send("POST", "/token/revoke", {"refresh": token}).status_code for token in (made["refresh"], "x")
    ]

    assert answers == [204, 204]
    assert_problem(send("POST", "/token/refresh", {"refresh": made["refresh"]}), 401)


def test_only_the_name_can_be_changed() -> None:
    made = registered()

    renamed = send("PATCH", "/me", {"name": "Countess"}, **as_ada(made))

    assert renamed.json() == made["user"] | {"name": "Countess"}
    assert send("GET", "/me", **as_ada(made)).json() == renamed.json()
    for field, value in {
        "email": "x@example.com",
        "roles": ["admin"],
        "email_verified": True,
        "id": "1",
    }.items():
        problem = assert_problem(send("PATCH", "/me", {field: value}, **as_ada(made)), 400)
        assert field in problem["errors"]


def test_the_address_book_is_read_in_pages() -> None:
    headers = as_ada(registered())
    ids = [send("POST", "/me/addresses", ADDRESS, **headers).json()["id"] for _ in range(3)]

    first = send("GET", "/me/addresses?limit=2", **headers).json()
    second = send("GET", f"/me/addresses?limit=2&cursor={first['next']}", **headers).json()

    assert [one["id"] for one in first["results"] + second["results"]] == ids
    assert second["next"] is None
    for query in (
        "limit=0",
        "limit=101",
        "limit=abc",
        "cursor=x",
        "cursor=WyJ4Il0",
        "limit=1&limit=2",
        "city=x",
    ):
        assert_problem(send("GET", f"/me/addresses?{query}", **headers), 400)


def test_other_accounts_addresses_are_not_found() -> None:
    made = registered()
    other = send("POST", "/register", ADA | {"email": "eve@example.com"}).json()

    added = send("POST", "/me/addresses", ADDRESS, **as_ada(made))
    id = added.json()["id"]
    replaced = send("PUT", f"/me/addresses/{id}", ADDRESS | {"city": "Ghent"}, **as_ada(made))

    assert added.status_code == 201
    assert replaced.json() == ADDRESS | {"id": id, "city": "Ghent", "line2": "", "region": "", "phone": ""}
    assert send("GET", "/me/addresses", **as_ada(made)).json() == {"results": [replaced.json()], "next": None}
    for method, body in (("GET", None), ("PUT", ADDRESS), ("DELETE", None)):
        assert_problem(send(method, f"/me/addresses/{id}", body, **as_ada(other)), 404)
    assert send("DELETE", f"/me/addresses/{id}", **as_ada(made)).status_code == 204
    assert_problem(send("GET", f"/me/addresses/{id}", **as_ada(made)), 404)


def test_a_forgotten_password_has_the_same_answer_for_unknown_addresses(world: Any) -> None:
    registered()

    answers = [send("POST", "/password/forgot", {"email": e}) for e in (ADA["email"], "nobody@example.com")]

    assert [(answer.status_code, answer.content) for answer in answers] == [(202, b""), (202, b"")]


def test_the_limit_of_reset_mails_is_not_revealed(world: Any) -> None:
    registered()
    view = passwords.Forgot.as_view(limit=throttling.Limit("forgot-once", rate=1))
    before = len(world.queue)

    answers = [
        view(APIRequestFactory().post("/password/forgot", {"email": ADA["email"]}, format="json"))
        for _ in range(3)
    ]

    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert len(world.queue) == before + 1


def test_a_reset_ends_sessions_and_works_once(world: Any) -> None:
    made = registered()
    send("POST", "/password/forgot", {"email": ADA["email"]})
    world.deliver()
    body = {"token": world.mailer.token(), "password": "battery staple"}

    first = send("POST", "/password/reset", body)

    assert first.status_code == 204
    assert assert_problem(send("POST", "/password/reset", body), 400)["type"] == "token-invalid"
    assert_problem(send("POST", "/token/refresh", {"refresh": made["refresh"]}), 401)
    assert send("POST", "/token", {"email": ADA["email"], "password": "battery staple"}).status_code == 200


def test_a_password_is_changed_with_the_old_one() -> None:
    made = registered()

    wrong = send("POST", "/password/change", {"old": "guess", "new": "battery staple"}, **as_ada(made))
    weak = send("POST", "/password/change", {"old": ADA["password"], "new": "password"}, **as_ada(made))
    done = send("POST", "/password/change", {"old": ADA["password"], "new": "battery staple"}, **as_ada(made))

    assert assert_problem(wrong, 403)["type"] == "wrong-password"
    assert assert_problem(weak, 400)["errors"].keys() == {"new"}
    assert done.status_code == 204


def test_an_address_is_verified_with_the_token_of_the_mail(world: Any) -> None:
    made = registered()
    world.deliver()
    body = {"token": world.mailer.token()}

    verified = send("POST", "/email/verify", body)

    assert verified.status_code == 204
    assert send("GET", "/me", **as_ada(made)).json()["email_verified"]
    assert_problem(send("POST", "/email/verify", body), 400)


def test_an_account_is_exported_and_erased() -> None:
    made = registered()

    exported = send("GET", "/me/export", **as_ada(made)).json()
    refused = send("POST", "/me/erase", {"password": "guess"}, **as_ada(made))
    erased = send("POST", "/me/erase", {"password": ADA["password"]}, **as_ada(made))

    assert (exported["account"]["email"], "password" in exported["account"]) == (ADA["email"], False)
    assert (refused.status_code, erased.status_code) == (403, 204)
    assert_problem(send("GET", "/me", **as_ada(made)), 401)
    assert_problem(send("POST", "/token", {"email": ADA["email"], "password": ADA["password"]}), 401)


def test_the_public_keys_are_published() -> None:
    document = send("GET", "/.well-known/jwks.json").json()

    assert [set(key) for key in document["keys"]] == [{"kty", "crv", "use", "alg", "kid", "x"}]


def test_only_services_exchange_a_staff_session(world: Any) -> None:
    world.parts.staff.create_staff(email="boss@example.com", password="correct horse", role="admin")
    secret, _ = world.parts.staff.sign_in(email="boss@example.com", password="correct horse")
    url, body = "/internal/sessions/token", json.dumps({"session": secret})

    def ask(body: str, headers: dict[str, str]) -> Any:
        return Client().post(url, body, content_type="application/json", headers=headers)

    answer = ask(body, service_headers("catalog"))

    assert (answer.status_code, answer.json()["user"]["email"]) == (200, "boss@example.com")
    assert_problem(ask(json.dumps({"session": "made up"}), service_headers("catalog")), 401)
    assert_problem(ask(body, service_headers("storefront")), 403)
    assert_problem(ask(body, bearer(roles=["admin"])), 403)
    assert_problem(ask(body, {}), 401)


SIGNED_IN = [
    ("GET", "/me"),
    ("PATCH", "/me"),
    ("GET", "/me/export"),
    ("POST", "/me/erase"),
    ("GET", "/me/addresses"),
    ("POST", "/me/addresses"),
    ("GET", "/me/addresses/a1"),
    ("PUT", "/me/addresses/a1"),
    ("DELETE", "/me/addresses/a1"),
    ("POST", "/password/change"),
]


@pytest.mark.parametrize(("method", "path"), SIGNED_IN)
def test_account_views_require_a_token(method: str, path: str) -> None:
    assert_problem(send(method, path, {}), 401)
    for header in bad_input.BAD_AUTHORIZATION:
        assert_problem(send(method, path, {}, Authorization=header), 401)


def test_a_token_of_an_erased_account_is_refused() -> None:
    assert_problem(send("GET", "/me", **bearer(make_token(sub="nobody"))), 401)


BODIES = {
    "/register": ADA,
    "/token": {"email": "a@example.com", "password": "correct horse"},
    "/token/refresh": {"refresh": "x"},
    "/token/revoke": {"refresh": "x"},
    "/password/forgot": {"email": "a@example.com"},
    "/password/reset": {"token": "x", "password": "correct horse"},
    "/email/verify": {"token": "x"},
}


@pytest.mark.parametrize("path", BODIES)
def test_malformed_bodies_are_bad_requests(path: str) -> None:
    assert_refuses_bad_bodies(Client(), "POST", API + path)


@pytest.mark.parametrize(
    ("path", "field"), [(path, field) for path, body in BODIES.items() for field in body]
)
def test_each_field_is_required_and_takes_text_only(path: str, field: str) -> None:
    good = BODIES[path]

    assert_refuses_values(Client(), "POST", API + path, good, field, bad_input.NOT_TEXT)
    without = {name: value for name, value in good.items() if name != field}
    assert field in assert_problem(send("POST", path, without), 400)["errors"]
    assert "more" in assert_problem(send("POST", path, good | {"more": 1}), 400)["errors"]


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "a b@example.com",
        "ada@example.com\nBcc: x@y.z",
        "x" * 250 + "@example.com",
    ],
)
def test_an_invalid_email_is_refused(email: str) -> None:
    assert "email" in assert_problem(send("POST", "/register", ADA | {"email": email}), 400)["errors"]


@pytest.mark.parametrize("password", ["short", "x" * 129, "password1", "aaaaaaaa"])
def test_a_weak_password_is_refused_with_a_reason(password: str) -> None:
    assert (
        "password" in assert_problem(send("POST", "/register", ADA | {"password": password}), 400)["errors"]
    )


@pytest.mark.parametrize("field", ["name", "line1", "postal_code", "city", "country", "phone"])
def test_an_address_is_checked_field_by_field(field: str) -> None:
    made = registered()
    headers = {f"HTTP_{name.upper()}": value for name, value in as_ada(made).items()}

    assert_refuses_values(
        Client(), "POST", f"{API}/me/addresses", ADDRESS, field, [*bad_input.NOT_TEXT, "x" * 500], **headers
    )


@pytest.mark.parametrize("country", ["be", "BEL", "XX", "", "B"])
def test_a_country_is_one_of_iso_3166(country: str) -> None:
    assert_problem(send("POST", "/me/addresses", ADDRESS | {"country": country}, **as_ada(registered())), 400)


def test_log_ins_are_limited_per_address() -> None:
    from chassis.api import throttling

    with throttling.buckets.override(throttling.ProcessBuckets()):
        limited = throttling.Limit("log-in", rate=settings.AUTH_RATE, burst=2)
        waits = [limited.wait("192.0.2.1") for _ in range(3)]

    assert [wait > 0 for wait in waits] == [False, False, True]


def test_the_schema_is_served() -> None:
    paths = send("GET", "/schema", Accept="application/json").json()["paths"]

    assert {"/api/auth/register", "/api/auth/token", "/api/auth/me/addresses/{address_id}"} <= paths.keys()
