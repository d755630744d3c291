"""The inner loop: requests on processor-sharing replicas, compiled by numba.

Replicas meet only where the gateway hands them a request, so there is no common queue of events: each replica
is brought up to date when something happens to it. In virtual time (the service that each of its requests has
had so far) a request departs at its arrival's virtual time plus its demand, whatever comes later; a binary
heap of these per replica makes an event cost O(log n). Source: Demers, Keshav and Shenker, "Analysis and
simulation of a fair queueing algorithm", SIGCOMM 1989, for the virtual clock.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

# Compiled code is kept beside this file; where that may not be written (an image, another's checkout), in the
# temporary folder, so that a second start is quick without write access to a home folder.
if not os.access(Path(__file__).parent, os.W_OK):
    os.environ.setdefault(
        "NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"hivemart-numba-{os.getuid()}")
    )

if TYPE_CHECKING:
    Function = TypeVar("Function", bound=Callable[..., Any])

    def njit(**options: Any) -> Callable[[Function], Function]: ...
else:
    from numba import njit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

ARRIVED, COMPLETED, REFUSED, IN_FLIGHT, TURN, SLOW = range(6)  # places in World.counts
NEXT, NOW, SUM_RESPONSE = range(3)  # places in World.clock


class World(NamedTuple):
    """Everything that the loop reads and changes.

    A slot is a place for one replica; `bin` is a length of time. rate: arrivals per second in each bin.
    total, bad: requests by the second of their arrival. heap: departures in virtual time, and since: when
    that request arrived, per slot. members: slots that get requests.
    """

    rate: Floats
    bin: float
    demand: float
    limit: int
    slow: float
    random: Words
    clock: Floats
    counts: Ints
    total: Ints
    bad: Ints
    virtual: Floats
    touched: Floats
    busy: Floats
    load: Ints
    heap: Floats
    since: Floats


def new_world(
    rate: Floats, bin: float, *, demand: float, limit: int, slow: float, seed: int, slots: int
) -> World:
    seconds = int(len(rate) * bin) + 1
    words = np.random.SeedSequence(seed).generate_state(4, np.uint64).astype(np.uint64)
    world = World(
        rate=rate, bin=bin, demand=demand, limit=limit, slow=slow, random=words,
        clock=np.zeros(3), counts=np.zeros(6, np.int64),
        total=np.zeros(seconds, np.int64), bad=np.zeros(seconds, np.int64),
        virtual=np.zeros(slots), touched=np.zeros(slots),
        busy=np.zeros(slots), load=np.zeros(slots, np.int64),
        heap=np.zeros(slots * limit), since=np.zeros(slots * limit),
    )  # fmt: skip
    world.clock[NEXT] = _next_arrival(world, 0.0)
    return world


@njit(cache=True, inline="always")
def _exponential(random: Words) -> float:
    """Exponential with mean 1, by xoshiro256+ (Blackman and Vigna, 2018)."""
    result = random[0] + random[3]
    shifted = random[1] << np.uint64(17)
    random[2] ^= random[0]
    random[3] ^= random[1]
    random[1] ^= random[2]
    random[0] ^= random[3]
    random[2] ^= shifted
    random[3] = (random[3] << np.uint64(45)) | (random[3] >> np.uint64(19))
    return float(-np.log((np.float64(result >> np.uint64(11)) + 0.5) * 1.1102230246251565e-16))


@njit(cache=True)
def _next_arrival(world: World, now: float) -> float:
    """Return when the next request comes: an exponential amount of `rate` is used up, bin by bin.

    Past the end none comes.
    """
    left = _exponential(world.random)
    place = int(now / world.bin)
    while place < len(world.rate):
        end = (place + 1) * world.bin
        amount = (end - now) * world.rate[place]
        if left < amount:
            return float(now + left / world.rate[place])
        left -= amount
        now = end
        place += 1
    return math.inf


@njit(cache=True)
def _push(world: World, base: int, size: int, key: float, value: float) -> None:
    """Add to the heap of `size` entries that begins at `base`.

    Rows of a table would cost more than the heap does: each view of one counts references.
    """
    heap, since = world.heap, world.since
    place = size
    while place > 0:
        parent = (place - 1) >> 1
        if heap[base + parent] <= key:
            break
        heap[base + place] = heap[base + parent]
        since[base + place] = since[base + parent]
        place = parent
    heap[base + place] = key
    since[base + place] = value


@njit(cache=True)
def _pop(world: World, base: int, size: int) -> None:
    """Take the least one out of `size` entries."""
    heap, since = world.heap, world.since
    size -= 1
    key, value = heap[base + size], since[base + size]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and heap[base + child + 1] < heap[base + child]:
            child += 1
        if heap[base + child] >= key:
            break
        heap[base + place] = heap[base + child]
        since[base + place] = since[base + child]
        place = child
    heap[base + place] = key
    since[base + place] = value


@njit(cache=True)
def _depart(world: World, slot: int, until: float) -> None:
    """Bring one replica up to `until`: whoever is finished by then leaves."""
    size = world.load[slot]
    if size == 0:
        world.touched[slot] = until
        return
    base = slot * world.limit
    virtual, now, begin = world.virtual[slot], world.touched[slot], world.touched[slot]
    while size > 0:
        finished = now + (world.heap[base] - virtual) * size
        if finished > until:
            break
        virtual, now = world.heap[base], finished
        arrived = world.since[base]
        response = finished - arrived
        world.clock[SUM_RESPONSE] += response
        world.counts[COMPLETED] += 1
        if response > world.slow:
            world.counts[SLOW] += 1
            world.bad[int(arrived)] += 1
        _pop(world, base, size)
        size -= 1
    world.counts[IN_FLIGHT] += size - world.load[slot]
    world.busy[slot] += (until if size > 0 else now) - begin
    world.virtual[slot] = virtual + (until - now) / size if size > 0 else 0.0
    world.touched[slot] = until
    world.load[slot] = size


@njit(cache=True)
def _arrive(world: World, slot: int, now: float) -> None:
    """Hand one request to a replica, which refuses it when it holds as many as it can."""
    demand = world.demand * _exponential(world.random)
    world.counts[ARRIVED] += 1
    world.total[int(now)] += 1
    if slot >= 0:
        _depart(world, slot, now)
    if slot < 0 or world.load[slot] >= world.limit:
        world.counts[REFUSED] += 1
        world.bad[int(now)] += 1
        return
    _push(world, slot * world.limit, world.load[slot], world.virtual[slot] + demand, now)
    world.load[slot] += 1
    world.counts[IN_FLIGHT] += 1


@njit(cache=True)
def advance(world: World, members: Ints, slots: int, until: float) -> None:
    """Let requests come and go until then, in turn over `members`; the first `slots` slots are in use."""
    arrival = world.clock[NEXT]
    turn = world.counts[TURN]
    while arrival <= until:
        slot = -1
        if len(members) > 0:
            turn = turn + 1 if turn + 1 < len(members) else 0
            slot = members[turn]
        _arrive(world, slot, arrival)
        arrival = _next_arrival(world, arrival)
    world.clock[NEXT] = arrival
    world.counts[TURN] = turn
    for slot in range(slots):
        _depart(world, slot, until)
    world.clock[NOW] = until


def compiled() -> None:
    """Let numba compile the loop, or load it from its cache."""
    world = new_world(np.ones(10), 0.1, demand=0.01, limit=2, slow=0.5, seed=1, slots=1)
    advance(world, np.zeros(1, np.int64), 1, 2.0)
