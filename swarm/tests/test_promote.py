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


def test_a_primary_on_a_machine_out_of_reach_is_not_given_up_without_a_word_from_a_person():
    with pytest.raises(Failed, match=r"checkout-couch runs on two, which cannot be reached.*FENCED=yes"):
        promote.refuse_unless_fenced(Small(node="down"), "checkout-couch", sure=False, patience=0)


def test_a_primary_that_runs_and_does_not_answer_is_not_given_up_either():
    with pytest.raises(Failed, match="checkout-couch runs but does not answer"):
        promote.refuse_unless_fenced(Small(), "checkout-couch", sure=False, patience=0)


@pytest.mark.parametrize(
    ("cluster", "sure"),
    [(Small(), True), (Small(node="down"), True), (Small(node="down", task="shutdown"), False)],
)
def test_a_primary_is_given_up_when_it_answers_or_is_gone_or_a_person_says_so(cluster, sure):
    promote.refuse_unless_fenced(cluster, "checkout-couch", sure=sure, patience=0)


def test_a_planned_promotion_loses_nothing_and_says_so():
    found = {"orders": lag(), "payments": lag()}

    assert promote.losses(found, 1000.0) == "Nothing was lost: 0 documents, 0 seconds."


def test_of_an_unplanned_one_the_time_since_the_last_replicated_write_is_told():
    found = {"orders": lag(None, 995.0), "payments": lag(None, None)}

    assert promote.losses(found, 1000.0).endswith("that was ago: orders 5 s, payments never.")


def test_a_standby_tells_how_far_it_is():
    lines = standby.told({"orders": lag(3, None), "payments": lag(None, None, "crashing")})

    assert lines == [
        "orders: running, 3 documents behind, never written",
        "payments: crashing, how far behind is not known, never written",
    ]
