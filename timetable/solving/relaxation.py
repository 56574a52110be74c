"""This module owns the linear relaxation of a priced model: a cost that no table can undercut, and what that forbids.

A first-order method solves the relaxation of a whole community in about a second, but only nearly. Its dual values are
therefore only a proposal: what they prove is added up here in whole numbers, so the bound holds however rough they are.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ortools.linear_solver.python.model_builder_helper import ModelSolverHelper

from timetable.solving.linear import linear_program
from timetable.solving.rows import Row
from timetable.solving.search import TICK
from timetable.solving.sums import sums_of

SCALE = 1_000_000
"""Parts into which one point of cost is divided, to add in whole numbers."""

ACCURACY = 1e-4
"""How near to its optimum the relaxation is solved; what lacks only weakens the bound."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """`proven` is the bound in SCALE-ths. `reduced` says by variable how much more a solution costs for each step that
    the variable is above its lowest value, or where negative below its highest."""

    proven: int
    reduced: Sequence[int]
    ranges: Sequence[tuple[int, int]]

    @property
    def bound(self) -> int:
        """No solution costs less; costs are whole."""
        return max(0, -(-self.proven // SCALE))

    def narrowed(self, cost: int) -> dict[int, tuple[int, int]]:
        """The variables with fewer values than they had in every solution of at most that cost."""
        spare = cost * SCALE - self.proven
        found: dict[int, tuple[int, int]] = {}
        if spare < 0:
            return found
        for index, more in enumerate(self.reduced):
            low, high = self.ranges[index]
            if abs(more) * (high - low) > spare:
                steps = spare // abs(more)
                found[index] = (low, low + steps) if more > 0 else (high - steps, high)
        return found


def relax(
    rows: Sequence[Row],
    ranges: Sequence[tuple[int, int]],
    weights: Mapping[int, int],
    seconds: float,
    should_stop: Callable[[], bool],
) -> Relaxation | None:
    """The relaxation of a model with these rows, ranges and weights of its variables; None when it was not solved in
    time."""
    held = [row for row in rows if row.holds]
    duals = _duals(held, ranges, weights, seconds, should_stop) if held else ()
    return None if duals is None else proven(held, ranges, weights, duals)


def proven(
    rows: Sequence[Row], ranges: Sequence[tuple[int, int]], weights: Mapping[int, int], duals: Sequence[float]
) -> Relaxation:
    """What these multipliers of the rows prove: each row times its multiplier is added to the cost, in whole numbers.

    Any multipliers prove something true; the better they are, the higher is the bound.
    """
    reduced = [weights.get(index, 0) * SCALE for index in range(len(ranges))]
    total = 0
    for row, dual in zip(rows, duals, strict=True):
        multiplier = round(dual * SCALE)
        side = row.low if multiplier > 0 else row.high
        if multiplier == 0 or side is None:
            continue
        total += multiplier * side
        for index, coefficient in row.terms.items():
            reduced[index] -= multiplier * coefficient
    for more, (low, high) in zip(reduced, ranges, strict=True):
        total += more * (low if more > 0 else high)
    return Relaxation(total, reduced, ranges)


def _duals(
    rows: Sequence[Row],
    ranges: Sequence[tuple[int, int]],
    weights: Mapping[int, int],
    seconds: float,
    should_stop: Callable[[], bool],
) -> list[float] | None:
    """The multipliers that a first-order method finds."""
    least, most = (np.array(side, np.int64) for side in zip(*ranges, strict=True))
    prices = np.zeros(len(ranges))
    for index, weight in weights.items():
        prices[index] = weight
    program = linear_program(least, most, prices, sums_of(rows))
    solver = ModelSolverHelper("pdlp")
    solver.set_time_limit_in_seconds(seconds)
    solver.set_solver_specific_parameters(
        "num_threads: 1 termination_criteria { simple_optimality_criteria "
        f"{{ eps_optimal_absolute: {ACCURACY} eps_optimal_relative: {ACCURACY} }} }}"
    )
    finished = threading.Event()

    def work() -> None:
        try:
            solver.solve(program)
        finally:
            finished.set()

    thread = threading.Thread(target=work, name="relaxation", daemon=True)
    thread.start()
    while not finished.wait(TICK):
        if should_stop():
            solver.interrupt_solve()
    thread.join()
    if should_stop() or not solver.has_response():
        return None
    # Also what is not solved to the end proves something.
    duals = [float(dual) for dual in solver.dual_values()]
    return duals if len(duals) == len(rows) else None
