"""A Docker API of a few services, nodes and tasks, on a Unix socket or on TCP, that can be told to misbehave.

It answers what the autoscaler, its proxy and the node agent ask, as Engine 20.10 does (compared by the tests
marked `swarm`). Faults: `hang`, `garbage`, `wrong`, `cut`, `drip`, `error` for every path that begins so;
`slow`: right, but late.
"""

from __future__ import annotations

import contextlib
import copy
import json
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

GIB = 1 << 30


def stamp(at: float | None = None) -> str:
    moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    return moment.isoformat().replace("+00:00", "Z")


class World:
    """The state of a Swarm. Writes raise the version's index as Raft does, by more than one."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.index = 10
        self.services: dict[str, dict[str, Any]] = {}
        self.nodes: dict[str, dict[str, Any]] = {}
        self.tasks: dict[str, dict[str, Any]] = {}
        self.containers: list[dict[str, Any]] = []
        self.configs: dict[str, dict[str, Any]] = {}
        self.stats: dict[str, Any] = {}
        self.faults: dict[str, str] = {}
        self.calls: list[tuple[str, str]] = []
        self.writes: list[tuple[str, int]] = []
        self.refused = 0
        self.start_seconds = 0.0
        self.made = 0
        self.events: list[dict[str, Any]] = []
        self.changed = threading.Condition(self.lock)

    def bump(self) -> int:
        self.index += 3
        return self.index

    def add_node(
        self, id: str, *, manager: bool = True, leader: bool = False, cpus=8.0, memory=16 * GIB
    ) -> None:
        self.nodes[id] = {
            "ID": id,
            "Spec": {"Role": "manager" if manager else "worker", "Availability": "active", "Labels": {}},
            "Description": {
                "Hostname": f"host-{id}",
                "Platform": {"OS": "linux", "Architecture": "x86_64"},
                "Resources": {"NanoCPUs": int(cpus * 1e9), "MemoryBytes": memory},
            },
            "Status": {"State": "ready"},
            **({"ManagerStatus": {"Leader": leader, "Reachability": "reachable"}} if manager else {}),
        }

    def lead(self, id: str) -> None:
        for node in self.nodes.values():
            if "ManagerStatus" in node:
                node["ManagerStatus"]["Leader"] = node["ID"] == id

    def add_service(
        self, name: str, replicas: int = 2, *, labels=None, cpus=0.5, memory=GIB // 4, **more
    ) -> str:
        id = f"id-{name}"
        self.services[id] = {
            "ID": id,
            "Version": {"Index": self.bump()},
            "Spec": {
                "Name": name,
                "Labels": {"autoscale.enabled": "true", "autoscale.min": "1", **(labels or {})},
                "TaskTemplate": {
                    "ContainerSpec": {"Image": f"{name}:1", "Env": ["A=b"], "Isolation": "default"},
                    "Resources": {"Reservations": {"NanoCPUs": int(cpus * 1e9), "MemoryBytes": memory}},
                    "Placement": more.get("placement", {}),
                    "ForceUpdate": 0,
                },
                "Mode": {"Replicated": {"Replicas": replicas}},
                "UpdateConfig": {"Parallelism": 1, "Order": "start-first"},
                "EndpointSpec": {"Mode": "dnsrr"},
            },
        }
        self.reconcile(id)
        return id

    def replicas(self, name: str) -> int:
        return self.services[f"id-{name}"]["Spec"]["Mode"]["Replicated"]["Replicas"]

    def reconcile(self, id: str) -> None:
        """Make tasks, or end them, until there are as many as wanted; nodes take turns."""
        service = self.services[id]
        want = service["Spec"]["Mode"]["Replicated"]["Replicas"]
        own = [task for task in self.tasks.values() if task["ServiceID"] == id]
        for task in own[want:]:
            del self.tasks[task["ID"]]
        for _ in range(len(own), want):
            self._start(service)

    def _start(self, service: dict[str, Any]) -> None:
        self.made += 1
        task = f"t{self.made:05d}"
        running = self.start_seconds <= 0
        self.tasks[task] = {
            "ID": task,
            "ServiceID": service["ID"],
            "NodeID": sorted(self.nodes)[self.made % len(self.nodes)],
            "CreatedAt": stamp(),
            "Spec": copy.deepcopy(service["Spec"]["TaskTemplate"]),
            "DesiredState": "running",
            "Status": {
                "State": "running" if running else "starting",
                "Timestamp": stamp(),
                "ContainerStatus": {"ContainerID": f"c{self.made:05d}".ljust(64, "0")},
            },
        }
        if not running:
            threading.Timer(self.start_seconds, self._ready, (task,)).start()

    def _ready(self, task: str) -> None:
        with self.lock:
            if task in self.tasks:
                self.tasks[task]["Status"] |= {"State": "running", "Timestamp": stamp()}

    def update(self, id: str, version: int, spec: dict[str, Any]) -> None:
        service = self._versioned(self.services, id, version)
        self.writes.append((service["Spec"]["Name"], spec["Mode"].get("Replicated", {}).get("Replicas", -1)))
        service["PreviousSpec"] = service["Spec"]
        service["Spec"] = copy.deepcopy(spec)
        service["Version"] = {"Index": self.bump()}
        self.reconcile(id)

    def update_config(self, id: str, version: int, spec: dict[str, Any]) -> None:
        config = self._versioned(self.configs, id, version)
        config["Spec"]["Labels"] = dict(spec.get("Labels") or {})
        config["Version"] = {"Index": self.bump()}

    def _versioned(self, where: dict[str, dict[str, Any]], id: str, version: int) -> dict[str, Any]:
        if id not in where:
            raise Fault(404, f"{id} not found")
        if where[id]["Version"]["Index"] != version:
            self.refused += 1
            raise Fault(500, "rpc error: code = Unknown desc = update out of sequence")
        return where[id]

    def happen(self) -> None:
        """Return an event of a container."""
        with self.changed:
            self.events.append({"Type": "container", "Action": "start"})
            self.changed.notify_all()


class Fault(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    world: World
    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "socket"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        self._answer(self._read)

    def do_POST(self) -> None:
        self._answer(self._write)

    def _answer(self, how: Any) -> None:
        url = urlsplit(self.path)
        path = "/" + unquote(url.path).split("/", 2)[2]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.world.calls.append((self.command, path))
        fault = next((fault for start, fault in self.world.faults.items() if path.startswith(start)), None)
        if fault == "slow":
            time.sleep(1.5)
        elif fault:
            self._misbehave(fault)
            return
        if path == "/events":
            self._events()
            return
        try:
            with self.world.lock:
                value = how(path, parse_qs(url.query), json.loads(body) if body else None)
            self._send(200, json.dumps(value).encode())
        except Fault as error:
            self._send(error.status, json.dumps({"message": str(error)}).encode())

    def _send(self, status: int, body: bytes, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def _misbehave(self, fault: str) -> None:
        self.close_connection = True
        if fault == "hang":
            with contextlib.suppress(OSError):
                self.connection.recv(1)
        elif fault == "garbage":
            self._send(200, b'{"Version": ]<html>')
        elif fault == "wrong":
            self._send(200, b'[{"ID": 7, "Spec": null}, 3, "x"]')
        elif fault == "cut":
            self._send(200, b'[{"ID": "', 5000)
        elif fault == "drip":
            with contextlib.suppress(OSError):
                self._send(200, b"[", 1000)
                for _ in range(200):
                    self.wfile.write(b" ")
                    time.sleep(0.05)
        else:
            self._send(500, b'{"message": "rpc error: code = DeadlineExceeded"}')

    def _events(self) -> None:
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        seen = len(self.world.events)
        with contextlib.suppress(OSError):
            while True:
                with self.world.changed:
                    self.world.changed.wait_for(lambda seen=seen: len(self.world.events) > seen, 5)
                    new, seen = self.world.events[seen:], len(self.world.events)
                for event in new:
                    self.wfile.write(json.dumps(event).encode() + b"\n")

    def _read(self, path: str, query: dict[str, list[str]], body: Any) -> Any:
        world = self.world
        lists = {
            "/services": world.services,
            "/nodes": world.nodes,
            "/tasks": world.tasks,
            "/configs": world.configs,
        }
        if path == "/containers/json":
            return world.containers
        if path.startswith("/containers/") and path.endswith("/stats"):
            return _found(world.stats, path.split("/")[2])
        if path in lists:
            return list(lists[path].values())
        kind, _, id = path.strip("/").partition("/")
        return _found(lists.get(f"/{kind}", {}), id)

    def _write(self, path: str, query: dict[str, list[str]], body: Any) -> Any:
        kind, id, *verb = path.strip("/").split("/")
        if (kind, id) == ("configs", "create"):
            made = f"config-{len(self.world.configs) + 1}"
            if any(config["Spec"]["Name"] == body["Name"] for config in self.world.configs.values()):
                raise Fault(409, "config already exists")
            self.world.configs[made] = {"ID": made, "Version": {"Index": self.world.bump()}, "Spec": body}
            return {"ID": made}
        if verb != ["update"]:
            raise Fault(404, "page not found")
        change = {"services": self.world.update, "configs": self.world.update_config}[kind]
        change(id, int(query["version"][0]), body)
        return {"Warnings": None}


def _found(rows: dict[str, Any], id: str) -> Any:
    if id not in rows:
        raise Fault(404, f"{id} not found")
    return rows[id]


class _Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self) -> tuple[socket.socket, Any]:
        made, _ = super().get_request()
        return made, ("socket", 0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: callers hang up on purpose."""


class _Tcp(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    handle_error = _Unix.handle_error


@contextlib.contextmanager
def serving(world: World, path: Path | None = None) -> Iterator[str]:
    """Return the API's address: `unix://…` at `path`, or `http://127.0.0.1:…`."""
    handler = type("Handler", (_Handler,), {"world": world})
    server = _Unix(str(path), handler) if path else _Tcp(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"unix://{path}" if path else f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
