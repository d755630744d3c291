"""From counters to samples."""

import pytest

from autoscaling.domain import Cluster, Node, Service, Task
from autoscaling.domain.swarm import Resources
from autoscaling.exposition import Row, read
from autoscaling.services.faults import Faults
from autoscaling.services.measuring import Look, Measuring

NODES = [Node(id="n1", name="a", role="manager", resources=Resources(4, 1 << 33), leader=True)]
LABELS = {"autoscale.enabled": "true"}


def cluster(at, tasks=("t1", "t2")):
    return Cluster(
        at,
        services=[Service("s1", "shop_cart", 7, 2, LABELS), Service("s2", "shop_couch", 3, 1, {})],
        tasks=[Task(task, "s1", "n1", "running", created=900.0, since=905.0) for task in tasks],
        nodes=NODES,
    )


def agent(at, **cpu):
    stamp = "hivemart_container_cpu_seconds_total"
    return {
        stamp: [Row({"service": "shop_cart", "task": task}, value, at) for task, value in cpu.items()],
        "hivemart_node_cpu_seconds_total": [Row({"id": "n1", "node": "a"}, 3 * at, None)],
        "hivemart_node_cpu_cores": [Row({"id": "n1"}, 4, None)],
        "hivemart_node_memory_bytes": [Row({"id": "n1"}, 10, None)],
        "hivemart_node_memory_total_bytes": [Row({"id": "n1"}, 40, None)],
        "hivemart_agent_timestamp_seconds": [Row({"id": "n1"}, at, None)],
    }


def gateway(at, requests, flying=0, errors=0, started=500.0, route="GET /carts/*"):
    labels = f'{{listener="outer",service="cart",route="{route}"}}'
    return read(
        f"hivemart_gateway_timestamp_seconds {at}\nhivemart_gateway_start_time_seconds {started}\n"
        f"hivemart_gateway_requests_total{labels} {requests}\nhivemart_gateway_in_flight{labels} {flying}\n"
        f"hivemart_gateway_errors_total{labels} {errors}\n"
    )


@pytest.fixture
def measuring():
    return Measuring(Faults(), stack="shop", every=2.0)


def take(measuring, at, agents=None, gateways=None, **more):
    return measuring.take(cluster(at, **more), Look(agents or {}, gateways or {}))["s1"]


def test_cpu_is_the_growth_between_the_samples_own_times(measuring):
    take(measuring, 1000, {"a": agent(999.0, t1=50.0, t2=10.0)})

    sample = take(measuring, 1002, {"a": agent(1001.5, t1=51.0, t2=10.5)})

    assert [round(replica.cpu, 3) for replica in sample.replicas] == [0.8, 0.4]  # 1 and 0.5 in 2.5 s, for 2 s
    assert (sample.at, sample.seconds, sample.wanted) == (1002, 2, 2)
    assert all(replica.ready for replica in sample.replicas)


def test_the_first_look_at_a_task_tells_its_mean_since_it_was_made(measuring):
    sample = take(measuring, 1000, {"a": agent(1000.0, t1=50.0)})

    assert [replica.cpu for replica in sample.replicas] == [1.0, None]


def test_a_counter_that_fell_is_no_negative_load(measuring):
    take(measuring, 1000, {"a": agent(1000.0, t1=50.0)})

    sample = take(measuring, 1002, {"a": agent(1002.0, t1=1.0)})

    assert sample.replicas[0].cpu == 0


def test_an_agent_that_is_missing_is_unknown_not_idle_and_said(measuring):
    take(measuring, 1000, {"a": agent(1000.0, t1=50.0)})

    soon = take(measuring, 1004, {"a": None})
    said_at_once = dict(measuring._faults.now)
    late = take(measuring, 1008, {"a": None})

    assert soon.replicas[0].cpu is not None
    assert said_at_once == {}  # one late answer is nothing to wake people for
    assert late.replicas[0].cpu is None
    assert measuring._faults.now == {"node agents": "1 of 1 do not answer", "gateway figures": "none answers"}


def test_arrivals_are_what_was_done_and_what_is_under_way_now(measuring):
    take(measuring, 1000, gateways={"g": gateway(1000.0, 100, flying=5)})

    traffic = take(measuring, 1002, gateways={"g": gateway(1002.0, 120, flying=35, errors=2)}).traffic

    assert traffic == ({"GET /carts/*": 50}, {"GET /carts/*": 20}, 35, 2)


