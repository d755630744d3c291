"""`manage.py background`: runs container.BACKGROUND until it is told to end.

With BACKGROUND_JOBS=shared it leaves out what each replica's web server does for itself.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from chassis.background import run_all, shared

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Runs the service's relays, followers and sweepers as threads of this process."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        _set_when_told_to_end(stop)
        jobs = importlib.import_module(f"{settings.SERVICE_APP}.container").BACKGROUND
        if os.environ.get("BACKGROUND_JOBS", "all") == "shared":
            jobs = shared(jobs)
        log.info("background of %s: %s", settings.SERVICE, ", ".join(job.name for job in jobs) or "nothing")
        run_all(jobs, stop)


def _set_when_told_to_end(stop: threading.Event) -> None:
    """Set the event when a signal comes, from a thread rather than a handler.

    A handler that sets an event can be interrupted by the next signal while it holds the event's lock, and
    waits for itself for ever.
    """
    numbers = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)  # before any other thread starts, for they inherit it

    def wait() -> None:
        signal.sigwait(numbers)
        stop.set()

    threading.Thread(target=wait, name="signals", daemon=True).start()
