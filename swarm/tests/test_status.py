"""The picture of a stack: what it says, how wide it is, and who may look at the page."""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest

from swarm import options, page, snapshot, stand_ins, status, terminal, usage
from swarm.options import BadOption


def a_node(id, name, *, leader=False, state="ready", availability="active", labels=None):
    return {
        "ID": id,
        "Spec": {"Role": "manager", "Availability": availability, "Labels": labels or {}},
        "Description": {
            "Hostname": name,
            "Resources": {"NanoCPUs": 2_000_000_000, "MemoryBytes": 8_000_000_000},
        },
        "Status": {"State": state, "Addr": "10.0.0.1"},
        "ManagerStatus": {"Leader": leader},
    }


def a_service(id, name, replicas, update=None):
    return {
        "ID": id,
        "Spec": {
            "Name": f"shop_{name}",
            "Mode": {"Replicated": {"Replicas": replicas}},
            "TaskTemplate": {"ContainerSpec": {"Image": f"host:5000/hivemart-{name}:0123456789ab"}},
        },
        "UpdateStatus": update,
    }


def a_task(id, service, node, state="running", desired="running", error=""):
    image = "host:5000/hivemart-cart:0123456789ab"
    status_ = {"State": state, "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.123456789Z", time.gmtime())}
    return {
        "ID": id,
        "ServiceID": service,
        "NodeID": node,
        "Slot": 1,
        "DesiredState": desired,
        "Status": status_ | ({"Err": error} if error else {}),
        "Spec": {"ContainerSpec": {"Image": image}},
    }


class FakeCluster:
    """Three services on two nodes: one well, one that cannot start, one that was stopped."""

    stack = "shop"
    options = options.Options()

    def services(self):
        rolled_back = {"State": "rollback_completed", "Message": "rollback completed"}
        found = [
            a_service("s1", "cart", 2, rolled_back),
            a_service("s2", "cart-couch", 1),
            a_service("s3", "logs", 0),
        ]
        return {raw["Spec"]["Name"].removeprefix("shop_"): raw for raw in found}

    def tasks(self):
        return {
            "s1": [a_task("t1", "s1", "n1"), a_task("t2", "s1", "n2", "starting")],
            "s2": [
                a_task("t3", "s2", "n1", "preparing", error=""),
                a_task("t4", "s2", "n1", "failed", "shutdown", "task: non-zero exit (1)"),
            ],
        }

    def nodes(self):
        return [
            a_node("n2", "second", availability="drain"),
            a_node("n1", "first", leader=True, labels={"hivemart.cart-couch": "true"}),
        ]


@pytest.fixture
def taken():
    return snapshot.take_snapshot(FakeCluster(), {"t1": (0.25, 88_000_000)})


def test_a_snapshot_holds_the_condition_of_each_service(taken):
    conditions = {service.name: service.condition for service in taken.services}

    assert taken.condition == "bad"
    assert conditions == {"cart": "coming", "cart-couch": "bad", "logs": "stopped"}
    assert [node.name for node in taken.nodes] == ["first", "second"]
    assert (taken.nodes[0].cpu, taken.nodes[0].memory) == (0.25, 88_000_000)
    assert taken.nodes[1].cpu is None
    assert taken.nodes[0].holds == ("cart-couch",)
    assert [task.reason for task in taken.trouble] == ["task: non-zero exit (1)"]


def test_warnings_are_sentences_with_the_worst_first(taken):
    found = [
        (condition, re.sub(r"\d+ s ago", "1 s ago", text)) for condition, text in taken.as_json()["notes"]
    ]

    assert found == [
        ("bad", "cart-couch: 0 of 1 run; a task failed 1 s ago: task: non-zero exit (1)"),
        ("coming", "cart: 1 of 2 run, rollback completed"),
        ("stopped", "second is set to drain: it gets no tasks"),
        ("coming", "rolled back at their last change: cart"),
        ("stopped", "stopped: logs"),
    ]


@pytest.mark.parametrize("width", [24, 38, 60, 97, 160])
@pytest.mark.parametrize("unicode", [True, False])
def test_no_line_is_wider_than_the_terminal(taken, width, unicode):
    picture = terminal.draw(taken, terminal.Style(width=width, colour=False, unicode=unicode))

    assert max(map(len, picture.splitlines())) <= width
    assert "\x1b" not in picture
    assert picture.isascii() or unicode