def test_all_gateways_count_together_each_by_its_own_clock(measuring):
    take(measuring, 1000, gateways={"g": gateway(1000.0, 100), "h": gateway(2000.0, 10)})

    traffic = take(measuring, 1002, gateways={"g": gateway(1002.0, 120), "h": gateway(2004.0, 30)}).traffic

    assert traffic.arrived == {"GET /carts/*": 30}  # 20 in 2 s, and 20 in 4 s


def test_a_gateway_that_started_again_counts_from_nothing(measuring):
    take(measuring, 1000, gateways={"g": gateway(1000.0, 100)})

    traffic = take(measuring, 1002, gateways={"g": gateway(1002.0, 8, started=1001.0)}).traffic

    assert traffic.arrived == {"GET /carts/*": 8}


def test_the_first_look_at_a_gateway_that_is_up_for_long_is_neither_a_spike_nor_idle(measuring):
    first = take(measuring, 1000, gateways={"g": gateway(1000.0, 100_000, flying=3)})
    second = take(measuring, 1002, gateways={"g": gateway(1002.0, 100_009, flying=3)})

    assert first.traffic is None
    assert second.traffic == ({"GET /carts/*": 9}, {"GET /carts/*": 9}, 3, 0)


def test_a_look_without_any_answer_does_not_make_the_next_one_idle(measuring):
    take(measuring, 1000, gateways={"g": gateway(1000.0, 100)})

    nothing = take(measuring, 1002)
    after = take(measuring, 1004, gateways={"g": gateway(1004.0, 140)})

    assert nothing.traffic is None
    assert after.traffic.arrived == {"GET /carts/*": 20}  # 40 in 4 s


def test_a_gateways_clock_that_is_put_back_does_not_count_everything_again(measuring):
    take(measuring, 1000, gateways={"g": gateway(1000.0, 100_000)})

    back = take(measuring, 1002, gateways={"g": gateway(400.0, 100_010)})
    after = take(measuring, 1004, gateways={"g": gateway(402.0, 100_030)})

    assert back.traffic is None
    assert after.traffic.arrived == {"GET /carts/*": 20}


def test_an_agents_clock_that_is_put_back_costs_one_sample_and_no_more(measuring):
    take(measuring, 1000, {"a": agent(1000.0, t1=50.0)})
    take(measuring, 1002, {"a": agent(1002.0, t1=51.0)})

    take(measuring, 404, {"a": agent(402.0, t1=51.4)})
    sample = take(measuring, 406, {"a": agent(404.0, t1=51.6)})

    assert round(sample.replicas[0].cpu, 3) == 0.2


def test_an_agent_that_started_again_gives_no_negative_and_no_huge_cpu(measuring):
    take(measuring, 1000, {"a": agent(1000.0, t1=50.0)})

    sample = take(measuring, 1002, {"a": agent(1002.0, t1=0.5)})

    assert sample.replicas[0].cpu == 0


@pytest.mark.parametrize("value", ["inf", "-inf", "-1", "1e308"])
def test_a_number_that_cannot_be_is_no_answer(value):
    with pytest.raises(ValueError, match="not a possible value"):
        read(f"hivemart_gateway_timestamp_seconds {value}\n")


def test_a_number_that_is_said_to_be_unknown_is_left_out():
    assert read("a 1\nb nan\n") == {"a": [Row({}, 1.0, None)]}


def test_when_a_gateway_that_was_there_does_not_answer_nothing_is_known(measuring):
    both = {"g": gateway(1000.0, 100), "h": gateway(1000.0, 100)}
    take(measuring, 1000, gateways=both)

    missing = take(measuring, 1002, gateways={"g": gateway(1002.0, 120), "h": None})
    removed = take(measuring, 1004, gateways={"g": gateway(1004.0, 140)})

    assert missing.traffic is None
    assert removed.traffic.arrived == {"GET /carts/*": 20}


