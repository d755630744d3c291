from __future__ import annotations

from swarm import state
from swarm.tests.fake_docker import cluster


def test_the_initial_state_is_empty() -> None:
    assert state.read(cluster()) == {}
    assert state.database_host(cluster(), "auth") == "auth-couch"


def test_written_state_is_read_back_and_older_versions_are_removed() -> None:
    here = cluster()
    state.write(here, {"staff": True})

    state.set_database_host(here, "auth", "auth-standby")

    assert state.read(here) == {"staff": True, "database": {"auth": "auth-standby"}}
    assert [raw["Spec"]["Name"] for raw in here.api.kept["configs"].values()] == ["hivemart_state_v2"]


def test_writing_the_same_changes_nothing() -> None:
    here = cluster()
    state.write(here, {"staff": True})

    state.write(here, {"staff": True})

    assert [raw["Spec"]["Name"] for raw in here.api.kept["configs"].values()] == ["hivemart_state_v1"]


def test_forget_removes_the_state() -> None:
    here = cluster()
    state.write(here, {"staff": True})

    state.forget(here)

    assert here.api.kept["configs"] == {}
