"""Starting a process so that nothing of it can outlive us, and ending it with everything that it started."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1  # prctl(2)
POLL_SECONDS = 0.1  # between two checks whether a process has ended


def _load_libc() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(None, use_errno=True)
    except OSError:
        return None


_LIBC = _load_libc()


def end_with_parent() -> None:
    """Ask the kernel for a SIGTERM when the parent dies, even by `kill -9` (Linux; elsewhere nothing)."""
    if _LIBC is not None and hasattr(_LIBC, "prctl"):
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


async def start(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: int = asyncio.subprocess.DEVNULL
) -> asyncio.subprocess.Process:
    """Start the command as a process group of its own, output and errors in one pipe.

    Ctrl-C does not reach it.
    """
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=dict(env),
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=end_with_parent,
        limit=1024 * 1024,
    )


def signal_group(pid: int, number: int) -> None:
    """Send a signal to the process group that `pid` leads; one that has gone is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


async def wait_for_exit(process: asyncio.subprocess.Process) -> int:
    """Return its exit code, when it has ended.

    `process.wait` would also wait for children that hold its pipe.
    """
    while process.returncode is None:
        await asyncio.sleep(POLL_SECONDS)
    return process.returncode


async def stop(processes: Sequence[asyncio.subprocess.Process], timeout: float) -> None:
    """Ask all at once to end, and kill with their group those that have not after `patience` seconds."""
    for process in processes:
        signal_group(process.pid, signal.SIGTERM)
    waits = [asyncio.create_task(wait_for_exit(process)) for process in processes]
    if waits:
        await asyncio.wait(waits, timeout=timeout)
    for process in processes:
        signal_group(process.pid, signal.SIGKILL)
    for wait in waits:
        await wait


def describe_exit(code: int) -> str:
    """`exit code 1`, or the signal's name where one ended it."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"exit code {code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"exit code {code}"
