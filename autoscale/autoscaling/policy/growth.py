"""The replicas that rising demand asks for.

Every test is against chance: a row of requests at constant load has bursts of its own, and following those
is what makes autoscalers flap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from autoscaling.policy.costs import capacity
from autoscaling.policy.demand import Signal, Tick, chance, evidence

# Intervals looked at together: a jump shows in short windows, a creep in long ones.
WINDOWS = (1, 2, 3, 5, 8, 13, 21, 34, 60)
# Standard deviations beyond chance from which growth is believed. CPU comes in coarser grains than requests.
REQUESTS_SURE, CPU_SURE = 4.0, 4.5
UPPER = 1.05  # dead band: replicas may be used so much above the target
WINNER = 2.0  # standard deviations that the window with the most evidence is likely too high
RISE_SURE = 4.0 * math.sqrt(2)  # where two sums are compared, both of which chance moves
FALL_SURE = 4.0  # from which what was before a fall is no evidence of what is
EVEN = 3.0  # standard deviations that two rises may differ and still be one ramp
OVERLOAD = 0.85  # share of the ready replicas' CPU from which a queue builds up
LEAD = 6.0  # seconds until a replica that is asked for now helps
MISSED = 0.75  # of a jump, what the interval that it began in is taken not to show
AHEAD = 2.0  # at most so many times the demand that was seen
CALM = 5.0  # requests in flight per replica that are no queue
DRAIN = 2.0  # seconds in which a queue shall be gone
SATURATED = 0.95  # share of the replicas' CPU from which CPU says "at least"
SATURATED_SURE = 4.0
TRUSTED = 0.7  # share of the CPU used that requests must account for to be believed
HASTY = 4  # intervals that are looked at for it
LEAP = 2.5  # growth while demand is hidden behind saturated replicas


class Load(NamedTuple):
    """A service's load as it is known now.

    Two signals, their ticks, replicas that get requests, requests in flight, and those that arrived in the
    newest interval.
    """

    work: Signal
    cpu: Signal
    ticks: Sequence[Tick]
    ready: int
    in_flight: float
    arrived: float


class Growth(NamedTuple):
    """Replicas needed, before rounding.

    With the rule that says so, and what of them is no surplus for the time of a surge.
    """

    need: float
    rule: str
    lasting: float


def significant(signal: Signal, replicas: int, target: float, sure: float) -> float:
    """Replicas that demand needs if it is surely more than `replicas` may serve, else 0.

    A score test per window: is the sum further above what `UPPER` times the target allows than chance
    explains? The window with the most evidence gives the estimate, less two standard deviations, for it was
    picked as the highest. A window in which demand surely fell says what was, and does not count.
    """
    best, need = sure, 0.0
    for count in (length for length in WINDOWS if length <= len(signal.work)):
        work, seconds = signal.window(count)
        allowed = UPPER * replicas * target * seconds
        found = evidence(signal.grain, work, allowed)
        if found > best and not _fell(signal, count):
            best = found
            need = max(allowed, work - WINNER * chance(signal.grain, work)) / seconds / target
    return need


def _fell(signal: Signal, count: int) -> bool:
    """Whether a newer part of the newest `count` intervals is surely below the rest of them."""
    whole, seconds = signal.window(count)
    for part in (length for length in WINDOWS if length < count):
        late, late_seconds = signal.window(part)
        early, early_seconds = whole - late, seconds - late_seconds
        grain = signal.grain * (1 / early_seconds + 1 / late_seconds)  # of the difference of two rates
        if evidence(grain, early / early_seconds, late / late_seconds) > FALL_SURE:
            return True
    return False


def rising(signal: Signal) -> float:
    """CPU seconds per second to add for growth that goes on, 0 when chance may be all.

    A ramp (four intervals that rise, evenly as far as chance lets one see) is followed to when a new replica
    helps. A jump in the newest interval alone may have begun anywhere in it: most of what it rose is added
    again. A jump that the interval before had begun is seen whole by now.
    """
    if len(signal.work) < 4:
        return 0.0
    length = signal.seconds[-1]
    rates = [work / seconds for work, seconds in zip(signal.work[-4:], signal.seconds[-4:], strict=True)]
    expected = [rate * length for rate in rates]
    last, before = rates[3] - rates[2], rates[2] - rates[1]
    bend = math.sqrt(signal.grain * (expected[3] + 4 * expected[2] + expected[1])) / length
    ramp = evidence(signal.grain, expected[3] + expected[2], expected[1] + expected[0]) > RISE_SURE
    if ramp and min(last, before) > 0 and abs(last - before) < EVEN * bend:
        return min(last, before) / length * LEAD
    if evidence(signal.grain, expected[2], expected[1]) > RISE_SURE:
        return 0.0
    return MISSED * last if evidence(signal.grain, expected[3], expected[2]) > RISE_SURE else 0.0


def from_requests(load: Load, replicas: int, target: float) -> Growth:
    """Return the growth that requests prove.

    In an overload what is still to come and what drains the queue are added; it is measured by the replicas
    that are ready, so that a ramp is followed while those asked for first still start.
    """
    row = load.work
    rate = row.work[-1] / row.seconds[-1]
    if not load.ready or rate <= OVERLOAD * capacity(target) * load.ready:
        proven = significant(row, replicas, target, REQUESTS_SURE)
        return Growth(proven, "requests", proven)
    base = significant(row, min(load.ready, replicas), target, REQUESTS_SURE)
    if base <= 0:
        return Growth(0.0, "requests", 0.0)
    seen = max(base, rate / target)
    ahead = min((rate + rising(row)) / target, AHEAD * seen)
    cost = row.work[-1] / load.arrived if load.arrived else 0.0
    queue = max(0.0, load.in_flight - CALM * load.ready) * cost
    return Growth(max(base, ahead) + queue / DRAIN, "surge", seen)


def from_cpu(load: Load, replicas: int, target: float) -> Growth:
    """Return the growth that CPU proves.

    Saturated replicas hide how much more is asked of them: then, where requests do not tell, it leaps. Until
    those of a leap are ready, it waits.
    """
    proven = significant(load.cpu, replicas, target, CPU_SURE)
    if _explained(load) or not _saturated(load.ticks, load.cpu.grain, replicas, target):
        return Growth(proven, "cpu", proven)
    return Growth(LEAP * replicas, "saturated", LEAP * replicas)


def _explained(load: Load) -> bool:
    """Return True if requests account for the CPU that is used.

    They do not where their costs are not known, or much too low.
    """
    work, cpu = load.work.window(HASTY)[0], load.cpu.window(min(HASTY, len(load.work.work)))[0]
    return bool(load.work.work) and work >= TRUSTED * cpu


def _saturated(ticks: Sequence[Tick], grain: float, replicas: int, target: float) -> bool:
    """Return True if all replicas are ready and saturated, and the last ones prove more than chance.

    Saturated means in the newest interval; a replica that became ready in an interval counts from the next
    one.
    """
    if not ticks or ticks[-1].ready < replicas or not _busy(ticks[-1], capacity(target)):
        return False
    work = allowed = 0.0
    newest_first = list(reversed(ticks[-HASTY - 1 :]))
    for last, before in pairwise(newest_first):
        ready = last.ready if last is newest_first[0] else before.ready
        work += last.cpu or 0.0
        allowed += UPPER * target * ready * last.seconds
        if evidence(grain, work, allowed) > SATURATED_SURE:
            return True
    return False


def _busy(tick: Tick, most: float) -> bool:
    return tick.cpu is not None and tick.ready > 0 and tick.cpu > SATURATED * most * tick.ready * tick.seconds


def trend(signal: Signal, ahead: float) -> float:
    """CPU seconds per second that steady growth of the last minute adds in `ahead` seconds."""
    if ahead <= 0 or len(signal.work) < 30:
        return 0.0
    (late, late_seconds), (whole, whole_seconds) = signal.window(15), signal.window(30)
    slope = (late / late_seconds - (whole - late) / (whole_seconds - late_seconds)) / (whole_seconds / 2)
    return max(0.0, slope * ahead)
