"""A deploy that failed is repeated: what it left half-made is not taken for done."""

from __future__ import annotations

from typing import Any

import pytest

from swarm.deploy import not_running
from swarm.tests.test_rollout import service, task


class Cluster:
    def __init__(self, replicas: int, *states: str) -> None:
        self._service = {"ID": "id", **service(replicas)}
        ended = {"rejected", "failed"}
        self._tasks = [task(one, desired="shutdown" if one in ended else "running") for one in states]

    def services(self) -> dict[str, Any]:
        return {"couch": self._service}

    def tasks(self) -> dict[str, Any]:
        return {"id": self._tasks}


@pytest.mark.parametrize(
    ("replicas", "states", "down"),
    [
        (1, ["running"], []),
        (1, ["preparing", "running"], []),
        (1, ["preparing", "rejected", "rejected"], ["couch"]),
        (1, [], ["couch"]),
        (0, [], []),
    ],
)
def test_a_database_without_a_running_task_is_deployed_again(replicas, states, down):
    assert not_running(Cluster(replicas, *states), ["couch", "not-there-yet"]) == down
