from __future__ import annotations

from pathlib import Path

import pytest

from swarm.options import KNOWN, BadOption, Options, from_environment, parse

EXAMPLE = Path(__file__).resolve().parents[1] / "shop.env.example"


def test_the_default_is_https_on_localhost() -> None:
    assert parse({}) == Options()


def test_make_variables_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "shop.env"
    file.write_text("# mine\nDOMAIN=shop.example.org\nHTTPS_PORT=8443\n")

    found = from_environment({"SHOP_ENV": str(file), "HTTPS_PORT": "9443"})

    assert (found.domain, found.https_port) == ("shop.example.org", 9443)
    assert found.public_url == "https://shop.example.org:9443"


def test_a_connection_string_keeps_its_equal_signs(tmp_path: Path) -> None:
    file = tmp_path / "shop.env"
    file.write_text("AZURE_STORAGE_CONNECTION_STRING=AccountName=shop;AccountKey=ab+/==;\n")

    assert from_environment({"SHOP_ENV": str(file)}).blob_store == "AccountName=shop;AccountKey=ab+/==;"


def test_repr_of_options_hides_secrets() -> None:
    given = {
        "AZURE_STORAGE_CONNECTION_STRING": "AccountName=shop;AccountKey=hush",
        "EMAIL_HOST": "mail.example.org",
        "EMAIL_HOST_PASSWORD": "hush",
    }

    assert "hush" not in repr(parse(given))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"HTTPS_PORT": "https"}, "HTTPS_PORT=https is not a whole number above 0."),
        ({"HTTP_PORT": "70000"}, "HTTP_PORT=70000 is not a port: a number from 1 to 65535."),
        (
            {"HTTP_PORT": "443"},
            "HTTP_PORT and HTTPS_PORT are both 443: give each its own, or TLS=off.",
        ),
        ({"DOMAIN": "a b"}, "DOMAIN=a b is not a host name."),
        ({"STACK": "../x"}, "STACK=../x is not a short lower-case name."),
        ({"DEMO": "perhaps"}, "DEMO=perhaps is neither on nor off."),
        ({"TLS": "maybe"}, "TLS=maybe is neither on nor off."),
        ({"TLS_CERT": "here.pem"}, "TLS_CERT and TLS_KEY belong together: one of them is missing."),
        ({"TLS_CERT": "/none", "TLS_KEY": "/none"}, "TLS_CERT=/none is not there."),
        ({"TLS": "off", "TLS_CERT": "a", "TLS_KEY": "b"}, "TLS=off and a certificate exclude each other."),
        (
            {"PUBLIC_URL": "shop.example.org"},
            "PUBLIC_URL=shop.example.org is not an address like https://shop.example.org.",
        ),
        ({"PROXIES": "nginx"}, "PROXIES: nginx is neither an address nor a network like 10.1.0.0/16."),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": "hello"},
            "AZURE_STORAGE_CONNECTION_STRING names neither an AccountName nor a BlobEndpoint.",
        ),
        (
            {"EMAIL_HOST_USER": "shop"},
            "EMAIL_HOST_USER is set but EMAIL_HOST is not: name the mail server.",
        ),
    ],
)
def test_an_invalid_option_is_refused_in_a_sentence(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadOption) as raised:
        parse(given)

    assert str(raised.value) == sentence


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("DOMAIN shop", "shop.env, line 1: this is not NAME=value."),
        ("DOMIAN=shop", "shop.env, line 1: there is no variable DOMIAN."),
    ],
)
def test_an_error_in_the_file_names_its_line(tmp_path: Path, line: str, sentence: str) -> None:
    file = tmp_path / "shop.env"
    file.write_text(f"{line}\n")

    with pytest.raises(BadOption) as raised:
        from_environment({"SHOP_ENV": str(file)})

    assert str(raised.value) == sentence


def test_the_example_has_every_option() -> None:
    lines = [line.lstrip("#") for line in EXAMPLE.read_text().splitlines()]

    assert {
        line.partition("=")[0] for line in lines if "=" in line and " " not in line.partition("=")[0]
    } == {*KNOWN}
