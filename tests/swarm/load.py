"""A steady load of shoppers, and what each of them saw: nothing is tried again, nothing is left out.

    python -m tests.swarm.load --url https://localhost:8443 --goods goods.json --out FOLDER --seconds 500

Open loop: request number i is due at i / rate seconds, whatever became of those before, and its time counts
from when it was due. Every second request is on a connection that is kept, the others on new ones. A request
failed if anything else came back than what the shopper needs, or nothing.

It writes `requests.jsonl` (one line each), `orders.jsonl` (the buyers' records, for tests/kill/audit.py) and
`result.json`. SIGTERM ends it early, and properly. `goods.json` is `[{"sku", "slug", "id", "title"}, …]`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import resource
import signal
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from tests.swarm.shoppers import MIX, READS, Server, Shopper, Visit

AT_ONCE = 96  # more than that wait for each other; their time still counts from when they were due
REGULARS = 8  # of either sort; few come often, so that carts fill


@dataclass(slots=True)
class Seen:
    """One request as the shopper saw it; `at` seconds after the first, `ms` from when it was due."""

    at: float
    kind: str
    request: str
    status: int
    ms: float
    kept: bool
    error: str = ""

    @property
    def failed(self) -> bool:
        return bool(self.error)


class Load:
    """The shoppers of one run."""

    def __init__(
        self,
        url: str,
        goods: list[dict[str, Any]],
        out: Path,
        *,
        rate: float = 20.0,
        tokens: Sequence[str] = (),
    ) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self._server, self._rate, self._out, self._tokens = Server(url), rate, out, deque(tokens)
        self._dice = random.Random(20)  # noqa: S311 -- the same visits in every run
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._requests, self._orders = (out / "requests.jsonl").open("w"), (out / "orders.jsonl").open("w")
        self._visit = Visit(goods, self._dice, lambda record: self._write(self._orders, record))
        self._idle: dict[bool, deque[Shopper]] = {True: deque(), False: deque()}
        self._seen: list[Seen] = []

    def stop(self) -> None:
        """No new requests; those on their way are waited for."""
        self._stop.set()

    def run(self, seconds: float) -> dict[str, Any]:
        """Until the time is up, or `stop`. The result, which is written too."""
        started, cpu, begin = time.time(), _cpu(), time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for number in range(int(seconds * self._rate)):
                due = begin + number / self._rate
                if self._stop.wait(max(0.0, due - time.monotonic())):
                    break
                kind = self._dice.choices(list(MIX), list(MIX.values()))[0]
                pool.submit(self._one, kind, number % 2 == 0, due, due - begin)
        took = time.monotonic() - begin
        how = {"started": started, "seconds": round(took, 1), "rate": self._rate}
        result = summary(self._seen) | how | {"cpu_of_a_core": round((_cpu() - cpu) / took, 3)}
        (self._out / "result.json").write_text(json.dumps(result, indent=1))
        self._requests.close()
        self._orders.close()
        return result

    def _one(self, kind: str, keeps: bool, due: float, at: float) -> None:
        who = self._shopper(keeps)
        try:
            request, status, error = self._visit.run(kind, who)
        except (OSError, http.client.HTTPException, ValueError) as failure:
            request, status, error = kind, 0, f"{type(failure).__name__}: {failure}"
        ms = round((time.monotonic() - due) * 1000, 1)
        seen = Seen(round(at, 3), kind, request, status, ms, keeps, error)
        self._idle[keeps].append(who)
        self._write(self._requests, asdict(seen))
        self._seen.append(seen)

    def _shopper(self, keeps: bool) -> Shopper:
        with self._lock:
            if len(self._idle[keeps]) >= REGULARS:
                return self._idle[keeps].popleft()
            return Shopper(self._server, keeps, token=self._tokens.popleft() if self._tokens else "")

    def _write(self, file: TextIO, record: Any) -> None:
        with self._lock:
            file.write(json.dumps(record) + "\n")
            file.flush()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def summary(seen: Sequence[Seen]) -> dict[str, Any]:
    """Return counts and times of a run; the first 200 failures in full."""
    failed = [one for one in seen if one.failed]
    return {
        "requests": len(seen),
        "failed": len(failed),
        "reads": sum(one.kind in READS for one in seen),
        "reads_failed": sum(one.kind in READS for one in failed),
        "kept": sum(one.kept for one in seen),
        "orders": sum(one.kind.startswith("order") and one.status == 201 for one in seen),
        "by_kind": dict(sorted(Counter(one.kind for one in seen).items())),
        "ms": percentiles([one.ms for one in seen]),
        "ms_by_kind": {kind: percentiles([one.ms for one in seen if one.kind == kind]) for kind in MIX},
        "failures": [asdict(one) for one in failed[:200]],
    }


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th, 99th and largest of these; {} of nothing."""
    ordered = sorted(values)
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    last = len(ordered) - 1
    return {name: ordered[min(last, int(len(ordered) * at))] for name, at in shares.items() if ordered}


def main() -> int:
    how = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=how)
    parser.add_argument("--url", required=True, help="the shop's address")
    parser.add_argument("--goods", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seconds", type=float, default=500.0)
    parser.add_argument("--rate", type=float, default=20.0, help="requests a second")
    parser.add_argument("--tokens", default="[]", type=json.loads, help="JSON list of access tokens")
    options = parser.parse_args()
    goods = json.loads(options.goods.read_text())
    load = Load(options.url, goods, options.out, rate=options.rate, tokens=options.tokens)
    signal.signal(signal.SIGTERM, lambda *_: load.stop())
    signal.signal(signal.SIGINT, lambda *_: load.stop())
    result = load.run(options.seconds)
    told = {name: result[name] for name in ("requests", "failed", "orders", "ms", "cpu_of_a_core")}
    print(json.dumps(told))  # noqa: T201 - a command
    return 1 if result["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
