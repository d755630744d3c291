"""`python -m local.bench.events`: what logs_svc takes in and answers, on its own web server and database.

Both are killed on the way. Prints the table of docs/behaviour.md. The load is made in this process; with
--cores the server, its background process and the database share so many cores.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import urllib3

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "logs_svc"
BATCH = 50
_TYPES: tuple[str, ...] = (
    ("view",) * 12 + ("impression",) * 20 + ("click",) * 6 + ("search",) * 5 + ("add_to_cart",) * 4
)
_TYPES += ("remove_from_cart", "checkout_started", "view")
_RANGES = (1, 7, 30, 366)
_PATHS = ("timeseries", "funnel", "top-products", "searches")


@dataclass(slots=True)
class Told:
    """What the load saw."""

    accepted: int = 0
    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    failed: int = 0


class Service:
    """logs_svc: gunicorn, `manage.py background`, and the stand-in CouchDB, in a folder that goes away."""

    def __init__(self, folder: Path, cores: int) -> None:
        from chassis.testing.couch import CouchServer, free_port

        self.port, self.cores = free_port(), cores
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "couch").mkdir()
        self.couch = CouchServer(folder / "couch")
        self.log = folder / "logs.log"
        self._env = os.environ | {
            "COUCHDB_URL": self.couch.url,
            "REDIS_URL": "memory:",
            "DATA_DIR": str(folder / "data"),
            "HIVEMART_ENV": "test",
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        self.couch.start()
        if self.couch.pid:
            self._pin(self.couch.pid)
        self.command("prepare", "manage.py", "prepare").wait(60)
        self.start_web()
        self._processes["background"] = self.command("background", "manage.py", "background")

    def start_web(self) -> None:
        bind = ("-m", "gunicorn", "config.wsgi", "-c", "../chassis/chassis/gunicorn.conf.py")
        self._processes["web"] = self.command("web", *bind, "--bind", f"127.0.0.1:{self.port}")
        end = time.monotonic() + 30
        pool = urllib3.PoolManager(retries=False)
        while time.monotonic() < end:
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                if pool.request("GET", f"{self.url}/readyz", timeout=2).status == 200:
                    return
            time.sleep(0.1)
        raise RuntimeError(f"logs_svc did not start:\n{self.log.read_text()[-2000:]}")

    def kill_web(self) -> None:
        """SIGKILL for the master and its worker."""
        process = self._processes.pop("web")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def stop(self) -> None:
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        self.couch.stop(kill=True)

    def cpu_seconds(self) -> float:
        """User and system time of the web server and its workers."""
        import psutil  # not in requirements of services

        web = psutil.Process(self._processes["web"].pid)
        times = [process.cpu_times() for process in (web, *web.children())]
        return float(sum(each.user + each.system for each in times))

    def command(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=FOLDER, env=self._env, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        self._pin(process.pid)
        return process

    def _pin(self, pid: int) -> None:
        if self.cores < (os.cpu_count() or 1):
            os.sched_setaffinity(pid, set(range(self.cores)))


def batches(seed: int) -> Iterator[list[dict[str, object]]]:
    """Batches of 50 events as browsers tell them; each of another visit, each event with an id."""
    dice = random.Random(seed)  # noqa: S311 - the same load every time
    while True:
        session = uuid.UUID(int=dice.getrandbits(128)).hex
        yield [_event(dice, session) for _ in range(BATCH)]


def _event(dice: random.Random, session: str) -> dict[str, object]:
    type_ = dice.choice(_TYPES)
    event: dict[str, object] = {
        "id": str(uuid.UUID(int=dice.getrandbits(128))),
        "type": type_,
        "session_id": session,
        "data": {"shelf": "list", "position": dice.randrange(24)},
    }
    if type_ == "search":
        event["data"] = {"q": f"thing {dice.randrange(400)}", "results": dice.randrange(30)}
    elif type_ != "checkout_started":
        event["product_id"] = f"p{int(dice.triangular(0, 2000, 0))}"
    return event


def load(service: Service, *, events: int, rate: float, connections: int, told: Told | None = None) -> Told:
    """Tell so many events at that rate a second (0: as fast as they are taken), each batch until taken."""
    told = told or Told()
    pool = urllib3.PoolManager(maxsize=connections, retries=False, timeout=10)
    lock, began, source = threading.Lock(), time.perf_counter(), batches(int(time.time()))
    number = [0]

    def work() -> None:
        while True:
            with lock:
                if number[0] * BATCH >= events:
                    return
                number[0] += 1
                body, due = json.dumps(next(source)), began + number[0] * BATCH / rate if rate else 0
            time.sleep(max(0.0, due - time.perf_counter()))
            _tell(pool, service.url, body, told, lock)

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.seconds += time.perf_counter() - began
    return told


def _tell(pool: urllib3.PoolManager, url: str, body: str, told: Told, lock: threading.Lock) -> None:
    for _attempt in range(300):
        began = time.perf_counter()
        try:
            answer = pool.request(
                "POST", f"{url}/api/logs/events", body=body, headers={"Content-Type": "application/json"}
            )
        except urllib3.exceptions.HTTPError:
            answer = None
        if answer is not None and answer.status == 202:
            with lock:
                told.accepted += answer.json()["accepted"]
                told.milliseconds.append(1000 * (time.perf_counter() - began))
            return
        with lock:
            told.failed += 1
        time.sleep(0.1)
    raise RuntimeError("a batch was not taken for 30 s")


def buckets(service: Service) -> dict[float, int]:
    """How many tellings the service answered within so many seconds, as it measures itself."""
    text = urllib3.PoolManager().request("GET", f"{service.url}/metrics").data.decode()
    found = {}
    for line in text.splitlines():
        if (
            line.startswith("http_request_seconds_bucket{")
            and "logs/events" in line
            and 'method="POST"' in line
        ):
            found[float(line.split('le="')[1].split('"')[0])] = int(float(line.rsplit(" ", 1)[1]))
    return found


def share_within(before: dict[float, int], after: dict[float, int], seconds: float) -> float:
    """Of the tellings in between, per cent."""
    total = after[float("inf")] - before.get(float("inf"), 0)
    return 100 * (after[seconds] - before.get(seconds, 0)) / max(total, 1)


def stored(service: Service, headers: dict[str, str]) -> int:
    """How many events the figures know of."""
    answer = urllib3.PoolManager().request("GET", f"{service.url}/api/logs/stats/timeseries", headers=headers)
    return sum(day["total"] for day in answer.json()["results"])


def latencies(service: Service, headers: dict[str, str], times: int = 5) -> Iterator[tuple[int, float]]:
    """(days, the slowest answer of any figure over that range, in milliseconds)."""
    pool = urllib3.PoolManager()
    today = datetime.now(UTC).date()
    for days in _RANGES:
        worst = 0.0
        for path in _PATHS:
            url = f"{service.url}/api/logs/stats/{path}?from={today - timedelta(days=days - 1)}&to={today}"
            for _ in range(times):
                began = time.perf_counter()
                answer = pool.request("GET", url, headers=headers)
                worst = max(worst, 1000 * (time.perf_counter() - began))
                if answer.status != 200:
                    raise RuntimeError(f"{url} answered {answer.status}: {answer.data[:200]!r}")
        yield days, worst


def history(service: Service, folder: Path, events: int) -> None:
    """So many events of the last year, by the command that seeding uses."""
    dice, now = random.Random(7), datetime.now(UTC)  # noqa: S311
    file = folder / "history.jsonl"
    with file.open("w") as out:
        for number in range(events):
            event = _event(dice, f"s{number // 8}")
            event["at"] = (now - timedelta(days=dice.triangular(0, 365, 0))).isoformat()
            out.write(json.dumps(event) + "\n")
    code = service.command("import", "manage.py", "import_events", str(file)).wait(600)
    if code:
        raise RuntimeError(f"the import ended with {code}:\n{service.log.read_text()[-2000:]}")


def until_stored(service: Service, headers: dict[str, str], wanted: int, seconds: float = 180.0) -> int:
    """The number stored, as soon as it is what was accepted, or when patience ends."""
    end = time.monotonic() + seconds
    while (found := stored(service, headers)) < wanted and time.monotonic() < end:
        time.sleep(0.5)
    return found


def interrupted(service: Service, *, events: int, rate: float) -> Told:
    """A load during which the database is killed and started again, then the service."""
    told = Told()
    running = threading.Thread(
        target=load, args=(service,), kwargs={"events": events, "rate": rate, "connections": 4, "told": told}
    )
    running.start()
    time.sleep(3)
    service.couch.stop(kill=True)
    time.sleep(3)
    service.couch.start()
    time.sleep(3)
    service.kill_web()
    time.sleep(1)
    service.start_web()
    running.join()
    return told


def row(name: str, value: str) -> None:
    print(f"| {name} | {value} |", flush=True)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def sign_in(folder: Path) -> dict[str, str]:
    """Headers of staff, and the key by which the service knows them, where it keeps auth's last good keys."""
    from chassis.testing.django import setup

    setup(str(FOLDER / "tests" / "conftest.py"))
    from chassis.identity.keys import jwk
    from chassis.testing.identity import AUTH_KEY, KID, bearer

    (folder / "data").mkdir()
    # Auth is not there: its last good keys are taken from where the service keeps them.
    document = {"keys": [jwk(KID, AUTH_KEY.public_key())]}
    (folder / "data" / "jwks.json").write_text(json.dumps(document))
    return bearer(roles=["admin"], seconds=86_400)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", type=int, default=2, help="for the service and its database together")
    parser.add_argument("--events", type=int, default=100_000, help="in store while figures are asked for")
    parser.add_argument("--rate", type=float, default=2000.0, help="events a second told")
    parser.add_argument("--seconds", type=float, default=20.0)
    rest = "seconds before figures are asked for: deltas are put into their days after a minute"
    parser.add_argument("--rest", type=float, default=70.0, help=rest)
    arguments = parser.parse_args()
    sys.path.insert(0, str(FOLDER))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that its processes end with it
    with tempfile.TemporaryDirectory(prefix="hivemart-bench-") as name:
        folder = Path(name)
        headers = sign_in(folder)
        service = Service(folder, arguments.cores)
        try:
            service.start()
            measure(service, folder, headers, arguments)
        finally:
            service.stop()


