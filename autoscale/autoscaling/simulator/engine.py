"""One run: a trace, a policy, a Swarm that starts and drains replicas, and what the policy sees of it."""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autoscaling.policy.model import Config, Decision, Policy, Replica, Sample, Traffic
from autoscaling.simulator import kernel
from autoscaling.simulator.traces import BIN, Trace


@dataclass(frozen=True, slots=True)
class Setup:
    """The world around the policy. Seconds and CPU seconds; ranges are uniform.

    start: from the scale call until a replica gets requests. every: between two samples. delay: from a
    sample's moment until its decision takes effect (scrape, decide, call). room: replicas that the nodes
    hold, None for any. idle: CPU seconds per second that a replica uses without any request, on average:
    in each interval twice as much or nothing.
    """

    config: Config = field(default_factory=lambda: Config(min=2, max=24))
    start: tuple[float, float] = (3.5, 5.5)
    every: float = 2.0
    delay: tuple[float, float] = (0.1, 0.5)
    demand: float = 0.025
    limit: int = 200
    slow: float = 0.5
    room: int | None = None
    gateway: bool = True
    idle: float = 0.0


@dataclass(frozen=True, slots=True)
class Call:
    """A scale call: at which second, from and to how many replicas, and why."""

    at: float
    before: int
    after: int
    decision: Decision


@dataclass(slots=True)
class Run:
    """What happened. wanted and ready: (second, replicas from then on)."""

    trace: Trace
    setup: Setup
    world: kernel.World
    calls: list[Call] = field(default_factory=list)
    wanted: list[tuple[float, int]] = field(default_factory=list)
    ready: list[tuple[float, int]] = field(default_factory=list)


@dataclass(slots=True)
class _Slot:
    number: int
    started: float
    ready_at: float
    ready: bool = False
    busy: float = 0.0


def needed(rate: float, setup: Setup) -> int:
    """Replicas that a load asks for at the target, within min and max."""
    config = setup.config
    need = math.ceil(rate * setup.demand / config.cpu_target - 1e-9)
    return max(config.min, min(need, config.max))


def simulate(trace: Trace, policy: Policy, setup: Setup, seed: int, *, requests: bool = True) -> Run:
    """Run the trace; the same seed gives the same requests to every policy.

    Without `requests` only replicas come and go, which is all that the cost of an oracle needs.
    """
    return _Simulation(trace, policy, setup, seed, requests).run()


