from __future__ import annotations

import os

from chassis.wiring import Wiring


def test_parts_are_built_once_and_at_the_first_use() -> None:
    built: list[int] = []
    wiring = Wiring(lambda: built.append(1) or len(built))

    before = list(built)
    answers = [wiring.parts(), wiring.parts()]

    assert (before, answers) == ([], [1, 1])


def test_a_forked_child_builds_its_own_parts() -> None:
    wiring = Wiring(os.getpid)
    wiring.parts()
    read, write = os.pipe()

    child = os.fork()
    if child == 0:
        os.write(write, str(wiring.parts()).encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert int(os.read(read, 20)) == child


def test_an_override_holds_for_its_block_and_nests() -> None:
    wiring = Wiring(lambda: "real")

    with wiring.override("outer"):
        with wiring.override("inner"):
            inner = wiring.parts()
        outer = wiring.parts()

    assert (inner, outer, wiring.parts()) == ("inner", "outer", "real")
