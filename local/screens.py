"""What a person sees of a run: every line, or a line a step, or progress and then a panel that stays."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from local import messages

NAME_WIDTH = 17  # of the longest name
COLOURS = ("36", "33", "32", "35", "34", "96", "93", "92", "95", "94")
QUIET_SECONDS = 60.0  # for which the same message of the same process is counted, and not shown again
SEEDING = "seed"  # the process whose own progress is shown
_COUNT = re.compile(r"(?P<what>.+): (?P<done>\d+) of (?P<wanted>\d+)\Z")
MAX_SHOWN = 4  # names in the line of progress
_STYLES = {"warning": "yellow", "error": "bold red", "info": "dim"}


@dataclass(frozen=True, kw_only=True)
class ShopAddress:
    """The address of the shop and the sign-in, as the panel shows them."""

    url: str
    email: str
    password: str
    log: Path
    seconds: float
    """from the command until the shop was open"""
    pages: Mapping[str, str] = field(default_factory=dict)
    """title -> address, of what else can be opened"""

    def rows(self) -> list[tuple[str, str]]:
        return [
            ("Shop", self.url),
            ("Admin", f"{self.url}/admin/  {self.email}  {self.password}"),
            *self.pages.items(),
            ("Log", f"{self.log}  (make logs)"),
        ]


class Screen(Protocol):
    """Where a run shows itself."""

    def line(self, name: str, text: str) -> None:
        """Show a line that the process `name` printed."""

    def say(self, text: str, level: str = "info") -> None:
        """Show a message of the supervisor; `level` is info, warning or error."""

    def step(self, text: str) -> None:
        """Show a step of the start."""

    def progress(self, ready: int, total: int, waiting: Sequence[str]) -> None:
        """Show how many processes are ready, and which are not."""

    def open(self, address: ShopAddress) -> None:
        """Show that the shop is open."""

    def down(self, names: Sequence[str]) -> None:
        """Show the services that do not answer as they should; none: all is well."""

    def close(self) -> None:
        """Nothing more comes."""


def choose(terminal: TextIO, env: Mapping[str, str] = os.environ) -> Screen:
    """Every line with VERBOSE=1, a panel where there is a terminal for it, else a line a step."""
    if env.get("VERBOSE") == "1":
        return VerboseScreen(terminal)
    if terminal.isatty() and (env.get("TERM") or "dumb") != "dumb":
        return PanelScreen(Console(file=terminal))
    return PlainScreen(terminal)


class PlainScreen:
    """A line a step, for logs and pipes; once the shop is open a line for each warning and error."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._lock = threading.Lock()
        self._is_open = False
        self._repeats = RepeatFilter()

    def line(self, name: str, text: str) -> None:
        if not self._is_open and (progress := parse_progress(name, text)) and progress[1] >= progress[2]:
            self._write(f"  {text}")
        # Before it is open services ask for others that are not there yet: that is no news.
        if self._is_open and (found := messages.read(text)) and (shown := self._repeats.shown(name, found)):
            self._write(f"{found.level}: {name}: {shown}")

    def say(self, text: str, level: str = "info") -> None:
        if level != "info":
            self._write(f"{level}: {text}")

    def step(self, text: str) -> None:
        self._write(text)

    def progress(self, ready: int, total: int, waiting: Sequence[str]) -> None:
        """Show nothing: steps are enough here."""

    def open(self, address: ShopAddress) -> None:
        self._is_open = True
        self._write(f"The shop is open after {address.seconds:.1f} s. Stop: Ctrl-C")
        for title, text in address.rows():
            self._write(f"  {title:<6} {text}")

    def down(self, names: Sequence[str]) -> None:
        self._write(f"warning: down: {', '.join(names)}" if names else "all services answer again")

    def close(self) -> None:
        """Nothing is held."""

    def _write(self, text: str) -> None:
        # When the terminal is gone, the log on disk has everything.
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._terminal.write(text + "\n")
            self._terminal.flush()


