"""What the proxy lets through, and what becomes of it."""

import copy
import http.client
import json
import threading

import pytest
from fake_docker import World, serving

from autoscaling.engine import HttpEngine, Refused
from autoscaling.proxy.__main__ import Server
from autoscaling.proxy.rules import Rules


@pytest.fixture
def world():
    made = World()
    made.add_node("n1", leader=True)
    made.add_service("shop_cart", 2)
    made.add_service("shop_couch", 1, labels={"autoscale.enabled": "false"})
    return made


@pytest.fixture
def docker(world, tmp_path):
    """Return the engine that the proxy asks."""
    with serving(world, tmp_path / "docker.sock") as address:
        yield HttpEngine(address, timeout=20)


@pytest.fixture
def proxy(docker):
    """Return an engine whose API is the proxy's."""
    server = Server(("127.0.0.1", 0), Rules(docker, config="shop_overrides", stack="shop"))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield HttpEngine(f"http://127.0.0.1:{server.server_port}", timeout=40)
    server.shutdown()
    server.server_close()


def scaled(replicas):
    return {"Mode": {"Replicated": {"Replicas": replicas}}}


def refused(call, *arguments):
    with pytest.raises(Refused) as told:
        call(*arguments)
    return told.value.status


def test_a_write_takes_nothing_but_replicas_from_the_caller(world, proxy):
    service = copy.deepcopy(proxy.get("/services/id-shop_cart"))
    evil = copy.deepcopy(service["Spec"])
    evil["TaskTemplate"]["ContainerSpec"] |= {
        "Image": "evil:1",
        "Env": ["A=evil"],
        "Mounts": [{"Type": "bind", "Source": "/", "Target": "/host"}],
    }
    evil["Labels"] = {"autoscale.max": "999"}
    evil["Mode"]["Replicated"]["Replicas"] = 5

    proxy.post("/services/id-shop_cart/update", evil, {"version": service["Version"]["Index"]})

    expected = copy.deepcopy(service["Spec"])
    expected["Mode"]["Replicated"]["Replicas"] = 5
    assert world.services["id-shop_cart"]["Spec"] == expected


@pytest.mark.parametrize("replicas", [0, -1, 1001, 2.5, "3", True, None, [4], {"a": 1}])
def test_what_is_no_number_of_replicas_is_refused(world, proxy, replicas):
    version = world.services["id-shop_cart"]["Version"]["Index"]

    assert refused(proxy.post, "/services/id-shop_cart/update", scaled(replicas), {"version": version}) == 400
    assert world.writes == []


def test_a_write_over_somebody_elses_is_refused(world, proxy):
    version = world.services["id-shop_cart"]["Version"]["Index"]
    proxy.post("/services/id-shop_cart/update", scaled(3), {"version": version})

    with pytest.raises(Refused) as told:
        proxy.post("/services/id-shop_cart/update", scaled(4), {"version": version})

    assert told.value.out_of_sequence
    assert world.writes == [("shop_cart", 3)]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("true", 200),
        ("True", 200),
        ("1", 200),
        (" on ", 200),
        ("yes", 200),
        ("no", 403),
        ("perhaps", 403),
        ("", 403),
    ],
)
def test_what_the_loop_takes_for_enabled_may_be_written_and_nothing_else(world, proxy, text, status):
    world.add_service("shop_web", 2, labels={"autoscale.enabled": text})
    version = world.services["id-shop_web"]["Version"]["Index"]

    try:
        proxy.post("/services/id-shop_web/update", scaled(3), {"version": version})
        found = 200
    except Refused as refusal:
        found = refusal.status

    assert (found, world.replicas("shop_web")) == (status, 3 if status == 200 else 2)


def test_a_service_without_the_label_is_not_touched(world, proxy):
    version = world.services["id-shop_couch"]["Version"]["Index"]

    assert refused(proxy.post, "/services/id-shop_couch/update", scaled(3), {"version": version}) == 403
    assert refused(proxy.post, "/services/nobody/update", scaled(3), {"version": version}) == 404


