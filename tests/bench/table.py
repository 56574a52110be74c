"""How fast a community's table is found, how good it gets and what that takes: generated communities of 102 classes.

Each seed is an instance of its own. Seconds are the wall's of the whole way from the register, without starting Python;
the processor's stand beside them, since a machine with other work stretches only the first. Costs are the priced
rules', held against the best known (`best_known`), which the solver does not know, and against what FET makes of the
same community (`fet_peer`).
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import fet_peer
from tests.bench.best_known import SEEDS, BestKnown, register_of, stored
from tests.bench.runner import Figure
from tests.bench.solving import BEST, Built, allowance, build, figure, median, used_allowance
from timetable.model import Register

FIRST_GOAL = 5.0
MEMORY_GOAL = 1500.0
QUICK_SECONDS, FULL_SECONDS = 60.0, 60.0
QUICK_PEER, FULL_PEER = 15.0, 45.0


def figures(full: bool) -> Iterator[Figure]:
    """Each seed beside the best known cost and FET, then the medians with their goals."""
    builds: list[Built] = []
    above: list[float] = []
    for seed in SEEDS if full else SEEDS[:1]:
        name = f"community-{seed}"
        register = register_of(name)
        known = stored(name, register)
        built = build(register, seconds=FULL_SECONDS if full else QUICK_SECONDS, seed=seed)
        builds.append(built)
        yield from _of_seed(seed, built, known)
        yield from _beside_fet(seed, register, built, FULL_PEER if full else QUICK_PEER)
        if known is not None:
            above.append(float("inf") if built.cost is None else allowance(built.cost, known.cost))
    yield figure("first table, 102 classes, median", median(builds, lambda b: b.seconds_to_first), "s", FIRST_GOAL)
    yield figure("the same, processor", median(builds, lambda b: b.processor_to_first), "s")
    yield figure("memory, most", max(b.memory for b in builds), "MB", MEMORY_GOAL)
    if len(above) == len(builds):
        yield used_allowance(above, FULL_SECONDS)


def _of_seed(seed: int, built: Built, known: BestKnown | None) -> Iterator[Figure]:
    never = float("inf")
    cost = never if built.cost is None else float(built.cost)
    beside = None if known is None else known.cost
    yield figure(f"cost, seed {seed}", cost, "points", peer=BEST, beside=beside)
    yield figure(f"proven bound, seed {seed}", float(built.bound or 0), "points")
    if known is not None:
        near = [(s.seconds, p) for s, p in built.steps if s.cost is not None and allowance(s.cost, known.cost) <= 1]
        seconds, processor = near[0] if near else (never, never)
        yield figure(f"until within reach of the best known, seed {seed}", seconds, "s")
        yield figure("the same, processor", processor, "s")
    yield figure(f"until the end, seed {seed} ({built.status})", built.seconds, "s")


def _beside_fet(seed: int, register: Register, built: Built, seconds: float) -> Iterator[Figure]:
    peer = fet_peer.solve_by_fet(register, "A", seconds, seed) if fet_peer.installed() else None
    first, cost = (peer.seconds_to_first, peer.cost) if peer else (None, None)
    if built.seconds_to_first is not None and built.cost is not None:
        yield figure(f"first table, seed {seed}", built.seconds_to_first, "s", peer=fet_peer.NAME, beside=first)
        yield figure(f"cost, seed {seed}", float(built.cost), "points", peer=fet_peer.NAME, beside=cost)
