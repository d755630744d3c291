"""The load as the tests use it: a process of its own, and a look at what it has seen so far."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.swarm.stack import ROOT, Stack

SETTLE = 1.0  # seconds after which a request of this moment has been written down, mostly


class Running:
    """A load that was started, `members` signed in; `marks` say what was done meanwhile, for the picture."""

    def __init__(
        self, stack: Stack, name: str, *, seconds: float, rate: float = 20.0, members: int = 4
    ) -> None:
        self.out = stack.folder / name
        self.out.mkdir(parents=True, exist_ok=True)
        self._goods = self.out / "goods.json"
        self._goods.write_text(json.dumps(stack.goods))
        self.marks: list[dict[str, Any]] = []
        tokens = [stack.client().register()["access"] for _ in range(members)]
        command = [sys.executable, "-m", "tests.swarm.load", "--url", stack.url, "--goods", str(self._goods)]
        command += ["--out", str(self.out), "--seconds", str(seconds), "--rate", str(rate)]
        command += ["--tokens", json.dumps(tokens)]
        self._began = time.monotonic()
        self._console = (self.out / "console.log").open("wb")
        self._process = subprocess.Popen(  # noqa: S603 -- our own command
            command, cwd=ROOT, stdout=self._console, stderr=subprocess.STDOUT
        )

    @property
    def orders(self) -> Path:
        """The buyers' records, for the auditor."""
        return self.out / "orders.jsonl"

    def seen(self) -> list[dict[str, Any]]:
        """Every request that has come to its end."""
        file = self.out / "requests.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    @contextmanager
    def during(self, what: str) -> Iterator[list[dict[str, Any]]]:
        """Run the block under load; the list holds the requests of that time afterwards."""
        begin = time.monotonic() - self._began
        mark = {"at": round(begin, 1), "what": what}
        self.marks.append(mark)
        found: list[dict[str, Any]] = []
        yield found
        time.sleep(SETTLE)
        mark["until"] = round(time.monotonic() - self._began, 1)
        found += [one for one in self.seen() if one["at"] >= begin - 1]
        self.write_marks()

    def wait(self, requests: int, seconds: float) -> None:
        """Until so many have been answered, or the time is up."""
        end = time.monotonic() + seconds
        while len(self.seen()) < requests and time.monotonic() < end and self._process.poll() is None:
            time.sleep(1)

    def stop(self) -> dict[str, Any]:
        """No more requests; the result."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(90)
        finally:
            self._process.kill()
            self._console.close()
        self.write_marks()
        result = self.out / "result.json"
        assert result.exists(), (self.out / "console.log").read_text()[-2000:]
        return dict(json.loads(result.read_text()))

    def write_marks(self) -> None:
        (self.out / "marks.json").write_text(json.dumps(self.marks, indent=1))


def failures(seen: list[dict[str, Any]]) -> list[str]:
    """Return a line for each request that went wrong."""
    return [
        f"{one['at']} s: {one['request']} -> {one['status']} {one['error'][:160]}"
        for one in seen
        if one["error"]
    ]
