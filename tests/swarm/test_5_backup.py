"""Saved while it sells, destroyed altogether, and put back: the same shop."""

from __future__ import annotations

import hashlib
import time

import pytest

from tests.swarm.stack import EMAIL, PASSWORD
from tests.swarm.test_3_steady import settled
from tests.swarm.visitor import WORD, Visitor

pytestmark = pytest.mark.swarm

SAME = ("orders", "payments", "stock", "accounts", "carts", "catalog")
# What moves on by itself: which state a relay or a lease is in is no part of what was sold.
PASSING = {"_rev", "lease", "leased_until", "published_seq"}


def kept(stack) -> dict[str, dict[str, dict]]:
    """Every document by database and id, without what changes by itself."""
    return {
        database: {
            document["_id"]: {name: value for name, value in document.items() if name not in PASSING}
            for document in stack.documents(database)
        }
        for database in SAME
    }


def pictures(stack) -> dict[str, str]:
    """Return a hash of each product's largest picture."""
    client, found = stack.client(), {}
    for good in stack.goods:
        product = client.get(f"/api/catalog/products/{good['slug']}").json
        path = product["images"][0]["renditions"][-1]["url"].removeprefix(stack.url)
        answer = client.get(path)
        assert answer.status == 200, f"{path}: {answer.status}"
        found[path] = hashlib.sha256(answer.body).hexdigest()
    return found


@pytest.fixture(scope="module")
def saved(stack, out, figures):
    """Return the shop as it was, in a file; and the shop made anew, empty."""
    records = out / "backup.jsonl"
    records.write_text("")
    visitor = Visitor(stack, records)
    time.sleep(5)  # events arrive
    # What was ordered while Redis was away is mailed by and by.
    unsent = lambda: [order for order in stack.documents("orders") if order.get("mail_due")]  # noqa: E731
    stack.until(lambda: not unsent(), 90, "every mail to be sent")
    before, seen = kept(stack), pictures(stack)
    file = out / "shop.tar"
    file.unlink(missing_ok=True)
    began = time.monotonic()
    stack.swarm("backup", TO=str(file))
    figures.put("backup, s", round(time.monotonic() - began, 1))
    figures.put("backup, MB", round(file.stat().st_size / 1e6, 1))
    return visitor, before, seen, file


def test_a_backup_restored_into_an_empty_stack_is_the_same_shop(stack, saved, figures, out):
    _, before, seen, file = saved
    stack.swarm("undeploy", DATA="delete")
    assert stack.cluster.services() == {}
    assert stack.docker().volumes.list(filters={"name": f"{stack.given['STACK']}_"}) == []
    stack.swarm("deploy")
    stack.without_autoscaler()
    stack.trust()
    stack.wait_for("ok")
    assert stack.client().get("/api/catalog/products").json["results"] == []
    began = time.monotonic()

    stack.swarm("restore", FROM=str(file))

    stack.wait_for("ok")
    figures.put("restore and reconcile, s", round(time.monotonic() - began, 1))
    after = kept(stack)
    for database in SAME:
        assert after[database].keys() >= before[database].keys(), database
    for database in ("orders", "payments", "accounts", "carts"):
        assert {id: after[database][id] for id in before[database]} == before[database], database
    on_hand = {id: document.get("on_hand") for id, document in before["stock"].items()}
    assert {id: after["stock"][id].get("on_hand") for id in on_hand} == on_hand
    assert pictures(stack) == seen


def test_the_restored_shop_sells_and_its_people_sign_in(stack, saved, out):
    visitor = saved[0]
    records = out / "restored.jsonl"
    records.write_text("")

    signed_in = stack.client().post("/api/auth/token", {"email": visitor.email, "password": WORD})
    staff = stack.client().post("/api/auth/token", {"email": EMAIL, "password": PASSWORD})
    again = Visitor(stack, records)

    assert (signed_in.status, staff.status) == (200, 200)
    mine = stack.client()
    mine.token = signed_in.json["access"]
    assert visitor.number in [one["number"] for one in mine.get("/api/checkout/orders").json["results"]]
    assert again.orders() == ""
    assert settled(stack, [out / "backup.jsonl", records]) == []
