"""The decision; docs/autoscaling.md explains it with pictures.

The figures of growth.py and of this module are its tuning.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from autoscaling.policy import growth
from autoscaling.policy.costs import Costs, learn
from autoscaling.policy.demand import FIRST_GRAIN, Signal, Tick, chance, coarser, signal, tick, used
from autoscaling.policy.model import Config, Decision, Sample

KEPT = 60  # intervals, the longest window
SMOOTH = 15  # intervals whose mean is called the level
LEVEL_SURE = 2.0  # standard deviations that the level is taken higher, for going down
LOWER = 0.8  # dead band: down only below so many times the replicas
HASTY_RULES = ("surge", "saturated")  # what they add beyond need is given back without a dead band
STALE = 30.0  # seconds without figures after which the record starts anew
PAUSE = 15.0  # seconds between two removals
SURPLUS = 0.5  # cooldowns after growth in which nothing is taken back
SETTLE = 5.0  # cooldowns after growth in which only what is worth it is taken back:
WORTH = 0.2  # at least this share of the replicas, and at least two
ERRORS = 0.01  # share of failed requests that is no error worth holding for
USUAL = 1800.0  # seconds over which the share of failed requests becomes the usual one, and
WORST_USUAL = 0.25  # the most that it becomes: where over twice as much fails is an outage, however long


class Level(NamedTuple):
    """Replicas that demand needed at a time, at the upper end of what chance leaves open."""

    at: float
    replicas: float


class State(NamedTuple):
    """The memory of decisions.

    ticks: the last two minutes. levels: those of the cooldown that no later one exceeds, so that the first is
    the highest. since: from when on the record is complete. fresh: when figures were last there. wanted,
    grown, lowered: the last size, and when it was last raised and reduced. surged: when growth was last more
    than proportional. errors: the usual share of failed requests.
    """

    costs: Costs
    ticks: tuple[Tick, ...]
    work_grain: float
    cpu_grain: float
    levels: tuple[Level, ...]
    since: float
    fresh: float
    wanted: int
    grown: float
    lowered: float
    surged: float
    errors: float


class View(NamedTuple):
    """The state of knowledge now, and the growth that it proves.

    The grains are those from before the newest interval, so that a burst is not its own excuse.
    """

    now: Sample
    load: growth.Load
    found: growth.Growth


def decide(samples: Sequence[Sample], state: State | None, config: Config) -> tuple[Decision, State]:
    """Decide how many replicas a service should have, by at least one sample, oldest first.

    Rules, the first that applies: paused, min, max, updating, stale, up (requests, surge, cpu, saturated),
    then what forbids going down (young, errors, settle), down, steady.
    """
    state = state or _start(samples[0])
    for sample in samples:
        if state.ticks and sample.at <= state.ticks[-1].at:  # the clock was put back: only costs still hold
            state = begin(sample, state.costs)
        view, state = _look(sample, state, config)
    return _held(view, state, config) or _up(view, state, config) or _down(view, state, config), state


def begin(first: Sample, costs: Costs) -> State:
    """Return a new record that knows already what requests cost."""
    return _start(first)._replace(costs=costs)


def _start(first: Sample) -> State:
    never = -math.inf
    return State(
        Costs(), (), FIRST_GRAIN, FIRST_GRAIN, (), first.at, first.at, first.wanted, never, never, never, 0.0
    )


def _look(sample: Sample, state: State, config: Config) -> tuple[View, State]:
    """Add a sample to the record."""
    cpu = used(sample)
    costs = learn(state.costs, sample, cpu, config.cpu_target, state.cpu_grain)
    newest, before = tick(costs, sample, cpu), state.ticks[-1] if state.ticks else None
    ticks = (*state.ticks, newest)[-KEPT:]
    load = growth.Load(
        work=signal(ticks, [each.work for each in ticks], state.work_grain),
        cpu=signal(ticks, [each.cpu for each in ticks], state.cpu_grain),
        ticks=ticks,
        ready=newest.ready,
        in_flight=sample.traffic.in_flight if sample.traffic else 0.0,
        arrived=newest.arrived,
    )
    view = View(sample, load, _growth(load, sample.wanted, config))
    late = sample.at - state.fresh >= STALE
    fresh = bool(load.work.work or load.cpu.work)
    return view, State(
        costs=costs,
        ticks=ticks,
        work_grain=coarser(state.work_grain, before and before.work, newest.work),
        cpu_grain=coarser(state.cpu_grain, before and before.cpu, newest.cpu),
        levels=_levels(state.levels, sample.at, _level(view, config), config.cooldown),
        since=sample.at if late else state.since,
        fresh=sample.at if fresh else state.fresh,
        wanted=sample.wanted,
        grown=sample.at if sample.wanted > state.wanted else state.grown,
        lowered=sample.at if sample.wanted < state.wanted else state.lowered,
        surged=sample.at if view.found.need > 0 and view.found.rule in HASTY_RULES else state.surged,
        errors=_usual(state, ticks, sample),
    )


def _level(view: View, config: Config) -> float:
    """Return the replicas that are needed.

    That is what growth proves, or the last half minute's mean at the upper end of what chance leaves open,
    whichever is more.
    """
    highest = view.found.lasting
    for row in (view.load.work, view.load.cpu):
        work, seconds = row.window(SMOOTH)
        if seconds > 0:
            upper = (work + LEVEL_SURE * chance(row.grain, work)) / seconds + growth.trend(row, config.trend)
            highest = max(highest, upper / config.cpu_target)
    return highest


def _levels(levels: tuple[Level, ...], at: float, newest: float, cooldown: float) -> tuple[Level, ...]:
    kept = tuple(level for level in levels if level.at > at - cooldown and level.replicas > newest)
    return (*kept, Level(at, newest))


def _held(view: View, state: State, config: Config) -> Decision | None:
    """Decide what needs no look at demand."""
    wanted = view.now.wanted
    if config.paused:
        return Decision(wanted, "paused", "paused by its label")
    if wanted < config.min:
        return Decision(config.min, "min", f"{wanted} replicas are fewer than the minimum, {config.min}")
    if view.now.updating:
        return Decision(wanted, "updating", "a rolling update runs")
    if wanted > config.max:
        return Decision(config.max, "max", f"{wanted} replicas are more than the maximum, {config.max}")
    if not (view.load.work.work or view.load.cpu.work):
        return Decision(wanted, "stale", f"no figures for {view.now.at - state.fresh:.0f} s")
    return None


def _up(view: View, state: State, config: Config) -> Decision | None:
    """Grow at once, in proportion, as far as max and the nodes allow; replicas that start already count."""
    found = view.found
    want = math.ceil(found.need - 1e-9)
    if want <= view.now.wanted:
        return None
    room = config.max if view.now.room is None else view.now.room
    granted = max(view.now.wanted, min(want, config.max, room))
    said = f"{found.rule}: demand needs {found.need:.2f} replicas"
    if granted == view.now.wanted:
        why = "maximum" if granted >= config.max else "nodes' room"
        return Decision(granted, "full", f"{said}, but the {why} is reached", found.need, want - granted)
    return Decision(granted, found.rule, said, found.need, want - granted)


def _growth(load: growth.Load, wanted: int, config: Config) -> growth.Growth:
    """Return the largest need that requests or CPU prove."""
    ahead = load._replace(work=_ahead(load.work, config), cpu=_ahead(load.cpu, config))
    found = growth.from_cpu(ahead, wanted, config.cpu_target)
    if load.work.work:
        found = max(found, growth.from_requests(ahead, wanted, config.cpu_target))
    return found


def _ahead(row: Signal, config: Config) -> Signal:
    """Return the signal as its trend continues it, where the service's label asks for that."""
    added = growth.trend(row, config.trend)
    if added <= 0:
        return row
    work = tuple(amount + added * length for amount, length in zip(row.work, row.seconds, strict=True))
    return row._replace(work=work)


