"""`python -m local.bench.events`: what logs_svc takes in and answers, on its own web server and database.

Both are killed on the way. Prints the table of docs/behaviour.md. The load is made in this process; with
--cores the server, its background process and the database share so many cores.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local.bench.figures import buckets, latencies, percentile, share_within, until_stored
from local.bench.load_credentials import sign_in
from local.bench.load_events import EventLoadResult, make_event, send_events
from local.bench.service import Service


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", type=int, default=2, help="for the service and its database together")
    parser.add_argument("--events", type=int, default=100_000, help="in store while figures are asked for")
    parser.add_argument("--rate", type=float, default=2000.0, help="events sent a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    rest = "seconds before figures are asked for: deltas are put into their days after a minute"
    parser.add_argument("--rest", type=float, default=70.0, help=rest)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that its processes end with it
    with tempfile.TemporaryDirectory(prefix="hivemart-bench-") as name:
        folder = Path(name)
        headers = sign_in("logs", folder / "data")
        service = Service("logs", folder, arguments.cores)
        try:
            service.start()
            measure(service, folder, headers, arguments)
        finally:
            service.stop()


def measure(service: Service, folder: Path, headers: dict[str, str], arguments: argparse.Namespace) -> None:
    rate, count = arguments.rate, int(arguments.rate * arguments.seconds)
    send_events(service.url, events=2000, rate=rate, connections=4)
    before, cpu = buckets(service.url), service.cpu_seconds()
    steady = send_events(service.url, events=count, rate=rate, connections=4)
    after = buckets(service.url)
    row(
        f"sent at {rate:,.0f} events a second, 50 a batch",
        f"{steady.accepted / steady.seconds:,.0f} accepted",
    )
    for limit in (2, 5, 10):
        share = share_within(before, after, limit / 1000)
        row(f"service time within {limit} ms", f"{share:.1f} % of batches")
    trip = ", ".join(
        f"p{share} {percentile(steady.milliseconds, share / 100):.1f} ms" for share in (50, 95, 99)
    )
    cpu_ms = 1000 * (service.cpu_seconds() - cpu) / len(steady.milliseconds)
    row("CPU of the web processes a batch, storing it included", f"{cpu_ms:.1f} ms")
    row("round trip, the load's own time included", trip)
    accepted = 2000 + steady.accepted
    peak = send_events(service.url, events=count, rate=0, connections=4)
    row("sent as fast as it is taken", f"{peak.accepted / peak.seconds:,.0f} accepted a second")
    accepted += peak.accepted
    interrupted = run_interrupted_load(service, events=int(rate * 12), rate=rate)
    accepted += interrupted.accepted
    found = until_stored(service.url, headers, accepted)
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
    for days, milliseconds in latencies(service.url, headers):
        row(f"figures over {days} days, the slowest of 25 answers", f"{milliseconds:.0f} ms")


def history(service: Service, folder: Path, events: int) -> None:
    """So many events of the last year, by the command that seeding uses."""
    rng, now = random.Random(7), datetime.now(UTC)  # noqa: S311
    file = folder / "history.jsonl"
    with file.open("w") as out:
        for number in range(events):
            event = make_event(rng, f"s{number // 8}")
            event["at"] = (now - timedelta(days=rng.triangular(0, 365, 0))).isoformat()
            out.write(json.dumps(event) + "\n")
    service.run("the import", "manage.py", "import_events", str(file), seconds=600)


def run_interrupted_load(service: Service, *, events: int, rate: float) -> EventLoadResult:
    """Return a load during which the database is killed and started again, then the service."""
    result = EventLoadResult()
    running = threading.Thread(
        target=send_events,
        args=(service.url,),
        kwargs={"events": events, "rate": rate, "connections": 4, "result": result},
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
    return result


def row(name: str, value: str) -> None:
    print(f"| {name} | {value} |", flush=True)


if __name__ == "__main__":
    main()
