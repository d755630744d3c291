"""`manage.py autoscale`: the control loop; with --page also the web server of its page, as a child."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

import chassis
from autoscaling import container
from autoscaling.serving import Server

log = logging.getLogger("autoscale")

PAGE_AGAIN = 2.0  # seconds until a page that ended is started again


class Command(BaseCommand):
    help = "Keeps every service that has the label autoscale.enabled=true at the size that its load needs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="decide the same, write nothing")
        parser.add_argument("--once", action="store_true", help="two looks, one decision, printed as JSON")
        parser.add_argument(
            "--page", action="store_true", help="serve the admin page too (gunicorn, port 8000)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        loop, measuring, faults = container.autoscaler(dry_run=options["dry_run"])
        stop = threading.Event()
        if options["once"]:
            if loop.run_twice(settings.AUTOSCALE_EVERY, stop).mode == "blind":
                raise CommandError("; ".join(f"{what}: {fault}" for what, fault in faults.now.items()))
            for record in loop.last.records.values():
                self.stdout.write(json.dumps(record))
            return
        _set_when_told_to_end(stop)
        host, _, port = settings.AUTOSCALE_LISTEN.rpartition(":")
        server = Server((host.strip("[]"), int(port)), loop, measuring, faults.now)
        server.start()
        page = threading.Thread(target=_keep_page, args=(stop,), name="page")
        if options["page"]:
            page.start()
        log.info("autoscaler of %s runs every %s s", settings.AUTOSCALE_STACK, settings.AUTOSCALE_EVERY)
        try:
            loop.run(settings.AUTOSCALE_EVERY, stop, server.after)
        finally:
            stop.set()
            server.shutdown()
            server.server_close()
        if options["page"]:
            page.join()


def _set_when_told_to_end(stop: threading.Event) -> None:
    """By a thread that waits for the signal: a handler could meet itself inside of the event's lock."""
    numbers = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)

    def wait() -> None:
        signal.sigwait(numbers)
        stop.set()

    threading.Thread(target=wait, name="signals", daemon=True).start()


def _keep_page(stop: threading.Event) -> None:
    """gunicorn as a child, started again when it ends, ended with us."""
    configuration = Path(chassis.__file__ or "").parent / "gunicorn.conf.py"
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--config", str(configuration)]
    while not stop.is_set():
        child = subprocess.Popen(command, preexec_fn=_unblock)  # noqa: S603, PLW1509 -- our own; no locks there
        while child.poll() is None and not stop.wait(0.5):
            pass
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        else:
            log.warning("the page's server ended with %s, again in %s s", child.returncode, PAGE_AGAIN)
            stop.wait(PAGE_AGAIN)


def _unblock() -> None:
    """Return the child takes its signals itself again."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
