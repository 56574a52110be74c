"""This module owns what the linear relaxation of an excerpt stirs: the lessons that it would rather have elsewhere.

Most parts of a good table hold nothing cheaper, and most lessons of those that do stay where they are. The relaxation
of a part that is too wide to be searched is solved in some hundredths of a second. Where it finds nothing, there is
nothing; where it does, what it moves says better than chance what to search. Each lesson that stays is worth a little,
so that it moves only what it must: without that it spreads lessons of equal cost over half the week.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from ortools.linear_solver.python.model_builder_helper import ModelSolverHelper

from timetable.solving.excerpt import Excerpt
from timetable.solving.linear import linear_program

STAY = 0.05
"""Points of cost that a lesson saves by staying where it is."""

MOVED = 0.1
"""The part of a lesson that has moved where it counts as moved."""

LEAST_GAIN = 0.01
"""Points that a part must save in the relaxation, beyond what it takes to move lessons, to be worth a search."""

WHOLLY = 0.9
"""The part of a lesson that has moved where it counts as moved as a whole."""

FAST = (
    "use_dual_simplex: true use_preprocessing: false use_scaling: false initial_basis: NONE "
    "dual_price_prioritize_norm: true perturb_costs_in_dual_simplex: true"
)
"""The dual simplex takes a quarter of the primal's time; begun from the slacks, without preprocessing or scaling, and
with prices a little apart, a third less again."""


class Stirred(NamedTuple):
    """The placements that lessons are taken from or put to, those moved most first, and whether any lesson moves as a
    whole: where all move in parts only, hardly one search of twenty finds something cheaper."""

    placements: list[int]
    wholly: bool


NOTHING = Stirred([], False)


class Stirring:
    """`placements` are the variables that say where lessons stand, of a model of so many variables."""

    def __init__(self, placements: Collection[int], variables: int) -> None:
        self._is_placement = np.zeros(variables, np.bool_)
        self._is_placement[np.fromiter(placements, np.int64, len(placements))] = True

    def of(self, excerpt: Excerpt, seconds: float) -> Stirred:
        """What the relaxation would rather have elsewhere; nothing where it finds nothing cheaper, or takes longer."""
        own = self._is_placement[excerpt.free]
        stands = own & (excerpt.values == 1)
        prices = excerpt.weights - STAY * stands
        program = linear_program(excerpt.least, excerpt.most, prices, excerpt.rows)
        solver = ModelSolverHelper("glop")
        solver.set_time_limit_in_seconds(seconds)
        solver.set_solver_specific_parameters(FAST)
        solver.solve(program)
        if not solver.has_solution():
            return NOTHING
        values = np.asarray(solver.variable_values())
        if prices @ excerpt.values - prices @ values < LEAST_GAIN:
            return NOTHING
        by = np.where(own, np.abs(values - excerpt.values), 0.0)
        order = np.argsort(-by, kind="stable")
        return Stirred(excerpt.free[order[by[order] > MOVED]].tolist(), bool(by.max() >= WHOLLY))
