"""Settings: declared once, refused when they cannot be understood or are not fit for production."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chassis.env import BadSetting, env, table
from chassis.settings import base

PRODUCTION = {
    "HIVEMART_ENV": "production",
    "SECRET_KEY": "k" * 40,
    "ALLOWED_HOSTS": "shop.example",
    "SERVICE_PRIVATE_KEY": "a-key",
    "COUCHDB_URL": "http://couch:5984",
    "REDIS_URL": "redis://redis:6379/0",
    "PUBLIC_URL": "https://shop.example/",
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "DEBUG": "0",
}


@pytest.mark.parametrize(
    ("type", "text", "value"),
    [
        (int, "5", 5),
        (bool, "Yes", True),
        (bool, "0", False),
        (list, " a, b,,", ["a", "b"]),
        (dict, '{"a": 1}', {"a": 1}),
        (Path, "/x", Path("/x")),
    ],
)
def test_a_variable_is_read_as_its_type(
    monkeypatch: pytest.MonkeyPatch, type: Any, text: str, value: Any
) -> None:
    monkeypatch.setenv("A_TEST_VARIABLE", text)

    assert env("A_TEST_VARIABLE", type, None, "a test") == value


@pytest.mark.parametrize(("type", "text"), [(int, "five"), (bool, "maybe"), (dict, "[]"), (dict, "{")])
def test_what_cannot_be_read_is_said_clearly(monkeypatch: pytest.MonkeyPatch, type: Any, text: str) -> None:
    monkeypatch.setenv("A_TEST_VARIABLE", text)

    with pytest.raises(BadSetting, match=r"A_TEST_VARIABLE.*is not a valid"):
        env("A_TEST_VARIABLE", type, None, "a test")


def test_a_secret_comes_from_a_file_and_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hush\n")
    monkeypatch.setenv("A_TEST_VARIABLE_FILE", str(secret))

    assert env("A_TEST_VARIABLE", str, "", "a test", secret=True) == "hush"
    with pytest.raises(BadSetting) as caught:
        env("A_TEST_VARIABLE", int, 0, "a test", secret=True)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "password", "value"),
    [
        ("http://auth@couch:5984", "p/w @:%", "http://auth:p%2Fw%20%40%3A%25@couch:5984"),
        ("http://auth:old@couch:5984", "new", "http://auth:new@couch:5984"),
        ("http://auth:kept@couch:5984", "", "http://auth:kept@couch:5984"),
        ("memory:", "unused", "memory:"),
    ],
)
def test_a_password_of_its_own_goes_into_the_url(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, password: str, value: str
) -> None:
    secret = tmp_path / "password"
    secret.write_text(f"{password}\n")
    monkeypatch.setenv("COUCHDB_URL", url)
    monkeypatch.setenv("COUCHDB_PASSWORD_FILE", str(secret))

    assert base(service="catalog", app="sample", root=tmp_path)["COUCHDB_URL"] == value


def test_a_list_may_come_from_several_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("new", "old")]
    for file in files:
        file.write_text(f"{file.name}-key\n")
    monkeypatch.setenv("A_TEST_VARIABLE_FILE", ":".join(map(str, files)))

    assert env("A_TEST_VARIABLE", list, [], "a test", secret=True) == ["new-key", "old-key"]


def test_redis_needs_no_user_before_its_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://redis:6379/0")
    monkeypatch.setenv("REDIS_PASSWORD", "hush")

    assert base(service="catalog", app="sample", root=tmp_path)["REDIS_URL"] == "redis://:hush@redis:6379/0"


def test_every_declared_variable_is_in_the_table() -> None:
    env("A_TEST_VARIABLE", int, 7, "what a test says")

    assert "| `A_TEST_VARIABLE` | int | `7` | what a test says |" in table()
    assert "| `COUCHDB_PREFIX` |" in table()


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("DEBUG", "1", "DEBUG"),
        ("SECRET_KEY", "short", "SECRET_KEY"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS"),
        ("SERVICE_PRIVATE_KEY", "", "SERVICE_PRIVATE_KEY"),
        ("COUCHDB_URL", "memory:", "COUCHDB_URL"),
        ("REDIS_URL", "", "REDIS_URL"),
        ("PUBLIC_URL", "", "PUBLIC_URL"),
        ("EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend", "EMAIL_BACKEND"),
        ("EMAIL_BACKEND", "django.core.mail.backends.locmem.EmailBackend", "EMAIL_BACKEND"),
        ("EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend", "EMAIL_BACKEND"),
        ("FAILPOINT", "order.before_pay", "FAILPOINT"),
    ],
)
def test_production_refuses_what_is_unsafe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, fault: str
) -> None:
    for key, text in (PRODUCTION | {name: value}).items():
        monkeypatch.setenv(key, text)

    with pytest.raises(BadSetting, match=fault):
        base(service="catalog", app="sample", root=tmp_path)


def test_production_starts_with_what_is_safe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for key, text in PRODUCTION.items():
        monkeypatch.setenv(key, text)

    settings = base(service="catalog", app="sample", root=tmp_path)

    assert settings["PUBLIC_URL"] == "https://shop.example"
    assert settings["COOKIES_SECURE"] is True
    assert settings["SECURE_HSTS_SECONDS"] > 0


@pytest.mark.parametrize("missing", ["REDIS_URL", "PUBLIC_URL", "COUCHDB_URL", "SECRET_KEY"])
def test_production_does_not_fall_back_on_what_is_good_for_a_laptop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str
) -> None:
    for key, text in PRODUCTION.items():
        monkeypatch.setenv(key, text)
    monkeypatch.delenv(missing)

    with pytest.raises(BadSetting, match=missing):
        base(service="catalog", app="sample", root=tmp_path)


@pytest.mark.parametrize("text", ["prod", "Production", ""])
def test_an_environment_that_is_none_is_refused_and_not_taken_for_a_laptop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    monkeypatch.setenv("HIVEMART_ENV", text)

    with pytest.raises(BadSetting, match="HIVEMART_ENV"):
        base(service="catalog", app="sample", root=tmp_path)


@pytest.mark.parametrize(("text", "demo"), [(None, False), ("0", False), ("", False), ("1", True)])
def test_a_shop_is_a_demo_only_where_that_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, demo: bool
) -> None:
    monkeypatch.delenv("DEMO") if text is None else monkeypatch.setenv("DEMO", text)

    assert base(service="checkout", app="sample", root=tmp_path)["DEMO"] is demo


def test_the_storefront_has_no_admin(tmp_path: Path) -> None:
    settings = base(service="storefront", app="shop", root=tmp_path, admin=False)

    assert settings["STATIC_URL"] == "/static/"
    assert not [app for app in settings["INSTALLED_APPS"] if "admin" in app or app == "django.contrib.auth"]
