"""Render each image in a process of its own, so that a hostile one gives its memory back."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from catalog.domain import Rendition
from catalog.image_rendering import InvalidImage, Limits

Rendered = list[tuple[Rendition, bytes]]

#: More than three renditions of any image take; further output is not read.
_MAX_OUTPUT = 32 << 20
_ROOT = str(Path(__file__).resolve().parent.parent)


class RenderingFailed(Exception):
    """The process was killed or returned nothing; another attempt may succeed.

    The text is a reason for staff.
    """


class ImageProcessor(Protocol):
    """Renderer of uploads."""

    def render(self, data: bytes) -> Rendered:
        """Return renditions from small to large.

        Raises `InvalidImage` and `RenderingFailed`.
        """


@dataclass(frozen=True)
class SandboxedProcessor:
    """Renderer in a child process, with `memory_mb` of address space and `seconds` of time."""

    limits: Limits
    memory_mb: int = 768
    seconds: int = 30

    def render(self, data: bytes) -> Rendered:
        """Return renditions from small to large.

        Raises `InvalidImage` and `RenderingFailed`.
        """
        with self._child() as (child, late):
            threading.Thread(target=_feed, args=(child.stdin, data), daemon=True).start()
            answer = child.stdout.read(_MAX_OUTPUT)
        if late.is_set():
            raise RenderingFailed(f"Rendering took longer than {self.seconds} s and was ended.")
        try:
            return _read(answer)
        except (ValueError, KeyError, TypeError) as error:
            ended = f"ended by signal {-child.returncode}" if child.returncode < 0 else "ended"
            raise RenderingFailed(f"The process that rendered the picture {ended}.") from error

    @contextlib.contextmanager
    def _child(self) -> Iterator[tuple[Any, threading.Event]]:
        """Yield a running process and the event that says that its time was up.

        The process has ended after the block.
        """
        given = {
            "memory_mb": self.memory_mb,
            "seconds": self.seconds,
            "max_bytes": self.limits.max_bytes,
            "max_pixels": self.limits.max_pixels,
        }
        child = subprocess.Popen(  # noqa: S603 - our own module, with numbers as arguments
            [sys.executable, "-s", "-W", "ignore", "-m", "catalog.render_child", json.dumps(given)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/",
            env={"PYTHONPATH": _packages(), "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        late = threading.Event()

        def end() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(self.seconds, end)
        timer.start()
        try:
            yield child, late
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(1)
        finally:
            timer.cancel()
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                with contextlib.suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]  # both were asked for


def _packages() -> str:
    """Return the folders of this process' packages.

    Docker images name them in the environment, which is not passed on to the child.
    """
    return os.pathsep.join([_ROOT, *(folder for folder in sys.path if folder)])


def _feed(pipe: Any, data: bytes) -> None:
    """Write the upload to the child, which may end before it has read everything."""
    with contextlib.suppress(OSError, ValueError):
        pipe.write(data)
        pipe.close()


def _read(answer: bytes) -> Rendered:
    """Parse the child's output.

    Raises ValueError, KeyError or TypeError for incomplete output, `InvalidImage` for a refusal.
    """
    head, _, body = answer.partition(b"\n")
    header = json.loads(head)
    if "refused" in header:
        raise InvalidImage(str(header["refused"]))
    made, at = [], 0
    for name, width, height, length in header["renditions"]:
        made.append((Rendition(name, width, height), body[at : at + length]))
        at += length
    if at != len(body):
        raise ValueError("the answer was cut off")
    return made
