"""Model files: named by their content, mapped, shared, and never half read."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco.domain import Lists
from reco.model_codec import pack, unpack
from reco.model_files import ModelFiles, content_name

LISTS = Lists(
    similar={"tent": [("torch", 0.5), ("törch", 0.25)], "é": [("tent", 1.0)]},
    together={"tent": [("sofa", 0.5)]},
    trending=[("tent", 3.0)],
    histories={"user:ann": ["tent", "sofa"]},
    tastes={"user:ann": [1.0, 0.5]},
    owned={"user:ann": ["sofa"]},
)
DATA = pack(LISTS)
NAME = content_name(DATA)


def test_the_same_lists_give_the_same_file():
    assert pack(unpack(DATA)) == DATA


@settings(max_examples=30)
@given(st.dictionaries(st.text(max_size=20), st.lists(st.tuples(st.text(max_size=5), st.floats(0, 9)))))
def test_packed_lists_are_unpacked_unchanged(similar):
    lists = unpack(pack(Lists(similar=similar)))

    assert dict(lists.similar) == similar
    assert lists.similar.get("nobody has this one", []) == []


def test_a_product_is_written_once_and_then_is_a_number():
    names = [f"0192f000-aaaa-bbbb-cccc-{number:012d}" for number in range(500)]
    near = {name: [(other, 0.123456) for other in names[:50]] for name in names}

    size = len(pack(Lists(similar=near, together=near, personal=near)))

    assert size < 3 * 500 * (50 * 12 + 12) + 500 * (36 + 8) + 2000


def test_workers_share_one_file_and_fetch_it_once(tmp_path):
    fetched = []
    fetch = lambda: fetched.append(1) or DATA  # noqa: E731

    first, second = ModelFiles(tmp_path).open(NAME, fetch), ModelFiles(tmp_path).open(NAME, fetch)

    assert first == second == LISTS
    assert (len(fetched), [path.name for path in tmp_path.iterdir()]) == (1, [NAME])


def test_a_damaged_copy_on_disk_is_fetched_again(tmp_path):
    (tmp_path / NAME).write_bytes(DATA[:-1])

    assert ModelFiles(tmp_path).open(NAME, lambda: DATA) == LISTS
    assert (tmp_path / NAME).read_bytes() == DATA


@pytest.mark.parametrize("data", [b"", DATA[:5], DATA[:60], DATA[:-1], DATA[:-1] + b"x", b"x" * 100])
def test_a_truncated_or_changed_file_is_refused(tmp_path, data):
    with pytest.raises(ValueError, match="damaged"):
        ModelFiles(tmp_path).open(NAME, lambda: data)

    assert list(tmp_path.iterdir()) == []


def test_readers_of_a_deleted_model_file_continue(tmp_path):
    files = ModelFiles(tmp_path)
    old = files.open(NAME, lambda: DATA)
    for number in range(4):
        data = pack(Lists(trending=[("p", float(number))]))
        files.open(content_name(data), lambda data=data: data)

    assert old == LISTS
    assert (len(list(tmp_path.iterdir())), (tmp_path / NAME).exists()) == (3, False)


def test_abandoned_temporary_files_are_deleted(tmp_path):
    left, written = tmp_path / "a.part-7", tmp_path / "b.part-8"
    left.write_bytes(DATA[:9])
    written.write_bytes(DATA[:9])
    an_hour_ago = time.time() - 3601
    os.utime(left, (an_hour_ago, an_hour_ago))

    ModelFiles(tmp_path).open(NAME, lambda: DATA)

    assert {path.name for path in tmp_path.iterdir()} == {NAME, written.name}


def test_only_existing_keys_of_a_large_table_are_found():
    table = {f"p{number:05d}": [(f"q{number}", 1.0)] for number in range(0, 2000, 2)}
    lists = unpack(pack(Lists(similar=table)))

    assert all(lists.similar[key] == value for key, value in table.items())
    for missing in ("", "p", "p00001", "p01997", "p01999", "z"):
        assert lists.similar.get(missing) is None
