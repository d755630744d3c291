"""The loop's behaviour, on a fake Swarm; the same on this machine's, with `-m swarm`."""

import threading
import time
from itertools import pairwise

import pytest
from benches import STACK, FakeBench, RealBench

from autoscaling.policy import Decision
from autoscaling.services import History
from autoscaling.services.journal import Journal

KINDS = [pytest.param(FakeBench, id="fake"), pytest.param(RealBench, id="real", marks=pytest.mark.swarm)]


@pytest.fixture(params=KINDS)
def bench(request, tmp_path):
    with request.param(tmp_path).running() as made:
        yield made


@pytest.fixture
def fake(tmp_path):
    with FakeBench(tmp_path).running() as made:
        yield made


def test_a_decision_is_applied_and_recorded_with_its_inputs(bench):
    made = bench.make(3)

    assert made.outcome() == "applied"
    assert bench.replicas() == 3
    (record,) = made.journal
    assert {name: record[name] for name in ("service", "mode", "from", "to", "outcome", "tasks", "rule")} == {
        "service": "web", "mode": "act", "from": 2, "to": 3, "outcome": "applied", "tasks": 2, "rule": "told",
    }  # fmt: skip
    assert made.told == [record]


def test_what_is_wanted_already_is_not_written(bench):
    made = bench.make(2)

    assert [made.outcome() for _ in range(3)] == ["none"] * 3
    assert made.told == []


def test_two_autoscalers_never_apply_one_decision_twice(bench):
    """Each wants 1 or 4 by the clock, so that both mean the same at the same time."""
    rounds, period = 500, 0.25 if isinstance(bench, FakeBench) else 1.0
    began = time.monotonic()

    def want(sample):
        return 4 if int((time.monotonic() - began) / period) % 2 else 1

    both = [bench.make(want), bench.make(want)]
    threads = [threading.Thread(target=lambda m=m: [m.loop.round() for _ in range(rounds)]) for m in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    records = [record for made in both for record in made.journal]
    applied = [record for record in records if record["outcome"] == "applied"]
    assert len(records) == 2 * rounds
    assert len(applied) >= 4
    assert {record["outcome"] for record in records} <= {"none", "applied", "conflict"}
    if isinstance(bench, FakeBench):
        numbers = [replicas for _, replicas in bench.world.writes]
        assert len(numbers) == len(applied)
        assert all(one != next_ for one, next_ in pairwise(numbers))


def test_only_the_raft_leaders_autoscaler_acts(bench):
    elsewhere, here = bench.make(4, node="another-node"), bench.make(4, node=bench.leader)

    assert [elsewhere.outcome(), here.outcome()] == ["follow", "applied"]
    assert elsewhere.told == []


def test_when_the_leader_moves_the_other_one_takes_over_with_the_next_round(fake):
    one, two = fake.make(4, node="n1"), fake.make(5, node="n2")
    assert [one.outcome(), two.outcome()] == ["applied", "follow"]

    fake.world.lead("n2")

    assert [one.outcome(), two.outcome()] == ["none", "applied"]
    assert fake.replicas() == 5
    fake.world.lead("")
    assert [one.outcome(), two.outcome()] == ["follow", "none"]


def test_a_service_is_never_scaled_while_its_update_runs(bench):
    made = bench.make(5)
    bench.start_update()

    during = made.outcome()
    bench.end_update()
    after = made.outcome()

    assert (during, after) == ("updating", "applied")


def test_an_update_that_starts_between_look_and_write_is_not_disturbed(fake):
    made = fake.make(None)

    def meanwhile(sample):
        service = fake.world.services[f"id-{STACK}_web"]
        service["UpdateStatus"] = {"State": "updating"}
        service["Version"] = {"Index": fake.world.bump()}
        return 5

    made.policy.replicas = meanwhile

    assert made.outcome() == "conflict"
    assert fake.world.writes == []


def test_fewer_than_the_minimum_are_repaired_even_then(fake):
    fake.world.services[f"id-{STACK}_web"]["Spec"]["Labels"]["autoscale.min"] = "3"
    fake.start_update()

    assert fake.make(4).outcome() == "updating"
    assert fake.make(3).outcome() == "applied"


def test_an_update_of_which_docker_does_not_say_yet_that_it_runs_is_not_disturbed(fake):
    """Docker takes the new template and forgets how the old update was; that it runs it says later."""
    made = fake.make(2)
    made.loop.round()
    service = fake.world.services[f"id-{STACK}_web"]
    service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] = "another"
    service["Version"] = {"Index": fake.world.bump()}
    made.policy.replicas = 5

    outcomes = [made.outcome(), made.outcome()]

    assert outcomes == ["updating", "applied"]


