"""What is secret is nowhere to be read, what is internal nowhere to be reached. Under load, as always."""

from __future__ import annotations

import base64
import json

import pytest

from swarm.shop import SERVICES
from tests.swarm import secret_search as search

pytestmark = pytest.mark.swarm

KNOCK = """
import json, os, socket, sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit
own = urlsplit(os.environ.get("COUCHDB_URL", "")).hostname
def open_to(host, port):
    # Whether a CouchDB answers there; a machine's way out may take connections to anywhere.
    try:
        with socket.create_connection((host, port), timeout=1.0) as there:
            there.settimeout(3.0)
            there.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            return b"couch" in there.recv(4000).lower()
    except OSError:
        return False
with ThreadPoolExecutor(32) as pool:  # a name that nobody knows can take ten seconds
    found = pool.map(open_to, sys.argv[1:], [5984] * len(sys.argv))
others = [host for host, there in zip(sys.argv[1:], found) if there]
print(json.dumps({"own": bool(own) and open_to(own, 5984), "others": others}))
"""
WHO = """
import json, os
caps = [line.split()[1] for line in open("/proc/self/status") if line.startswith(("CapEff", "CapPrm"))]
def writes(path):
    try:
        open(path + "/x", "w").close()
        os.unlink(path + "/x")
        return True
    except OSError:
        return False
written = [path for path in ("/", "/app", "/etc", "/venv") if writes(path)]
print(json.dumps({"uid": os.getuid(), "caps": caps, "writes": written}))
"""
FILES = """
import json, os
print(json.dumps(sorted(os.listdir("/run/secrets"))))
"""


def couch_addresses(stack) -> dict[str, list[str]]:
    """Names and addresses under which each CouchDB could be tried."""
    found = {}
    for service in SERVICES:
        name = f"{service}-couch"
        networks = stack.containers(name)[0].attrs["NetworkSettings"]["Networks"].values()
        addresses = [network["IPAddress"] for network in networks if network["IPAddress"]]
        found[service] = [name, f"tasks.{name}", f"{stack.full(name)}", *addresses]
    return found


@pytest.mark.parametrize("service", [*SERVICES, "storefront"])
def test_a_service_opens_its_own_couchdb_and_no_other(stack, load, service):
    addresses = couch_addresses(stack)
    others = [address for owner, each in addresses.items() if owner != service for address in each]

    answer = json.loads(stack.run_in(service, "python", "-c", KNOCK, *others))

    assert len(others) >= 4 * (len(SERVICES) - 1)
    assert answer == {"own": service in SERVICES, "others": []}


def test_the_gateway_and_redis_open_no_couchdb(stack, load):
    addresses = [address for each in couch_addresses(stack).values() for address in each]

    for service in ("gateway", "inner", "health", "redis", "azurite"):
        answer = json.loads(stack.run_in(service, "python3", "-c", KNOCK, *addresses))
        assert answer["others"] == []


def test_a_service_has_its_own_secrets_and_no_others(stack, load):
    found = {
        service: json.loads(stack.run_in(service, "python", "-c", FILES))
        for service in (*SERVICES, "storefront")
    }

    common = {"secret_key", "service_key"}
    stores = common | {"couch_password", "redis_password"}
    assert {name: set(files) for name, files in found.items()} == {
        **dict.fromkeys(SERVICES, stores),
        "auth": stores | {"signing_keys", "signing_keys_other"},
        "catalog": stores | {"azure_connection"},
        "storefront": common,
    }


def test_processes_are_nobody_in_particular_and_cannot_write_to_the_image(stack, load):
    for service in (*SERVICES, "storefront", "gateway", "redis", "azurite"):
        answer = json.loads(stack.run_in(service, "python3", "-c", WHO))
        assert answer["uid"] not in (0, None), service
        assert answer["writes"] == [], service
        assert {int(cap, 16) for cap in answer["caps"]} == {0}, service


def test_nothing_but_the_gateway_is_published_on_the_machine(stack, load):
    published = {
        name: service["Endpoint"].get("Ports", []) for name, service in stack.cluster.services().items()
    }

    ports = {
        name: sorted(port["PublishedPort"] for port in ports) for name, ports in published.items() if ports
    }
    assert ports == {"gateway": sorted(int(stack.given[name]) for name in ("HTTP_PORT", "HTTPS_PORT"))}


def test_no_secret_is_to_be_found_in_what_docker_tells_in_image_layers_or_in_logs(stack, load, figures):
    values = search.values(stack)
    wanted = search.patterns(values.values())
    planted = [b"before ", base64.b64encode(next(iter(values.values()))), b" after"]

    found = {
        "inspect": search.hits([search.told_by_docker(stack)], wanted),
        "layers": search.hits(search.layers(stack), wanted),
        "logs": search.hits(search.logs(stack), wanted),
    }

    figures.put("secrets looked for", len(values))
    figures.put("secret patterns found", found)
    assert len(values) > 20
    assert search.hits(planted, wanted) == 1, "the search itself must find what is there"
    assert found == {"inspect": 0, "layers": 0, "logs": 0}
