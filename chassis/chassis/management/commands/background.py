"""`manage.py background`: runs wiring.BACKGROUND until it is told to end."""

from __future__ import annotations

import importlib
import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from chassis.background import run_all

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Runs the service's relays, followers and sweepers as threads of this process."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        jobs = importlib.import_module(f"{settings.SERVICE_APP}.wiring").BACKGROUND
        log.info("background of %s: %s", settings.SERVICE, ", ".join(job.name for job in jobs) or "nothing")
        run_all(jobs, stop)