def test_what_goes_wrong_with_one_service_is_said_once_and_the_others_go_on(fake, caplog):
    fake.world.add_service(f"{STACK}_api", 2, labels={"autoscale.max": "10"})
    made = fake.make(None)

    def broken(sample):
        if len(made.policy.samples) % 2:
            raise OverflowError("cannot convert float infinity to integer")
        return 5

    made.policy.replicas = broken
    rounds = [made.loop.round() for _ in range(3)]

    assert [len(each.records) for each in rounds] == [1, 1, 1]
    assert caplog.text.count("deciding of web: OverflowError: cannot convert") == 1
    made.policy.replicas = 5
    assert len(made.loop.round().records) == 2
    assert made.faults.now == {}


def test_a_write_that_is_refused_again_and_again_is_said_once(fake, caplog):
    made = fake.make(5)
    fake.world.faults[f"/services/id-{STACK}_web/update"] = "error"

    outcomes = [made.outcome() for _ in range(4)]
    fake.world.faults.clear()
    after = made.outcome()

    assert (outcomes, after) == (["failed"] * 4, "applied")
    assert caplog.text.count("writing web: held") == 1
    assert caplog.text.count("writing web: well again") == 1


def test_that_there_is_no_room_is_a_decision_that_is_told_once(fake):
    made = fake.make(None)
    blocked = lambda samples, state, config: (Decision(2, "full", "the nodes' room", 5.0, 3), state)  # noqa: E731
    made.loop._policy = blocked

    outcomes = [made.outcome() for _ in range(5)]

    assert outcomes == ["full"] * 5
    assert [record["blocked"] for record in made.told] == [3]
    assert [record["outcome"] for record in made.loop.history.decisions()] == ["full"]


def test_that_there_is_no_room_again_and_again_is_told_once_in_five_minutes():
    history = History()
    turns = [("full", "full"), ("steady", "none")] * 200
    made = [{"at": 2.0 * turn, "rule": rule, "outcome": outcome, "to": 2} for turn, (rule, outcome) in
            enumerate(turns)]  # fmt: skip

    told = [record["at"] for record in made if history.add("web", (record["at"],), record)]

    assert told == [0, 300, 600]
    assert [record["at"] for record in history.decisions()] == [600, 300, 0]


def test_every_write_is_told_however_often_the_same_one_is_made():
    history = History()
    to = [3, 2] * 3

    told = [
        history.add("web", (at,), {"at": 2.0 * at, "rule": "told", "outcome": "applied", "to": replicas})
        for at, replicas in enumerate(to)
    ]

    assert told == [True] * 6


def test_a_source_that_fails_is_said_once_and_ends_nothing(fake, caplog):
    class Broken:
        def rows(self):
            raise OverflowError("a number too large")

    made = fake.make(3, agents=Broken())

    outcomes = [made.outcome() for _ in range(2)]

    assert outcomes == ["applied", "none"]
    assert caplog.text.count("asking agents: OverflowError: a number too large") == 1


def test_what_was_learned_is_asked_for_once_and_told_every_round(fake):
    begun, told = [], []

    class Memory:
        def begin(self, service, sample):
            begun.append((service, sample.wanted))
            return 40

        def keep(self, at, states):
            told.append(dict(states))

    made = fake.make(2, memory=Memory())
    for _ in range(2):
        made.outcome()

    assert begun == [("web", 2)]
    assert told == [{"web": 41}, {"web": 42}]


