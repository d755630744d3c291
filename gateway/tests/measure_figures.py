"""What counting costs the hot path: `python gateway/tests/measure_figures.py [seconds per round]`.

The gateway as it is rendered, with and without figures, in turns, before an nginx that answers at once; CPU
time per request of nginx and of the counter, and requests per second of one client with 16 connections.
"""

from __future__ import annotations

import dataclasses
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from stubs import free_port  # noqa: E402

from gateway.render import Settings, render  # noqa: E402 -- the folder above has to be on the path first
from local.binaries import nginx_binary  # noqa: E402

ROUNDS = 7
REQUEST = b"GET /api/cart/carts/018f2c HTTP/1.1\r\nHost: shop\r\n\r\n"
UPSTREAM = """worker_processes 1; daemon off; pid {d}/up.pid; error_log stderr error; {user}
events {{}}
http {{
    access_log off; keepalive_requests 100000000;
    client_body_temp_path {d}/b; proxy_temp_path {d}/p;
    fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
    server {{
        listen 127.0.0.1:{port};
        location / {{ default_type application/json; return 200 '{{"id": "018f2c"}}'; }}
    }}
}}
"""


def cpu(process: subprocess.Popen[bytes]) -> float:
    """CPU seconds of a process and its children."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    total = 0
    for pid in (process.pid, *children):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(REQUEST)
    return connection


def load(port: int, seconds: float) -> int:
    """Count requests that were answered; nginx ends a connection after its thousandth."""
    selector, answered, end = selectors.DefaultSelector(), 0, time.monotonic() + seconds
    for _ in range(16):
        selector.register(connected(port), selectors.EVENT_READ)
    while time.monotonic() < end:
        for key, _ in selector.select(1):
            data = key.fileobj.recv(8192)
            answered += bool(data)
            if data and b"Connection: close" not in data:
                key.fileobj.sendall(REQUEST)
            else:
                selector.unregister(key.fileobj)
                key.fileobj.close()
                selector.register(connected(port), selectors.EVENT_READ)
    for key in list(selector.get_map().values()):
        key.fileobj.close()
    return answered


def started(folder: Path, name: str, text: str) -> subprocess.Popen[bytes]:
    path = folder / f"{name}.conf"
    path.write_text(text)
    return subprocess.Popen([nginx_binary(), "-p", folder, "-c", path])  # noqa: S603 -- our own


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    user = "root root" if os.getuid() == 0 else ""
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        folder, log, upstream = Path(made), Path(memory) / "figures.log", free_port()
        at = [f"127.0.0.1:{upstream}"]
        base = Settings(
            outer=[], inner=[f"127.0.0.1:{free_port()}"], services={"cart": at, "catalog": at, "auth": at},
            storefront=at, health=at, media=f"http://{at[0]}/media", directory=made, user=user,
        )  # fmt: skip
        ports = {"off": free_port(), "on": free_port()}
        env = {**os.environ, "FIGURES_LISTEN": f"127.0.0.1:{free_port()}"}
        processes = [
            started(folder, "up", UPSTREAM.format(d=made, port=upstream, user=user and f"user {user};"))
        ]
        command = [sys.executable, "-m", "gateway.figures", log]
        counter = subprocess.Popen(command, cwd=ROOT, env=env)  # noqa: S603 -- our own
        gateways = {}
        for name, port in ports.items():
            place = folder / name
            (place / "cache").mkdir(parents=True)
            inner = [f"127.0.0.1:{free_port()}"]
            settings = dataclasses.replace(
                base, outer=[f"127.0.0.1:{port}"], inner=inner, directory=str(place),
                figures=str(log) if name == "on" else "",
            )  # fmt: skip
            gateways[name] = started(place, "gateway", render(settings))
        time.sleep(1)
        try:
            measure(gateways, ports, counter, seconds)
        finally:
            for process in (*processes, *gateways.values(), counter):
                process.terminate()
                process.wait(10)


def measure(
    gateways: dict[str, subprocess.Popen[bytes]],
    ports: dict[str, int],
    counter: subprocess.Popen[bytes],
    seconds: float,
) -> None:
    rows: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ports}
    for number in range(ROUNDS + 1):
        for name, port in ports.items():
            before, counted, began = cpu(gateways[name]), cpu(counter), time.monotonic()
            answered = load(port, seconds)
            took = time.monotonic() - began
            time.sleep(0.6)  # what is buffered is counted too
            per = 1e6 / answered
            row = ((cpu(gateways[name]) - before) * per, (cpu(counter) - counted) * per, answered / took)
            if number:  # the first warms up
                rows[name].append(row)
    for name, found in rows.items():
        nginx, reader, rate = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{name:4} nginx {nginx:6.1f} us  counter {reader:5.1f} us  {rate:8.0f} requests/s")  # noqa: T201


if __name__ == "__main__":
    main()
