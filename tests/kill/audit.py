"""The auditor: is anything lost, charged twice, oversold or stuck? It shares no code with the services.

    python -m tests.kill.audit --couch URL --records records.jsonl --supplied '{"SKU": 100}'

It reads the databases over HTTP, the payment provider's ledger among them, and the buyers' own records, and
checks the invariants of docs/checkout.md by their numbers. Standard library only. Exit code 1 when something
is wrong.

A record is one line of JSON: `{"what": "order", "key", "lines", "status", "body"}` for each answer that a
buyer got, or `{"what": "cart", "id", "lines"}` for a cart that was left alone.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import urllib.parse
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Document = dict[str, Any]
GRACE = timedelta(seconds=60)
ACKNOWLEDGED = (201, 202)


@dataclass
class Evidence:
    """Everything that the auditor looks at."""

    orders: dict[str, Document]
    payments: dict[str, list[Document]]
    stock: dict[str, Document]
    carts: dict[str, Document]
    purchases: dict[tuple[str, str], int]
    heard: dict[str, Document]
    conflicts: list[str]
    records: list[Document]
    supplied: dict[str, int]
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def answers(self) -> list[Document]:
        return [record for record in self.records if record["what"] == "order"]

    @property
    def acknowledged(self) -> list[Document]:
        return [record for record in self.answers if record["status"] in ACKNOWLEDGED]


def sold_and_held(evidence: Evidence) -> Iterator[str]:
    """Check invariant 1: per SKU, reserved plus sold never exceeds what was supplied.

    Nothing is negative, and nothing is missing.
    """
    sold: Counter[str] = Counter()
    for order in evidence.orders.values():
        if order["status"] == "confirmed":
            for line in order["lines"]:
                sold[line["sku"]] += line["quantity"]
    for sku, supplied in evidence.supplied.items():
        stock = evidence.stock.get(sku)
        if stock is None:
            yield f"1: {sku} has no stock document"
            continue
        held = sum(hold["quantity"] for hold in stock["reservations"].values())
        if stock["on_hand"] + sold[sku] != supplied:
            yield f"1: {sku}: on hand {stock['on_hand']} + sold {sold[sku]} is not {supplied} (held {held})"
        if stock["on_hand"] < held or stock["on_hand"] < 0:
            yield f"1: {sku}: {held} held of {stock['on_hand']}"


def all_are_final(evidence: Evidence) -> Iterator[str]:
    """2. Every acknowledged order is final, and one that was answered 201 is confirmed."""
    for record in evidence.acknowledged:
        order = evidence.orders.get(record["body"]["number"])
        if order is None:
            continue  # 5 says so
        if order["status"] == "pending":
            yield f"2: {record['body']['number']} is still pending: {order.get('trouble')}"
        if record["status"] == 201 and order["status"] != "confirmed":
            yield f"2: {record['body']['number']} was answered 201 and is {order['status']}"
    for number, order in evidence.orders.items():
        if order["status"] == "pending" or (order.get("undoing") and order["status"] == "confirmed"):
            yield f"2: {number} is half-way: {order['status']} {order.get('undoing')} {order.get('trouble')}"
        if order["status"] == "confirmed" and not (order["committed"] and order["settled"]):
            yield f"2: {number} is confirmed and not finished: {order.get('trouble')}"


def money_fits(evidence: Evidence) -> Iterator[str]:
    """Check invariant 3: at most one capture per order.

    What is left of it is the total less the refunds, nothing when cancelled.
    """
    for number, order in evidence.orders.items():
        entries = evidence.payments.get(number, [])
        captures = [entry for entry in entries if entry["captured"]]
        if len(captures) > 1:
            yield f"3: {number} was charged {len(captures)} times"
        left = sum(entry["captured"] - sum(entry["refunds"].values()) for entry in entries)
        back = [refund for refund in order["refunds"] if not refund.get("failure")]
        refunds = sum(refund["amount"]["amount"] for refund in back)
        due = order["totals"]["total"]["amount"] - refunds if order["status"] == "confirmed" else 0
        if left != due and order["status"] != "pending":
            yield f"3: {number} is {order['status']}: {left} is held of the buyer's money, {due} is due"
    for number in evidence.payments.keys() - evidence.orders.keys():
        yield f"3: a payment for {number}, which does not exist"


def one_order_per_key(evidence: Evidence) -> Iterator[str]:
    """4. One order per key, and identical answers."""
    by_key: dict[str, list[Document]] = defaultdict(list)
    for record in evidence.answers:
        if record["status"] in (200, 201, 202, 402) or record["body"].get("type") in (
            "out-of-stock",
            "cart-claimed",
        ):
            by_key[record["key"]].append(record)
    numbers: Counter[str] = Counter()
    for key, records in by_key.items():
        told = {
            json.dumps([record["status"], _lasting(record["body"])], sort_keys=True) for record in records
        }
        if len(told) > 1:
            yield f"4: key {key} got {len(told)} answers: {sorted(told)[:2]}"
        numbers.update({record["body"]["number"] for record in records if "number" in record["body"]})
    yield from (f"4: {number} was answered to {count} keys" for number, count in numbers.items() if count > 1)


def nothing_is_lost(evidence: Evidence) -> Iterator[str]:
    """5. No acknowledged order or cart line is lost."""
    for record in evidence.acknowledged:
        order = evidence.orders.get(record["body"]["number"])
        if order is None:
            yield f"5: {record['body']['number']} was answered {record['status']} and is gone"
        elif {line["sku"]: line["quantity"] for line in order["lines"]} != record["lines"]:
            yield f"5: {record['body']['number']} has other lines than were ordered"
    for record in evidence.records:
        if record["what"] == "cart":
            cart = evidence.carts.get(record["id"], {"lines": []})
            there = {line["seen"]["sku"]: line["quantity"] for line in cart["lines"]}
            if there != record["lines"]:
                yield f"5: cart {record['id']} holds {there}, not {record['lines']}"


def facts_took_effect_once(evidence: Evidence) -> Iterator[str]:
    """Check invariant 6: each event takes effect once per subscriber.

    logs count a purchase per line, and the catalogue hears of it.
    """
    for number, order in evidence.orders.items():
        if not any(event["type"] == "order.confirmed" for event in order["events"]):
            continue
        for line in order["lines"]:
            count = evidence.purchases.get((number, line["sku"]), 0)
            if count != 1:
                yield f"6: logs know {count} purchases of {line['sku']} in {number}"
        heard = evidence.heard.get(number, {}).get("quantities", {})
        if sum(heard.values()) != sum(line["quantity"] for line in order["lines"]):
            yield f"6: the catalogue heard {heard} of {number}"


def no_conflicts(evidence: Evidence) -> Iterator[str]:
    """7. No document has _conflicts."""
    yield from (f"7: {id} has conflicts" for id in evidence.conflicts)


def no_stale_reservation(evidence: Evidence) -> Iterator[str]:
    """8. No reservation outlives its expiry by 60 s, nor its order's end, unless the order is pending."""
    for sku, stock in evidence.stock.items():
        for hold_id, hold in stock["reservations"].items():
            order = evidence.orders.get(hold_id.partition(".")[0])
            if order and order["status"] == "pending":
                continue
            late = evidence.now > datetime.fromisoformat(hold["until"]) + GRACE
            state = order["status"] if order else "unknown"
            yield f"8: {sku} is held by {hold_id}, which is {state}{' and long over' if late else ''}"


