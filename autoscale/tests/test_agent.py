"""The node agent, on recorded control groups and a fake Docker API."""

import http.client
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fake_docker import World, serving

from autoscaling.agent.cgroups import Cgroups, Gone, Usage
from autoscaling.agent.containers import SERVICE, TASK, Containers, OneShot, from_stats, listed, read_at
from autoscaling.agent.node import Node
from autoscaling.agent.sampling import Sampler
from autoscaling.agent.serving import Server
from autoscaling.engine import EngineDown, HttpEngine
from autoscaling.exposition import read

HERE = Path(__file__).resolve().parent
ID = "4f" * 32
RECORDED_1 = {
    "cpuacct/{}/cpuacct.usage": "12345678901\n",
    "cpu/{}/cpu.cfs_quota_us": "50000\n",
    "cpu/{}/cpu.cfs_period_us": "100000\n",
    "cpu/{}/cpu.stat": "nr_periods 812\nnr_throttled 31\nthrottled_time 1500000000\n",
    "memory/{}/memory.usage_in_bytes": "104857600\n",
    "memory/{}/memory.limit_in_bytes": "268435456\n",
    "memory/{}/memory.stat": "cache 31\nrss 7\ntotal_inactive_file 4857600\n",
}
RECORDED_2 = {
    "{}/cpu.stat": "usage_usec 12345678\nuser_usec 9\nsystem_usec 9\nnr_periods 9\nthrottled_usec 1500000\n",
    "{}/cpu.max": "50000 100000\n",
    "{}/memory.current": "104857600\n",
    "{}/memory.max": "268435456\n",
    "{}/memory.stat": "anon 12\nfile 13\ninactive_file 4857600\n",
    "cgroup.controllers": "cpu memory io\n",
}
#: Where each of Docker's drivers puts a container; the last is an engine that runs inside of a container.
PLACES = {
    "cgroupfs": f"docker/{ID}",
    "systemd": f"system.slice/docker-{ID}.scope",
    "nested": f"docker/{'ab' * 32}/docker/{ID}",
}


def record(root, files, place):
    for name, text in files.items():
        path = root / name.format(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("files", [RECORDED_1, RECORDED_2], ids=["v1", "v2"])
def test_counters_are_read_from_both_versions_and_every_driver(tmp_path, files, place):
    record(tmp_path, files, place)

    usage = Cgroups(tmp_path).usage(ID)

    assert usage == Usage(
        cpu_seconds=pytest.approx(12.345678, abs=1e-5),
        throttled_seconds=1.5,
        cpu_limit=0.5,
        memory=100_000_000,
        memory_limit=268435456,
    )


@pytest.mark.parametrize(
    ("files", "no_limit"),
    [
        (
            RECORDED_1,
            {"cpu/{}/cpu.cfs_quota_us": "-1", "memory/{}/memory.limit_in_bytes": "9223372036854771712"},
        ),
        (RECORDED_2, {"{}/cpu.max": "max 100000", "{}/memory.max": "max"}),
    ],
    ids=["v1", "v2"],
)
def test_a_container_without_limits_has_none(tmp_path, files, no_limit):
    record(tmp_path, {**files, **no_limit}, PLACES["cgroupfs"])

    usage = Cgroups(tmp_path).usage(ID)

    assert (usage.cpu_limit, usage.memory_limit) == (None, None)


def test_a_container_that_ended_is_gone(tmp_path):
    record(tmp_path, RECORDED_1, PLACES["cgroupfs"])
    cgroups = Cgroups(tmp_path)
    cgroups.usage(ID)
    (tmp_path / "cpuacct" / PLACES["cgroupfs"] / "cpuacct.usage").unlink()

    with pytest.raises(Gone):
        cgroups.usage(ID)
    with pytest.raises(Gone):
        cgroups.usage("never-there")


STATS = {
    "read": "2026-03-10T12:00:00.123456789Z",
    "cpu_stats": {
        "cpu_usage": {"total_usage": 2_000_000_000},
        "throttling_data": {"throttled_time": 5_000_000},
    },
    "memory_stats": {"usage": 1000, "limit": 9000, "stats": {"total_inactive_file": 400}},
}


def test_statistics_of_the_api_say_the_same():
    assert from_stats(STATS) == Usage(2.0, 0.005, None, 600, 9000)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "2026-03-10T12:00:00", "noon"])
def test_statistics_without_a_time_of_their_own_are_none(text):
    with pytest.raises(ValueError, match=text):
        read_at({**STATS, "read": text})


def container(id=ID, service="shop_cart", task="task-1"):
    return {"Id": id, "Labels": {SERVICE: service, TASK: task}, "Created": 1_700_000_000}


def test_rows_that_are_no_containers_of_a_service_are_left_out():
    rows = [container(), {"Id": "x", "Labels": None}, {"Labels": {SERVICE: "s"}}, 7, None]

    assert list(listed(rows)) == [ID]
    assert listed({"message": "no"}) == {}


