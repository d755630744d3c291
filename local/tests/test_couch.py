"""What the project relies on in the local CouchDB-protocol server; a real CouchDB does the same.

From the 195 operations that the reference compared with CouchDB 3.5, those that our code uses, and the
faults of the stock pouchdb-server that must not come back.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time

import pytest
import requests
from conftest import ROOT

from local import ports
from local.binaries import node_binary

pytestmark = pytest.mark.integration

PASSWORD = "secret"


class Server:
    """The server as a process, and short words to it."""

    def __init__(self, folder):
        self.folder, self.port = folder, ports.free(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self.session = requests.Session()
        self.session.auth = ("admin", PASSWORD)

    def start(self):
        env = {
            **os.environ,
            "COUCH_PORT": str(self.port),
            "COUCH_DIR": str(self.folder),
            "COUCHDB_PASSWORD": PASSWORD,
        }
        self.process = subprocess.Popen(
            [node_binary(), "server.js"], cwd=ROOT / "local" / "couch", env=env, stdout=subprocess.DEVNULL
        )
        for _ in range(200):
            with contextlib.suppress(requests.ConnectionError):
                requests.get(f"{self.url}/_up", timeout=5)
                return
            time.sleep(0.05)
        raise AssertionError("the server did not start")

    def stop(self, number=signal.SIGTERM):
        self.session.close()
        self.process.send_signal(number)
        self.process.wait(10)

    def ask(self, method, path, body=None, **more):
        answer = self.session.request(method, f"{self.url}/{path}", json=body, timeout=20, **more)
        return answer.status_code, answer.json()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("couch"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def db(server, request):
    """Return the name of a new database."""
    name = f"t{abs(hash(request.node.name))}"
    assert server.ask("PUT", name) == (201, {"ok": True})
    yield name
    server.ask("DELETE", name)


@pytest.fixture
def orders(server, db):
    """Thirty orders of three people, with an index on type and day."""
    docs = [
        {
            "_id": f"o{n:02}",
            "type": "order",
            "who": f"u{n % 3}",
            "day": f"2026-01-{n % 28 + 1:02}",
            "total": n,
        }
        for n in range(30)
    ]
    server.ask("POST", f"{db}/_bulk_docs", {"docs": docs})
    server.ask(
        "POST", f"{db}/_index", {"index": {"fields": ["type", "day"]}, "ddoc": "by-day", "name": "by-day"}
    )
    return db


def revision(server, db, id):
    return server.ask("GET", f"{db}/{id}")[1]["_rev"]


# -- databases


@pytest.mark.parametrize("path", ["_all_dbs", "some/doc", "_session"])
def test_only_up_is_public_without_the_password(server, path):
    up = requests.get(f"{server.url}/_up", timeout=5)
    asked = [
        requests.get(f"{server.url}/{path}", timeout=5),
        requests.put(f"{server.url}/anonymous", timeout=5),
        requests.get(f"{server.url}/{path}", auth=("admin", "wrong"), timeout=5),
    ]

    assert up.json() == {"status": "ok"}
    assert [answer.status_code for answer in asked] == [401, 401, 401]
    assert asked[0].json() == {"error": "unauthorized", "reason": "Authentication required."}


def test_a_database_is_made_once(server, db):
    status, answer = server.ask("PUT", db)

    assert (status, answer["error"]) == (412, "file_exists")


def test_a_bad_name_is_refused(server):
    status, answer = server.ask("PUT", "Bad_Name")

    assert (status, answer["error"]) == (400, "illegal_database_name")


def test_a_database_that_is_not_there_is_a_404(server):
    assert server.ask("GET", "nowhere")[0] == 404
    assert server.ask("GET", "nowhere/doc")[0] == 404


def test_a_recreated_database_has_another_instance(server, db):
    first = server.ask("GET", db)[1]["instance_start_time"]
    again = server.ask("GET", db)[1]["instance_start_time"]
    server.ask("DELETE", db)
    server.ask("PUT", db)

    assert first == again
    assert server.ask("GET", db)[1]["instance_start_time"] != first


# -- documents


def test_a_document_is_written_read_changed_and_deleted(server, db):
    created = server.ask("PUT", f"{db}/cart:1", {"n": 1})
    changed = server.ask("PUT", f"{db}/cart:1", {"n": 2, "_rev": created[1]["rev"]})
    read = server.ask("GET", f"{db}/cart:1")
    deleted = server.ask("DELETE", f"{db}/cart:1?rev={changed[1]['rev']}")

    assert (created[0], changed[0], deleted[0]) == (201, 201, 200)
    assert read == (200, {"_id": "cart:1", "_rev": changed[1]["rev"], "n": 2})
    assert server.ask("GET", f"{db}/cart:1") == (404, {"error": "not_found", "reason": "deleted"})


@pytest.mark.parametrize("stale", [{}, {"_rev": "1-abcdefabcdefabcdefabcdefabcdefab"}])
def test_a_write_without_the_current_revision_is_a_conflict(server, db, stale):
    server.ask("PUT", f"{db}/a", {"n": 1})

    assert server.ask("PUT", f"{db}/a", {"n": 2, **stale})[0] == 409
    assert server.ask("GET", f"{db}/a")[1]["n"] == 1


def test_a_stale_delete_is_a_conflict(server, db):
    rev = server.ask("PUT", f"{db}/a", {"n": 1})[1]["rev"]
    server.ask("PUT", f"{db}/a", {"n": 2, "_rev": rev})

    assert server.ask("DELETE", f"{db}/a?rev={rev}")[0] == 409
    assert server.ask("DELETE", f"{db}/a")[0] == 409


def test_one_of_two_concurrent_writers_wins(server, db):
    rev = server.ask("PUT", f"{db}/a", {"n": 0})[1]["rev"]
    results = []

    def write(n):
        url = f"{server.url}/{db}/a"
        answer = requests.put(url, json={"n": n, "_rev": rev}, auth=("admin", PASSWORD), timeout=20)
        results.append(answer.status_code)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == [201] + [409] * 7


def test_a_batch_writes_all_but_those_in_conflict(server, db):
    server.ask("PUT", f"{db}/a", {})

    status, rows = server.ask("POST", f"{db}/_bulk_docs", {"docs": [{"_id": "a"}, {"_id": "b"}]})

    assert status == 201
    assert {row["id"]: row.get("error") for row in rows} == {"a": "conflict", "b": None}  # in any order


def test_many_are_read_at_once_in_the_asked_order_with_the_missing_marked(server, orders):
    _, answer = server.ask("POST", f"{orders}/_all_docs?include_docs=true", {"keys": ["o02", "none", "o01"]})

    assert [row.get("doc", {}).get("total") or row.get("error") for row in answer["rows"]] == [
        2,
        "not_found",
        1,
    ]


def test_a_revision_is_the_documents_etag(server, db):
    server.ask("PUT", f"{db}/a", {})
    rev = revision(server, db, "a")

    answer = server.session.get(f"{server.url}/{db}/a", headers={"If-None-Match": f'"{rev}"'}, timeout=5)

    assert (answer.status_code, answer.headers["ETag"]) == (304, f'"{rev}"')


def test_an_attachment_stays_with_its_document(server, db):
    rev = server.ask("PUT", f"{db}/a", {})[1]["rev"]
    url = f"{server.url}/{db}/a/picture"

    put = server.session.put(
        f"{url}?rev={rev}", data=b"\x89PNG", headers={"Content-Type": "image/png"}, timeout=5
    )
    got = server.session.get(url, timeout=5)

    assert put.status_code == 201
    assert (got.content, got.headers["Content-Type"]) == (b"\x89PNG", "image/png")


def test_a_local_document_keeps_a_cursor_and_is_in_no_feed(server, db):
    made = server.ask("PUT", f"{db}/_local/cursor", {"seq": 7})
    server.ask("PUT", f"{db}/_local/cursor", {"seq": 8, "_rev": made[1]["rev"]})

    assert server.ask("GET", f"{db}/_local/cursor")[1]["seq"] == 8
    assert server.ask("GET", f"{db}/_changes")[1]["results"] == []


@pytest.mark.parametrize(
    ("method", "path", "body"), [("PUT", "a", b"{bad"), ("POST", "_find", b"{bad"), ("POST", "_find", b"[]")]
)
def test_invalid_json_is_refused_and_the_server_keeps_running(server, db, method, path, body):
    answer = server.session.request(
        method,
        f"{server.url}/{db}/{path}",
        data=body,
        headers={"Content-Type": "application/json"},
        timeout=5,
    )

    assert answer.status_code == 400
    assert server.ask("GET", db)[0] == 200


# -- queries


def find(server, db, **query):
    return server.ask("POST", f"{db}/_find", query)


def test_a_query_is_limited_to_25_by_default(server, orders):
    selector = {"type": "order", "day": {"$gt": None}}

    assert len(find(server, orders, selector=selector)[1]["docs"]) == 25
    assert len(find(server, orders, selector=selector, limit=100)[1]["docs"]) == 30


def test_pages_by_bookmark_give_each_document_once(server, orders):
    query = {
        "selector": {"type": "order", "day": {"$gt": None}},
        "sort": [{"type": "desc"}, {"day": "desc"}],
        "limit": 12,
    }
    seen, bookmark = [], None
    while True:
        _, page = find(server, orders, **query, **({"bookmark": bookmark} if bookmark else {}))
        if not page["docs"]:
            break
        seen += [doc["day"] for doc in page["docs"]]
        bookmark = page["bookmark"]

    assert (len(seen), seen) == (30, sorted(seen, reverse=True))


def test_a_sort_without_an_index_or_in_two_directions_is_refused(server, orders):
    selector = {"type": "order", "day": {"$gt": None}}

    without = find(server, orders, selector={"who": "u1"}, sort=[{"who": "asc"}])
    mixed = find(server, orders, selector=selector, sort=[{"type": "asc"}, {"day": "desc"}])

    assert (without[0], without[1]["error"]) == (400, "no_usable_index")
    assert (mixed[0], mixed[1]["error"]) == (400, "unsupported_mixed_sort")


def test_a_bad_bookmark_and_a_bad_operator_are_refused(server, orders):
    assert find(server, orders, selector={"type": "order"}, bookmark="xyz")[1]["error"] == "invalid_bookmark"
    assert find(server, orders, selector={"type": {"$nonsense": 1}})[0] == 400


def test_an_index_is_made_once(server, orders):
    body = {"index": {"fields": ["type", "day"]}, "ddoc": "by-day", "name": "by-day"}

    assert server.ask("POST", f"{orders}/_index", body)[1]["result"] == "exists"


# -- views

BY_PERSON = "function (doc) { if (doc.type === 'order') emit([doc.who, doc.day], doc.total); }"
VIEWS = {
    "views": {
        "total": {"map": BY_PERSON, "reduce": "_sum"},
        "count": {"map": "function (doc) { emit(doc.who, null); }", "reduce": "_count"},
        "stats": {"map": "function (doc) { emit(null, doc.total); }", "reduce": "_stats"},
    }
}


@pytest.fixture
def views(server, orders):
    assert server.ask("PUT", f"{orders}/_design/v", VIEWS)[0] == 201
    return f"{orders}/_design/v/_view"


def test_views_sum_count_and_group(server, views):
    assert server.ask("GET", f"{views}/total")[1]["rows"] == [{"key": None, "value": 435}]
    assert server.ask("GET", f"{views}/count?group=true")[1]["rows"] == [
        {"key": "u0", "value": 10}, {"key": "u1", "value": 10}, {"key": "u2", "value": 10},
    ]  # fmt: skip
    assert server.ask("GET", f"{views}/total?group_level=1")[1]["rows"][0] == {"key": ["u0"], "value": 135}
    assert server.ask("GET", f"{views}/stats")[1]["rows"][0]["value"]["max"] == 29


def test_a_range_of_keys_is_a_range(server, views):
    _, answer = server.ask("GET", f'{views}/total?group_level=1&startkey=["u1"]&endkey=["u1",{{}}]')

    assert answer["rows"] == [{"key": ["u1"], "value": 145}]


def test_rows_go_on_after_a_document(server, views):
    _, answer = server.ask("GET", f'{views}/count?reduce=false&startkey="u1"&startkey_docid=o25&limit=3')

    assert [row["id"] for row in answer["rows"]] == ["o25", "o28", "o02"]


def test_a_view_follows_its_documents(server, views, orders):
    server.ask("PUT", f"{orders}/new", {"type": "order", "who": "u0", "day": "2026-02-01", "total": 1000})

    assert server.ask("GET", f"{views}/total")[1]["rows"][0]["value"] == 1435


@contextlib.contextmanager
def rewriting(server, db, ids):
    """Meanwhile each of those documents is written again and again, by a thread of its own."""
    stop = threading.Event()

    def write(id):
        with requests.Session() as session:
            session.auth = ("admin", PASSWORD)
            document = session.get(f"{server.url}/{db}/{id}", timeout=9).json()
            while not stop.is_set():
                answer = session.put(f"{server.url}/{db}/{id}", json=document, timeout=9)
                document["_rev"] = answer.json()["rev"]

    threads = [threading.Thread(target=write, args=(id,)) for id in ids]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.fixture
def many(server, db):
    """Return a database of two hundred documents with the fields n0 to n9, one for each index to be made."""
    docs = [{"_id": f"d{n:03}", **{f"n{turn}": n for turn in range(10)}} for n in range(200)]
    server.ask("POST", f"{db}/_bulk_docs", {"docs": docs})
    return db


def in_new_view(server, db, turn):
    source = f"function (doc) {{ emit(doc.n{turn}, null) }}"
    server.ask("PUT", f"{db}/_design/view{turn}", {"views": {"v": {"map": source}}})
    return len(server.ask("GET", f"{db}/_design/view{turn}/_view/v")[1]["rows"])


def in_new_index(server, db, turn):
    server.ask("POST", f"{db}/_index", {"index": {"fields": [f"n{turn}"]}, "ddoc": f"i{turn}", "name": "i"})
    query = {"selector": {f"n{turn}": {"$gte": 0}}, "use_index": f"i{turn}", "limit": 500}
    return len(server.ask("POST", f"{db}/_find", query)[1]["docs"])


def in_changes(server, db, turn):
    results = server.ask("GET", f"{db}/_changes")[1]["results"]
    return sum(row["id"].startswith("d") for row in results)


def in_all_docs(server, db, turn):
    rows = server.ask("GET", f"{db}/_all_docs?include_docs=true")[1]["rows"]
    return sum(row["id"].startswith("d") and "n0" in row["doc"] for row in rows)


@pytest.mark.parametrize("count", [in_new_view, in_new_index, in_changes, in_all_docs])
def test_no_document_is_missed_while_it_is_rewritten(server, many, count):
    with rewriting(server, many, ["d003", "d120", "d199"]):
        seen = {count(server, many, turn) for turn in range(10)}

    assert seen == {200}


def test_a_follower_misses_no_change_while_others_write(server, many):
    hot, since, followed = ["d003", "d120", "d199"], 0, {}

    def follow():
        answer = server.ask("GET", f"{many}/_changes?since={since}")[1]
        followed.update({row["id"]: row["changes"][0]["rev"] for row in answer["results"]})
        return answer["last_seq"]

    with rewriting(server, many, hot):
        for n in range(100):
            server.ask("PUT", f"{many}/new{n}", {})
            since = follow()
            assert f"new{n}" in followed
    follow()

    assert len(followed) == 300
    assert {id: followed[id] for id in hot} == {id: revision(server, many, id) for id in hot}


def test_a_view_that_does_not_compile_is_refused(server, db):
    status, answer = server.ask(
        "PUT", f"{db}/_design/bad", {"views": {"v": {"map": "function (doc) { emit( }"}}}
    )

    assert (status, answer["error"]) == (400, "compilation_error")


# -- changes


def test_changes_are_the_last_revision_of_each_document(server, db):
    rev = server.ask("PUT", f"{db}/a", {"n": 1})[1]["rev"]
    server.ask("PUT", f"{db}/a", {"n": 2, "_rev": rev})

    results = server.ask("GET", f"{db}/_changes?include_docs=true")[1]["results"]

    assert [(row["id"], row["doc"]["n"]) for row in results] == [("a", 2)]


def test_changes_by_selector_do_not_kill_the_server(server, orders):
    status, answer = server.ask("POST", f"{orders}/_changes?filter=_selector", {"selector": {"who": "u1"}})

    assert (status, len(answer["results"])) == (200, 10)


def test_a_long_poll_ends_with_the_first_change_or_with_its_time(server, db):
    since = server.ask("GET", db)[1]["update_seq"]
    timer = threading.Timer(
        0.3, lambda: requests.put(f"{server.url}/{db}/a", json={}, auth=("admin", PASSWORD), timeout=5)
    )
    timer.start()
    changed = server.ask("GET", f"{db}/_changes?feed=longpoll&since={since}&timeout=5000")[1]
    timer.join()
    began = time.monotonic()
    empty = server.ask("GET", f"{db}/_changes?feed=longpoll&since={changed['last_seq']}&timeout=500")[1]

    assert [row["id"] for row in changed["results"]] == ["a"]
    assert empty == {"results": [], "last_seq": changed["last_seq"], "pending": 0}
    assert 0.4 < time.monotonic() - began < 2


def test_a_continuous_feed_delivers_at_once_and_beats(server, db):
    url = f"{server.url}/{db}/_changes?feed=continuous&since=now&heartbeat=200&include_docs=true"
    lines = []
    with server.session.get(url, stream=True, timeout=5, headers={"Accept-Encoding": "gzip"}) as feed:
        requests.put(f"{server.url}/{db}/a", json={"n": 1}, auth=("admin", PASSWORD), timeout=5)
        for line in feed.iter_lines(chunk_size=1):
            lines.append(line)
            if len(lines) == 3:
                break

    assert json.loads(next(line for line in lines if line))["doc"]["n"] == 1
    assert b"" in lines


# -- the end


def test_acknowledged_writes_survive_a_kill(tmp_path):
    running = Server(tmp_path)
    running.start()
    running.ask("PUT", "orders")
    instance = running.ask("GET", "orders")[1]["instance_start_time"]
    done = [n for n in range(200) if running.ask("PUT", f"orders/o{n}", {"n": n})[0] == 201]
    running.stop(signal.SIGKILL)
    running.start()

    kept = running.ask("GET", "orders/_all_docs")[1]["total_rows"]
    same = running.ask("GET", "orders")[1]["instance_start_time"]
    running.stop()

    assert (len(done), kept, same) == (200, 200, instance)


def test_frequent_writes_keep_a_document_fast(server, db):
    rev = server.ask("PUT", f"{db}/stock", {"n": 0})[1]["rev"]
    took = []
    for n in range(600):
        began = time.monotonic()
        rev = server.ask("PUT", f"{db}/stock", {"n": n, "_rev": rev})[1]["rev"]
        took.append(time.monotonic() - began)

    assert sorted(took[-100:])[50] < 4 * sorted(took[:100])[50]


def test_without_a_password_it_does_not_start(tmp_path):
    env = {name: value for name, value in os.environ.items() if name != "COUCHDB_PASSWORD"}
    done = subprocess.run(
        [node_binary(), "server.js"], cwd=ROOT / "local" / "couch", env={**env, "COUCH_DIR": str(tmp_path)},
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (
        2,
        "COUCHDB_PASSWORD is not set, nor COUCH_INI to a file with a section [admins]\n",
    )


@pytest.mark.parametrize("damage", ["garbled", "gone"])
def test_damaged_files_are_reported_at_start_with_the_database(tmp_path, damage):
    running = Server(tmp_path)
    running.start()
    running.ask("PUT", "orders")
    while running.ask("GET", "_all_dbs")[1] != ["orders"]:  # the list is written a moment later
        time.sleep(0.02)
    running.stop()
    if damage == "gone":
        shutil.rmtree(tmp_path / "orders")
    else:
        (tmp_path / "orders" / "CURRENT").write_text("garbage")

    env = {
        **os.environ,
        "COUCH_PORT": str(running.port),
        "COUCH_DIR": str(tmp_path),
        "COUCHDB_PASSWORD": PASSWORD,
    }
    done = subprocess.run(
        [node_binary(), "server.js"],
        cwd=ROOT / "local" / "couch",
        env=env,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert done.returncode == 3
    assert f"the data in {tmp_path}/ is damaged: database orders" in done.stderr
