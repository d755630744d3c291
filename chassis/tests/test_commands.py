"""The management commands that every service has."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from chassis.couch import couch_repository
from chassis.failpoints import EXIT_CODE
from chassis.testing.contracts import FRUITS, Fruit
from chassis.testing.couch import CouchServer, fresh_databases

HERE = Path(__file__).parent


@pytest.mark.integration
def test_prepare_makes_what_a_service_needs_and_may_be_repeated(couch: CouchServer) -> None:
    with fresh_databases():
        call_command("prepare", stdout=StringIO())
        couch_repository(FRUITS).add(Fruit("a", "apple"))
        out = StringIO()
        call_command("prepare", stdout=out)

        assert out.getvalue() == "catalog: 1 collections are ready\n"
        assert couch_repository(FRUITS).count() == 1


def test_the_settings_of_a_service_are_printed_as_a_table() -> None:
    out = StringIO()

    call_command("settings_docs", stdout=out)

    assert out.getvalue().startswith("| variable | type | default | meaning |")


def test_background_ends_cleanly_when_told() -> None:
    here = {"PYTHONPATH": str(HERE), "DJANGO_SETTINGS_MODULE": "sample.settings", "LOG_LEVEL": "INFO"}
    command = [sys.executable, "-m", "django", "background"]
    process = subprocess.Popen(command, env=os.environ | here, cwd=HERE, stderr=subprocess.PIPE)  # noqa: S603 - our own
    assert process.stderr is not None
    first = process.stderr.readline()

    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=20)

    assert b"background of catalog: nothing" in first
    assert (process.returncode, rest) == (0, b"")


@pytest.mark.parametrize(("named", "code"), [("here", EXIT_CODE), ("elsewhere", 0)])
def test_a_failpoint_ends_the_process_only_when_it_is_named(named: str, code: int) -> None:
    program = "from chassis.failpoints import failpoint; failpoint('here')"
    env = os.environ | {"FAILPOINT": named}

    done = subprocess.run([sys.executable, "-c", program], env=env, check=False)  # noqa: S603 - our own

    assert done.returncode == code
