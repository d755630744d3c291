"""The health page's rules."""

import json
import threading
import time
import urllib.error
import urllib.request

import pytest
from stubs import Answer, Stub, free_port

from gateway.healthz import HealthBoard, make_server, probe, summary

ALL = ("auth", "catalog", "cart", "checkout", "logs", "reco", "storefront")
WELL = dict.fromkeys(ALL, "ok")


def test_all_services_ok_is_ok():
    assert summary(WELL) == {"status": "ok", "services": WELL}


@pytest.mark.parametrize("name", ["catalog", "cart", "checkout"])
def test_a_critical_service_down_means_down(name):
    assert summary({**WELL, name: "down"})["status"] == "down"


@pytest.mark.parametrize("name", ["auth", "logs", "reco", "storefront"])
def test_another_service_down_means_degraded(name):
    assert summary({**WELL, name: "down"})["status"] == "degraded"


@pytest.mark.parametrize("name", ALL)
def test_a_degraded_service_means_degraded(name):
    assert summary({**WELL, name: "degraded"})["status"] == "degraded"


def test_the_hold_means_degraded():
    assert summary(WELL, on_hold=True)["status"] == "degraded"
    assert summary({**WELL, "cart": "down"}, on_hold=True)["status"] == "down"


def test_a_probe_distinguishes_ok_degraded_and_down():
    stub = Stub("catalog")
    stub.answers["/readyz"] = Answer(200)
    ready = probe(f"127.0.0.1:{stub.port}")
    stub.answers["/readyz"] = Answer(200, body=b'{"status": "degraded", "missing": ["couchdb"]}')
    sparing = probe(f"127.0.0.1:{stub.port}")
    stub.answers["/readyz"] = Answer(503, body=b'{"status": "missing", "missing": ["index"]}')
    not_ready = probe(f"127.0.0.1:{stub.port}")
    stub.answers["/readyz"] = Answer(200, body=b"fine")
    plain = probe(f"127.0.0.1:{stub.port}")
    stub.answers["/readyz"] = Answer(200, delay=1.0)
    slow = probe(f"127.0.0.1:{stub.port}", timeout=0.2)
    stub.stop()

    assert (ready, sparing, not_ready, plain) == ("ok", "degraded", "down", "ok")
    assert (slow, probe(f"127.0.0.1:{stub.port}")) == ("down", "down")


def test_the_page_follows_a_service_within_a_second_and_the_hold_at_once(tmp_path):
    stubs = {name: Stub(name) for name in ("catalog", "cart", "checkout")}
    hold_file = tmp_path / "hold"
    hold_file.touch()
    board = HealthBoard({name: f"127.0.0.1:{stub.port}" for name, stub in stubs.items()}, hold_file)
    board.start()
    listen = f"127.0.0.1:{free_port()}"
    page = make_server(listen, board)
    threading.Thread(target=page.serve_forever, args=(0.02,), daemon=True).start()
    time.sleep(0.3)

    on_hold = _get(listen)
    hold_file.unlink()
    well = _get(listen)
    stubs["checkout"].stop()
    time.sleep(1.0)
    down = _get(listen)
    page.shutdown()
    page.server_close()

    services = {"catalog": "ok", "cart": "ok", "checkout": "ok"}
    assert on_hold == (200, {"status": "degraded", "services": services})
    assert well == (200, {"status": "ok", "services": services})
    assert down == (503, {"status": "down", "services": {**services, "checkout": "down"}})


def _get(address):
    try:
        with urllib.request.urlopen(f"http://{address}/healthz", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