def measure(service: Service, folder: Path, headers: dict[str, str], arguments: argparse.Namespace) -> None:
    rate, count = arguments.rate, int(arguments.rate * arguments.seconds)
    load(service, events=2000, rate=rate, connections=4)
    before, cpu = buckets(service), service.cpu_seconds()
    steady = load(service, events=count, rate=rate, connections=4)
    after = buckets(service)
    row(
        f"told at {rate:,.0f} events a second, 50 a batch",
        f"{steady.accepted / steady.seconds:,.0f} accepted",
    )
    for limit in (2, 5, 10):
        share = share_within(before, after, limit / 1000)
        row(f"service time within {limit} ms", f"{share:.1f} % of batches")
    trip = ", ".join(
        f"p{share} {percentile(steady.milliseconds, share / 100):.1f} ms" for share in (50, 95, 99)
    )
    spent = 1000 * (service.cpu_seconds() - cpu) / len(steady.milliseconds)
    row("CPU of the web processes a batch, storing it included", f"{spent:.1f} ms")
    row("round trip, the load's own time included", trip)
    accepted = 2000 + steady.accepted
    most = load(service, events=count, rate=0, connections=4)
    row("told as fast as it is taken", f"{most.accepted / most.seconds:,.0f} accepted a second")
    accepted += most.accepted
    broken = interrupted(service, events=int(rate * 12), rate=rate)
    accepted += broken.accepted
    found = until_stored(service, headers, accepted)
    if found != accepted:
        print(
            *sorted(folder.rglob("journal/*/*")), service.log.read_text()[-1500:], sep="\n", file=sys.stderr
        )
    row(
        "kill -9 of CouchDB, then of the service, under that load", f"{accepted:,} accepted, {found:,} stored"
    )
    missing = arguments.events - found
    if missing > 0:
        history(service, folder, missing)
    time.sleep(arguments.rest)
    for days, milliseconds in latencies(service, headers):
        row(f"figures over {days} days, the slowest of 20 answers", f"{milliseconds:.0f} ms")


if __name__ == "__main__":
    main()
