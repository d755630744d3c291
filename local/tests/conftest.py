"""Helpers for tests of the supervisor: tiny processes, and a run of a few of them."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from local.output import Log  # noqa: E402 -- the folder above has to be on the path first
from local.process_spec import ProcessSpec  # noqa: E402
from local.screens import VerboseScreen  # noqa: E402
from local.supervisor import Supervisor  # noqa: E402


class SupervisorHarness:
    """Makes tiny processes in a folder, and runs them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.terminal = io.StringIO()
        self.pids: dict[str, int] = {}
        self.stopped = folder / "stopped"
        self.stopped.mkdir()
        self.notes = folder / "notes"
        self.notes.touch()

    def spec(self, name: str, code: str, **more: object) -> ProcessSpec:
        """Return a process that runs this Python code; `note(text)` in it writes a line to `notes`."""
        head = (
            "import os, signal, socket, subprocess, sys, time\n"
            f"def note(text): open({str(self.notes)!r}, 'a').write(text + '\\n')\n"
        )
        command = (sys.executable, "-S", "-c", head + code)
        return ProcessSpec(name=name, command=command, cwd=self.folder, env=dict(os.environ), **more)  # type: ignore[arg-type]

    def noted(self) -> list[str]:
        return self.notes.read_text().splitlines()

    def run(self, specs: list[ProcessSpec], scene: Callable[[Supervisor], Awaitable[None]]) -> None:
        """Start the processes, play the scene, stop."""

        async def play() -> None:
            log = Log(self.folder / "log", VerboseScreen(self.terminal))
            supervisor = Supervisor(specs, log, stopped=self.stopped, on_change=self._changed)
            try:
                await supervisor.start()
                await scene(supervisor)
            finally:
                await supervisor.stop()
                log.close()

        asyncio.run(play())

    def _changed(self, pids: object) -> None:
        self.pids = dict(pids)  # type: ignore[call-overload]


@pytest.fixture
def harness(tmp_path: Path) -> SupervisorHarness:
    return SupervisorHarness(tmp_path)