@pytest.mark.parametrize(
    "path",
    [
        "/containers/json",
        "/containers/abc/archive",
        "/secrets",
        "/configs",
        "/configs/config-1",
        "/images/json",
        "/swarm",
        "/swarm/unlockkey",
        "/events",
        "/services/id-shop_cart/logs",
        "/nodes/../secrets",
        "/v1.41/v1.41/secrets",
        "/services/%2e%2e/secrets",
    ],
)
def test_other_reads_are_refused(proxy, path):
    assert refused(proxy.get, path) == 403


@pytest.mark.parametrize(
    "path",
    [
        "/services/create",
        "/services/id-shop_cart/../../containers/create",
        "/containers/create",
        "/containers/abc/exec",
        "/nodes/n1/update",
        "/secrets/create",
        "/configs/create",
        "/swarm/leave",
        "/build",
    ],
)
def test_other_writes_are_refused(world, proxy, path):
    before = copy.deepcopy((world.services, world.configs))

    assert refused(proxy.post, path, {}, {"version": 1}) == 403
    assert (world.services, world.configs) == before


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "HEAD"])
def test_other_verbs_are_refused(proxy, method):
    host = proxy.address.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=40)
    connection.request(method, "/v1.41/services/id-shop_cart")

    assert connection.getresponse().status == 501
    connection.close()


def test_what_the_autoscaler_needs_is_read(world, proxy):
    assert [row["ID"] for row in proxy.get("/services")] == ["id-shop_cart", "id-shop_couch"]
    assert proxy.get("/nodes/n1")["ManagerStatus"]["Leader"] is True
    assert len(proxy.get("/tasks", {"filters": {"desired-state": ["running"]}})) == 3


def test_what_people_told_is_kept_in_labels_of_one_config(world, proxy):
    empty = proxy.get("/overrides")

    first = proxy.post("/overrides", {"hold": "true"}, {"version": 0})
    second = proxy.post("/overrides", {"shop_cart:max": "8"}, {"version": first["version"]})
    late = refused(proxy.post, "/overrides", {}, {"version": first["version"]})

    assert empty == {"version": 0, "overrides": {}}
    assert second["overrides"] == {"shop_cart:max": "8"}
    assert proxy.get("/overrides") == second
    assert late == 409
    (config,) = world.configs.values()
    assert config["Spec"]["Name"] == "shop_overrides"
    assert config["Spec"]["Labels"]["com.docker.stack.namespace"] == "shop"


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {"image": "evil"},
        {"shop_cart:max": 3},
        {"shop_cart:max": "0"},
        {"a b:max": "1"},
        {"hold": "maybe"},
    ],
)
def test_what_is_no_override_is_refused(world, proxy, told):
    assert refused(proxy.post, "/overrides", told, {"version": 0}) == 400
    assert world.configs == {}


@pytest.mark.parametrize("fault", ["hang", "garbage", "cut", "wrong", "error"])
def test_a_docker_that_misbehaves_is_told_as_such(world, docker, proxy, fault):
    world.faults["/services"] = fault
    docker.timeout = 0.5

    with pytest.raises(Refused) as told:
        proxy.post("/services/id-shop_cart/update", scaled(4), {"version": 1})

    assert told.value.status in (500, 504)


def test_a_body_that_is_no_json_or_too_long_is_refused(proxy):
    host = proxy.address.removeprefix("http://")
    for headers, body in (({}, b"{"), ({"Content-Length": "99999999"}, b"")):
        connection = http.client.HTTPConnection(host, timeout=40)
        connection.request("POST", "/v1.41/overrides?version=0", body=body, headers=headers)
        answer = connection.getresponse()
        assert (answer.status, list(json.loads(answer.read()))) == (400, ["message"])
        connection.close()