PROC = {
    "stat": "cpu  100 0 50 900 5 1 2 0 0 0\ncpu0 50 0 25 450 2 0 1 0\ncpu1 50 0 25 450 3 1 1 0\nintr 1\n",
    "meminfo": "MemTotal:        2048 kB\nMemFree:  10 kB\nMemAvailable:    1024 kB\n",
}


@pytest.fixture
def world():
    made = World()
    made.containers = [container()]
    return made


@pytest.fixture
def engine(world, tmp_path):
    with serving(world, tmp_path / "docker.sock") as address:
        yield HttpEngine(address, timeout=20)


def sampler(tmp_path, engine, containers):
    record(tmp_path / "proc", PROC, "")
    return Sampler(
        node=Node(tmp_path / "proc", "alpha", "node-1"),
        containers=containers,
        cgroups=Cgroups(tmp_path / "cgroup"),
        one_shot=OneShot(engine),
    )


def test_the_text_says_everything_with_the_samples_own_time(tmp_path, engine):
    record(tmp_path / "cgroup", RECORDED_1, PLACES["cgroupfs"])
    containers = Containers(engine)
    containers.read()
    before = time.time()

    rows = read(sampler(tmp_path, engine, containers).text())

    (cpu,) = rows["hivemart_container_cpu_seconds_total"]
    assert cpu.labels == {"service": "shop_cart", "task": "task-1", "id": ID[:12]}
    assert cpu.value == pytest.approx(12.345679)
    assert cpu.at == pytest.approx(before, abs=1)
    assert {name: found[0].value for name, found in rows.items() if "agent_t" not in name} == {
        "hivemart_container_cpu_seconds_total": 12.345679,
        "hivemart_container_cpu_throttled_seconds_total": 1.5,
        "hivemart_container_cpu_limit_cores": 0.5,
        "hivemart_container_memory_bytes": 100_000_000,
        "hivemart_container_memory_limit_bytes": 268435456,
        "hivemart_container_start_time_seconds": 1_700_000_000,
        "hivemart_agent_list_ok": 1,
        "hivemart_node_cpu_seconds_total": 1.53,
        "hivemart_node_cpu_cores": 2,
        "hivemart_node_memory_bytes": 1024 * 1024,
        "hivemart_node_memory_total_bytes": 2048 * 1024,
    }
    assert rows["hivemart_node_cpu_cores"][0].labels == {"node": "alpha", "id": "node-1"}


def test_without_control_groups_the_api_is_asked_in_the_background(tmp_path, engine, world):
    world.stats[ID] = STATS
    containers = Containers(engine)
    containers.read()
    made = sampler(tmp_path, engine, containers)

    with world.lock:  # Docker takes its time
        first = made.text()
    _until(lambda: "cpu_seconds_total{service" in made.text())
    text = made.text()

    assert "cpu_seconds_total{service" not in first
    (cpu,) = read(text)["hivemart_container_cpu_seconds_total"]
    assert cpu.value == 2.0
    assert cpu.at == datetime(2026, 3, 10, 12, 0, 0, 123000, UTC).timestamp()  # when Docker read it
    assert ("GET", f"/containers/{ID}/stats") in world.calls


def test_a_new_container_is_known_by_its_event_and_an_outage_keeps_the_last_list(engine, world, caplog):
    containers, stop = Containers(engine), threading.Event()
    thread = threading.Thread(target=containers.follow, args=(stop,), daemon=True)
    thread.start()
    _until(lambda: len(containers.all()) == 1 and ("GET", "/events") in world.calls)

    world.containers.append(container("5a" * 32, task="task-2"))

    def known_after_an_event():
        world.happen()  # again, until the stream has begun
        return len(containers.all()) == 2

    _until(known_after_an_event)
    world.faults["/containers"] = "garbage"
    world.happen()
    _until(lambda: "Docker does not answer" in caplog.text)

    assert len(containers.all()) == 2
    stop.set()


def _until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("fault", ["hang", "garbage", "cut", "drip"])
def test_an_engine_that_misbehaves_is_down_in_time(engine, world, fault):
    world.faults["/nodes"] = fault
    engine.timeout = 0.5
    began = time.monotonic()

    with pytest.raises(EngineDown):
        engine.get("/nodes")

    assert time.monotonic() - began < 8  # the drops alone take ten


def ask(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def test_the_agent_answers_over_http(tmp_path, engine):
    containers = Containers(engine)
    server = Server(("127.0.0.1", 0), sampler(tmp_path, engine, containers))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    first = ask(server)
    (tmp_path / "proc" / "stat").unlink()
    _until(lambda: ask(server)[0] != 200)
    second = ask(server)

    assert 'hivemart_agent_list_ok{node="alpha",id="node-1"} 0' in first[1]
    assert second[0] == 503
    server.shutdown()
    server.server_close()


def test_agent_and_proxy_start_without_django():
    code = """
import sys
sys.path.insert(0, ".")
import autoscaling.agent.__main__, autoscaling.proxy.__main__
sys.exit(bool({"django", "rest_framework", "chassis", "urllib3"} & set(sys.modules)))
"""

    ended = subprocess.run([sys.executable, "-c", code], cwd=HERE.parent, check=False)  # noqa: S603 -- our own

    assert ended.returncode == 0
