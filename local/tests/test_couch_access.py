"""Users, who may use a database, and replication: what a deployed shop relies on, and a real CouchDB does."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time

import pytest
import requests
from conftest import ROOT
from test_couch import PASSWORD, Server, db, server  # noqa: F401 - fixtures

from local.binaries import node_binary

pytestmark = pytest.mark.integration

OWN = {part: {"names": [], "roles": ["checkout"]} for part in ("admins", "members")}
NO_SERVER_ADMIN = (401, {"error": "unauthorized", "reason": "You are not a server admin."})
NO_ADMIN = (403, {"error": "forbidden", "reason": "You are not a db or server admin."})
NOT_ALLOWED = (403, {"error": "forbidden", "reason": "You are not allowed to access this db."})


class Person:
    """Somebody who is not the administrator."""

    def __init__(self, server, name, password="hush", roles=()):  # noqa: F811, S107 - of a throw-away server
        server.ask("PUT", "_users")
        document = {"name": name, "type": "user", "roles": list(roles), "password": password}
        assert server.ask("PUT", f"_users/org.couchdb.user:{name}", document)[0] == 201
        self.server, self.auth = server, (name, password)

    def ask(self, method, path, body=None):
        answer = requests.request(method, f"{self.server.url}/{path}", json=body, auth=self.auth, timeout=10)
        return answer.status_code, answer.json()


@pytest.fixture
def service(server, db):  # noqa: F811
    """Return a service's own user, whose role administers the database."""
    assert server.ask("PUT", f"{db}/_security", OWN) == (200, {"ok": True})
    return Person(server, f"service-{db}", roles=["checkout"])


@pytest.fixture
def member(server, db):  # noqa: F811
    security = {"admins": {"names": [], "roles": ["boss"]}, "members": {"names": [], "roles": ["reader"]}}
    server.ask("PUT", f"{db}/_security", security)
    return Person(server, f"member-{db}", roles=["reader"])


# -- users


def test_a_users_password_is_hashed_when_it_is_written(server, db):  # noqa: F811
    Person(server, f"ann-{db}", "s3cret")

    stored = server.ask("GET", f"_users/org.couchdb.user:ann-{db}")[1]

    derived = hashlib.pbkdf2_hmac("sha256", b"s3cret", stored["salt"].encode(), stored["iterations"]).hex()
    assert "password" not in stored
    assert (stored["password_scheme"], stored["pbkdf2_prf"]) == ("pbkdf2", "sha256")
    assert stored["derived_key"] == derived


def test_a_session_names_its_user_and_a_wrong_password_is_refused(server, service):  # noqa: F811
    status, session = service.ask("GET", "_session")
    wrong = requests.get(f"{server.url}/_session", auth=(service.auth[0], "wrong"), timeout=5)

    assert (status, session["userCtx"]) == (200, {"name": service.auth[0], "roles": ["checkout"]})
    assert wrong.json() == {"error": "unauthorized", "reason": "Name or password is incorrect."}


def test_a_new_password_counts_at_once_and_a_deleted_user_is_out(server, service):  # noqa: F811
    path = f"_users/org.couchdb.user:{service.auth[0]}"
    assert service.ask("GET", "_session")[0] == 200
    stored = server.ask("GET", path)[1]
    server.ask("PUT", path, stored | {"password": "another"})

    with_the_old = service.ask("GET", "_session")[0]
    service.auth = (service.auth[0], "another")
    with_the_new = service.ask("GET", "_session")[0]
    server.ask("DELETE", f"{path}?rev={server.ask('GET', path)[1]['_rev']}")

    assert (with_the_old, with_the_new, service.ask("GET", "_session")[0]) == (401, 200, 401)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "robot"}, "doc.type must be user"),
        ({"name": "bob"}, "Document ID must be of the form org.couchdb.user:name"),
        ({"roles": "all"}, "doc.roles must be an array of strings"),
        ({"roles": ["_admin"]}, "No system roles (starting with underscore) in users db."),
    ],
)
def test_an_invalid_user_is_refused(server, change, reason):  # noqa: F811
    server.ask("PUT", "_users")
    document = {"name": "eve", "type": "user", "roles": [], "password": "x"} | change

    refused = server.ask("PUT", "_users/org.couchdb.user:eve", document)

    assert refused == (403, {"error": "forbidden", "reason": reason})


# -- who may use a database


