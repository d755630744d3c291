from __future__ import annotations

import os

from chassis.container import Container


def test_parts_are_built_once_and_at_the_first_use() -> None:
    built: list[int] = []
    container = Container(lambda: built.append(1) or len(built))

    before = list(built)
    answers = [container.get(), container.get()]

    assert (before, answers) == ([], [1, 1])


def test_a_forked_child_builds_its_own_parts() -> None:
    container = Container(os.getpid)
    container.get()
    read, write = os.pipe()

    child = os.fork()
    if child == 0:
        os.write(write, str(container.get()).encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert int(os.read(read, 20)) == child


def test_an_override_holds_for_its_block_and_nests() -> None:
    container = Container(lambda: "real")

    with container.override("outer"):
        with container.override("inner"):
            inner = container.get()
        outer = container.get()

    assert (inner, outer, container.get()) == ("inner", "outer", "real")
