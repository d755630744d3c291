"""A standby follows its primary, tells how far behind it is, and can be left alone, on two real servers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from chassis.couch import CouchError, couch_repository
from chassis.couch.administration import Server
from chassis.couch.connection import as_admin, disconnect
from chassis.testing.couch import CouchServer
from chassis.testing.fruits import FRUITS, Fruit

pytestmark = pytest.mark.integration


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[CouchServer, CouchServer]]:
    """Return a primary, prepared as the service's own, and an empty standby."""
    servers = []
    for name in ("primary", "standby"):
        (tmp_path / name).mkdir()
        servers.append(CouchServer(tmp_path / name))
        servers[-1].start()
    primary, standby = servers
    own = f"http://catalog:own@127.0.0.1:{primary.port}"
    with override_settings(COUCHDB_URL=own, COUCHDB_ADMIN_URL=primary.url):
        call_command("prepare", stdout=StringIO())
        yield primary, standby
    disconnect()
    for server in servers:
        server.stop(kill=True)


def run(verb: str, standby: CouchServer, **options: object) -> tuple[int, str]:
    """Exit code and what was printed."""
    out, code = StringIO(), 0
    try:
        call_command("standby", verb, to=f"127.0.0.1:{standby.port}", stdout=out, **options)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, out.getvalue()


def on(server: CouchServer) -> list[str]:
    with as_admin(server.url):
        return [fruit.id for fruit in couch_repository(FRUITS).find("id", limit=100)]


def add(*ids: str) -> None:
    fruits = couch_repository(FRUITS)
    for id in ids:
        fruits.add(Fruit(id, "apple"))


def test_a_standby_has_everything_soon_and_says_so(pair: tuple[CouchServer, CouchServer]) -> None:
    _, standby = pair
    add("a", "b")

    started, _ = run("start", standby, wait=20)
    add("c")
    code, text = run("status", standby, wait=20)

    assert (started, code, on(standby)) == (0, 0, ["a", "b", "c"])
    assert re.fullmatch(r"fruits: running, nothing is missing, last write \d s ago\n", text)


def test_a_standby_that_is_away_finds_out_what_it_missed(pair: tuple[CouchServer, CouchServer]) -> None:
    _, standby = pair
    add("a")
    run("start", standby, wait=20)
    disconnect()
    standby.stop()
    add(*(f"x{n}" for n in range(30)))
    standby.start()

    code, _ = run("status", standby, wait=30)

    assert (code, len(on(standby))) == (0, 31)


def test_what_is_missing_is_counted_and_dated(pair: tuple[CouchServer, CouchServer]) -> None:
    _, standby = pair
    add("a")
    run("start", standby, wait=20)
    run("stop", standby)
    fruits = couch_repository(FRUITS)
    add("b", "c")
    fruits.save(fruits.get("a"))
    time.sleep(1.1)

    code, text = run("status", standby, json=True)
    lag = json.loads(text)["fruits"]

    assert (code, lag["state"], lag["behind"]) == (1, "not started", 3)
    assert 1.0 < lag["seconds"] < 10


def test_without_its_primary_a_standby_knows_its_last_write(pair: tuple[CouchServer, CouchServer]) -> None:
    primary, standby = pair
    add("a")
    wrote = time.time()
    run("start", standby, wait=20)
    disconnect()
    primary.stop(kill=True)

    _, text = run("status", standby, json=True)
    lag = json.loads(text)["fruits"]

    assert (lag["behind"], abs(lag["last_write"] - wrote) < 1) == (None, True)


def test_a_standby_that_was_left_follows_nobody_also_without_its_primary(
    pair: tuple[CouchServer, CouchServer],
) -> None:
    primary, standby = pair
    add("a")
    run("start", standby, wait=20)
    disconnect()
    primary.stop(kill=True)

    first, again = run("stop", standby)[1], run("stop", standby)[1]

    assert ("follows nobody any more" in first, "followed nobody" in again) == (True, True)
    assert Server(standby.url).request("GET", "_users/org.couchdb.user:catalog-standby")[0] == 404


def test_starting_again_goes_on_where_it_was(pair: tuple[CouchServer, CouchServer]) -> None:
    _, standby = pair
    add("a")
    run("start", standby, wait=20)
    add("b")

    code, _ = run("start", standby, wait=20)

    assert (code, on(standby)) == (0, ["a", "b"])


def test_after_a_promotion_the_roles_change_and_the_old_primary_is_filled_anew(
    pair: tuple[CouchServer, CouchServer],
) -> None:
    primary, standby = pair
    add("a")
    run("start", standby, wait=20)
    run("stop", standby)
    add("lost")  # on the old primary, never replicated
    new = {"COUCHDB_URL": f"http://catalog:own@127.0.0.1:{standby.port}", "COUCHDB_ADMIN_URL": standby.url}
    with override_settings(**new):
        call_command("prepare", stdout=StringIO())
        add("b")
        with pytest.raises(CommandError, match=r"has documents of its own in fruits: --anew deletes them"):
            run("start", primary)
        untouched = on(primary)
        code, _ = run("start", primary, anew=True, wait=20)

    assert (untouched, code) == (["a", "lost"], 0)
    assert on(primary) == on(standby) == ["a", "b"]


def test_the_service_can_use_its_standby_after_prepare(pair: tuple[CouchServer, CouchServer]) -> None:
    _, standby = pair
    add("a")
    run("start", standby, wait=20)
    new = {"COUCHDB_URL": f"http://catalog:own@127.0.0.1:{standby.port}", "COUCHDB_ADMIN_URL": standby.url}
    with override_settings(**new):
        call_command("prepare", stdout=StringIO())

        assert couch_repository(FRUITS).count() == 1
        with pytest.raises(CouchError):
            Server(new["COUCHDB_URL"]).request_ok("GET", "_replicator/standby-fruits")
