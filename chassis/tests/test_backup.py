"""Backups and what comes back from them, on a real server."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings

from chassis.backup import BadBackup, Blob, Manifest, restore, save
from chassis.couch import couch_repository, open_store
from chassis.couch.administration import Server
from chassis.couch.database_id import instance_id
from chassis.testing.couch import CouchServer, fresh_databases
from chassis.testing.fruits import FRUITS, Fruit

pytestmark = pytest.mark.integration

PNG = bytes(range(256)) * 40


class Pictures:
    """A blob store in memory."""

    def __init__(self, **files: bytes) -> None:
        self.files = dict(files)

    def blobs(self) -> Iterator[Blob]:
        for name, data in self.files.items():
            yield Blob(name, data, "image/webp")

    def put(self, blob: Blob) -> None:
        assert blob.content_type == "image/webp"
        self.files[blob.name] = blob.data


def ask(method: str, path: str, body: Any = None) -> Any:
    return Server(settings.COUCHDB_URL).request_ok(method, f"{settings.COUCHDB_PREFIX}{path}", body)


def everything() -> dict[str, Any]:
    """Return every leaf in a database, with attachments."""
    found = {}
    for change in ask("GET", "fruits/_changes?style=all_docs&conflicts=true")["results"]:
        for leaf in change["changes"]:
            path = f"fruits/{change['id']}?attachments=true&rev={leaf['rev']}"
            document = ask("GET", path)
            for file in document.get("_attachments", {}).values():
                file.pop("revpos")
            found[change["id"], leaf["rev"]] = document
    return found


def fill() -> None:
    """Plain documents, and all that is hard to carry over."""
    call_command("prepare", stdout=StringIO())
    fruits = couch_repository(FRUITS)
    for n in range(40):
        fruits.add(Fruit(f"f{n}", f'Apfel {n} — 苹果 \u2028 \U0001f34e " \\ \x7f'))
    fruits.save(fruits.get("f1"))
    fruits.delete(fruits.get("f2"))
    fruits.attach(fruits.get("f3"), "picture.png", PNG, "image/png")
    losers = [{"_id": "fruit:f4", "_rev": f"1-{n:032x}", "type": "fruit", "n": n} for n in (1, 2)]
    losers[0]["_attachments"] = {
        "note.txt": {"content_type": "text/plain", "data": base64.b64encode(b"lost").decode()}
    }
    ask("POST", "fruits/_bulk_docs", {"docs": losers, "new_edits": False})
    open_store("fruits").put_local("cursor-somebody", {"seq": 7})


def backup_to(folder: Path) -> str:
    out = StringIO()
    call_command("backup", to=folder, stdout=out)
    return out.getvalue()


def restore_from(folder: Path, *, force: bool = False) -> str:
    out = StringIO()
    call_command("restore", folder=folder, force=force, stdout=out)
    return out.getvalue()


def test_what_was_saved_comes_back_to_the_last_leaf(couch: CouchServer, tmp_path: Path) -> None:
    with fresh_databases():
        fill()
        before, first = everything(), instance_id(open_store("fruits"))
        told = backup_to(tmp_path)
    with fresh_databases():
        restore_from(tmp_path)
        after, second = everything(), instance_id(open_store("fruits"))

        assert couch_repository(FRUITS).attachment("f3", "picture.png") == PNG
        assert couch_repository(FRUITS).get("f5").name == 'Apfel 5 — 苹果 \u2028 \U0001f34e " \\ \x7f'
        assert couch_repository(FRUITS).count() == 39
        assert open_store("fruits").get_local("cursor-somebody") is None
    assert after == before
    assert (first == second, ("fruit:f2" in {id for id, _ in after})) == (False, True)
    assert len([id for id, _ in after if id == "fruit:f4"]) == 3
    designs = len(FRUITS.designs())
    assert f"catalog: saved: {39 + designs} documents in 1 databases" in told


def test_a_database_with_documents_is_left_alone_unless_it_is_forced(
    couch: CouchServer, tmp_path: Path
) -> None:
    with fresh_databases():
        fill()
        backup_to(tmp_path)
        couch_repository(FRUITS).add(Fruit("newer", "since the backup"))
        before = everything()
        with pytest.raises(CommandError, match=r"catalog is as it was: .*fruits \(40\).*--force"):
            restore_from(tmp_path)
        kept = everything()
        restore_from(tmp_path, force=True)

        assert kept == before
        assert couch_repository(FRUITS).get_many(["newer"]) == []
        assert couch_repository(FRUITS).count() == 39


@pytest.mark.parametrize("damage", ["cut short", "one byte", "file gone", "no manifest", "other service"])
def test_a_backup_that_is_not_whole_changes_nothing_even_if_forced(
    couch: CouchServer, tmp_path: Path, damage: str
) -> None:
    with fresh_databases():
        fill()
        backup_to(tmp_path)
        file, before = tmp_path / "fruits.jsonl.gz", everything()
        data = file.read_bytes()
        if damage == "cut short":
            file.write_bytes(data[:-7])
        elif damage == "one byte":
            file.write_bytes(data[:90] + bytes([data[90] ^ 1]) + data[91:])
        elif damage == "file gone":
            file.unlink()
        elif damage == "no manifest":
            (tmp_path / "manifest.json").unlink()
        else:
            manifest = tmp_path / "manifest.json"
            manifest.write_text(manifest.read_text().replace('"catalog"', '"reco"'))

        with pytest.raises(CommandError, match="catalog is as it was: no whole backup"):
            restore_from(tmp_path, force=True)

        assert everything() == before


def test_a_second_backup_into_the_same_folder_is_refused(couch: CouchServer, tmp_path: Path) -> None:
    with fresh_databases():
        fill()
        backup_to(tmp_path)

        with pytest.raises(CommandError, match="holds a backup already"):
            backup_to(tmp_path)


def test_a_backup_without_its_database_leaves_no_manifest(couch: CouchServer, tmp_path: Path) -> None:
    with fresh_databases(), pytest.raises(CommandError, match="catalog is not saved"):
        backup_to(tmp_path)

    assert not (tmp_path / "manifest.json").exists()


def test_writes_go_on_while_a_backup_is_read_and_do_not_harm_it(couch: CouchServer, tmp_path: Path) -> None:
    script = (
        "from chassis.testing.fruits import FRUITS; from chassis.couch import couch_repository\n"
        "fruits = couch_repository(FRUITS)\n"
        "def more(fruit): fruit.on_hand += 1\n"
        "for n in range(300): fruits.update('f1', more)\n"
    )
    with fresh_databases() as prefix:
        fill()
        env = {
            "COUCHDB_URL": couch.url, "COUCHDB_PREFIX": prefix, "DJANGO_SETTINGS_MODULE": "sample.settings",
            "PYTHONPATH": f"{Path(__file__).parent}:{Path(__file__).parents[1]}",
        }  # fmt: skip
        command = [sys.executable, "-c", f"import django; django.setup()\n{script}"]
        with subprocess.Popen(command, env=env) as writer:  # noqa: S603 - our own
            folders = [tmp_path / str(n) for n in range(4)]
            for folder in folders:
                backup_to(folder)
            assert writer.wait(60) == 0
    counts = []
    for folder in folders:
        with fresh_databases():
            restore_from(folder)
            counts.append(couch_repository(FRUITS).get("f1").on_hand)

    assert counts == sorted(counts)


def test_files_beside_the_databases_are_saved_too(couch: CouchServer, tmp_path: Path) -> None:
    pictures, lines = Pictures(**{"a/1.webp": PNG, "ü.webp": b""}), []
    with fresh_databases():
        call_command("prepare", stdout=StringIO())
        save(tmp_path, service="catalog", databases=["fruits"], more={"pictures": pictures}, say=lines.append)
        back = Pictures()
        restore(
            tmp_path, service="catalog", more={"pictures": back}, force=False,
            say=lines.append,
        )  # fmt: skip

    assert back.files == pictures.files
    assert "pictures: 2 files are back" in lines


def test_a_backup_of_what_this_version_does_not_know_is_refused(couch: CouchServer, tmp_path: Path) -> None:
    with fresh_databases():
        call_command("prepare", stdout=StringIO())
        save(tmp_path, service="catalog", databases=["fruits"], more={"pictures": Pictures()}, say=str)

        with pytest.raises(BadBackup, match="knows nothing of pictures"):
            restore(tmp_path, service="catalog", more={}, force=True, say=str)


def test_the_manifest_tells_what_is_in_the_files(couch: CouchServer, tmp_path: Path) -> None:
    with fresh_databases():
        fill()
        backup_to(tmp_path)
    part = Manifest.read(tmp_path).databases["fruits"]
    with gzip.open(tmp_path / "fruits.jsonl.gz") as file:
        documents = [json.loads(line) for line in file]

    designs = len(FRUITS.designs())
    wanted = {"documents": 39 + designs, "deleted": 1, "conflicts": 2, "attachments": 2}
    assert part.counts == wanted
    assert len(documents) == 39 + designs + 1 + 2


def test_memory_does_not_grow_with_the_database(couch: CouchServer, tmp_path: Path) -> None:
    with fresh_databases():
        call_command("prepare", stdout=StringIO())
        for start in range(20):
            docs = [{"_id": f"big:{start}-{n}", "text": "x" * 100_000} for n in range(20)]
            ask("POST", "fruits/_bulk_docs", {"docs": docs})
        tracemalloc.start()
        backup_to(tmp_path / "one")
        saving = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        restore_from(tmp_path / "one", force=True)
        restoring = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert saving < 10e6  # of 40 MB
    assert restoring < 30e6


def test_the_service_itself_may_save_what_it_has(couch: CouchServer, tmp_path: Path) -> None:
    with fresh_databases() as prefix:
        own = f"http://saver-{prefix}:pw@127.0.0.1:{couch.port}"
        with override_settings(COUCHDB_URL=own, COUCHDB_ADMIN_URL=couch.url):
            call_command("prepare", stdout=StringIO())
        with override_settings(COUCHDB_URL=own):
            backup_to(tmp_path)

    assert Manifest.read(tmp_path).service == "catalog"


def test_a_restore_can_be_tried_without_touching_anything(couch: CouchServer, tmp_path: Path) -> None:
    with fresh_databases():
        fill()
        backup_to(tmp_path)
        before = everything()
        with pytest.raises(CommandError, match="hold documents"):
            call_command("restore", folder=tmp_path, check=True, stdout=StringIO())
        call_command("restore", folder=tmp_path, check=True, force=True, stdout=StringIO())

        assert everything() == before
    with fresh_databases():
        call_command("prepare", stdout=StringIO())
        ask("PUT", "fruits/registry:made-by-prepare", {})
        call_command("restore", folder=tmp_path, check=True, stdout=StringIO())
