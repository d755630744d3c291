"""What a person sees of a run, on a terminal and without one."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from local import messages
from local.log_follower import follow
from local.messages import Message
from local.output import Log
from local.screens import PanelScreen, PlainScreen, ShopAddress, VerboseScreen, choose

ADDRESS = ShopAddress(
    url="http://localhost:8000",
    email="admin@hivemart.example",
    password="secret words",
    log=Path("var/log/hivemart.log"),
    seconds=12.34,
    pages={"Mail": "http://localhost:8000/mail/"},
)
REFUSED = json.dumps({"message": "catalog does not answer", "level": "warning", "exc_info": "A\nB: refused"})
GATEWAY = '{"status": 503, "method": "GET", "uri": "/p/a", "upstream_status": "503"}'
ACCESS = json.dumps({"message": "GET /livez 200", "level": "info"})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (REFUSED, Message("warning", "catalog does not answer (B: refused)")),
        (ACCESS, None),
        ('{"message": "x", "level": "critical"}', Message("error", "x")),
        (GATEWAY, Message("warning", "503 GET /p/a")),
        ("2026/12/01 12:00:00 [error] 7#7: *1 connect() failed", Message("error", "*1 connect() failed")),
        ("[2026-12-01 12:00:00 +0000] [7] [ERROR] Worker was sent", Message("error", "Worker was sent")),
        ("[2026-12-01 12:00:00,000: WARNING/MainProcess] no broker", Message("warning", "no broker")),
        ("redis.exceptions.ConnectionError: x", Message("error", "redis.exceptions.ConnectionError: x")),
        ("An ErrorPage is shown", None),
        ("{not json", None),
        ("", None),
        (json.dumps({"message": "日本" * 400, "level": "error"}), Message("error", "日本" * 149 + "日…")),
    ],
)  # fmt: skip
def test_a_log_line_is_a_warning_an_error_or_neither(line, message):
    assert messages.read(line) == message


def test_the_plain_screen_prints_steps_and_warnings():
    terminal = io.StringIO()
    screen = choose(terminal, {})

    screen.step("Starting 29 processes")
    screen.line("cart", REFUSED)  # of a healthy start
    screen.line("seed", "products: 3 of 5")
    screen.line("seed", "products: 5 of 5")
    screen.open(ADDRESS)
    screen.line("cart", ACCESS)
    screen.line("cart", REFUSED)
    screen.down(["cart"])
    screen.down([])

    assert isinstance(screen, PlainScreen)
    assert terminal.getvalue().splitlines() == [
        "Starting 29 processes",
        "  products: 5 of 5",
        "The shop is open after 12.3 s. Stop: Ctrl-C",
        "  Shop   http://localhost:8000",
        "  Admin  http://localhost:8000/admin/  admin@hivemart.example  secret words",
        "  Mail   http://localhost:8000/mail/",
        "  Log    var/log/hivemart.log  (make logs)",
        "warning: cart: catalog does not answer (B: refused)",
        "warning: down: cart",
        "all services answer again",
    ]


def test_a_repeated_message_is_shown_once():
    terminal = io.StringIO()
    screen = PlainScreen(terminal)
    screen.open(ADDRESS)
    before = len(terminal.getvalue().splitlines())

    for number in range(2_400):
        screen.line("cart", json.dumps({"message": f"attempt {number} failed", "level": "error"}))

    assert len(terminal.getvalue().splitlines()) <= before + 4  # as many as there are lengths of a number


def test_the_panel_stays_below_warnings():
    terminal = Terminal()
    screen = PanelScreen(Console(file=terminal, force_terminal=True, width=100, height=30, _environ={}))
    screen.progress(7, 29, ["auth", "cart", "logs", "reco", "storefront"])
    screen.line("cart", REFUSED)
    screen.open(ADDRESS)
    screen.line("cart", ACCESS)
    screen.line("cart", REFUSED)
    screen.say("checkout ended with exit code -9 (SIGKILL)", "warning")
    screen.down(["checkout"])
    screen.close()

    seen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    last = seen[seen.rindex("Hivemart, open after 12.3 s") :]
    assert seen.count("catalog does not answer (B: refused)") == 1
    assert seen.index("checkout ended") < seen.rindex("http://localhost:8000/admin/")
    assert "secret words" in last
    assert re.search(r"Down +checkout", last)


def test_the_verbose_screen_shows_every_line_with_its_process():
    terminal = io.StringIO()
    screen = choose(terminal, {"VERBOSE": "1"})

    screen.line("cart", ACCESS)

    assert isinstance(screen, VerboseScreen)
    assert terminal.getvalue() == f"cart              | {ACCESS}\n"


@pytest.mark.parametrize(
    ("term", "kind"), [("xterm-256color", PanelScreen), ("dumb", PlainScreen), ("", PlainScreen)]
)
def test_a_panel_needs_a_terminal_that_can_move_its_cursor(term, kind):
    screen = choose(Terminal(), {"TERM": term})
    screen.close()

    assert isinstance(screen, kind)


def test_a_closed_terminal_does_not_stop_the_run():
    terminal = io.StringIO()
    screen = PlainScreen(terminal)
    terminal.close()

    screen.step("Starting")
    screen.open(ADDRESS)


def test_following_the_log_begins_with_its_last_lines(tmp_path):
    screen = PlainScreen(io.StringIO())
    log = Log(tmp_path, screen)
    for number in range(60):
        log.line("cart", f"line {number} | with a bar")
    terminal = io.StringIO()

    follow(tmp_path, terminal, forever=False)

    shown = terminal.getvalue().splitlines()
    assert shown[0] == "cart              | line 20 | with a bar"
    assert shown[-1] == "cart              | line 59 | with a bar"
    log.close()
