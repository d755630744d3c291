"""`python -m gateway`: nginx in a container, as gateway/environment.py says, until a signal ends it.

At SIGTERM it says 503 at /edge-health and serves on for DRAIN_SECONDS, until nobody's list has it any more;
then nginx ends the requests that run and closes. SIGHUP reads the settings again, files of certificates too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from gateway.environment import settings
from gateway.render import DRAINING, render

HANDLED_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}
FIGURES_FILE = "/dev/shm/figures.log"  # noqa: S108 - memory, never a disk: two lines per request
FIGURES_LISTEN = "0.0.0.0:9101"


class GatewayProcess:
    """nginx, and the counter of its requests beside it."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.directory = Path(env.get("GATEWAY_DIR") or "/tmp/nginx")  # noqa: S108 - the container's own
        self.cache = Path(env.get("DATA_DIR") or "/data") / "cache"
        self.figures = "" if env.get("FIGURES_LISTEN", FIGURES_LISTEN) == "" else FIGURES_FILE
        self.configuration = self.directory / "nginx.conf"
        self.draining = self.directory / DRAINING

    def write(self) -> None:
        """Return the configuration as the environment and the files that it names are now."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.cache.mkdir(parents=True, exist_ok=True)
        self.draining.unlink(missing_ok=True)
        rendered = render(settings(self.env, self.directory, self.cache, self.figures))
        self.configuration.write_text(rendered)

    def run(self) -> int:
        """Serve. The exit code of nginx if it ended by itself, else 0."""
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED_SIGNALS)
        self.write()
        counter = _start([sys.executable, "-m", "gateway.figures", self.figures]) if self.figures else None
        program = self.env.get("NGINX") or "/app/nginx"
        arguments = [*("-p", str(self.directory)), *("-c", str(self.configuration)), *("-e", "stderr")]
        nginx = _start([program, *arguments])
        try:
            return self._serve(nginx)
        finally:
            if counter:
                counter.kill()

    def _serve(self, nginx: subprocess.Popen[bytes]) -> int:
        while nginx.poll() is None:
            received = signal.sigwait(HANDLED_SIGNALS)
            if received == signal.SIGHUP:
                self.write()
                nginx.send_signal(signal.SIGHUP)
            elif received in {signal.SIGTERM, signal.SIGINT}:
                self._drain(nginx)
                return 0
        return nginx.returncode or 1

    def _drain(self, nginx: subprocess.Popen[bytes]) -> None:
        self.draining.touch()
        end = time.monotonic() + float(self.env.get("DRAIN_SECONDS") or 0)
        while nginx.poll() is None and (left := end - time.monotonic()) > 0:
            signal.sigtimedwait(HANDLED_SIGNALS, left)
        nginx.send_signal(signal.SIGQUIT)
        nginx.wait()


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    """Return a process that hears signals again: what is blocked here would be blocked there."""
    return subprocess.Popen(  # noqa: S603 - our own
        command,
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED_SIGNALS),  # noqa: PLW1509 - no threads here
    )


if __name__ == "__main__":
    sys.exit(GatewayProcess(os.environ).run())
