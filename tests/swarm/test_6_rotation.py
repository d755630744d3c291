"""New keys and passwords while it sells; the old ones are good for nothing afterwards."""

from __future__ import annotations

import json
import time

import pytest

from tests.swarm.running import Running, failures
from tests.swarm.stack import EMAIL, PASSWORD

pytestmark = pytest.mark.swarm

ASK = """
import base64, sys, urllib.request, urllib.error
from urllib.parse import urlsplit
where = urlsplit(sys.argv[1])
pair = base64.b64encode(f"{where.username}:{sys.argv[2]}".encode()).decode()
headers = {"Authorization": "Basic " + pair}
asked = urllib.request.Request(f"http://{where.hostname}:5984/carts", headers=headers)
try:
    print(urllib.request.urlopen(asked, timeout=10).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


KEYS = """
import json, urllib.request
with urllib.request.urlopen("http://127.0.0.1:8000/api/auth/.well-known/jwks.json", timeout=10) as answer:
    print(json.dumps([key["kid"] for key in json.load(answer)["keys"]]))
"""


def key_ids(stack) -> set[str]:
    """Of the keys that tokens may be signed with; asked past the gateway, which remembers them."""
    return set(json.loads(stack.run_in("auth", "python", "-c", KEYS)))


def test_the_keys_that_sign_change_without_a_failed_request(stack, figures):
    before, began = key_ids(stack), time.monotonic()
    # Shoppers without accounts: what the old key signed must be refused in the end.
    load = Running(stack, "rotation", seconds=300, rate=10, members=0)

    try:
        stack.swarm("rotate", WHAT="signing", OVERLAP="5")
        figures.put("rotate signing keys, s", round(time.monotonic() - began, 1))
    finally:
        result = load.stop()

    assert failures(load.seen()) == []
    assert result["requests"] > 100
    assert key_ids(stack).isdisjoint(before)
    assert stack.client().post("/api/auth/token", {"email": EMAIL, "password": PASSWORD}).status == 200


def test_the_old_password_of_a_database_is_refused_once_there_is_a_new_one(stack):
    def own() -> tuple[str, str]:
        url = stack.run_in("cart", "printenv", "COUCHDB_URL").decode().strip()
        return url, stack.run_in("cart", "cat", "/run/secrets/couch_password").decode().strip()

    def asked(url: str, password: str) -> int:
        return int(stack.run_in("cart", "python", "-c", ASK, url, password))

    old = own()
    assert asked(*old) == 200

    stack.swarm("rotate", WHAT="database", SERVICE="cart")

    stack.wait_for("ok")
    new = own()
    assert new[1] != old[1]
    assert (asked(*new), asked(*old)) == (200, 401)


def test_a_deploy_afterwards_rolls_nothing(stack):
    before = {name: service["Spec"]["TaskTemplate"] for name, service in stack.cluster.services().items()}

    stack.swarm("deploy")

    stack.without_autoscaler()
    after = {name: service["Spec"]["TaskTemplate"] for name, service in stack.cluster.services().items()}
    assert [name for name in before if after[name] != before[name]] == []