def test_a_new_database_is_for_the_server_administrator_only(server, db):  # noqa: F811
    nobody = Person(server, f"nobody-{db}", roles=["checkout"])

    assert server.ask("GET", f"{db}/_security")[1] == {
        "members": {"roles": ["_admin"]},
        "admins": {"roles": ["_admin"]},
    }
    assert nobody.ask("GET", db) == NOT_ALLOWED
    assert nobody.ask("PUT", f"{db}/a", {}) == NOT_ALLOWED


def test_a_databases_administrator_writes_documents_and_views_but_makes_no_databases(service, db):  # noqa: F811
    view = {"views": {"v": {"map": "function (doc) { emit(doc._id); }"}}}

    assert service.ask("PUT", f"{db}/a", {"n": 1})[0] == 201
    assert service.ask("PUT", f"{db}/_design/all", view)[0] == 201
    assert service.ask("GET", f"{db}/_design/all/_view/v")[1]["total_rows"] == 1
    assert service.ask("PUT", "another") == NO_SERVER_ADMIN
    assert service.ask("DELETE", db) == NO_SERVER_ADMIN


@pytest.mark.parametrize("path", ["_users", "_users/_all_docs", "_replicator", "_all_dbs", "_scheduler/docs"])
def test_server_endpoints_are_refused_to_users(service, path):
    assert service.ask("GET", path) == NO_SERVER_ADMIN


def test_a_member_reads_and_writes_documents(member, db):  # noqa: F811
    assert member.ask("PUT", f"{db}/a", {"n": 1})[0] == 201
    assert member.ask("POST", f"{db}/_bulk_docs", {"docs": [{"_id": "b"}]})[0] == 201
    assert member.ask("POST", f"{db}/_find", {"selector": {"n": 1}})[1]["docs"][0]["_id"] == "a"
    assert member.ask("GET", f"{db}/_changes")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "_design/d", {"views": {}}),
        ("PUT", "a", {"_id": "_design/d"}),
        ("POST", "_bulk_docs", {"docs": [{"_id": "_design/d"}]}),
        ("POST", "_index", {"index": {"fields": ["a"]}}),
        ("PUT", "_security", OWN),
        ("PUT", "_local%2F_security", {"security": OWN}),
        ("POST", "_bulk_docs", {"docs": [{"_id": "_local/_security"}]}),
        ("GET", "_local/_security", None),
    ],
)
def test_a_member_makes_no_views_and_gives_no_rights(member, db, method, path, body):  # noqa: F811
    assert member.ask(method, f"{db}/{path}", body) == NO_ADMIN


def test_rights_outlive_a_restart_but_not_their_database(tmp_path):
    running = Server(tmp_path)
    running.start()
    running.ask("PUT", "orders")
    running.ask("PUT", "orders/_security", OWN)
    person = Person(running, "checkout", roles=["checkout"])
    running.stop()
    running.start()
    before = person.ask("PUT", "orders/a", {})[0]
    running.ask("DELETE", "orders")
    running.ask("PUT", "orders")
    after = person.ask("PUT", "orders/a", {})
    running.stop()

    assert (before, after) == (201, NOT_ALLOWED)


@pytest.mark.parametrize(("prf", "named"), [("sha1", ""), ("sha256", ":sha256")])
def test_an_administrator_comes_from_couchdbs_own_ini_file(tmp_path, prf, named):
    key = hashlib.pbkdf2_hmac(prf, b"from a file", b"5a17", 10).hex()
    ini = tmp_path / "admins.ini"
    ini.write_text(f"[couchdb]\nuuid = 1\n; a comment\n[admins]\nadmin = -pbkdf2{named}-{key},5a17,10\n")
    running = Server(tmp_path / "data")
    env = os.environ | {
        "COUCH_PORT": str(running.port), "COUCH_DIR": str(tmp_path / "data"), "COUCH_INI": str(ini),
    }  # fmt: skip
    env.pop("COUCHDB_PASSWORD", None)
    command = [node_binary(), "server.js"]
    with subprocess.Popen(command, cwd=ROOT / "local" / "couch", env=env, stdout=subprocess.PIPE) as process:
        process.stdout.readline()  # says that it is ready
        statuses = [
            requests.get(f"{running.url}/_all_dbs", auth=("admin", password), timeout=5).status_code
            for password in ("from a file", key)
        ]
        process.terminate()

    assert statuses == [200, 401]


# -- replication


@pytest.fixture
def pair(tmp_path):
    """Return a primary and a standby, each with a database `orders`."""
    servers = [Server(tmp_path / name) for name in ("primary", "standby")]
    for running in servers:
        running.start()
        running.ask("PUT", "orders")
    servers[1].ask("PUT", "_replicator")
    yield servers
    for running in servers:
        running.stop()