def nothing_goes_back_twice(evidence: Evidence) -> Iterator[str]:
    """Check invariant 9: no line, shipping or order is paid back beyond what was paid for it.

    What was paid back is not shipped; order and provider agree.
    """
    for number, order in evidence.orders.items():
        back = [refund for refund in order["refunds"] if not refund.get("failure")]
        yield from (f"9: {number}: {finding}" for finding in _paid_back(order, back))
        yield from (f"9: {number}: {finding}" for finding in _sent(order, back))
        known = {refund["id"]: refund["amount"]["amount"] for refund in back}
        for entry in evidence.payments.get(number, []):
            for key, amount in entry["refunds"].items():
                if known.get(key) != amount:
                    yield f"9: {number}: the provider paid {amount} back as {key}, known is {known.get(key)}"


def _paid_back(order: Document, back: list[Document]) -> Iterator[str]:
    """By line, for the shipping and in all; each refund is the sum of its parts."""
    money: Counter[str] = Counter()
    units: Counter[str] = Counter()
    for refund in back:
        parts = [refund.get("shipping", {"amount": 0}), *(line["amount"] for line in refund.get("lines", []))]
        if sum(part["amount"] for part in parts) != refund["amount"]["amount"]:
            yield f"refund {refund['id']} is not the sum of its lines and shipping"
        for line in refund.get("lines", []):
            money[line["sku"]] += line["amount"]["amount"]
            units[line["sku"]] += line["quantity"]
    for line in order["lines"]:
        sku, paid = line["sku"], line["unit_price"]["amount"] * line["quantity"]
        if money.pop(sku, 0) > paid or units.pop(sku, 0) > line["quantity"]:
            yield f"{sku} was paid back beyond what was paid for it"
    yield from (f"{sku} was paid back and never bought" for sku in {*money, *units})
    if sum(refund.get("shipping", {"amount": 0})["amount"] for refund in back) > _total(order, "shipping"):
        yield "shipping was paid back beyond what was paid for it"
    if sum(refund["amount"]["amount"] for refund in back) > _total(order, "total"):
        yield "more was paid back than was paid"


