"""The gateway as it runs in a container: HTTPS, the way there, and its end."""

from __future__ import annotations

import datetime
import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from stubs import Answer, Stub, free_port

from gateway import environment
from gateway.render import Settings, render
from local.binaries import nginx_binary

ENV = {"GATEWAY_MEDIA": "http://azurite:10000/hivemart/media"}


def certificate(folder: Path, issuer: str = "localhost") -> dict[str, str]:
    """Return a certificate for localhost and its key, signed by itself or seemingly by another."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)

    def named(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    builder = x509.CertificateBuilder().subject_name(named("localhost")).issuer_name(named(issuer))
    builder = builder.public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "cert.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(private)
    return {"TLS_CERT_FILE": str(folder / "cert.pem"), "TLS_KEY_FILE": str(folder / "key.pem")}


def make_settings(env: dict[str, str]) -> Settings:
    return environment.settings(ENV | env, Path("/tmp/nginx"), Path("/data/cache"))  # noqa: S108


# -- what is rendered


def test_services_are_looked_up_again_and_again_and_no_connection_to_them_is_kept() -> None:
    configuration = render(make_settings({}))

    assert "resolver 127.0.0.11 valid=1s ipv6=off;" in configuration
    assert "server catalog:8000 resolve max_fails=0;\n        keepalive 0;" in configuration
    assert "proxy_connect_timeout 400ms;" in configuration


def test_without_a_certificate_it_speaks_http_and_with_one_http_leads_to_https(tmp_path: Path) -> None:
    plain, secure = make_settings({}), make_settings(certificate(tmp_path))

    assert (list(plain.outer), list(plain.plain)) == (["0.0.0.0:8080"], [])
    assert (list(secure.outer), list(secure.plain)) == (["0.0.0.0:8443"], ["0.0.0.0:8080"])


@pytest.mark.parametrize(("issuer", "bound"), [("localhost", False), ("Some Authority", True)])
def test_browsers_are_bound_to_https_only_with_a_certificate_that_they_know(
    tmp_path: Path, issuer: str, bound: bool
) -> None:
    configuration = render(make_settings(certificate(tmp_path, issuer)))

    outer, _, inner = configuration.partition("# The inner listener")
    with_own_headers = outer.count("add_header X-Request-ID")
    assert outer.count("add_header Strict-Transport-Security") == (with_own_headers if bound else 0)
    assert "Strict-Transport-Security" not in inner.replace("proxy_hide_header", "").replace(
        " Strict-Transport-Security;", ""
    )


def test_only_named_proxies_are_believed_by_the_outer_listener() -> None:
    nobody, terminator = (
        render(make_settings({})),
        render(make_settings({"GATEWAY_PROXIES": "192.0.2.1, 192.0.2.2"})),
    )

    assert nobody.count("real_ip_header") == 1
    assert terminator.count("real_ip_header") == 2
    assert "set_real_ip_from 192.0.2.2;" in terminator


# -- what it does


class Container:
    """`python -m gateway` with its ports and upstreams moved to this machine."""

    def __init__(self, folder: Path, stub: Stub, env: dict[str, str]) -> None:
        self.plain, self.secure, self.inner = free_port(), free_port(), free_port()
        program = (
            "import os, sys; from gateway import __main__ as main, environment as e, render as r\n"
            f"e.HTTP, e.HTTPS, e.INNER = {self.plain}, {self.secure}, {self.inner}\n"
            "settings = e.settings\n"
            "def here(*a):\n"
            f"    page = ['127.0.0.1:{stub.port}']\n"
            "    return __import__('dataclasses').replace(settings(*a), storefront=page,"
            " user='root root' if os.geteuid() == 0 else '')\n"
            "main.settings = here\n"
            "sys.exit(main.GatewayProcess(os.environ).run())\n"
        )
        own = {"GATEWAY_DIR": str(folder / "nginx"), "DATA_DIR": str(folder / "data"), "FIGURES_LISTEN": ""}
        own |= {"NGINX": nginx_binary(), "HTTPS_PORT": str(self.secure), "GATEWAY_RESOLVER": "127.0.0.1:9"}
        self.process = subprocess.Popen(  # noqa: S603 - our own
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=os.environ | ENV | own | env,
            stderr=subprocess.DEVNULL,
        )
        _wait(lambda: _listens(self.plain))

    def ask(
        self, path: str, method: str = "GET", port: int | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        port = port or self.plain
        if port == self.secure:
            trusting = ssl._create_unverified_context()  # noqa: S323 - made for this test
            connection: Any = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=trusting)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request(method, path, headers={"X-Forwarded-For": "192.0.2.9", "X-Forwarded-Proto": "ftp"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Container]]:
    stub = Stub("storefront")
    running: list[Container] = []

    def begin(**env: str) -> Container:
        running.append(Container(tmp_path, stub, env))
        return running[-1]

    begin.stub = stub  # type: ignore[attr-defined]
    yield begin
    for container in running:
        container.process.terminate()
        container.process.wait(20)
    stub.stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(done: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.integration
def test_https_is_served_and_http_leads_there(start: Callable[..., Container], tmp_path: Path) -> None:
    gateway = start(**certificate(tmp_path))

    page = gateway.ask("/p/shoe?q=1", port=gateway.secure)
    moved = gateway.ask("/p/shoe?q=1", method="POST")
    gateway.process.send_signal(signal.SIGTERM)

    assert page[0] == 200
    asked = start.stub.asked[-1]["headers"]  # type: ignore[attr-defined]
    assert (asked["x-forwarded-proto"], asked["x-forwarded-for"]) == ("https", "127.0.0.1")
    assert moved[0] == 308
    assert moved[1]["location"] == f"https://127.0.0.1:{gateway.secure}/p/shoe?q=1"
    assert "strict-transport-security" not in page[1]
    assert gateway.process.wait(10) == 0


@pytest.mark.integration
def test_it_agrees_on_http_2_over_tls_1_3_and_on_nothing_below_1_2(
    start: Callable[..., Container], tmp_path: Path
) -> None:
    gateway = start(**certificate(tmp_path))
    context = ssl._create_unverified_context()  # noqa: S323 - made for this test
    context.set_alpn_protocols(["h2", "http/1.1"])

    with socket.create_connection(("127.0.0.1", gateway.secure)) as raw, context.wrap_socket(raw) as talk:
        agreed = (talk.selected_alpn_protocol(), talk.version())

    assert agreed == ("h2", "TLSv1.3")
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in (tmp_path / "nginx" / "nginx.conf").read_text()


@pytest.mark.integration
def test_services_that_are_not_there_yet_do_not_keep_it_from_starting(
    start: Callable[..., Container],
) -> None:
    gateway = start()

    page, service = gateway.ask("/"), gateway.ask("/api/catalog/products")

    assert page[0] == 200
    assert (service[0], service[1]["content-type"]) == (502, "application/problem+json")


@pytest.mark.integration
def test_at_its_end_it_says_so_serves_on_and_lets_running_requests_end(
    start: Callable[..., Container],
) -> None:
    gateway = start(DRAIN_SECONDS="1.5")
    start.stub.answers["/slow"] = Answer(body=b"done", delay=3)  # type: ignore[attr-defined]
    before = gateway.ask("/edge-health")
    slow: list[tuple[int, dict[str, str], bytes]] = []

    gateway.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    thread = threading.Thread(target=lambda: slow.append(gateway.ask("/slow")))
    thread.start()
    _wait(lambda: gateway.ask("/edge-health")[0] == 503)
    served = gateway.ask("/", port=gateway.inner)
    thread.join(10)
    code = gateway.process.wait(10)

    assert (before[0], before[2]) == (200, b"ok\n")
    assert served[0] == 200
    assert (slow[0][0], slow[0][2]) == (200, b"done")
    assert code == 0
    assert 2.5 < time.monotonic() - began < 9
    assert not _listens(gateway.plain)


@pytest.mark.integration
def test_nginx_that_ends_by_itself_ends_the_container(
    start: Callable[..., Container], tmp_path: Path
) -> None:
    gateway = start()

    os.kill(int((tmp_path / "nginx" / "nginx.pid").read_text()), signal.SIGTERM)

    assert gateway.process.wait(10) == 1
