"""Other secrets and variables for running services, in the order that a deploy would write them in."""

from __future__ import annotations

import pytest

from swarm import rolling_update
from swarm.cluster import Failed
from swarm.rolling_update import Change

IDS = {"k_v1": "1", "k_v2": "2", "o_v1": "3", "p_v1": "4", "p_v2": "5"}


def service(env=(), **files):
    """Return a service that has these variables, and these files from these secrets."""
    container = {"Secrets": [reference(file, name) for file, name in files.items()], "Env": list(env)}
    return {"Spec": {"Name": "hivemart_auth", "TaskTemplate": {"ContainerSpec": container}}}


def reference(file, name):
    place = {"Name": file, "UID": "10001", "GID": "10001", "Mode": 0o400}
    return {"SecretName": name, "SecretID": IDS[name], "File": place}


def after(found, change):
    return rolling_update.specification(found, change, IDS)["TaskTemplate"]["ContainerSpec"]


def test_a_file_gets_another_secret_and_keeps_its_owner():
    found = service(couch_password="p_v1", other="o_v1")

    changed = after(found, Change({"couch_password": "p_v2"}))

    assert changed["Secrets"] == [reference("other", "o_v1"), reference("couch_password", "p_v2")]
    assert found == service(couch_password="p_v1", other="o_v1"), "what was read stays as it was"


def test_an_identical_change_makes_no_difference():
    found = service(["A=1"], couch_password="p_v1")

    assert not rolling_update.differs(found, Change({"couch_password": "p_v1"}, {"A": "1"}))
    assert rolling_update.differs(found, Change({"couch_password": "p_v2"}))
    assert rolling_update.differs(found, Change(env={"A": "2"}))


def test_two_files_of_one_secret_are_distinct():
    both = service(signing_keys="k_v1", signing_keys_other="k_v1")

    changed = after(both, Change({"signing_keys": "k_v1", "signing_keys_other": "k_v2"}))

    assert changed["Secrets"] == [reference("signing_keys", "k_v1"), reference("signing_keys_other", "k_v2")]


def test_two_secrets_change_places_and_stay_in_order_of_their_names():
    both = service(signing_keys="k_v1", signing_keys_other="k_v2")

    changed = after(both, Change({"signing_keys": "k_v2", "signing_keys_other": "k_v1"}))

    assert changed["Secrets"] == [reference("signing_keys_other", "k_v1"), reference("signing_keys", "k_v2")]


def test_a_service_without_that_file_is_out_of_date():
    with pytest.raises(Failed, match="hivemart_auth has no secret signing_keys_other: make deploy"):
        after(service(signing_keys="k_v1"), Change({"signing_keys_other": "k_v2"}))


def test_variables_stay_in_the_order_of_their_names():
    changed = after(service(["B=old=er", "C=3"]), Change(env={"B": "x y", "A": "1"}))

    assert changed["Env"] == ["A=1", "B=x y", "C=3"]
