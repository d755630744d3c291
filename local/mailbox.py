"""`/mail/`: the mails that the shop sent on this machine, newest first.

Run `python -m local.mailbox`:

MAILBOX_LISTEN   host:port to answer on
MAILBOX_FOLDER   where Django's file backend puts them, one file each
"""

from __future__ import annotations

import email
import email.policy
import os
import re
import signal
import sys
from email.message import EmailMessage
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MAX_MAILS = 200  # mails in the list
NAME = re.compile(r"[A-Za-z0-9._-]+")
LINK = re.compile(r"https?://[^\s<>\"']+")
RULER = re.compile(r"^-{79}\s*$", re.MULTILINE)  # Django writes one after each mail
STYLE = """
:root { color-scheme: light dark; --ink: #2a2118; --ground: #fbf7ef; --line: #e5dac5; --accent: #9a4308; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #f3ead9; --ground: #1b1712; --line: #3a3226; --accent: #f5b041; }
}
body { max-width: 46rem; margin: 0 auto; padding: 1.5rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.6 system-ui, sans-serif; }
a { color: var(--accent); }
ul { list-style: none; padding: 0; }
li { border-top: 1px solid var(--line); padding: .75rem 0; }
small { display: block; opacity: .75; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; }
pre { border-top: 1px solid var(--line); padding-top: 1rem; }
"""


def read(file: Path) -> EmailMessage:
    """Return the mail in one of Django's files."""
    text = RULER.split(file.read_text(encoding="utf-8", errors="replace"), maxsplit=1)[0]
    return email.message_from_string(text, policy=email.policy.default)


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><h1>{escape(title)}</h1>{body}</html>"
    )


def list_page(folder: Path) -> str:
    """Return the page of all mails."""
    files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime, reverse=True)[:MAX_MAILS]
    items = "".join(_item(file) for file in files)
    return _page("Mail", f"<ul>{items}</ul>" if items else "<p>No mail has been sent yet.</p>")


def _item(file: Path) -> str:
    mail = read(file)
    return f'<li><a href="/mail/{file.name}">{escape(_subject(mail))}</a>{_envelope(mail)}</li>'


def mail_page(file: Path) -> str:
    """Return the page of one mail: its plain text, with links to follow."""
    mail = read(file)
    part = mail.get_body(("plain", "html"))
    text = escape(str(part.get_content())) if part else ""
    linked = LINK.sub(lambda match: f'<a href="{match[0]}">{match[0]}</a>', text)
    back = "<p><a href='/mail/'>All mail</a></p>"
    return _page(_subject(mail), f"{back}{_envelope(mail)}<pre>{linked}</pre>")


def _subject(mail: EmailMessage) -> str:
    return str(mail["Subject"] or "(no subject)")


def _envelope(mail: EmailMessage) -> str:
    return f"<small>to {escape(str(mail['To']))} · {escape(str(mail['Date']))}</small>"


def respond(folder: Path, path: str) -> tuple[int, str]:
    """Status and page for a path below /mail/."""
    name = path.partition("?")[0].removeprefix("/mail/")
    if not name:
        return 200, list_page(folder)
    file = folder / name
    if not NAME.fullmatch(name) or not file.is_file():
        return 404, _page("No such mail", "<p><a href='/mail/'>All mail</a></p>")
    return 200, mail_page(file)


def make_server(listen: str, folder: Path) -> ThreadingHTTPServer:
    """Return an HTTP server for the pages."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, page = respond(folder, self.path)
            body = page.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header(
                "Content-Security-Policy",
                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
            )
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    host, _, port = listen.rpartition(":")
    return ThreadingHTTPServer((host, int(port)), Page)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    folder = Path(os.environ["MAILBOX_FOLDER"])
    make_server(os.environ["MAILBOX_LISTEN"], folder).serve_forever()


if __name__ == "__main__":
    main()
