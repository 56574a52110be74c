"""How fast the whole demo county gets tables that hold together: 43 units on 40 campuses in six communities, which
share teachers, rooms and campuses. Goals and figures are as in `table`. The full form also asks for a first table of
ten communities in one, which nobody has: what happens to an input that is far too large."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.best_known import COUNTY, register_of, stored
from tests.bench.runner import Figure
from tests.bench.solving import BEST, build, figure, median
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
    whole = build(register, seconds=seconds, seed=1)
    firsts = [whole, *(build(register, seconds=FIRST_SECONDS, seed=seed) for seed in FULL_SEEDS[1:] if full)]
    yield figure("county feasible, median", median(firsts, lambda b: b.seconds_to_first), "s", FIRST_GOAL)
    yield figure("the same, processor", median(firsts, lambda b: b.processor_to_first), "s")
    yield figure("memory, most", max(b.memory for b in firsts), "MB", MEMORY_GOAL)
    if whole.cost is not None:
        beside = None if known is None else known.cost
        yield figure(f"cost of all after {seconds:g} s", float(whole.cost), "points", peer=BEST, beside=beside)
        yield figure("proven bound of all", float(whole.bound or 0), "points")
        firsts_cost = {step.community: step.cost for step, _ in reversed(whole.steps) if step.cost is not None}
        yield figure("the first tables' cost", float(sum(firsts_cost.values())), "points")
    if full:
        huge = build(many_times(10), seconds=FIRST_SECONDS, seed=1)
        yield figure("first table, 1020 classes in one community", median([huge], lambda b: b.seconds_to_first), "s")
        yield figure("its memory", huge.memory, "MB")
