"""`manage.py docker_proxy`: settings from the environment, as this runs without Django.

DOCKER_PROXY_LISTEN  host:port to answer on (0.0.0.0:2375), on a network that only the autoscaler shares
DOCKER_HOST          the Docker API (unix:///var/run/docker.sock)
AUTOSCALE_CONFIG     name of the Docker config whose labels are what people told the autoscaler
STACK                the stack that this config belongs to
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import signal
import threading
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from autoscaling.answering import Answering
from autoscaling.engine import SOCKET, EngineDown, HttpEngine, Refused
from autoscaling.proxy.rules import Rules

log = logging.getLogger("docker_proxy")

LONGEST = 1 << 20  # bytes of a request
VERSIONED = re.compile(r"/v\d\.\d{1,2}(?=/)")


class Handler(Answering):
    """What is asked here is not logged by the server: writes and refusals are, below."""

    server: Server
    timeout = 10

    def do_GET(self) -> None:
        """Answer reads, and /livez for the container's check."""
        if self.path == "/livez":
            self._send(200, {"status": "ok"})
        else:
            self._do("GET")

    def do_POST(self) -> None:
        """Return the two writes."""
        self._do("POST")

    def _do(self, method: str) -> None:
        url = urlsplit(self.path)
        path = VERSIONED.sub("", unquote(url.path), count=1)
        try:
            answer = self.server.rules.answer(method, path, dict(parse_qsl(url.query)), self._body())
            status = 200
        except Refused as error:
            status, answer = error.status, {"message": error.message}
        except (EngineDown, KeyError, TypeError) as error:
            status, answer = 504, {"message": f"Docker: {error}"}
        if method != "GET" or status == 403:
            log.info("%s %s: %s", method, json.dumps(path[:200]), status)
        self._send(status, answer)

    def _body(self) -> Any:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > LONGEST:
            raise Refused(400, "the body is too long")
        data = self.rfile.read(int(length))
        try:
            return json.loads(data) if data else None
        except ValueError as error:
            raise Refused(400, "the body is not JSON") from error

    def _send(self, status: int, answer: Any) -> None:
        self.send(status, "application/json", json.dumps(answer).encode())


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listen: tuple[str, int], rules: Rules) -> None:
        super().__init__(listen, Handler)
        self.rules = rules


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    host, _, port = os.environ.get("DOCKER_PROXY_LISTEN", "0.0.0.0:2375").rpartition(":")
    rules = Rules(
        HttpEngine(os.environ.get("DOCKER_HOST") or SOCKET, timeout=5.0),
        config=os.environ.get("AUTOSCALE_CONFIG", "hivemart_autoscale_overrides"),
        stack=os.environ.get("STACK", ""),
    )
    server = Server((host.strip("[]"), int(port)), rules)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever(poll_interval=1)
    server.server_close()


if __name__ == "__main__":
    main()