class VerboseScreen(PlainScreen):
    """Every line of every process, each with its name in its own colour."""

    def __init__(self, terminal: TextIO) -> None:
        super().__init__(terminal)
        self._coloured = terminal.isatty() and "NO_COLOR" not in os.environ
        self._colours: dict[str, str] = {}

    def line(self, name: str, text: str) -> None:
        self._write(f"{self._painted(name)} | {text}")

    def say(self, text: str, level: str = "info") -> None:
        self.line("hivemart", text)

    def step(self, text: str) -> None:
        self.say(text)

    def open(self, address: ShopAddress) -> None:
        for text in (f"The shop is open after {address.seconds:.1f} s", *map(": ".join, address.rows())):
            self.say(text)

    def down(self, names: Sequence[str]) -> None:
        self.say(f"down: {', '.join(names)}" if names else "all services answer")

    def _painted(self, name: str) -> str:
        padded = f"{name:<{NAME_WIDTH}}"
        if not self._coloured:
            return padded
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return f"\x1b[{colour}m{padded}\x1b[0m"


class PanelScreen:
    """Progress of the start in place, then one panel that stays; warnings and errors scroll past above it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._repeats = RepeatFilter()
        self._address: ShopAddress | None = None
        self._down: Sequence[str] = ()
        self._ready, self._total, self._unit, self._waiting = 0, 1, " processes", ""
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=4)
        self._live.start()

    def line(self, name: str, text: str) -> None:
        if not self._address and (progress := parse_progress(name, text)):
            self._waiting, self._ready, self._total = progress
            self._unit = ""
        if self._address and (found := messages.read(text)) and (shown := self._repeats.shown(name, found)):
            self._print(f"{name}: {shown}", found.level)

    def say(self, text: str, level: str = "info") -> None:
        if level != "info":
            self._print(text, level)

    def step(self, text: str) -> None:
        self._waiting = text

    def progress(self, ready: int, total: int, waiting: Sequence[str]) -> None:
        more = f" and {len(waiting) - MAX_SHOWN} more" if len(waiting) > MAX_SHOWN else ""
        self._ready, self._total = ready, total
        self._waiting = f"waiting for {', '.join(waiting[:MAX_SHOWN])}{more}" if waiting else ""

    def open(self, address: ShopAddress) -> None:
        self._address = address
        self._live.refresh()

    def down(self, names: Sequence[str]) -> None:
        self._down = tuple(names)

    def close(self) -> None:
        self._live.stop()

    def _print(self, text: str, level: str) -> None:
        clock = Text(time.strftime("%H:%M:%S "), style="dim")
        line = Text(text, style=_STYLES[level], no_wrap=True, overflow="ellipsis")
        self._console.print(clock + line, soft_wrap=False, no_wrap=True, overflow="ellipsis")

    def _render(self) -> Panel | Group:
        return self._panel(self._address) if self._address else self._start()

    def _start(self) -> Group:
        row = Table.grid(padding=(0, 1))
        seconds = f"{time.monotonic() - self._began:3.0f} s"
        bar = ProgressBar(total=self._total, completed=self._ready, width=24)
        row.add_row(
            "Starting", bar, f"{self._ready} of {self._total}{self._unit}", Text(seconds, style="dim")
        )
        return Group(row, Text(self._waiting, style="dim", no_wrap=True, overflow="ellipsis"))

    def _panel(self, address: ShopAddress) -> Panel:
        table = Table.grid(padding=(0, 2))
        for title, text in address.rows():
            table.add_row(Text(title, style="bold"), Text(text, overflow="fold"))
        well = Text("nothing: all services answer", style="green")
        table.add_row(
            Text("Down", style="bold"), Text(", ".join(self._down), style="bold red") if self._down else well
        )
        border = "red" if self._down else "green"
        title = f"Hivemart, open after {address.seconds:.1f} s"
        return Panel(table, title=title, subtitle="Ctrl-C stops it", border_style=border, expand=False)


def parse_progress(name: str, text: str) -> tuple[str, int, int] | None:
    """Return what seeding counts, how many and of how many: `pictures ready: 34 of 179`."""
    found = _COUNT.match(text) if name == SEEDING else None
    return (found["what"], int(found["done"]), int(found["wanted"])) if found else None


class RepeatFilter:
    """Counts what is said again and again instead of letting it scroll everything else away."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def shown(self, name: str, message: messages.Message) -> str:
        """Return the text to show, with how often it was left out; empty to leave it out."""
        key = (name, "".join("0" if letter.isdigit() else letter for letter in message.text)[:80])
        at, left_out = self._seen.get(key, (float("-inf"), 0))
        now = time.monotonic()
        if now - at < QUIET_SECONDS:
            self._seen[key] = (at, left_out + 1)
            return ""
        self._seen[key] = (now, 0)
        return f"{message.text} (and {left_out} times more before)" if left_out else message.text


def standard_screen() -> Screen:
    """Return the screen for this process's own terminal."""
    return choose(sys.stdout)
