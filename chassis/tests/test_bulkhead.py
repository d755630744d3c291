from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from chassis.bulkhead import Bulkhead, Full


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as made:
        yield made


def test_those_after_the_first_few_of_a_key_may_wait_only_shortly() -> None:
    bulkhead = Bulkhead(2, long=5.0, short=0.1)

    with bulkhead.patience("hot") as first, bulkhead.patience("hot") as second:
        with bulkhead.patience("hot") as third, bulkhead.patience("other") as other:
            pass
        with bulkhead.patience("hot") as later:
            pass

    assert (first, second, third, other, later) == (5.0, 5.0, 0.1, 5.0, 0.1)


def test_nothing_is_kept_of_a_key_that_nobody_wants_also_after_an_error() -> None:
    bulkhead = Bulkhead(1, long=1.0, short=0.01)

    for _ in range(3):
        with pytest.raises(LookupError), bulkhead.alone("key"):
            raise LookupError

    assert bulkhead._keys == {}


def test_a_key_that_everybody_wants_keeps_few_threads_and_other_keys_go_on(
    pool: ThreadPoolExecutor,
) -> None:
    bulkhead, go_on, held = Bulkhead(3, long=5.0, short=0.05), threading.Event(), threading.Event()

    def hold() -> str:
        try:
            with bulkhead.alone("hot"):
                held.set()
                go_on.wait(5)
                return "held"
        except Full:
            return "refused"

    first = pool.submit(hold)
    held.wait(5)
    later = [pool.submit(hold) for _ in range(12)]
    began = time.monotonic()
    while sum(each.done() for each in later) < 10:
        assert time.monotonic() - began < 2.0, "more than two wait"
        time.sleep(0.01)
    with bulkhead.alone("other"):
        waited = time.monotonic() - began
    go_on.set()

    assert first.result(5) == "held"
    assert sorted(each.result(5) for each in later) == ["held"] * 2 + ["refused"] * 10
    assert waited < 2.0


def test_a_thread_may_enter_a_key_that_it_holds() -> None:
    bulkhead = Bulkhead(1, long=1.0, short=0.01)

    with bulkhead.alone("key"), bulkhead.alone("key"):
        pass