def place(running, password=PASSWORD):
    basic = {"username": "admin", "password": password}
    return {"url": f"{running.url}/orders", "auth": {"basic": basic}}


def pull(primary, standby, password=PASSWORD):
    wanted = {"source": place(primary, password), "target": place(standby), "continuous": True}
    assert standby.ask("PUT", "_replicator/orders", wanted)[0] == 201


def eventually(question, wanted, seconds=10):
    end = time.monotonic() + seconds
    while (found := question()) != wanted and time.monotonic() < end:
        time.sleep(0.05)
    assert found == wanted


def how_far(standby):
    status, told = standby.ask("GET", "_scheduler/docs/_replicator/orders")
    return (told["state"], told["info"]["changes_pending"]) if status == 200 else status


def test_a_standby_follows_its_primary_after_either_was_unavailable(pair):
    primary, standby = pair
    primary.ask("PUT", "orders/first", {"n": 1})
    pull(primary, standby)
    eventually(lambda: standby.ask("GET", "orders/first")[0], 200)
    eventually(lambda: how_far(standby), ("running", 0))

    primary.stop()
    eventually(lambda: how_far(standby)[0], "crashing")
    standby.stop()
    primary.start()
    standby.start()
    rev = primary.ask("PUT", "orders/second", {"n": 2})[1]["rev"]

    eventually(lambda: standby.ask("GET", "orders/second")[1].get("_rev"), rev)


def test_conflicts_deletions_and_attachments_arrive(pair):
    primary, standby = pair
    docs = [{"_id": "a", "_rev": f"1-{letter * 32}", "from": letter} for letter in "ab"]
    primary.ask("POST", "orders/_bulk_docs", {"docs": docs, "new_edits": False})
    gone = primary.ask("PUT", "orders/gone", {})[1]["rev"]
    primary.ask("DELETE", f"orders/gone?rev={gone}")
    requests.put(
        f"{primary.url}/orders/pic/file.png", data=b"\x00\xff", auth=("admin", PASSWORD),
        headers={"Content-Type": "image/png"}, timeout=5,
    )  # fmt: skip
    pull(primary, standby)

    eventually(lambda: standby.ask("GET", "orders/pic")[0], 200)
    pic = requests.get(f"{standby.url}/orders/pic/file.png", auth=("admin", PASSWORD), timeout=5)

    assert standby.ask("GET", "orders/a?conflicts=true")[1]["_conflicts"] == [f"1-{'a' * 32}"]
    assert standby.ask("GET", "orders/gone")[1]["reason"] == "deleted"
    assert (pic.content, pic.headers["content-type"]) == (b"\x00\xff", "image/png")


def test_a_replication_ends_with_its_document_and_hides_passwords(pair):
    primary, standby = pair
    pull(primary, standby)
    told = standby.ask("GET", "_scheduler/docs")[1]["docs"][0]
    rev = standby.ask("GET", "_replicator/orders")[1]["_rev"]
    standby.ask("DELETE", f"_replicator/orders?rev={rev}")
    eventually(lambda: how_far(standby), 404)
    primary.ask("PUT", "orders/later", {})
    time.sleep(0.5)

    assert (told["doc_id"], told["source"]) == ("orders", f"{primary.url}/orders")
    assert standby.ask("GET", "orders/later")[0] == 404


def test_a_replication_with_a_wrong_password_says_so(pair):
    primary, standby = pair
    pull(primary, standby, password="wrong")

    eventually(lambda: how_far(standby)[0], "crashing")
    told = standby.ask("GET", "_scheduler/docs/_replicator/orders")[1]
    assert told["info"]["error"] == "Name or password is incorrect."


# -- one pass over a database


def test_changes_come_one_on_a_line_with_every_leaf_and_attachment(server, db):  # noqa: F811
    docs = [{"_id": "a", "_rev": f"1-{letter * 32}"} for letter in "ab"]
    server.ask("POST", f"{db}/_bulk_docs", {"docs": docs, "new_edits": False})
    file = {"content_type": "text/plain", "data": "aGVsbG8="}
    server.ask("PUT", f"{db}/b", {"_attachments": {"f": file}})

    query = "include_docs=true&attachments=true&style=all_docs"
    text = server.session.get(f"{server.url}/{db}/_changes?{query}", timeout=5).text

    lines = text.splitlines()
    assert lines[0] == '{"results":['
    assert f'"changes":[{{"rev":"1-{"a" * 32}"}},{{"rev":"1-{"b" * 32}"}}]' in lines[1]
    assert '"data":"aGVsbG8="' in lines[2]
    assert lines[-1].startswith('"last_seq":')
    assert lines[-1].endswith(',"pending":0}')
