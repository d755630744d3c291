"""A proxy that loses answers, between a service and what it calls."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, cast

Fault = Literal["refuse", "lose", "bad-gateway", "slow", "cut", "unread", "later", "limit", "pass"]

#: Refused before anything is done, with half a minute to wait.
_POLITE: dict[Fault, int] = {"later": 503, "limit": 429}
_REASON = b'{"error":"later","reason":"not now"}'


class FaultyProxy(ThreadingHTTPServer):
    """Forwards requests to a port of this machine; each whose method is in `methods` takes the next fault.

    `refuse` closes without forwarding, `lose` forwards and closes without answering, `bad-gateway`
    forwards and answers a 502 page, `slow` answers after `delay` seconds, `cut` ends a JSON answer in its
    middle and `unread` tells of an error in each row of it, both as CouchDB when it goes down; `later` and
    `limit` answer 503 and 429 with a Retry-After of 30 s without forwarding, `pass` does nothing to it.
    """

    daemon_threads = True

    def __init__(self, target_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target_port = target_port
        self.faults: deque[Fault] = deque()
        self.methods = frozenset({"PUT", "POST", "DELETE"})
        self.delay = 1.0
        self.forwarded = 0

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def next_fault(self, method: str) -> Fault:
        return self.faults.popleft() if method in self.methods and self.faults else "pass"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        proxy = cast("FaultyProxy", self.server)
        fault = proxy.next_fault(self.command)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if fault == "refuse":
            self.close_connection = True
            return
        if fault in _POLITE:
            headers = [("Content-Type", "application/json"), ("Retry-After", "30")]
            self._answer(_POLITE[fault], headers, _REASON)
            return
        status, headers, answer = self._forward(proxy, body)
        if fault == "lose":
            self.close_connection = True
            return
        if fault == "bad-gateway":
            status, headers, answer = 502, [("Content-Type", "text/html")], b"<h1>Bad gateway</h1>"
        if fault == "cut":
            answer = answer[: len(answer) // 2]
        if fault == "unread":
            rows = [
                {"key": row["key"], "error": "internal_server_error"} for row in json.loads(answer)["rows"]
            ]
            answer = json.dumps({"rows": rows}).encode()
        if fault == "slow":
            time.sleep(proxy.delay)
        self._answer(status, headers, answer)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - names of http.server

    def _forward(self, proxy: FaultyProxy, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = http.client.HTTPConnection("127.0.0.1", proxy.target_port, timeout=60)
        try:
            upstream.request(self.command, self.path, body or None, dict(self.headers.items()))
            response = upstream.getresponse()
            proxy.forwarded += 1
            return response.status, response.getheaders(), response.read()
        finally:
            upstream.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "keep-alive"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the test says what it needs."""


@contextmanager
def faulty_proxy(target_port: int) -> Iterator[FaultyProxy]:
    """Run a proxy in front of `target_port`."""
    proxy = FaultyProxy(target_port)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