def test_somebody_who_writes_between_is_read_again_and_decided_again(fake):
    made = fake.make(None)

    def meanwhile(sample):
        fake.world.services[f"id-{STACK}_web"]["Version"] = {"Index": fake.world.bump()}
        return 5

    made.policy.replicas = meanwhile
    first = made.outcome()
    made.policy.replicas = 5

    assert (first, fake.world.refused) == ("conflict", 0)  # the proxy saw it first
    assert made.outcome() == "applied"
    assert fake.replicas() == 5


def test_who_pauses_a_service_between_look_and_write_is_heard(fake):
    made = fake.make(None)

    def meanwhile(sample):
        service = fake.world.services[f"id-{STACK}_web"]
        service["Spec"]["Labels"]["autoscale.paused"] = "true"
        service["Version"] = {"Index": fake.world.bump()}
        return 5

    made.policy.replicas = meanwhile

    assert [made.outcome(), made.outcome()] == ["conflict", "paused"]
    assert fake.world.writes == []


def test_somebody_who_scales_between_is_not_overruled(fake):
    made = fake.make(None)

    def meanwhile(sample):
        docker = fake.docker()
        (service,) = docker.look().services
        docker.scale(service, 7)
        return 5

    made.policy.replicas = meanwhile

    assert made.outcome() == "conflict"
    assert fake.replicas() == 7


def test_capacity_is_told_to_the_policy(bench):
    bench.fill()
    made = bench.make(None)
    made.loop.round()

    assert 2 <= made.policy.samples[-1].room <= 4


def test_while_replicas_wait_for_a_place_no_more_are_asked_for(bench):
    bench.fill()
    made = bench.make(9)
    first = made.outcome()
    if isinstance(bench, FakeBench):
        for task in list(bench.world.tasks.values())[4:]:
            task["Status"] |= {
                "State": "pending",
                "Err": "no suitable node (insufficient resources on 2 nodes)",
            }
    else:
        bench._until(lambda: any(task.state == "pending" and task.error for task in bench._tasks()))
    made.policy.replicas = 10

    outcomes = [made.outcome() for _ in range(20)]

    assert first == "applied"
    assert outcomes == ["no-room"] * 20
    assert bench.replicas() == 9
    assert len(made.told) == 2  # the one that was applied, and the blocked one once


def test_a_dry_run_decides_the_same_and_writes_nothing(bench):
    made = bench.make(5, dry_run=True)

    assert made.outcome() == "dry-run"
    assert bench.replicas() == 2


def test_the_kill_switch_holds_everything_and_lets_go_again(bench):
    docker, made = bench.docker(), bench.make(5)

    held = docker.tell(docker.overrides(), docker.overrides().with_hold(True))
    first = made.outcome()
    docker.tell(held, held.with_hold(False))
    second = made.outcome()

    assert (first, second) == ("hold", "applied")


def test_a_paused_service_is_left_alone(bench):
    docker, made = bench.docker(), bench.make(5)
    docker.tell(docker.overrides(), docker.overrides().with_pause("web", True))

    assert made.outcome() == "paused"
    assert bench.replicas() == 2


def test_limits_that_were_told_go_before_the_labels(fake):
    docker, made = fake.docker(), fake.make(8)
    docker.tell(docker.overrides(), docker.overrides().with_limits("web", None, 4))

    assert made.outcome() == "outside"
    made.policy.replicas = 4
    assert made.outcome() == "applied"


@pytest.mark.parametrize("label", ["false", None])
def test_no_label_no_touch(fake, label):
    labels = fake.world.services[f"id-{STACK}_web"]["Spec"]["Labels"]
    labels.pop("autoscale.enabled")
    if label:
        labels["autoscale.enabled"] = label
    made = fake.make(5)

    assert made.outcome() == ""
    assert (made.journal, fake.world.writes) == ([], [])


