"""The simulator against queueing theory, and its figures by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autoscaling.policies.oracle import oracle
from autoscaling.policy import Config, Decision
from autoscaling.simulator import compare, kernel, metrics, report, traces
from autoscaling.simulator.engine import Call, Run, Setup, simulate
from autoscaling.simulator.traces import BIN, BadTrace, Trace, from_csv

SETUP = Setup()


def flat(rate: float, seconds: float = 600, **more) -> Trace:
    return Trace("flat", np.full(round(seconds / BIN), rate), **more)


def follow(sizes: dict[float, int]):
    """Return a policy that asks for these sizes at these times."""

    def policy(samples, state, config):
        due = [size for at, size in sizes.items() if at <= samples[-1].at]
        return Decision(due[-1] if due else samples[-1].wanted, "told", "told"), state

    return policy


def one_queue(load: float, requests: int, seed: int = 1) -> kernel.World:
    rate = load / 0.025
    seconds = requests / rate
    world = kernel.new_world(
        np.full(round(seconds / BIN), rate), BIN, demand=0.025, limit=5000, slow=0.5, seed=seed, slots=1
    )
    kernel.advance(world, np.zeros(1, np.int64), 1, seconds + 60)
    return world


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_mean_response_is_that_of_an_m_m_1_queue_with_processor_sharing(load):
    """Demand over 1 - load (Kleinrock, Queueing Systems II, 1976, 4.4), within 2 %."""
    world = one_queue(load, 2_000_000)

    mean = world.clock[kernel.SUM_RESPONSE] / world.counts[kernel.COMPLETED]

    assert mean == pytest.approx(0.025 / (1 - load), rel=0.02)


def test_a_replica_is_busy_as_long_as_its_load_says():
    world = one_queue(0.6, 1_000_000)

    assert world.busy[0] / (world.counts[kernel.ARRIVED] * 0.025) == pytest.approx(1, rel=0.005)


def test_no_request_is_lost_or_counted_twice():
    run = simulate(flat(200.0), follow({60.0: 3, 300.0: 12, 400.0: 2}), SETUP, 1)
    counts = run.world.counts

    assert counts[kernel.ARRIVED] == run.world.total.sum()
    assert counts[kernel.ARRIVED] == counts[kernel.COMPLETED] + counts[kernel.REFUSED]
    assert counts[kernel.IN_FLIGHT] == 0
    assert counts[kernel.SLOW] + counts[kernel.REFUSED] == run.world.bad.sum()


def test_a_replica_that_holds_200_requests_refuses_more():
    run = simulate(flat(400.0, 60), follow({}), replace(SETUP, config=Config(min=2, max=2)), 1)

    assert run.world.counts[kernel.REFUSED] / run.world.counts[kernel.ARRIVED] == pytest.approx(
        0.766, abs=0.03
    )


def test_arrivals_are_poisson():
    run = simulate(flat(40.0, 4000), follow({}), SETUP, 3)
    counts = run.world.total[:4000]

    assert counts.mean() == pytest.approx(40, rel=0.02)
    assert counts.var() == pytest.approx(40, rel=0.1)


def test_requests_take_turns_over_the_replicas_that_are_ready():
    seen = []

    def policy(samples, state, config):
        seen.append([replica.cpu for replica in samples[-1].replicas])
        return Decision(4, "told", "told"), state

    simulate(flat(96.0), policy, SETUP, 1)

    shares = np.sum(seen, axis=0) / np.sum(seen)
    assert shares == pytest.approx([0.25] * 4, abs=0.01)


def test_a_new_replica_serves_after_its_start_and_a_removed_one_finishes_what_it_has():
    run = simulate(flat(60.0), follow({100.0: 6, 200.0: 3}), SETUP, 1)

    assert [(call.before, call.after) for call in run.calls] == [(3, 6), (6, 3)]
    asked = run.calls[0].at
    ready = [(at - asked, count) for at, count in run.ready if 100 < at < 200]
    assert [count for _, count in ready] == [4, 5, 6]
    assert all(3.5 <= delay <= 5.5 for delay, _ in ready)
    assert run.world.counts[kernel.REFUSED] == 0


def test_a_replica_that_still_starts_is_removed_first():
    setup = replace(SETUP, start=(100.0, 100.0))
    run = simulate(flat(40.0), follow({100.0: 6, 120.0: 2}), setup, 1)

    assert {count for _, count in run.ready} == {2}


def test_what_the_nodes_cannot_hold_never_starts():
    run = simulate(flat(40.0), follow({100.0: 10}), replace(SETUP, room=4), 1)

    assert run.wanted[-1][1] == 10
    assert run.ready[-1][1] == 4


def test_samples_come_every_two_seconds_and_decisions_take_effect_a_little_later():
    seen = []

    def policy(samples, state, config):
        seen.append(samples[-1].at)
        return Decision(2 + len(seen) % 2, "told", "told"), state

    run = simulate(flat(40.0, 100), policy, SETUP, 1)

    assert np.diff(seen) == pytest.approx(2.0)
    delays = [min(call.at - at for at in seen if at <= call.at) for call in run.calls]
    assert all(0.1 <= delay <= 0.5 for delay in delays)


def test_the_same_seed_gives_every_policy_the_same_requests():
    one, other = (simulate(flat(80.0, 120), follow(sizes), SETUP, 7) for sizes in ({}, {20.0: 12}))

    assert (one.world.total == other.world.total).all()


def test_an_oracle_is_never_short():
    trace = traces.flash()
    policy = oracle(metrics.demanded(trace.rate, SETUP), BIN, 8.0)

    under, over = metrics.provisioning(simulate(trace, policy, SETUP, 1))

    assert under == 0
    assert over < 3


def a_run(trace: Trace, **more) -> Run:
    world = kernel.new_world(trace.rate, BIN, demand=0.025, limit=200, slow=0.5, seed=1, slots=1)
    return Run(trace, SETUP, world, **more)


def calls(*changes: tuple[float, int, int]) -> list[Call]:
    return [Call(at, before, after, Decision(after, "", "")) for at, before, after in changes]


def test_a_reversal_is_a_call_the_other_way_within_ten_minutes():
    run = a_run(flat(1.0), calls=calls((0, 2, 5), (500, 5, 4), (900, 4, 3), (1499, 3, 4), (2200, 4, 2)))

    assert metrics.reversals(run) == 2


def test_recovery_is_the_first_of_three_good_windows_after_the_step():
    run = a_run(flat(1.0, 100, steps=(20.0,)))
    run.world.total[:100] = 100
    run.world.bad[22:31], run.world.bad[36] = 50, 100

    assert metrics.recovery(run) == 20.0
    run.world.bad[22:100:5] = 50
    assert metrics.recovery(run) is None
    assert metrics.recovery(a_run(flat(1.0))) is None


def test_provisioning_weighs_what_is_missing_and_what_is_too_much():
    run = a_run(flat(96.0, 100), ready=[(0.0, 2), (50.0, 6)])

    assert metrics.provisioning(run) == pytest.approx((25.0, 25.0))


def test_cost_is_the_area_under_what_was_asked_for():
    assert metrics.replica_seconds([(0.0, 2), (10.0, 5), (30.0, 3)], 40.0) == 20 + 100 + 30


def test_means_come_with_their_confidence_interval_and_an_unrecovered_seed_is_no_mean():
    merged = metrics.summary([{"a": 1.0, "b": 5.0}, {"a": 2.0, "b": None}, {"a": 3.0, "b": 7.0}])

    assert merged == {"a": 2.0, "a_ci95": 2.4843, "b": None, "b_ci95": None}


def test_one_seed_has_no_confidence_interval():
    merged = metrics.summary([dict.fromkeys(report.COLUMNS, 1.0)])

    assert {merged[f"{name}_ci95"] for name in report.COLUMNS} == {None}
    assert "±" not in report.as_table({"step": {"default": merged}})


def test_the_shipped_traces_are_those_of_the_design():
    shapes = {name: traces.load(name, 1) for name in ("step", "flash", "diurnal", "square", "constant")}

    assert {name: round(trace.seconds) for name, trace in shapes.items()} == {
        "step": 1800, "flash": 2400, "diurnal": 14400, "square": 3600, "constant": 3600,
    }  # fmt: skip

    def at(name: str, second: float) -> float:
        return float(shapes[name].rate[int(second / BIN)])

    assert [at("step", second) for second in (0, 299.9, 300, 899.9, 900)] == [40, 40, 320, 320, 40]
    assert [round(at("flash", second)) for second in (0, 315, 330, 630)] == [40, 221, 400, 172]
    assert [at("square", second) for second in (0, 44, 46, 91)] == [140, 140, 260, 140]
    assert at("constant", 1800) == 120
    assert shapes["diurnal"].rate.min() >= 5
    assert traces.load("diurnal", 1).rate.tolist() != traces.load("diurnal", 2).rate.tolist()


def test_a_csv_is_interpolated_between_the_middles_of_its_minutes(tmp_path):
    path = tmp_path / "mine.csv"
    rows = [
        "minute,requests",
        "2026-01-01 10:00:00,600",
        "2026-01-01 10:01:00,840",
        "2026-01-01 10:02:00,6000",
    ]
    path.write_text("\n".join(rows))

    trace = from_csv(path)

    assert trace.seconds == pytest.approx(180)
    found = [float(trace.rate[int(at / BIN)]) for at in (0, 30, 60, 90, 179)]
    assert found == pytest.approx([10, 10, 12, 14, 100], abs=0.1)
    assert trace.steps == (90.0,)
    assert "interpolated" in trace.note


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "first line must be minute,requests"),
        ("minute,requests\n", "no minutes"),
        ("minute,requests\n0,many\n", ":2: not a minute and a count"),
        ("minute,requests\n0,5\n1,-5\n", ":3: a count cannot be -5"),
        ("minute,requests\n0,nan\n", ":2: a count cannot be nan"),
        ("minute,requests\n0,inf\n", ":2: a count cannot be inf"),
        ("minute,requests\n0,1e300\n", ":2: a count cannot be 1e300"),
        ("minute,requests\ninf,5\n", ":2: a minute cannot be inf"),
        ("minute,requests\n1,5\n0,5\n", "do not rise"),
        (
            "minute,requests\n0,5\n2026-01-01 00:00,5\n",
            "days from its first minute to its last; 31 are the most",
        ),
        ("minute,requests\n0,5\n44641,5\n", "31 days from its first"),
        (f'minute,requests\n0,"{"5" * 200_000}"\n', "field larger than field limit"),
        ("minute,requests\n0,5\n".encode("utf-16"), "not a text in UTF-8"),
        ("minute,requests\n0,5 ä\n".encode("latin-1"), "not a text in UTF-8"),
    ],
)
def test_a_csv_that_cannot_be_read_is_refused_with_its_place(tmp_path, text, says):
    path = tmp_path / "wrong.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(BadTrace, match=says):
        from_csv(path)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        ((0, 1, 2, 3), ""),
        ((0, 1, 3, 4), "1 missing minute interpolated"),
        ((0, 5, 6, 16), "13 missing minutes"),
    ],
)
def test_minutes_that_are_missing_are_interpolated_and_said(tmp_path, minutes, said):
    path = tmp_path / "gaps.csv"
    path.write_text("minute,requests\n" + "".join(f"{minute},{600 + 60 * minute}\n" for minute in minutes))

    trace = from_csv(path)

    assert float(trace.rate[int(150 / BIN)]) == pytest.approx(12, abs=0.1)
    assert said in trace.note
    assert ("missing" in trace.note) == bool(said)


def test_what_rose_while_minutes_were_missing_is_no_jump(tmp_path):
    path = tmp_path / "gaps.csv"
    path.write_text("minute,requests\n0,600\n30,6000\n31,60000\n")

    assert from_csv(path).steps == (30 * 60 + 30,)


def test_times_of_a_csv_may_have_offsets(tmp_path):
    path = tmp_path / "winter.csv"
    path.write_text("minute,requests\n2026-10-25T02:59+02:00,60\n2026-10-25T02:00+01:00,60\n")

    assert from_csv(path).seconds == 120


def test_more_requests_than_anyone_would_wait_for_are_refused():
    with pytest.raises(BadTrace, match=r"step: 7.51e\+07 requests, up to 1e\+05 a second; 5e\+09 and 1e\+05"):
        compare.loader("step", 313.0)
    with pytest.raises(BadTrace, match=r"flat: 6e\+09 requests"):
        traces.bounded(flat(1e5, 60_000))


def test_a_name_too_long_for_a_file_is_no_trace():
    with pytest.raises(BadTrace, match="neither a file"):
        compare.loader("x" * 5000, 1.0)


def test_a_trace_written_as_csv_reads_back_much_the_same(tmp_path):
    trace = traces.step()
    traces.to_csv(trace, tmp_path / "step.csv")

    again = from_csv(tmp_path / "step.csv")

    assert again.seconds == pytest.approx(trace.seconds)
    assert again.rate.sum() == pytest.approx(trace.rate.sum(), rel=0.01)


def test_a_comparison_becomes_a_table_a_chart_and_json(tmp_path):
    compared = compare.compare(lambda seed: flat(96.0, 120), ["default", "oracle"], SETUP, [1, 2])

    report.chart("flat", compared.runs, tmp_path / "flat.svg")
    report.chart("flat", compared.runs, tmp_path / "again.svg")
    text = report.as_table({"flat": compared.figures})

    assert compared.figures["oracle"]["cost_ratio"] == 1.0
    assert [line.split()[0] for line in text.splitlines()] == ["flat", "bad", "default", "oracle"]
    assert (tmp_path / "flat.svg").read_text() == (tmp_path / "again.svg").read_text()
    assert "<svg" in (tmp_path / "flat.svg").read_text()