def test_nodes_stand_side_by_side_where_there_is_room(taken):
    wide = terminal.draw(taken, terminal.Style(width=120))
    narrow = terminal.draw(taken, terminal.Style(width=50))

    assert any("first" in line and "second" in line for line in wide.splitlines())
    assert not any("first" in line and "second" in line for line in narrow.splitlines())


def test_a_task_shows_its_image_and_usage_or_unknown(taken):
    picture = terminal.draw(taken, terminal.Style(width=120))

    assert re.search(r"012345 +25% 88M", picture)
    assert "unknown" in picture


def test_colour_does_not_change_the_words(taken):
    plain = terminal.draw(taken, terminal.Style(width=100))
    coloured = terminal.draw(taken, terminal.Style(width=100, colour=True))

    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_the_metrics_of_an_agent_are_read():
    text = (
        'hivemart_container_cpu_seconds_total{service="shop_cart",task="t2",id="c0ffee"} 12.5 1700000000500\n'
        'hivemart_container_memory_bytes{service="shop_cart",task="t2",id="c0ffee"} 5000 1700000000500\n'
        'hivemart_node_cpu_seconds_total{node="second",id="n2"} 99\n'
    )

    assert dict(usage.read(text)) == {"t2": usage.Sample(1700000000.5, 12.5, 5000)}


def test_the_static_page_holds_the_snapshot_with_escaped_markup(taken):
    html = page.render_static(taken)

    data = re.search(r"const STILL = (\{.*\});", html)
    assert data
    assert "<" not in data[1]
    assert json.loads(data[1])["stack"] == "shop"


class FakeSource:
    def json(self):
        return b'{"stack": "shop"}'


@pytest.fixture
def server():
    server = page.Server(0, FakeSource())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_page_answers_only_under_loopback_names(server):
    def ask(path, host=""):
        request = urllib.request.Request(server.url + path, headers={"Host": host} if host else {})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    assert [ask("/"), ask("/status.json"), ask("/etc/passwd")] == [200, 200, 404]
    assert ask("/status.json", host="elsewhere.example:80") == 403


def test_an_invalid_port_variable_is_refused(monkeypatch):
    monkeypatch.setenv("WEB", "https")

    with pytest.raises(BadOption, match="WEB=https is not a port"):
        status.status(FakeCluster())


def a_checkout(image="couchdb:3.5", **env):
    """Return the services that stand-ins are read from."""
    checkout = a_service("s9", "checkout", 1)
    checkout["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"] = [
        f"{name}={value}" for name, value in env.items()
    ]
    couch = a_service("s8", "checkout-couch", 1)
    couch["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] = image
    return {"checkout": checkout, "checkout-couch": couch}


REAL = {
    "DEMO": "0",
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "DEFAULT_FROM_EMAIL": "shop@example.org",
    "PUBLIC_URL": "https://shop.example.org",
}
NO_PROVIDER = (
    "bad",
    "no payment provider: the shop browses and takes no orders (a demo takes test cards: DEMO=1)",
)


def test_a_shop_without_a_payment_provider_gets_only_that_warning():
    assert stand_ins.find_warnings(a_checkout(**REAL)) == (NO_PROVIDER,)
    assert stand_ins.find_warnings({}) == ()


@pytest.mark.parametrize(
    ("services", "said"),
    [
        (a_checkout(**REAL | {"DEMO": "1"}), "a demo: test cards pay"),
        (
            a_checkout(**REAL | {"EMAIL_BACKEND": "console.EmailBackend"}),
            "no mail server: mails are only logged",
        ),
        (a_checkout(**REAL | {"DEFAULT_FROM_EMAIL": options.Mail.sender}), "which is nobody's address"),
        (a_checkout(**REAL | {"PUBLIC_URL": "http://shop.example.org"}), "browsers come without TLS"),
        (a_checkout(**REAL) | {"azurite": a_service("s7", "azurite", 1)}, "pictures are in Azurite"),
        (a_checkout("host:5000/hivemart-couch:0123", **REAL), "stand-in of the tests, not CouchDB"),
    ],
)
def test_each_stand_in_gets_a_warning(services, said):
    assert [text for _, text in stand_ins.find_warnings(services) if said in text]


def test_the_status_shows_stand_ins_without_a_worse_condition():
    class Demo(FakeCluster):
        def services(self):
            return a_checkout(**REAL)

        def tasks(self):
            return {}

    taken = snapshot.take_snapshot(Demo())

    assert NO_PROVIDER in taken.as_json()["notes"]
    assert "no payment provider" in terminal.draw(taken, terminal.Style(width=120))
