"""One file for the backups of all services: whole, or refused before anything is done with it."""

from __future__ import annotations

import json
import tarfile

import pytest

from swarm import archive
from swarm.archive import ArchiveDamaged


@pytest.fixture
def folders(tmp_path):
    """Write what two services' jobs left."""
    made = {}
    for number, name in enumerate(("auth", "cart"), start=1):
        folder = tmp_path / "jobs" / name
        folder.mkdir(parents=True)
        (folder / f"{name}s.jsonl.gz").write_bytes(bytes([number]) * 5000)
        counts = {"databases": {f"{name}s": {"counts": {"documents": number * 10}}}}
        (folder / "manifest.json").write_text(json.dumps(counts))
        made[name] = folder
    return made


@pytest.fixture
def packed(folders, tmp_path):
    file = tmp_path / "shop.tar"
    archive.pack(folders, file, stack="hivemart", at="2026-03-01T12:00:00Z")
    return file


def test_unpack_returns_what_was_packed(packed, folders, tmp_path):
    manifest = archive.unpack(packed, tmp_path / "out")

    assert (manifest.stack, manifest.at) == ("hivemart", "2026-03-01T12:00:00Z")
    assert manifest.services == {"auth": 10, "cart": 20}
    for name, folder in folders.items():
        for file in folder.iterdir():
            assert (tmp_path / "out" / name / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize("kept", [0, 10, 600, 4000, 9000])
def test_a_truncated_archive_is_refused(packed, tmp_path, kept):
    packed.write_bytes(packed.read_bytes()[:kept])

    with pytest.raises(ArchiveDamaged, match="is no whole backup"):
        archive.unpack(packed, tmp_path / "out")


def test_one_changed_byte_is_detected(packed, tmp_path):
    data = bytearray(packed.read_bytes())
    data[data.index(b"\x01" * 100) + 50] ^= 1
    packed.write_bytes(bytes(data))

    with pytest.raises(ArchiveDamaged, match=r"auth/auths\.jsonl\.gz has changed"):
        archive.unpack(packed, tmp_path / "out")


@pytest.mark.parametrize("name", ["../evil", "auth/../../evil", "/evil", "auth/extra", "auth/.hidden"])
def test_unlisted_files_are_refused(packed, tmp_path, name):
    (tmp_path / "evil").write_text("x")
    with tarfile.open(packed, "a") as tar:
        tar.add(tmp_path / "evil", arcname=name)

    with pytest.raises(ArchiveDamaged):
        archive.unpack(packed, tmp_path / "out")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "auth/a/b", ".x/y", "auth/"])
def test_a_listed_path_outside_the_folder_is_refused(tmp_path, name):
    data = b"x"
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    listed = {"stack": "s", "at": "t", "format": 1, "services": {}, "files": {name: [digest, 1]}}
    file = tmp_path / "evil.tar"
    with tarfile.open(file, "w") as tar:
        for entry, content in (("manifest.json", json.dumps(listed).encode()), (name, data)):
            (tmp_path / "content").write_bytes(content)
            tar.add(tmp_path / "content", arcname=entry)

    with pytest.raises(ArchiveDamaged):
        archive.unpack(file, tmp_path / "deep" / "out")
    assert not (tmp_path / "deep" / "evil").exists()


def test_another_file_format_is_refused(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear all")

    with pytest.raises(ArchiveDamaged):
        archive.unpack(tmp_path / "letter.txt", tmp_path / "out")
    with pytest.raises(ArchiveDamaged, match="is not there"):
        archive.unpack(tmp_path / "nowhere.tar", tmp_path / "out")


def test_a_backup_that_fails_leaves_no_file(folders, tmp_path):
    (folders["cart"] / "manifest.json").unlink()

    with pytest.raises(FileNotFoundError):
        archive.pack(folders, tmp_path / "shop.tar", stack="s", at="t")

    assert not list(tmp_path.glob("shop.tar*"))
