"""Argon2id, a few at a time."""

from __future__ import annotations

import threading

import pytest
from argon2 import extract_parameters

from accounts.passwords import Argon2
from chassis.api.errors import Unavailable


def test_hashes_cost_what_owasp_advises_and_only_the_password_fits() -> None:
    argon = Argon2(places=2, patience=5)

    hashed = argon.hash("correct horse")

    cost = extract_parameters(hashed)
    assert (cost.type.name, cost.memory_cost, cost.time_cost, cost.parallelism) == ("ID", 19456, 2, 1)
    assert [argon.verify(text, hashed) for text in ("correct horse", "correct horse ", "")] == [
        True,
        False,
        False,
    ]


def test_nobodys_password_is_never_right_though_it_is_worked_for() -> None:
    argon = Argon2(places=2, patience=5)

    assert [argon.verify(text, "") for text in ("", "no account has this password")] == [False, False]


def test_long_passwords_are_not_cut_short() -> None:
    argon = Argon2(places=2, patience=5)
    hashed = argon.hash("x" * 127 + "a")

    assert not argon.verify("x" * 127 + "b", hashed)


def test_who_finds_no_place_is_told_to_come_back() -> None:
    argon = Argon2(places=1, patience=0.01)
    inside, leave = threading.Event(), threading.Event()

    def occupy() -> None:
        argon._in_place(lambda: (inside.set(), leave.wait(5)))

    thread = threading.Thread(target=occupy)
    thread.start()
    inside.wait(5)

    with pytest.raises(Unavailable) as refused:
        argon.hash("correct horse")

    leave.set()
    thread.join()
    assert refused.value.response_headers() == {"Retry-After": "1"}
