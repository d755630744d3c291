"""logs_svc as reco_svc sees it, over made-up shoppers: pages of their history, and nothing new after it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.bench.shoppers import Shoppers

PATH = "/api/logs/internal/events"


def page(shoppers: Shoppers, after: int, limit: int) -> dict[str, Any]:
    """Return a page of `GET /internal/events`; cursors are places."""
    end = min(after + limit, len(shoppers))
    results = [shoppers.event(place) for place in range(after, end)]
    return {
        "results": results,
        "next": str(end) if end < len(shoppers) else None,
        "checkpoint": str(end),
    }


@contextmanager
def serve_history(shoppers: Shoppers) -> Iterator[str]:
    """Address of a gateway behind which their history is."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = parse_qs(url.query)
            after, limit = int(query.get("after", ["0"])[0]), int(query.get("limit", ["1000"])[0])
            body = json.dumps(page(shoppers, after, limit) if url.path == PATH else {}).encode()
            self.send_response(200 if url.path == PATH else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: the load is not to share the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