def _down(view: View, state: State, config: Config) -> Decision:
    """Shrink a step at a time, never below the highest level of the cooldown, when nothing forbids it."""
    wanted, at = view.now.wanted, view.now.at
    highest = state.levels[0].replicas
    goal = max(config.min, math.ceil(highest - 1e-9))
    surplus, settle = SURPLUS * config.cooldown, SETTLE * config.cooldown
    lower = 1.0 if at - state.surged < settle else LOWER
    if goal >= wanted or highest >= lower * wanted:
        return Decision(wanted, "steady", f"demand needs up to {highest:.2f} replicas", highest)
    if at - state.since < config.cooldown:
        return Decision(wanted, "young", f"the record is {at - state.since:.0f} s old", highest)
    if _failing(state.ticks[-SMOOTH:]) > max(ERRORS, 2 * state.errors):
        return Decision(wanted, "errors", "requests fail more often than before", highest)
    if at - state.grown < settle and wanted - goal < max(2.0, WORTH * wanted):
        return Decision(wanted, "settle", f"{goal} would do; it grew {at - state.grown:.0f} s ago", highest)
    if at - state.grown < surplus:
        return Decision(wanted, "settle", f"it grew {at - state.grown:.0f} s ago", highest)
    if at - state.lowered < PAUSE - view.now.seconds:  # it was seen an interval after it was done
        return Decision(wanted, "pause", f"reduced {at - state.lowered:.0f} s ago", highest)
    goal = max(goal, wanted - max(1, int(config.step * wanted)))
    seconds = f"{config.cooldown:.0f} s"
    return Decision(goal, "down", f"demand needed at most {highest:.2f} replicas for {seconds}", highest)


def _usual(state: State, ticks: Sequence[Tick], sample: Sample) -> float:
    """Return the share of requests that usually fail.

    It is slow, so that an outage of some takes a third of an hour to become the usual thing, and one of most
    never does. What a service has always had is no outage, so that a new record begins with what it finds.
    """
    late = min(WORST_USUAL, _failing(ticks[-SMOOTH:]))
    if len(ticks) <= SMOOTH:
        return late
    return state.errors + (late - state.errors) * min(1.0, sample.seconds / USUAL)


def _failing(ticks: Sequence[Tick]) -> float:
    arrived = sum(entry.arrived for entry in ticks)
    return sum(entry.failed for entry in ticks) / arrived if arrived else 0.0
