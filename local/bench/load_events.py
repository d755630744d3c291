"""A load of events on logs_svc, as browsers send them."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import urllib3

BATCH_SIZE = 50
_TYPES: tuple[str, ...] = (
    ("view",) * 12 + ("impression",) * 20 + ("click",) * 6 + ("search",) * 5 + ("add_to_cart",) * 4
)
_TYPES += ("remove_from_cart", "checkout_started", "view")


@dataclass(slots=True)
class EventLoadResult:
    """What the load saw."""

    accepted: int = 0
    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    failed: int = 0


def batches(seed: int) -> Iterator[list[dict[str, object]]]:
    """Batches of 50 events as browsers send them; each of another visit, each event with an id."""
    rng = random.Random(seed)  # noqa: S311 - the same load every time
    while True:
        session = uuid.UUID(int=rng.getrandbits(128)).hex
        yield [make_event(rng, session) for _ in range(BATCH_SIZE)]


def make_event(rng: random.Random, session: str) -> dict[str, object]:
    type_ = rng.choice(_TYPES)
    event: dict[str, object] = {
        "id": str(uuid.UUID(int=rng.getrandbits(128))),
        "type": type_,
        "session_id": session,
        "data": {"shelf": "list", "position": rng.randrange(24)},
    }
    if type_ == "search":
        event["data"] = {"q": f"thing {rng.randrange(400)}", "results": rng.randrange(30)}
    elif type_ != "checkout_started":
        event["product_id"] = f"p{int(rng.triangular(0, 2000, 0))}"
    return event


def send_events(
    url: str, *, events: int, rate: float, connections: int, result: EventLoadResult | None = None
) -> EventLoadResult:
    """Send so many events at that rate a second (0: as fast as they are taken), each batch until taken.

    Every load has ids of its own: the service counts an event that is sent twice once.
    """
    result = result or EventLoadResult()
    pool = urllib3.PoolManager(maxsize=connections, retries=False, timeout=10)
    lock, began, source = threading.Lock(), time.perf_counter(), batches(time.time_ns())
    number = [0]

    def worker() -> None:
        while True:
            with lock:
                if number[0] * BATCH_SIZE >= events:
                    return
                number[0] += 1
                body, due = json.dumps(next(source)), began + number[0] * BATCH_SIZE / rate if rate else 0
            time.sleep(max(0.0, due - time.perf_counter()))
            _send_batch(pool, url, body, result, lock)

    threads = [threading.Thread(target=worker) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result.seconds += time.perf_counter() - began
    return result


def _send_batch(
    pool: urllib3.PoolManager, url: str, body: str, result: EventLoadResult, lock: threading.Lock
) -> None:
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
                result.accepted += answer.json()["accepted"]
                result.milliseconds.append(1000 * (time.perf_counter() - began))
            return
        with lock:
            result.failed += 1
        time.sleep(0.1)
    raise RuntimeError("a batch was not taken for 30 s")
