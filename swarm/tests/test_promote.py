"""What a promotion says and refuses, without a cluster."""

from __future__ import annotations

import pytest

from swarm import promote, standby
from swarm.cluster import Failed


class Small:
    """A cluster of two nodes with one database, as far as fencing looks at it."""

    def __init__(self, *, node="ready", task="running"):
        self._node, self._task = node, task

    def service(self, name):
        return {"ID": "couch", "Spec": {"Name": name}}

    def tasks(self):
        return {"couch": [{"NodeID": "n2", "Status": {"State": self._task}}]}

    def nodes(self):
        return [
            {"ID": "n1", "Status": {"State": "ready"}, "Description": {"Hostname": "one"}},
            {"ID": "n2", "Status": {"State": self._node}, "Description": {"Hostname": "two"}},
        ]


def lag(behind=0, last_write=None, state="running"):
    return {"behind": behind, "seconds": 0.0, "last_write": last_write, "state": state, "error": ""}


def test_an_unreachable_primary_needs_confirmation():
    with pytest.raises(Failed, match=r"checkout-couch runs on two, which cannot be reached.*FENCED=yes"):
        promote.refuse_unless_fenced(Small(node="down"), "checkout-couch", confirmed=False, seconds=0)


def test_a_running_primary_that_does_not_answer_needs_confirmation():
    with pytest.raises(Failed, match="checkout-couch runs but does not answer"):
        promote.refuse_unless_fenced(Small(), "checkout-couch", confirmed=False, seconds=0)


@pytest.mark.parametrize(
    ("cluster", "confirmed"),
    [(Small(), True), (Small(node="down"), True), (Small(node="down", task="shutdown"), False)],
)
def test_promotion_proceeds_when_the_primary_is_reachable_gone_or_confirmed(cluster, confirmed):
    promote.refuse_unless_fenced(cluster, "checkout-couch", confirmed=confirmed, seconds=0)


def test_a_planned_promotion_reports_no_loss():
    found = {"orders": lag(), "payments": lag()}

    assert promote.describe_loss(found, 1000.0) == "Nothing was lost: 0 documents, 0 seconds."


def test_an_unplanned_promotion_reports_the_time_since_the_last_replicated_write():
    found = {"orders": lag(None, 995.0), "payments": lag(None, None)}

    assert promote.describe_loss(found, 1000.0).endswith("that was ago: orders 5 s, payments never.")


def test_replication_lag_is_described():
    lines = standby.describe_lags({"orders": lag(3, None), "payments": lag(None, None, "crashing")})

    assert lines == [
        "orders: running, 3 documents behind, never written",
        "payments: crashing, how far behind is not known, never written",
    ]
