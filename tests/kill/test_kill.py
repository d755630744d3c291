"""kill -9 under load: 8 buyers for 30 s, one process killed after 10 s, and the auditors find nothing.

They look at orders, and at what lists, search, prices and availability show.

`KILL=checkout,couch` chooses which processes, `KILL_SECONDS=30` how long each is bought from.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import ports
from tests.client import Staff
from tests.conftest import Shop
from tests.kill.audit import Couch, Evidence, audit, gather, read_records
from tests.kill.audit_catalog import findings_of, getter
from tests.kill.buyers import Buyers

pytestmark = pytest.mark.kill

SECONDS = float(os.environ.get("KILL_SECONDS", "30"))
SETTLED_WITHIN = 60.0
EVERY = [
    "couch",
    "checkout",
    "catalog",
    "cart",
    "auth",
    "logs",
    "reco",
    "storefront",
    "gateway",
    "valkey",
    "checkout-background",
    "catalog-background",
    "cart-background",
    "auth-background",
    "logs-background",
    "reco-background",
    "checkout-worker",
    "auth-worker",
    "catalog-worker",
    "reco-worker",
]
TARGETS = [name for name in os.environ.get("KILL", "").split(",") if name] or EVERY


class Store:
    """A shop with a few things on its shelves, and what was ever put there."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.supplied: dict[str, int] = {}
        self.records: list[Path] = []

    def stock(self, units: list[int]) -> None:
        staff = self._staff()
        for on_hand in units:
            _, sku = staff.product(on_hand=on_hand)
            self.supplied[sku] = on_hand

    def _staff(self) -> Staff:
        """Wait for the administrator's role, which comes just after the shop has become ready."""
        for _ in range(100):
            with contextlib.suppress(AssertionError):
                staff = self.shop.staff()
                if staff.get("/api/checkout/orders?status=pending").status == 200:
                    break
            time.sleep(0.3)
        staff.post("/api/catalog/categories", {"slug": "games", "title": "Games"})
        return staff

    def buyers(self, seed: int) -> Buyers:
        file = self.shop.data / f"records-{uuid.uuid4().hex[:6]}.jsonl"
        file.touch()
        self.records.append(file)
        return Buyers(self.shop.url, list(self.supplied), file, seed=seed)

    def catalog_findings(self) -> list[str]:
        """Return where lists, search and pages differ from the documents."""
        return findings_of(Couch(self.shop.run["couchdb_url"]), getter(self.shop.url))

    def evidence(self) -> Evidence:
        return gather(Couch(self.shop.run["couchdb_url"]), read_records(self.records), self.supplied)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    kept = os.environ.get("SHOP_DATA")
    data = Path(kept) if kept else Path(tempfile.mkdtemp(prefix="kill-"))
    shop = Shop(data, ports.free(1)[0], SEED="none")
    try:
        shop.start()
        store = Store(shop)
        store.stock([2000, 2000, 2000, 2000, 40])
        yield store
    finally:
        shop.stop()
        if not kept:
            shutil.rmtree(data, ignore_errors=True)


@pytest.mark.parametrize("name", TARGETS)
def test_a_killed_process_loses_no_order(store: Store, name: str):
    buyers = store.buyers(TARGETS.index(name))
    buyers.start()
    time.sleep(SECONDS / 3)
    store.shop.kill(name)
    killed = time.monotonic()
    time.sleep(SECONDS * 2 / 3)
    buyers.stop()

    findings, evidence = settled(store, killed + SECONDS * 2 / 3 + SETTLED_WITHIN)

    counts = f"{buyers.orders} orders, {len(evidence.acknowledged)} acknowledgements so far"
    print(f"\n{name}: {counts}, clean {time.monotonic() - killed:.0f} s after the kill")  # noqa: T201 - make test-kill -s
    assert findings == []
    assert buyers.failures == []
    assert buyers.orders > 0


def settled(store: Store, end: float) -> tuple[list[str], Evidence]:
    """Return the findings of the auditors once all is at rest, or when time is up."""
    while True:
        try:
            evidence = store.evidence()
            findings = audit(evidence) + store.catalog_findings()
        except OSError as error:
            findings = [f"the databases cannot be read: {error}"]
        if not findings or time.monotonic() > end:
            return findings, evidence
        time.sleep(1)
