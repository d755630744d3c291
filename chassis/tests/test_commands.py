"""The management commands that every service has."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings

from chassis.couch import CouchError, couch_repository
from chassis.couch.administration import Server
from chassis.failpoints import EXIT_CODE
from chassis.testing.couch import CouchServer, fresh_databases
from chassis.testing.fruits import FRUITS, Fruit

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


@contextmanager
def served(couch: CouchServer, prefix: str) -> Iterator[str]:
    """Return the service's own user of these databases, as a deployed service has one."""
    name = f"user-of-{prefix}"
    host = f"127.0.0.1:{couch.port}"
    with override_settings(COUCHDB_URL=f"http://{name}:p%2Fw@{host}", COUCHDB_ADMIN_URL=couch.url):
        yield name


@pytest.mark.integration
def test_prepare_gives_a_service_a_user_of_its_own(couch: CouchServer) -> None:
    with fresh_databases() as prefix, served(couch, prefix) as name:
        call_command("prepare", stdout=StringIO())
        first = Server(couch.url).request_ok("GET", f"_users/org.couchdb.user:{name}")["_rev"]
        call_command("prepare", stdout=StringIO())
        couch_repository(FRUITS).add(Fruit("a", "apple"))

        assert couch_repository(FRUITS).count() == 1
        assert Server(couch.url).request_ok("GET", f"_users/org.couchdb.user:{name}")["_rev"] == first
        assert Server(couch.url).request_ok("GET", f"{prefix}fruits/_security") == {
            "admins": {"names": [], "roles": ["catalog"]},
            "members": {"names": [], "roles": ["catalog"]},
        }
        with pytest.raises(CouchError):
            Server(settings.COUCHDB_URL).request_ok("PUT", f"{prefix}more")


@pytest.mark.integration
def test_prepare_takes_over_a_new_password_and_removes_the_user_of_before(couch: CouchServer) -> None:
    with fresh_databases() as prefix, served(couch, prefix) as name:
        call_command("prepare", stdout=StringIO())
        before = settings.COUCHDB_URL
        with override_settings(COUCHDB_URL=before.replace("p%2Fw", "changed")):
            call_command("prepare", stdout=StringIO())
        with override_settings(COUCHDB_URL=before.replace(name, f"{name}-2")):
            out = StringIO()
            call_command("prepare", remove_user=name, stdout=out)

            assert f"user {name} is removed" in out.getvalue()
            assert couch_repository(FRUITS).count() == 0
            with pytest.raises(CommandError, match="is the user of COUCHDB_URL"):
                call_command("prepare", remove_user=f"{name}-2", stdout=StringIO())
        assert Server(settings.COUCHDB_URL).request("GET", "_session")[0] == 401


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
