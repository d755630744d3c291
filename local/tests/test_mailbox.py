"""The mails that were sent, as pages."""

import os

import pytest

from local.mailbox import respond

MAIL = """Content-Type: text/plain; charset="utf-8"
MIME-Version: 1.0
Content-Transfer-Encoding: 8bit
Subject: Your order <b>HM-1</b>
From: Hivemart <shop@hivemart.example>
To: ann@example.org
Date: Sun, 22 Nov 2026 12:00:00 -0000

Thank you, Ann & co!
See http://localhost:8000/orders/HM-1?token=abc
-------------------------------------------------------------------------------
"""


@pytest.fixture
def folder(tmp_path):
    for number, subject in enumerate(["first", "second"]):
        file = tmp_path / f"2026-{number}.log"
        file.write_text(MAIL.replace("Your order <b>HM-1</b>", subject))
        os.utime(file, (number, number))
    return tmp_path


def test_an_empty_mailbox_says_so(tmp_path):
    assert "No mail has been sent yet" in respond(tmp_path, "/mail/")[1]


def test_the_newest_mail_comes_first(folder):
    status, page = respond(folder, "/mail/")

    assert status == 200
    assert page.index("second") < page.index("first")
    assert '<a href="/mail/2026-1.log">second</a><small>to ann@example.org' in page


def test_a_mail_shows_escaped_text_with_links(tmp_path):
    (tmp_path / "a.log").write_text(MAIL)

    status, page = respond(tmp_path, "/mail/a.log")

    link = "http://localhost:8000/orders/HM-1?token=abc"
    assert status == 200
    assert f'<a href="{link}">{link}</a>' in page
    assert "Ann &amp; co" in page
    assert "<b>" not in page
    assert "-----" not in page


@pytest.mark.parametrize("path", ["/mail/none.log", "/mail/../secrets.json", "/mail/%2e%2e", "/mail/a/b"])
def test_other_files_are_not_found(folder, path):
    (folder.parent / "secrets.json").touch()

    assert respond(folder, path)[0] == 404