def _sent(order: Document, back: list[Document]) -> Iterator[str]:
    """Parcels in the order of time, each against what had been sent and paid back by then."""
    bought = {line["sku"]: line["quantity"] for line in order["lines"]}
    paid = {line["sku"]: line["unit_price"]["amount"] * line["quantity"] for line in order["lines"]}
    gone: Counter[str] = Counter()
    for parcel in sorted(order.get("shipments", []), key=lambda one: str(one["at"])):
        before = [refund for refund in back if refund["at"] < parcel["at"]]
        refunded: Counter[str] = Counter()
        money: Counter[str] = Counter()
        for line in (line for refund in before for line in refund.get("lines", [])):
            refunded[line["sku"]] += line["quantity"]
            money[line["sku"]] += line["amount"]["amount"]
        for sku, quantity in parcel["lines"].items():
            gone[sku] += quantity
            if gone[sku] + refunded[sku] > bought.get(sku, 0) or 0 < paid.get(sku, 0) <= money[sku]:
                yield f"{sku} was sent although it was sent before or paid back"
        if before and sum(refund["amount"]["amount"] for refund in before) >= _total(order, "total"):
            yield "a parcel left after everything was paid back"


def _total(order: Document, name: str) -> int:
    return int(order["totals"][name]["amount"])


CHECKS = (
    sold_and_held,
    all_are_final,
    money_fits,
    one_order_per_key,
    nothing_is_lost,
    facts_took_effect_once,
    no_conflicts,
    no_stale_reservation,
    nothing_goes_back_twice,
)


def audit(evidence: Evidence) -> list[str]:
    """Return a line for each thing that is wrong; none when all is well."""
    return [finding for check in CHECKS for finding in check(evidence)]


# -- gathering


class Couch:
    """A server of the CouchDB protocol, by its URL with user and password."""

    def __init__(self, url: str, prefix: str = "") -> None:
        parts = urllib.parse.urlsplit(url)
        self._base = f"{parts.scheme}://{parts.hostname}:{parts.port or 5984}"
        word = f"{urllib.parse.unquote(parts.username or '')}:{urllib.parse.unquote(parts.password or '')}"
        self._headers = {"Authorization": "Basic " + base64.b64encode(word.encode()).decode()}
        self._prefix = prefix

    def documents(self, database: str) -> list[Document]:
        url = f"{self._base}/{self._prefix}{database}/_all_docs?include_docs=true&conflicts=true"
        request = urllib.request.Request(url, headers=self._headers)  # noqa: S310 - the operator's own server
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            rows = json.load(answer)["rows"]
        return [row["doc"] for row in rows if row.get("doc") and not row["id"].startswith("_design/")]


def gather(couch: Couch, records: list[Document], supplied: dict[str, int]) -> Evidence:
    """Read all the databases that an order touches."""
    names = ("orders", "payments", "stock", "carts", "catalog", *event_databases(couch))
    found = {name: couch.documents(name) for name in names}
    events = [document for name in names if name.startswith("events") for document in found[name]]
    payments: dict[str, list[Document]] = defaultdict(list)
    for entry in _of(found["payments"], "payment"):
        payments[entry["order_id"].partition(".")[0]].append(entry)
    bought = [event for event in _of(events, "event") if event.get("type_") == "purchase"]
    return Evidence(
        orders=_by_id(found["orders"], "order"),
        payments=dict(payments),
        stock=_by_id(found["stock"], "stock"),
        carts=_by_id(found["carts"], "cart"),
        purchases=Counter((event["data"]["order"], event["data"]["sku"]) for event in bought),
        heard=_by_id(found["catalog"], "purchase"),
        conflicts=[doc["_id"] for docs in found.values() for doc in docs if doc.get("_conflicts")],
        records=records,
        supplied=supplied,
    )


def event_databases(couch: Couch) -> list[str]:
    """One for each month, by the document in `rollups` that lists them."""
    known = [doc for doc in couch.documents("rollups") if doc["_id"] == "registry:months"]
    months = [f"events-{month}" for doc in known for month in doc["months"]]
    return months + ["events" for doc in known if doc.get("legacy")]


def read_records(files: Iterable[Path]) -> list[Document]:
    """Return a line that a killed buyer did not finish is no record."""
    records = []
    for file in files:
        for line in file.read_text().splitlines():
            if line.endswith("}"):
                records.append(json.loads(line))
    return records


def _of(documents: list[Document], kind: str) -> list[Document]:
    return [document for document in documents if document.get("type") == kind]


def _by_id(documents: list[Document], kind: str) -> dict[str, Document]:
    return {document["_id"].partition(":")[2]: document for document in _of(documents, kind)}


def _lasting(body: Document) -> Document:
    return {name: value for name, value in body.items() if name != "request_id"}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--couch", required=True, help="URL with user and password")
    parser.add_argument("--prefix", default="", help="put before each database's name")
    parser.add_argument("--records", nargs="*", type=Path, default=[], help="JSON lines of the buyers")
    parser.add_argument("--supplied", type=json.loads, default={}, help='JSON, {"SKU": units}')
    options = parser.parse_args()
    evidence = gather(Couch(options.couch, options.prefix), read_records(options.records), options.supplied)
    findings = audit(evidence)
    print("\n".join(findings))  # noqa: T201 - a command
    states = Counter(order["status"] for order in evidence.orders.values())
    count = len(evidence.acknowledged)
    print(f"{len(findings)} findings; orders: {dict(states)}; {count} acknowledgements")  # noqa: T201 - as above
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
