"""Starts the processes in order, keeps them running, and stops them: services before the stores they use."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from local import subprocesses
from local.output import Log
from local.process_spec import ProcessKind, ProcessSpec, accepts_connections

POLL_SECONDS = 0.1  # between two checks whether a process is ready
MIN_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS = 0.2, 10.0  # before an ended process is started again
STABLE_SECONDS = 20.0  # after this long a process's next exit counts as its first
CLIENT_STOP_SECONDS, STORE_STOP_SECONDS = 1.8, 0.7  # together below the 3 s that Ctrl-C may take
MAX_START_ATTEMPTS = 3  # exits before a process was ever ready
DAMAGED_ADVICE = "If its files are damaged, put back a copy of the data folder, or choose another DATA."


class StartFailed(Exception):
    """A process cannot be started; the text names it and says why."""


class Stopped(Exception):
    """A stop was requested."""


class Supervisor:
    """Runs the processes until a stop is requested.

    `on_change` is called with name -> pid of all that run whenever that changes; a file named after a process
    in `stopped` keeps that process from being started again (`python -m local stop NAME`).
    """

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        log: Log,
        *,
        stopped: Path,
        on_change: Callable[[Mapping[str, int]], None],
    ) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._log = log
        self._stopped = stopped
        self._on_change = on_change
        self._ready = {spec.name: asyncio.Event() for spec in specs}
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._readers: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def request_stop(self) -> None:
        """Stop everything, as SIGINT and SIGTERM do; a second request does not wait for anybody."""
        if self._stopping.is_set():
            for running in self._running.values():
                subprocesses.signal_group(running.pid, signal.SIGKILL)
        self._stopping.set()

    async def start(self) -> None:
        """Start all; returns when each was ready once. StartFailed, or Stopped."""
        self._tasks = [
            asyncio.create_task(self._supervise(spec), name=spec.name) for spec in self._specs.values()
        ]
        await self.until(asyncio.create_task(self._wait_for(tuple(self._specs))))

    async def until(self, awaited: asyncio.Future[Any]) -> None:
        """Wait for `awaited`. StartFailed when a process cannot be kept running, Stopped on request."""
        stop = asyncio.create_task(self._stopping.wait())
        try:
            while not awaited.done():
                self._raise_failures()
                if self._stopping.is_set():
                    raise Stopped
                pending = [task for task in self._tasks if not task.done()]
                await asyncio.wait([awaited, stop, *pending], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            awaited.cancel()  # no effect on one that is done

    async def run_once(self, spec: ProcessSpec) -> int:
        """Run a command beside the processes, its output in the same log; its exit code."""
        running = await self._start(spec)
        code = await subprocesses.wait_for_exit(running)
        self._unregister(spec.name, running)
        return code

    async def stop(self) -> None:
        """End everything within 3 s: first the clients, then the stores."""
        self._stopping.set()
        for task in self._tasks:
            task.cancel()
        stores = {name for name, spec in self._specs.items() if spec.kind is ProcessKind.STORE}
        clients = [running for name, running in self._running.items() if name not in stores]
        await subprocesses.stop(clients, CLIENT_STOP_SECONDS)
        await subprocesses.stop(
            [self._running[name] for name in stores & self._running.keys()], STORE_STOP_SECONDS
        )
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.wait([*self._readers, asyncio.create_task(asyncio.sleep(0))], timeout=0.5)
        self._running.clear()
        self._on_change({})

    def _raise_failures(self) -> None:
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error

    async def _supervise(self, spec: ProcessSpec) -> None:
        await self._wait_for(spec.depends_on)
        if spec.one_shot:
            await self._run_one_shot(spec)
            return
        backoff, exits = MIN_BACKOFF_SECONDS, 0
        while True:
            await self._wait_while_stopped(spec.name)
            started_at = time.monotonic()
            code = await self._run_until_exit(spec)
            exits += 1
            self._log.say(f"{spec.name} ended with {subprocesses.describe_exit(code)}", "warning")
            if not self._ready[spec.name].is_set() and exits >= MAX_START_ATTEMPTS:
                raise StartFailed(self._failure_sentence(spec, code))
            backoff = (
                MIN_BACKOFF_SECONDS
                if time.monotonic() - started_at > STABLE_SECONDS
                else min(backoff * 2, MAX_BACKOFF_SECONDS)
            )
            await asyncio.sleep(backoff)

    async def _wait_for(self, names: Sequence[str]) -> None:
        for name in names:
            await self._ready[name].wait()

    async def _run_one_shot(self, spec: ProcessSpec) -> None:
        code = await self.run_once(spec)
        if code:
            raise StartFailed(self._failure_sentence(spec, code))
        self._mark_ready(spec.name)

    def _mark_ready(self, name: str) -> None:
        self._ready[name].set()
        waiting = [other for other, event in self._ready.items() if not event.is_set()]
        self._log.screen.progress(len(self._ready) - len(waiting), len(self._ready), waiting)

    async def _wait_while_stopped(self, name: str) -> None:
        stop_file = self._stopped / name
        if stop_file.exists():
            self._log.say(f"{name} is kept stopped")
        while stop_file.exists():
            await asyncio.sleep(POLL_SECONDS)

    async def _run_until_exit(self, spec: ProcessSpec) -> int:
        """Run a process from its start over readiness to its end; return its exit code."""
        running = await self._start(spec)
        waiting = asyncio.create_task(self._await_readiness(spec, running))
        code = await subprocesses.wait_for_exit(running)
        waiting.cancel()
        subprocesses.signal_group(running.pid, signal.SIGKILL)  # what it started must not keep its port
        self._unregister(spec.name, running)
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        return code

    async def _await_readiness(self, spec: ProcessSpec, running: asyncio.subprocess.Process) -> None:
        began = time.monotonic()
        while spec.port is not None and not await accepts_connections(spec.port):
            if time.monotonic() - began > spec.ready_timeout and not self._ready[spec.name].is_set():
                self._log.say(f"{spec.name} is not ready after {spec.ready_timeout:.0f} s", "warning")
                subprocesses.signal_group(running.pid, signal.SIGKILL)
                return
            await asyncio.sleep(POLL_SECONDS)
        if spec.port is not None:
            self._log.say(f"{spec.name} is ready after {time.monotonic() - began:.1f} s")
        self._mark_ready(spec.name)

    async def _start(self, spec: ProcessSpec) -> asyncio.subprocess.Process:
        try:
            running = await subprocesses.start(spec.command, cwd=spec.cwd, env=spec.env)
        except OSError as error:
            raise StartFailed(f"{spec.name} cannot be started: {error}.") from error
        self._running[spec.name] = running
        self._on_change({name: one.pid for name, one in self._running.items()})
        reader = asyncio.create_task(self._read_output(spec.name, running))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)
        return running

    def _unregister(self, name: str, running: asyncio.subprocess.Process) -> None:
        if self._running.get(name) is running:
            del self._running[name]
            self._on_change({other: one.pid for other, one in self._running.items()})

    async def _read_output(self, name: str, running: asyncio.subprocess.Process) -> None:
        assert running.stdout is not None  # noqa: S101 -- started with a pipe
        while True:
            try:
                line = await running.stdout.readline()
            except ValueError:  # longer than the pipe's limit: left out
                continue
            if not line:
                return
            self._log.line(name, line.decode("utf-8", "replace").rstrip())

    def _failure_sentence(self, spec: ProcessSpec, code: int) -> str:
        """One sentence: who could not be started, and what it said last."""
        last_line = next(
            (line.strip() for line in reversed(self._log.last_of(spec.name)) if line.strip()), "nothing"
        )
        advice = DAMAGED_ADVICE if spec.kind is ProcessKind.STORE else "The log has the rest."
        reason = subprocesses.describe_exit(code)
        return f"{spec.name} cannot be started ({reason}). It said: {last_line.rstrip('.')}. {advice}"
