"""Tests of the sign-in pages and of the admin of accounts."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

HOME = "/admin/"
LOGIN, LOGOUT = "/admin/auth/login/", "/admin/auth/logout/"
ACCOUNTS = "/admin/auth/accounts/account/"
BOSS = {"email": "boss@example.com", "password": "correct horse"}


@pytest.fixture
def boss(world: Any) -> Client:
    """Return a client signed in as an admin."""
    world.parts.staff.create_staff(**BOSS, role="admin")
    client = Client()
    client.post(LOGIN, BOSS)
    return client


def test_the_page_signs_in_and_redirects_to_next(world: Any) -> None:
    world.parts.staff.create_staff(**BOSS, role="admin")
    client = Client()

    answer = client.post(LOGIN, BOSS | {"next": "/admin/catalog/catalog/product/"})

    cookie = answer.cookies["staff_session"]
    assert (answer.status_code, answer["Location"]) == (302, "/admin/catalog/catalog/product/")
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (
        True,
        "Lax",
        "/",
        "",
    )
    assert client.get("/admin/auth/").status_code == 200


def test_the_cookie_is_bound_to_the_host_over_tls(world: Any) -> None:
    from django.test import override_settings

    world.parts.staff.create_staff(**BOSS, role="admin")

    with override_settings(COOKIES_SECURE=True):
        answer = Client().post(LOGIN, BOSS)

    assert answer.cookies["__Host-staff_session"]["secure"] is True


@pytest.mark.parametrize(
    "typed",
    [
        BOSS | {"password": "wrong horse"},
        {"email": "x@example.com", "password": "x"},
        {"email": "", "password": ""},
    ],
)
def test_a_failed_sign_in_does_not_reveal_what_was_wrong(world: Any, typed: dict[str, str]) -> None:
    world.parts.staff.create_staff(**BOSS, role="admin")

    answer = Client().post(LOGIN, typed)

    assert answer.status_code in (400, 401)
    assert "The e-mail or the password is wrong" in answer.content.decode()
    assert "staff_session" not in answer.cookies


def test_a_customer_has_no_access(world: Any) -> None:
    world.account()

    assert Client().post(LOGIN, {"email": "ada@example.com", "password": "correct horse"}).status_code == 401


@pytest.mark.parametrize(
    "following",
    [
        "https://evil.example/",
        "//evil.example",
        "/admin//evil.example",
        "/\\evil",
        "/shop",
        LOGIN,
        "javascript:1",
    ],
)
def test_sign_in_redirects_only_to_admin_pages(world: Any, following: str) -> None:
    world.parts.staff.create_staff(**BOSS, role="admin")

    assert Client().post(LOGIN, BOSS | {"next": following})["Location"] == HOME


def test_the_start_page_lists_the_running_admins(boss: Client) -> None:
    from django.test import override_settings

    with override_settings(ADMIN_SITES=["auth", "checkout"]):
        page = boss.get(HOME).content.decode()

    assert '<a href="/admin/checkout/">Orders</a>' in page
    assert '<a href="/admin/auth/">People</a>' in page
    assert "/admin/autoscale/" not in page
    assert "/admin/catalog/" not in page


def test_the_start_page_lists_only_permitted_admins(world: Any) -> None:
    world.parts.staff.create_staff(**BOSS, role="support")
    client = Client()
    client.post(LOGIN, BOSS)

    page = client.get(HOME).content.decode()

    assert "/admin/checkout/" in page
    assert "/admin/reco/" not in page
    assert "/admin/autoscale/" not in page


def test_the_start_page_redirects_to_the_sign_in_page_and_back() -> None:
    client = Client()

    answer = client.get(HOME)

    assert (answer.status_code, answer["Location"]) == (302, f"{LOGIN}?next=%2Fadmin%2F")
    assert 'name="next" value="/admin/"' in client.get(answer["Location"]).content.decode()


def test_too_many_attempts_are_429(world: Any) -> None:
    world.parts.staff.create_staff(**BOSS, role="admin")
    world.attempts.limit = 1

    answers = [Client().post(LOGIN, BOSS | {"password": "x"}).status_code for _ in range(2)]

    assert answers == [401, 429]


def test_signing_out_needs_a_post_and_ends_the_session(boss: Client) -> None:
    session = boss.cookies["staff_session"].value

    asked = boss.get(LOGOUT)
    still = boss.get("/admin/auth/").status_code
    done = boss.post(LOGOUT)

    stolen = Client()
    stolen.cookies["staff_session"] = session
    assert (asked.status_code, still, done["Location"]) == (200, 200, LOGIN)
    assert stolen.get("/admin/auth/").status_code == 302


def test_a_cross_site_sign_in_is_refused(world: Any) -> None:
    assert Client().post(LOGIN, BOSS, headers={"Origin": "https://evil.example"}).status_code == 403


def test_the_pages_have_a_content_security_policy_and_no_inline_scripts(boss: Client) -> None:
    for url in (LOGIN, "/admin/auth/", ACCOUNTS):
        page = boss.get(url)
        assert "default-src 'self'" in page["Content-Security-Policy"]
        assert "<script>" not in page.content.decode()
        assert " style=" not in page.content.decode()


def test_accounts_are_listed_searched_and_filtered(world: Any, boss: Client) -> None:
    world.account("ada@example.com")
    world.account("eve@example.com", active=False)

    assert "ada@example.com" in boss.get(ACCOUNTS).content.decode()
    searched = boss.get(ACCOUNTS, {"q": "eve"}).content.decode()
    staff = boss.get(ACCOUNTS, {"role": "admin"}).content.decode()
    inactive = boss.get(ACCOUNTS, {"active__exact": "0"}).content.decode()
    assert ("eve@example.com" in searched, "ada@example.com" in searched) == (True, False)
    assert ("boss@example.com</a>" in staff, "ada@example.com" in staff) == (True, False)
    assert ("eve@example.com" in inactive, "ada@example.com" in inactive) == (True, False)


def test_setting_roles_appends_an_audit_event(world: Any, boss: Client) -> None:
    ada = world.account()

    answer = boss.post(
        f"{ACCOUNTS}{ada.id}/change/",
        {"name": "Ada", "active": "on", "staff_roles": ["support"], "document_version": str(ada.version)},
    )

    changed = world.parts.accounts.get(ada.id)
    assert (answer.status_code, changed.roles) == (302, ("customer", "support"))
    assert changed.events[-1]["data"]["message"] == "Changed Roles."


def test_staff_cannot_remove_their_own_access(world: Any, boss: Client) -> None:
    own = world.parts.signin.check(**BOSS)

    page = boss.post(f"{ACCOUNTS}{own.id}/change/", {"name": "Boss", "document_version": str(own.version)})

    assert page.status_code == 200
    assert "You cannot take away your own access" in page.content.decode()
    assert world.parts.accounts.get(own.id).active


def test_deactivating_ends_sessions(world: Any, boss: Client) -> None:
    ada = world.account()
    pair = world.parts.signin.begin(ada)

    boss.post(ACCOUNTS, {"action": "deactivate", "index": "0", "_selected_action": [ada.id]})

    from chassis.api.errors import NotAuthenticated

    with pytest.raises(NotAuthenticated):
        world.parts.signin.refresh(pair.refresh)
    assert world.parts.accounts.get(ada.id).events[-1]["data"]["message"] == "Deactivated."


def test_support_reads_accounts_and_changes_none(world: Any) -> None:
    ada = world.account()
    world.parts.staff.create_staff(**BOSS, role="support")
    client = Client()
    client.post(LOGIN, BOSS)

    page = client.get(f"{ACCOUNTS}{ada.id}/change/")
    refused = client.post(f"{ACCOUNTS}{ada.id}/change/", {"name": "Mine"})

    assert (page.status_code, 'name="name"' in page.content.decode(), refused.status_code) == (
        200,
        False,
        403,
    )


def test_no_page_shows_a_hash(world: Any, boss: Client) -> None:
    ada = world.account()

    assert "plain:" not in boss.get(f"{ACCOUNTS}{ada.id}/change/").content.decode()


def test_names_are_escaped(world: Any, boss: Client) -> None:
    world.account(name="<script>alert(1)</script>")

    assert "<script>alert(1)" not in boss.get(ACCOUNTS).content.decode()


def test_an_unavailable_database_shows_a_message(world: Any, boss: Client) -> None:
    from chassis.couch import Unavailable

    class Away:
        def __getattr__(self, name: str) -> Any:
            raise Unavailable("no store")

    from dataclasses import replace

    from accounts import container

    with container.container.override(replace(world.parts, accounts=Away())):
        page = boss.get(ACCOUNTS)

    assert page.status_code == 503
    assert "store does not answer" in page.content.decode()
    assert settings.SERVICE == "auth"
