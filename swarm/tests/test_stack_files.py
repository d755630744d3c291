from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from local.data import SERVICES
from swarm import compose, deploy, nodes, variables
from swarm.options import parse
from swarm.secrets import Secrets
from swarm.shop import SCALABLE, WEBS, WITH_STANDBY
from swarm.tests.fake_docker import cluster

AZURE = "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=a2V5;EndpointSuffix=core.windows.net"
STORES = {
    "redis",
    "azurite",
    *(f"{name}-couch" for name in SERVICES),
    *(f"{name}-standby" for name in WITH_STANDBY),
}
GATEWAYS = {"gateway", "inner", "health"}
WITH_THE_SOCKET = {"node-agent", "docker-proxy"}
IMAGES = {
    name: f"hivemart-{name}:1" for name in (*WEBS, "gateway", "couch", "azurite", "valkey", "autoscale")
}


@cache
def stack(**given: str) -> dict[str, Any]:
    """Return the stack as these options make it on an empty Swarm."""
    options = parse({"COUCHDB_IMAGE": "stand-in", **given})
    here = type(cluster())(cluster().docker, options)
    Secrets(here).ensure()
    values = variables.make(here, IMAGES)
    return compose.load(deploy.files(options), values)


SERVICES_OF_THE_STACK = sorted(stack()["services"])


@pytest.mark.parametrize("name", SERVICES_OF_THE_STACK)
def test_every_service_is_confined_and_limited(name: str) -> None:
    service = stack()["services"][name]

    root_needed = name in WITH_THE_SOCKET
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["user"].split(":")[0] != "0" or root_needed
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    assert set(service["deploy"]["resources"]) == {"limits", "reservations"}
    assert service["deploy"]["endpoint_mode"] == "dnsrr"
    assert service["deploy"]["restart_policy"]["condition"] == "any"
    assert service["deploy"]["update_config"]["failure_action"] == "rollback"


@pytest.mark.parametrize("name", SERVICES_OF_THE_STACK)
def test_no_service_has_a_secret_twice(name: str) -> None:
    """Docker's client puts equals in any order, so that a deploy would roll the service for nothing."""
    document = stack()
    secrets = [each["source"] for each in document["services"][name].get("secrets", [])]

    named = [document["secrets"][source]["name"] for source in secrets]

    assert len(named) == len(set(named))


@pytest.mark.parametrize("name", SERVICES_OF_THE_STACK)
def test_no_value_of_a_secret_is_in_a_stack_file(name: str) -> None:
    service = stack()["services"][name]

    secret_variables = [key for key in service.get("environment", {}) if "PASSWORD" in key or "KEY" in key]
    assert [key for key in secret_variables if not key.endswith(("_FILE", "_KEYS_FILE"))] == []
    assert all(raw["name"].startswith("hivemart_") for raw in stack()["secrets"].values())


@pytest.mark.parametrize("service", SERVICES)
def test_only_a_service_and_what_works_behind_it_reach_its_database(service: str) -> None:
    whole = stack()

    there = {name for name, spec in whole["services"].items() if f"{service}-db" in spec["networks"]}

    assert {name.partition("-")[0] for name in there} == {service}
    assert whole["networks"][f"{service}-db"]["internal"] is True


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_only_its_own_secrets(service: str) -> None:
    shared = {"redis_password", "azure_connection"}

    for name, spec in stack()["services"].items():
        if name == service or name.startswith(f"{service}-"):
            sources = {secret["source"] for secret in spec["secrets"]} - shared
            assert {source.partition("_")[0] for source in sources} == {service}


def test_a_store_stops_before_its_successor_starts() -> None:
    orders = {name: spec["deploy"]["update_config"]["order"] for name, spec in stack()["services"].items()}

    first = {name for name, order in orders.items() if order == "stop-first"}

    assert first >= STORES
    assert first & {*WEBS, "inner"} == set()


def test_scalable_services_take_replicas_from_a_variable() -> None:
    text = (compose.STACK / "shop.yml").read_text()

    assert [name for name in SCALABLE if f"${{{variables.upper(name)}_REPLICAS}}" not in text] == []


def test_with_azure_there_is_no_azurite_and_pictures_come_from_there() -> None:
    whole = stack(AZURE_STORAGE_CONNECTION_STRING=AZURE)

    assert "azurite" not in whole["services"]
    media = whole["services"]["gateway"]["environment"]["GATEWAY_MEDIA"]
    assert media == "https://shop.blob.core.windows.net/media"
    assert whole["secrets"]["azure_connection"]["name"] == "hivemart_azure_connection_v1"


def test_tls_off_publishes_one_port() -> None:
    ports = [port["target"] for port in stack(TLS="off")["services"]["gateway"]["ports"]]

    assert ports == [8080]


def test_the_mail_servers_password_goes_to_those_who_send() -> None:
    whole = stack(EMAIL_HOST="mail.example.org", EMAIL_HOST_PASSWORD="hush")

    sources = {
        name
        for name, spec in whole["services"].items()
        if any(secret["source"] == "email_password" for secret in spec.get("secrets", []))
    }

    assert sources == {
        *("auth", "auth-background", "auth-worker"),
        *("checkout", "checkout-background", "checkout-worker"),
    }
    assert "hush" not in str(whole)


def test_a_placed_store_asks_for_the_label_that_deploy_sets() -> None:
    labels = {label for names in nodes.plan(cluster().nodes(), azurite=True).values() for label in names}

    asked = {
        constraint.removeprefix("node.labels.").partition(" ")[0]
        for name, spec in stack()["services"].items()
        for constraint in spec["deploy"].get("placement", {}).get("constraints", [])
        if constraint.startswith("node.labels.") and not name.endswith("-standby")
    }

    assert asked == labels


def test_an_unset_variable_is_an_error() -> None:
    with pytest.raises(compose.Unset, match="AUTH_COUCH_REPLICAS"):
        compose.load([compose.STACK / "data.yml"], {"COUCHDB_IMAGE": "x", "SECRET_AUTH_COUCH_INI": "y"})
