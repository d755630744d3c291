# ruff: noqa: N999 - gunicorn wants a .conf.py
"""gunicorn for every service: one preloaded worker with threads, by default."""

import gc
import os
import threading
import time
from typing import Any

bind = os.environ.get("WEB_BIND", "0.0.0.0:8000")
workers = int(os.environ.get("WEB_WORKERS", "1"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "8"))
backlog = 2048
keepalive = int(os.environ.get("WEB_KEEPALIVE", "75"))
timeout = 30
graceful_timeout = int(os.environ.get("WEB_GRACEFUL", "25"))
preload_app = True
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - heartbeats must not wait for a disk
# The gateway has refused what is too long or too much already, as a problem; gunicorn would answer in HTML.
limit_request_line = 8190
limit_request_fields = 8192
limit_request_field_size = 16384
forwarded_allow_ips = "*"  # only the gateway reaches this port
DRAIN = float(os.environ.get("DRAIN_SECONDS", "0"))


def when_ready(server: Any) -> None:
    """Keep serving for DRAIN seconds after SIGTERM, until every proxy has dropped this task from DNS."""
    if DRAIN <= 0:
        return
    term = server.handle_term

    def drain_then_term() -> None:
        server.log.info("draining for %ss", DRAIN)
        time.sleep(DRAIN)
        term()

    server.handle_term = drain_then_term


def pre_fork(server: Any, worker: Any) -> None:
    """Leave what was imported out of the worker's garbage collections, so that its pages stay shared."""
    gc.collect()
    gc.freeze()


def post_fork(server: Any, worker: Any) -> None:
    """Large blocks go back to the system; before its threads are there, so that it holds for all of them."""
    from chassis.malloc import return_large_blocks

    return_large_blocks()


_stop = threading.Event()


def post_worker_init(worker: Any) -> None:
    """With REPLICA_JOBS=1: do here what this replica needs done for itself, such as its read model."""
    if os.environ.get("REPLICA_JOBS") != "1":
        return
    import importlib

    from django.conf import settings

    from chassis.background import run_replica_jobs

    jobs = getattr(importlib.import_module(f"{settings.SERVICE_APP}.container"), "BACKGROUND", ())
    run_replica_jobs(jobs, settings.DATA_DIR, _stop)


def worker_exit(server: Any, worker: Any) -> None:
    """Let them come to an end; whatever they do survives being cut short."""
    _stop.set()


UNREAD = 16 << 20  # bytes, more than the gateway lets in


def post_request(worker: Any, request: Any, environ: Any, response: Any) -> None:
    """Take in what nobody read of a body, as after a 401.

    gunicorn would close on it while the gateway sends, and the gateway would lose the answer. The gateway has
    the whole body already, so this is quick.
    """
    left = UNREAD
    while left > 0 and (data := request.body.read(1 << 16)):
        left -= len(data)
