"""How fast the whole demo county gets tables that hold together, and how good they get: 43 units on 40 campuses in six
communities, which share teachers, rooms and campuses. Goals and figures are as in `table`. The full form builds with
five seeds, and also asks for a first table of ten communities in one, which nobody has: what happens to an input that
is far too large."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.best_known import COUNTY, register_of, stored
from tests.bench.runner import Figure
from tests.bench.solving import BEST, Built, allowance, build, figure, median, used_allowance
from tests.instances import many_times

FIRST_GOAL, MEMORY_GOAL = 60.0, 1500.0
FIRST_SECONDS = 1.0
"""A build with no time to improve ends with every community's first table."""

QUICK_SECONDS, FULL_SECONDS = 45.0, 60.0
QUICK_SEEDS, FULL_SEEDS = (1,), (1, 2, 3, 4, 5)


def figures(full: bool) -> Iterator[Figure]:
    register = register_of(COUNTY)
    known = stored(COUNTY, register)
    seconds = FULL_SECONDS if full else QUICK_SECONDS
    builds = [build(register, seconds=seconds, seed=seed) for seed in (FULL_SEEDS if full else QUICK_SEEDS)]
    yield figure("county feasible, median", median(builds, lambda b: b.seconds_to_first), "s", FIRST_GOAL)
    yield figure("the same, processor", median(builds, lambda b: b.processor_to_first), "s")
    yield figure("memory, most", max(b.memory for b in builds), "MB", MEMORY_GOAL)
    beside = None if known is None else known.cost
    cost = median(builds, lambda b: b.cost)
    yield figure(f"cost of all after {seconds:g} s, median", cost, "points", peer=BEST, beside=beside)
    yield figure("proven bound of all, best", float(max(b.bound or 0 for b in builds)), "points")
    yield figure("the first tables' cost, median", median(builds, _first_cost), "points")
    if known is not None:
        never = float("inf")
        yield used_allowance([never if b.cost is None else allowance(b.cost, known.cost) for b in builds], seconds)
    if full:
        huge = build(many_times(10), seconds=FIRST_SECONDS, seed=1)
        yield figure("first table, 1020 classes in one community", median([huge], lambda b: b.seconds_to_first), "s")
        yield figure("its memory", huge.memory, "MB")


def _first_cost(built: Built) -> float:
    """Of every community's first table together."""
    firsts = {step.community: step.cost for step, _ in reversed(built.steps) if step.cost is not None}
    return float(sum(firsts.values()))