@pytest.mark.parametrize("minutes", [0, 5])
def test_a_gateway_that_is_there_and_mute_is_missed_however_long_and_even_if_it_never_answered(
    measuring, minutes
):
    for at in range(1000, 1002 + 60 * minutes, 2):
        take(measuring, at, gateways={"g": gateway(float(at), at), "mute": None})

    end = 1002 + 60 * minutes
    sample = take(measuring, end, gateways={"g": gateway(float(end), end), "mute": None})
    gone = take(measuring, end + 2, gateways={"g": gateway(end + 2.0, end + 20)})

    assert sample.traffic is None
    assert gone.traffic.arrived == {"GET /carts/*": 20}


@pytest.mark.parametrize("left_out", ["timestamp", "start_time"])
@pytest.mark.parametrize("how", ["absent", "nan"])
def test_what_a_gateway_did_that_does_not_say_when_is_not_known(measuring, left_out, how):
    def odd(at, requests):
        rows, name = gateway(at, requests), f"hivemart_gateway_{left_out}_seconds"
        del rows[name]
        return rows | (read(f"{name} nan\n") if how == "nan" else {})

    take(measuring, 1000, gateways={"g": odd(1000.0, 100)})
    sample = take(measuring, 1002, gateways={"g": odd(1002.0, 120)})
    well = take(measuring, 1004, gateways={"g": gateway(1004.0, 140)})
    after = take(measuring, 1006, gateways={"g": gateway(1006.0, 160)})

    assert (sample.traffic, well.traffic) == (None, None)
    assert after.traffic.arrived == {"GET /carts/*": 20}


def test_cpu_of_more_cores_than_any_machine_has_is_not_known(measuring):
    first = take(measuring, 1000, {"a": agent(1000.0, t1=1e15)})
    take(measuring, 1002, {"a": agent(1002.0, t1=50.0)})
    jump = take(measuring, 1004, {"a": agent(1004.0, t1=1e12)})
    take(measuring, 1006, {"a": agent(1006.0, t1=51.0)})
    well = take(measuring, 1008, {"a": agent(1008.0, t1=51.5)})

    assert [sample.replicas[0].cpu for sample in (first, jump, well)] == [None, None, 0.5]


def test_when_the_managers_clock_is_put_back_old_figures_are_old(measuring):
    take(measuring, 5000, {"a": agent(5000.0, t1=50.0)}, {"g": gateway(5000.0, 100)})
    take(measuring, 5002, {"a": agent(5002.0, t1=51.0)}, {"g": gateway(5002.0, 120)})

    silent = take(measuring, 1000, {"a": None})
    take(measuring, 1007, {"a": None})

    assert silent.replicas[0].cpu is None
    assert measuring._gateways == {}
    assert measuring.nodes == {}
    assert set(measuring._faults.now) == {"node agents", "gateway figures"}


def test_of_a_node_whose_agent_is_gone_no_cpu_is_shown(measuring):
    take(measuring, 1000, {"a": agent(1000.0)})
    take(measuring, 1002, {"a": agent(1002.0)})

    take(measuring, 1004, {"a": None})
    soon = dict(measuring.nodes)
    take(measuring, 1009, {"a": None})

    assert soon["n1"].cpu == 3.0
    assert measuring.nodes == {}


def test_no_gateway_is_no_figures_and_a_service_without_requests_has_none(measuring):
    assert take(measuring, 1000).traffic is None
    for at in (1000, 1002):
        other = gateway(at, 5, route="GET /")
        other["hivemart_gateway_requests_total"][0].labels["service"] = "auth"
        other["hivemart_gateway_in_flight"][0].labels["service"] = "auth"
        sample = take(measuring, at, gateways={"g": other})

    assert sample.traffic == ({}, {}, 0, 0)


def test_only_what_has_the_label_is_measured(measuring):
    assert list(measuring.take(cluster(1000), Look({}, {}))) == ["s1"]


def test_a_nodes_own_cpu_is_kept_for_the_page(measuring):
    take(measuring, 1000, {"a": agent(1000.0)})
    take(measuring, 1002, {"a": agent(1002.0)})

    assert measuring.nodes["n1"].cpu == 3.0
    assert measuring.nodes["n1"].cores == 4


def test_a_text_that_is_not_in_the_format_is_refused():
    for text in ("<html>", "a b c d", 'x{y="z" 1', "name", f"x 1 {'9' * 400}"):
        with pytest.raises(ValueError, match=r"not a metric|could not convert"):
            read(text)
