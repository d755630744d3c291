"""Starts the parts in order, keeps them running, and stops them: services before the stores they use."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from local import process
from local.output import Log
from local.part import Kind, Part, listens

EVERY = 0.1  # seconds between two looks whether a part is ready
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0  # seconds before a dead part is started again
LIVED_LONG = 20.0  # seconds after which a part's next death counts as its first
STOP_CLIENTS, STOP_STORES = 1.8, 0.7  # seconds; together below the 3 s that Ctrl-C may take
TRIES = 3  # deaths before a part was ever ready
DAMAGED = "If its files are damaged, put back a copy of the data folder, or choose another DATA."


class StartFailed(Exception):
    """A part cannot be started; the text names it and says why."""


class Stopped(Exception):
    """Somebody wants the shop to stop."""


class Supervisor:
    """Runs the parts until it is told to stop.

    `changed` is called with name -> pid of all that run whenever that changes; a file named after a part in
    `stopped` keeps that part from being started again (`python -m local stop NAME`).
    """

    def __init__(
        self, parts: Sequence[Part], log: Log, *, stopped: Path, changed: Callable[[Mapping[str, int]], None]
    ) -> None:
        self._parts = {part.name: part for part in parts}
        self._log = log
        self._stopped = stopped
        self._changed = changed
        self._ready = {part.name: asyncio.Event() for part in parts}
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._readers: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def request_stop(self) -> None:
        """Stop everything, as SIGINT and SIGTERM do; a second request does not wait for anybody."""
        if self._stopping.is_set():
            for running in self._running.values():
                process.signal_group(running.pid, signal.SIGKILL)
        self._stopping.set()

    async def start(self) -> None:
        """Start all; returns when each was ready once. StartFailed, or Stopped."""
        self._tasks = [asyncio.create_task(self._keep(part), name=part.name) for part in self._parts.values()]
        await self.until(asyncio.create_task(self._after(tuple(self._parts))))

    async def until(self, what: asyncio.Future[Any]) -> None:
        """Wait for `what`. StartFailed when a part cannot be kept, Stopped when that is wished."""
        stop = asyncio.create_task(self._stopping.wait())
        try:
            while not what.done():
                self._raise_failures()
                if self._stopping.is_set():
                    raise Stopped
                pending = [task for task in self._tasks if not task.done()]
                await asyncio.wait([what, stop, *pending], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            what.cancel()  # no effect on one that is done

    async def run_once(self, part: Part) -> int:
        """Run a command beside the parts, its output in the same log; its exit code."""
        running = await self._start(part)
        code = await process.end_of(running)
        self._forget(part.name, running)
        return code

    async def stop(self) -> None:
        """End everything within 3 s: first who asks, then who is asked."""
        self._stopping.set()
        for task in self._tasks:
            task.cancel()
        stores = {name for name, part in self._parts.items() if part.kind is Kind.STORE}
        clients = [running for name, running in self._running.items() if name not in stores]
        await process.stop(clients, STOP_CLIENTS)
        await process.stop([self._running[name] for name in stores & self._running.keys()], STOP_STORES)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.wait([*self._readers, asyncio.create_task(asyncio.sleep(0))], timeout=0.5)
        self._running.clear()
        self._changed({})

    def _raise_failures(self) -> None:
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error

    async def _keep(self, part: Part) -> None:
        await self._after(part.after)
        if part.once:
            await self._run_to_its_end(part)
            return
        pause, deaths = FIRST_PAUSE, 0
        while True:
            await self._while_held(part.name)
            born = time.monotonic()
            code = await self._live(part)
            deaths += 1
            self._log.say(f"{part.name} ended with {process.reason(code)}", "warning")
            if not self._ready[part.name].is_set() and deaths >= TRIES:
                raise StartFailed(self._story(part, code))
            pause = FIRST_PAUSE if time.monotonic() - born > LIVED_LONG else min(pause * 2, LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def _after(self, names: Sequence[str]) -> None:
        for name in names:
            await self._ready[name].wait()

    async def _run_to_its_end(self, part: Part) -> None:
        code = await self.run_once(part)
        if code:
            raise StartFailed(self._story(part, code))
        self._is_ready(part.name)

    def _is_ready(self, name: str) -> None:
        self._ready[name].set()
        waiting = [other for other, event in self._ready.items() if not event.is_set()]
        self._log.screen.progress(len(self._ready) - len(waiting), len(self._ready), waiting)

    async def _while_held(self, name: str) -> None:
        held = self._stopped / name
        if held.exists():
            self._log.say(f"{name} is kept stopped")
        while held.exists():
            await asyncio.sleep(EVERY)

    async def _live(self, part: Part) -> int:
        """One life of a part: start, readiness, end. Its exit code."""
        running = await self._start(part)
        waiting = asyncio.create_task(self._await_readiness(part, running))
        code = await process.end_of(running)
        waiting.cancel()
        process.signal_group(running.pid, signal.SIGKILL)  # what it started must not keep its port
        self._forget(part.name, running)
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        return code

    async def _await_readiness(self, part: Part, running: asyncio.subprocess.Process) -> None:
        began = time.monotonic()
        while part.port is not None and not await listens(part.port):
            if time.monotonic() - began > part.patience and not self._ready[part.name].is_set():
                self._log.say(f"{part.name} is not ready after {part.patience:.0f} s", "warning")
                process.signal_group(running.pid, signal.SIGKILL)
                return
            await asyncio.sleep(EVERY)
        if part.port is not None:
            self._log.say(f"{part.name} is ready after {time.monotonic() - began:.1f} s")
        self._is_ready(part.name)

    async def _start(self, part: Part) -> asyncio.subprocess.Process:
        try:
            running = await process.start(part.command, cwd=part.cwd, env=part.env)
        except OSError as error:
            raise StartFailed(f"{part.name} cannot be started: {error}.") from error
        self._running[part.name] = running
        self._changed({name: one.pid for name, one in self._running.items()})
        reader = asyncio.create_task(self._read(part.name, running))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)
        return running

    def _forget(self, name: str, running: asyncio.subprocess.Process) -> None:
        if self._running.get(name) is running:
            del self._running[name]
            self._changed({other: one.pid for other, one in self._running.items()})

    async def _read(self, name: str, running: asyncio.subprocess.Process) -> None:
        assert running.stdout is not None  # noqa: S101 -- started with a pipe
        while True:
            try:
                line = await running.stdout.readline()
            except ValueError:  # longer than the pipe's limit: left out
                continue
            if not line:
                return
            self._log.line(name, line.decode("utf-8", "replace").rstrip())

    def _story(self, part: Part, code: int) -> str:
        """One sentence: who could not be started, and what it said last."""
        said = next(
            (line.strip() for line in reversed(self._log.last_of(part.name)) if line.strip()), "nothing"
        )
        advice = DAMAGED if part.kind is Kind.STORE else "The log has the rest."
        return (
            f"{part.name} cannot be started ({process.reason(code)}). It said: {said.rstrip('.')}. {advice}"
        )
