"""How fast a community's table is found, and how good it gets: a generated community of 102 classes, by seed.

Seconds are the wall's of the whole way from the register, without starting Python. Costs are the priced rules'. Beside
them stands what FET makes of the same community in the same time (`fet_peer`).
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator

from tests.bench import fet_peer
from tests.bench.runner import Figure
from tests.instances import generated_community
from timetable.checker import check
from timetable.solver import solve

FIRST_GOAL = 5.0
QUICK_SECONDS, FULL_SECONDS = 20.0, 60.0
QUICK_SEEDS, FULL_SEEDS = (1, 2), (1, 2, 3, 4, 5)


def figures(full: bool) -> Iterator[Figure]:
    """First tables and costs of each seed, then their medians."""
    seconds = FULL_SECONDS if full else QUICK_SECONDS
    firsts: list[float] = []
    costs: list[float] = []
    for seed in FULL_SEEDS if full else QUICK_SEEDS:
        register = generated_community(seed)
        outcome = solve(register, "A", seconds=seconds, seed=seed, workers=os.cpu_count() or 1)
        if outcome.table is None or outcome.seconds_to_first is None:
            yield _figure(f"first table, 102 classes, seed {seed}", float("inf"), "s", met=False)
            continue
        if broken := check(register, outcome.table):
            raise AssertionError(f"seed {seed}: the checker refuses the table: {broken[0]}")
        firsts.append(outcome.seconds_to_first)
        costs.append(float(outcome.table.cost))
        peer = fet_peer.solve_by_fet(register, "A", seconds, seed) if fet_peer.installed() else None
        yield _beside(
            _figure(f"first table, 102 classes, seed {seed}", outcome.seconds_to_first, "s"),
            peer.seconds_to_first if peer else None,
        )
        yield _beside(
            _figure(f"cost after {seconds:g} s, seed {seed}", float(outcome.table.cost), "points"),
            peer.cost if peer else None,
        )
        yield _figure(f"proven bound after {seconds:g} s, seed {seed}", float(outcome.bound or 0), "points")
    if firsts:
        slowest = max(firsts)
        yield _figure(
            "slowest first table, 102 classes", slowest, "s", goal=f"<= {FIRST_GOAL:g} s", met=slowest <= FIRST_GOAL
        )
        yield _figure(f"median cost after {seconds:g} s", statistics.median(costs), "points")


def _beside(figure: Figure, peer_value: float | None) -> Figure:
    """The figure with FET's."""
    ratio = figure["value"] / peer_value if peer_value else None
    return {**figure, "peer": fet_peer.NAME, "peer_value": peer_value, "ratio": ratio}


def _figure(name: str, value: float, unit: str, *, goal: str | None = None, met: bool | None = None) -> Figure:
    return Figure(figure=name, value=value, unit=unit, peer=None, peer_value=None, ratio=None, goal=goal, met=met)
