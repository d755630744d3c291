"""HTTP server of the fake services."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.backend.services import Backend

_PICTURES = "local/seed/node_modules/@lobehub/fluent-emoji-3d/assets"


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # do not refuse many short connections at once
    backend: Backend


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # one packet per response: small writes would wait for acknowledgements

    def _any(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/media/"):
            self._picture()
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.loads(raw) if raw else None
        status, answer, more = self.server.backend.answer(self.command, self.path, headers, body)
        data = b"" if answer is None else json.dumps(answer).encode()
        self._send(status, data, {"Content-Type": "application/json", **more})

    def _picture(self) -> None:
        """Serve the demo shop's pictures if they are installed."""
        name = self.path.rsplit("/", 1)[1].split(".")[0] + ".webp"
        file = Path(__file__).resolve().parents[3] / _PICTURES / name
        if file.is_file():
            self._send(200, file.read_bytes(), {"Content-Type": "image/webp"})
        else:
            self._send(404, b"", {})

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


for _method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
    setattr(Handler, f"do_{_method}", Handler._any)


def serve(backend: Backend, port: int = 0) -> Server:
    """Return a server of the backend on 127.0.0.1; `serve_forever()` starts it."""
    server = Server(("127.0.0.1", port), Handler)
    server.backend = backend
    return server


@contextmanager
def running(backend: Backend) -> Iterator[str]:
    """Serve the backend for the length of the block; yield its base URL."""
    server = serve(backend)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=2)
