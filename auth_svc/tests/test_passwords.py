"""Tests of Argon2id hashing and its limit of concurrent hashes."""

from __future__ import annotations

import threading

import pytest
from argon2 import extract_parameters

from accounts.passwords import Argon2
from chassis.api.errors import Unavailable


def test_hashes_have_the_cost_of_owasp_and_match_only_the_password() -> None:
    argon = Argon2(slots=2, timeout=5)

    hashed = argon.hash("correct horse")

    cost = extract_parameters(hashed)
    assert (cost.type.name, cost.memory_cost, cost.time_cost, cost.parallelism) == ("ID", 19456, 2, 1)
    assert [argon.verify(text, hashed) for text in ("correct horse", "correct horse ", "")] == [
        True,
        False,
        False,
    ]


def test_verifying_without_a_hash_does_the_work_and_fails() -> None:
    argon = Argon2(slots=2, timeout=5)

    assert [argon.verify(text, "") for text in ("", "no account has this password")] == [False, False]


def test_long_passwords_are_not_cut_short() -> None:
    argon = Argon2(slots=2, timeout=5)
    hashed = argon.hash("x" * 127 + "a")

    assert not argon.verify("x" * 127 + "b", hashed)


def test_without_a_free_slot_the_request_is_503() -> None:
    argon = Argon2(slots=1, timeout=0.01)
    inside, leave = threading.Event(), threading.Event()

    def occupy() -> None:
        argon._with_slot(lambda: (inside.set(), leave.wait(5)))

    thread = threading.Thread(target=occupy)
    thread.start()
    inside.wait(5)

    with pytest.raises(Unavailable) as refused:
        argon.hash("correct horse")

    leave.set()
    thread.join()
    assert refused.value.response_headers() == {"Retry-After": "1"}
