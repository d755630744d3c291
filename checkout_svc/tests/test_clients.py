"""What is sent to the siblings, as it goes over the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from chassis.siblings import Sibling
from chassis.siblings.client import transport
from checkout.clients import SiblingCatalog


@dataclass
class Wire:
    """Says yes to everything, and keeps what was asked: path and body."""

    asked: list[tuple[str, Any]] = field(default_factory=list)

    def __call__(self, method, url, *, body, **how):
        self.asked.append((url.partition("/internal")[2], json.loads(body)))
        return 200, {"Content-Type": "application/json"}, b"{}"


@pytest.mark.parametrize(("sold", "more"), [(False, {}), (True, {"sold": True})])
def test_a_release_says_whether_it_was_sold(sold, more):
    wire = Wire()

    with transport.override(wire):
        SiblingCatalog(Sibling("catalog")).release("HM-1", {"TEA": 2, "CUP": 1}, sold=sold)

    lines = [{"sku": "CUP", "quantity": 1}, {"sku": "TEA", "quantity": 2}]
    assert wire.asked == [("/reservations/HM-1/release", {"lines": lines, **more})]