def test_a_label_that_says_nothing_usable_is_told_once_and_the_service_left_alone(fake, caplog):
    fake.world.services[f"id-{STACK}_web"]["Spec"]["Labels"]["autoscale.max"] = "many"
    made = fake.make(5)

    outcomes = [made.outcome() for _ in range(3)]

    assert outcomes == [""] * 3
    assert caplog.text.count("labels of web") == 1


def test_another_stacks_service_is_not_ours(fake):
    fake.world.add_service("other_web", 2)
    made = fake.make(5)

    assert list(made.loop.round().records) == ["web"]
    assert fake.world.replicas("other_web") == 2


def test_a_service_that_is_gone_is_forgotten(bench):
    made = bench.make(None)
    made.loop.round()
    bench.remove()

    assert made.outcome() == ""
    assert made.loop.history.since(0) == {}


def test_a_service_that_goes_between_look_and_write_is_no_fault(fake):
    made = fake.make(None)

    def meanwhile(sample):
        fake.remove()
        return 5

    made.policy.replicas = meanwhile

    assert made.outcome() == "gone"
    assert made.outcome() == ""


@pytest.mark.parametrize("fault", ["hang", "garbage", "wrong", "cut", "error"])
@pytest.mark.parametrize("path", ["/services", "/tasks", "/nodes", "/configs"])
def test_a_docker_that_misbehaves_is_said_once_held_and_recovered_from(fake, fault, path, caplog):
    made, patience = fake.make(5, clock=lambda: 99.0), fake.patience
    fake.world.faults[path] = fault
    if fault == "hang":
        fake.patience = 0.2

    held = [made.loop.round().mode for _ in range(2 if fault == "hang" else 4)]
    fake.world.faults.clear()
    fake.patience = patience
    outcome = made.outcome()

    assert set(held) == {"blind"}
    assert outcome == "applied"
    assert caplog.text.count("Docker: held") == 1
    assert caplog.text.count("Docker: well again") == 1
    assert fake.world.writes == [(f"{STACK}_web", 5)]


def test_a_write_that_hangs_is_not_sent_again_blindly(fake):
    made, patience = fake.make(None), fake.patience
    fake.world.faults[f"/services/id-{STACK}_web/update"] = "hang"

    def hasty(sample):
        fake.patience = 0.2  # of the write only: the look may take its time
        return 5

    made.policy.replicas = hasty
    first = made.outcome()
    fake.world.faults.clear()
    fake.patience, made.policy.replicas = patience, 5

    assert first == "failed"
    assert made.outcome() == "applied"
    assert len(fake.world.writes) == 1


def test_a_proxy_that_is_gone_is_replaced_by_another(fake):
    from autoscaling.clients.docker import Docker
    from autoscaling.engine import HttpEngine

    docker = Docker(lambda: [HttpEngine("http://127.0.0.1:9", 0.5), HttpEngine(fake.address, 20)])

    assert len(docker.look().services) == 1


def test_the_loop_ends_when_told_to_within_a_round(fake):
    made, stop, rounds = fake.make(None), threading.Event(), []
    thread = threading.Thread(target=made.loop.run, args=(0.05, stop, rounds.append))
    thread.start()
    while len(rounds) < 3:
        time.sleep(0.01)

    stop.set()
    thread.join(60)

    assert not thread.is_alive()


def test_the_file_of_decisions_stays_bounded(tmp_path):
    journal = Journal(tmp_path / "decisions.jsonl", most=1000)

    for number in range(200):
        journal.write({"number": number, "text": "x" * 30})

    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert max(sizes) <= 1000
    assert '"number":199' in (tmp_path / "decisions.jsonl").read_text().splitlines()[-1]


def test_a_full_disk_stops_nothing(tmp_path, caplog):
    journal = Journal(tmp_path / "missing" / "decisions.jsonl")

    for _ in range(3):
        journal.write({})

    assert caplog.text.count("cannot be written") == 1
