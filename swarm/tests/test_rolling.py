"""Other secrets for running services, as options of `docker service update`."""

from __future__ import annotations

import pytest

from swarm import rolling
from swarm.cluster import Failed


def service(**files):
    """A service that has these files from these secrets."""
    secrets = [
        {"SecretName": name, "File": {"Name": file, "UID": "10001", "GID": "10001", "Mode": 0o400}}
        for file, name in files.items()
    ]
    spec = {"Name": "hivemart_auth", "TaskTemplate": {"ContainerSpec": {"Secrets": secrets}}}
    return {"Spec": spec}


def add(file, name):
    return ["--secret-add", f"source={name},target={file},uid=10001,gid=10001,mode=0400"]


def test_a_file_gets_another_secret_and_keeps_its_owner():
    options = rolling.secrets(service(couch_password="p_v1", other="o_v1"), {"couch_password": "p_v2"})

    assert options == ["--secret-rm", "p_v1", *add("couch_password", "p_v2")]


def test_what_a_service_has_already_changes_nothing():
    assert rolling.secrets(service(couch_password="p_v1"), {"couch_password": "p_v1"}) == []


def test_two_files_of_one_secret_are_told_apart():
    both = service(signing_keys="k_v1", signing_keys_other="k_v1")

    options = rolling.secrets(both, {"signing_keys": "k_v1", "signing_keys_other": "k_v2"})

    assert options == [
        "--secret-rm", "k_v1", *add("signing_keys", "k_v1"), *add("signing_keys_other", "k_v2"),
    ]  # fmt: skip


def test_two_secrets_change_places():
    both = service(signing_keys="k_v1", signing_keys_other="k_v2")

    options = rolling.secrets(both, {"signing_keys": "k_v2", "signing_keys_other": "k_v1"})

    assert options == [
        *("--secret-rm", "k_v1", "--secret-rm", "k_v2"),
        *add("signing_keys", "k_v2"),
        *add("signing_keys_other", "k_v1"),
    ]


def test_a_service_without_that_file_is_out_of_date():
    with pytest.raises(Failed, match="hivemart_auth has no secret signing_keys_other: make deploy"):
        rolling.secrets(service(signing_keys="k_v1"), {"signing_keys_other": "k_v2"})


def test_variables_become_options():
    assert rolling.environment({"A": "1", "B": "x y"}) == ["--env-add", "A=1", "--env-add", "B=x y"]