class _Simulation:
    def __init__(self, trace: Trace, policy: Policy, setup: Setup, seed: int, requests: bool) -> None:
        self.setup, self.policy, self.state = setup, policy, None
        self.random = random.Random(f"swarm {seed}")  # noqa: S311 - a simulation's dice
        slots = 4 * setup.config.max + 16
        world = kernel.new_world(
            trace.rate if requests else np.zeros_like(trace.rate),
            BIN,
            demand=setup.demand,
            limit=setup.limit,
            slow=setup.slow,
            seed=seed,
            slots=slots,
        )
        self.result = Run(trace, setup, world)
        self.world = world
        self.free = list(range(slots - 1, -1, -1))
        self.members: list[_Slot] = []
        self.draining: list[_Slot] = []
        self.turns = np.zeros(0, np.int64)
        self.highest = 0
        self.events: list[tuple[float, int, Any]] = []
        self.sequence = 0
        self.seen_at = 0.0
        self.seen = (0, 0, 0)

    def run(self) -> Run:
        self._begin()
        end = self.result.trace.seconds
        while self.events and self.events[0][0] < end:
            at, _, (what, argument) = heapq.heappop(self.events)
            self._advance(at)
            what(at, argument)
        self._advance(end)
        self._advance(end + 60)  # whoever came late is served, too
        return self.result

    def _begin(self) -> None:
        size = needed(float(self.result.trace.rate[0]), self.setup)
        for _ in range(size):
            slot = self._new_slot(-600.0, -600.0)
            slot.ready = True
            self.members.append(slot)
        self.result.wanted.append((0.0, size))
        self._rotate(0.0)
        self._later(self.random.uniform(0, self.setup.every), self._look, None)

    def _later(self, at: float, what: Any, argument: Any) -> None:
        self.sequence += 1
        heapq.heappush(self.events, (at, self.sequence, (what, argument)))

    def _advance(self, until: float) -> None:
        kernel.advance(self.world, self.turns, self.highest, until)

    def _new_slot(self, started: float, ready_at: float) -> _Slot:
        number = self.free.pop()
        self.highest = max(self.highest, number + 1)
        self.world.touched[number] = self.world.clock[kernel.NOW]
        return _Slot(number, started, ready_at, busy=float(self.world.busy[number]))

    def _rotate(self, at: float) -> None:
        """Return the gateway learns who gets requests."""
        self.turns = np.array([slot.number for slot in self.members if slot.ready], np.int64)
        self.result.ready.append((at, len(self.turns)))

    def _look(self, at: float, _: None) -> None:
        """Take a sample; what is decided from it takes effect a little later."""
        decision, self.state = self.policy([self._sample(at)], self.state, self.setup.config)
        if decision.replicas != self._wanted():
            self._later(at + self.random.uniform(*self.setup.delay), self._apply, decision)
        self._later(at + self.setup.every, self._look, None)
        for slot in [slot for slot in self.draining if self.world.load[slot.number] == 0]:
            self.draining.remove(slot)
            self.free.append(slot.number)

    def _wanted(self) -> int:
        return self.result.wanted[-1][1]

    def _sample(self, at: float) -> Sample:
        seconds = at - self.seen_at
        replicas = []
        used = self.world.busy.tolist()
        for slot in self.members:
            cpu = used[slot.number] - slot.busy + self._idle(seconds)
            slot.busy = used[slot.number]
            since = slot.ready_at if slot.ready else slot.started
            replicas.append(Replica(slot.number, slot.ready, slot.started, since, cpu))
        return Sample(at, seconds, self._wanted(), replicas, self._traffic(at), False, self.setup.room)

    def _idle(self, seconds: float) -> float:
        """Return what a replica uses by itself: health checks and the like, twice as much or nothing."""
        idle = self.setup.idle
        return idle * seconds * 2 * self.random.randrange(2) if idle else 0.0

    def _traffic(self, at: float) -> Traffic | None:
        counts = self.world.counts
        now = (int(counts[kernel.ARRIVED]), int(counts[kernel.COMPLETED]), int(counts[kernel.REFUSED]))
        arrived, completed, refused = (new - old for new, old in zip(now, self.seen, strict=True))
        self.seen, self.seen_at = now, at
        if not self.setup.gateway:
            return None
        in_flight = float(counts[kernel.IN_FLIGHT])
        return Traffic({"all": arrived}, {"all": completed + refused}, in_flight, refused)

    def _apply(self, at: float, decision: Decision) -> None:
        before, after = self._wanted(), decision.replicas
        if after == before:
            return
        self.result.calls.append(Call(at, before, after, decision))
        self.result.wanted.append((at, after))
        held = after if self.setup.room is None else min(after, self.setup.room)
        for _ in range(held - len(self.members)):
            slot = self._new_slot(at, at + self.random.uniform(*self.setup.start))
            self.members.append(slot)
            self._later(slot.ready_at, self._ready, slot)
        if held < len(self.members):
            self._remove(len(self.members) - held)
            self._rotate(at)

    def _remove(self, count: int) -> None:
        """Those that do not run yet first, as Swarm does; then any. They finish what they have."""
        by_chance = {slot.number: self.random.random() for slot in self.members}
        order = sorted(self.members, key=lambda slot: (slot.ready, by_chance[slot.number]))
        for slot in order[:count]:
            self.members.remove(slot)
            self.draining.append(slot)

    def _ready(self, at: float, slot: _Slot) -> None:
        if any(member is slot for member in self.members):
            slot.ready = True
            self._rotate(at)
