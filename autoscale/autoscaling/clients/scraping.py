"""Agents and gateways: all addresses of their names, asked at the same time, each with a deadline."""

from __future__ import annotations

import http.client
import logging
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from autoscaling.exposition import Row, read

log = logging.getLogger(__name__)

Rows = Mapping[str, list[Row]]
LONGEST = 8 << 20  # bytes


def addresses(targets: Sequence[str]) -> list[str]:
    """`host:port` of every address that the targets' names have; a name without any has none."""
    found = []
    for target in targets:
        host, _, port = target.rpartition(":")
        try:
            rows = socket.getaddrinfo(host, int(port), socket.AF_INET, socket.SOCK_STREAM)
        except OSError:
            continue
        found += [f"{address}:{port}" for address in sorted({str(row[4][0]) for row in rows})]
    return list(dict.fromkeys(found))


def fetch(address: str, path: str, timeout: float) -> bytes:
    """Fetch the page. Raises OSError or HTTPException when there is no whole 200 in time."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    end = time.monotonic() + timeout
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        data = bytearray()
        while piece := answer.read1(1 << 16):
            data += piece
            if time.monotonic() > end or len(data) > LONGEST:
                raise TimeoutError("the answer does not end")
        answer.close()
        if answer.status != 200:
            raise http.client.HTTPException(f"status {answer.status}")
        return bytes(data)
    finally:
        connection.close()


class Scraper:
    """Rows by address; None for one that does not answer, answers late, or answers something else."""

    def __init__(
        self, targets: Sequence[str], *, timeout: float = 1.5, find: Callable[..., list[str]] = addresses
    ) -> None:
        self._targets, self._timeout, self._find = targets, timeout, find
        self._pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="scrape")

    def rows(self) -> dict[str, Rows | None]:
        places = self._find(self._targets)
        return dict(zip(places, self._pool.map(self._one, places), strict=True))

    def _one(self, address: str) -> Rows | None:
        try:
            return read(fetch(address, "/metrics", self._timeout).decode("utf-8", "replace"))
        except (OSError, http.client.HTTPException, ValueError) as error:
            log.debug("%s: %s", address, error)
            return None

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
