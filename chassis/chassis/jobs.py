"""Jobs on Celery and Redis: late acknowledgement, tasks that may run twice, sending that holds nobody up.

The document that asks for a job is written before the job is sent, and a sweeper sends it again: losing
Redis loses no job. With Celery's defaults a task of a killed worker comes back after 92 s.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import queue
import threading
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from celery import Celery

log = logging.getLogger(__name__)

#: A task that runs longer than this is given to a second worker.
VISIBILITY_SECONDS = 3600
SEND_SECONDS = 0.2
_REST_SECONDS = 2.0


def celery_app(service: str) -> Celery:
    """Return the Celery application of a service; its queue has the service's name."""
    from celery import Celery  # heavy, and only workers need it

    app = Celery(service)
    app.config_from_object(
        {
            "broker_url": settings.REDIS_URL,
            "task_default_queue": service,
            "task_ignore_result": True,
            "task_acks_late": True,
            "task_reject_on_worker_lost": True,
            "worker_prefetch_multiplier": 1,
            "worker_concurrency": int(os.environ.get("CELERY_CONCURRENCY", "1")),
            "worker_hijack_root_logger": False,
            "broker_connection_retry_on_startup": True,
            "broker_transport_options": {
                "visibility_timeout": VISIBILITY_SECONDS,
                "unacked_restore_interval": 3,
                "unacked_restore_throttle": 1,
                "socket_keepalive": True,
            },
            "timezone": "UTC",
        }
    )
    app.autodiscover_tasks([settings.SERVICE_APP])
    return app


def send(task_name: str, *args: Any, queue: str | None = None) -> bool:
    """Ask for a task by its name, best effort: False when Redis did not take it within 200 ms.

    `queue` is the service that runs it, by default this one. After a failure nothing is tried for 2 s.
    """
    return sender().send(task_name, args, queue or settings.SERVICE)


class Sender:
    """Sends from a thread of its own: a stuck socket costs a caller 200 ms, the next ones nothing."""

    def __init__(self, publish: Callable[[str, tuple[Any, ...], str], None]) -> None:
        self._publish = publish
        self._todo: queue.Queue[tuple[str, tuple[Any, ...], str, threading.Event, list[bool]]] = queue.Queue()
        self._resting_until = 0.0
        threading.Thread(target=self._work, name="job sender", daemon=True).start()

    def send(self, task_name: str, args: tuple[Any, ...], queue: str) -> bool:
        if time.monotonic() < self._resting_until:
            return False
        done, sent = threading.Event(), [False]
        self._todo.put((task_name, args, queue, done, sent))
        if not done.wait(SEND_SECONDS):
            self._rest()
        return sent[0]

    def _work(self) -> None:
        while True:
            task_name, args, queue, done, sent = self._todo.get()
            try:
                self._publish(task_name, args, queue)
                sent[0] = True
            except Exception as error:  # noqa: BLE001 - whatever Redis, kombu or the network raise
                log.warning("job %s was not sent: %s", task_name, type(error).__name__)
                self._rest()
            done.set()

    def _rest(self) -> None:
        self._resting_until = time.monotonic() + _REST_SECONDS


_senders: dict[int, Sender] = {}
_lock = threading.Lock()


def sender() -> Sender:
    """Return this process's sender; threads and sockets do not survive a fork."""
    found = _senders.get(os.getpid())
    if found is None:
        with _lock:
            found = _senders.get(os.getpid()) or _senders.setdefault(os.getpid(), Sender(_redis_publish()))
    return found


def _redis_publish() -> Callable[[str, tuple[Any, ...], str], None]:
    import redis  # not needed by services that send nothing

    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=SEND_SECONDS / 2, socket_connect_timeout=SEND_SECONDS / 2
    )

    def publish(task_name: str, args: tuple[Any, ...], queue: str) -> None:
        client.lpush(queue, json.dumps(message(task_name, args, queue)))

    return publish


def message(task_name: str, args: tuple[Any, ...], queue: str) -> dict[str, Any]:
    """Return a task as Celery's Redis transport keeps it in a list.

    A web process then need not load Celery (25 MB).

    Source: https://docs.celeryq.dev/en/stable/internals/protocol.html, version 2; kombu's virtual transport.
    """
    id = str(uuid.uuid4())
    body = json.dumps([args, {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
    headers: dict[str, Any] = {
        "lang": "py",
        "task": task_name,
        "id": id,
        "root_id": id,
        "parent_id": None,
        "group": None,
    }
    headers |= {"retries": 0, "eta": None, "expires": None, "timelimit": [None, None], "ignore_result": True}
    return {
        "body": base64.b64encode(body.encode()).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": headers | {"argsrepr": "", "kwargsrepr": "", "origin": settings.SERVICE},
        "properties": {
            "correlation_id": id,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }
