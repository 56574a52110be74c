"""This module owns what the linear relaxation of an excerpt stirs: the lessons that it would rather have elsewhere.

Most parts of a good table hold nothing cheaper, and most lessons of those that do stay where they are. The relaxation
of a part that is too wide to be searched is solved in some hundredths of a second. Where it finds nothing, there is
nothing; where it does, what it moves says better than chance what to search. Each lesson that stays is worth a little,
so that it moves only what it must: without that it spreads lessons of equal cost over half the week.
"""

from __future__ import annotations

from collections.abc import Collection

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


FAST = "use_dual_simplex: true use_preprocessing: false"
"""The dual simplex takes a quarter of the primal's time; without preprocessing a fifth less again."""


class Stirring:
    """`placements` are the variables that say where lessons stand, of a model of so many variables."""

    def __init__(self, placements: Collection[int], variables: int) -> None:
        self._is_placement = np.zeros(variables, np.bool_)
        self._is_placement[np.fromiter(placements, np.int64, len(placements))] = True

    def moved(self, excerpt: Excerpt, seconds: float) -> list[int]:
        """The placements that the relaxation takes lessons from or puts them to, those moved most first; none where it
        finds nothing cheaper, or takes longer."""
        own = self._is_placement[excerpt.free]
        stands = own & (excerpt.values == 1)
        prices = excerpt.weights - STAY * stands
        program = linear_program(excerpt.least, excerpt.most, prices, excerpt.rows)
        solver = ModelSolverHelper("glop")
        solver.set_time_limit_in_seconds(seconds)
        solver.set_solver_specific_parameters(FAST)
        solver.solve(program)
        if not solver.has_solution():
            return []
        values = np.asarray(solver.variable_values())
        if prices @ excerpt.values - prices @ values < LEAST_GAIN:
            return []
        by = np.where(own, np.abs(values - excerpt.values), 0.0)
        order = np.argsort(-by, kind="stable")
        moved: list[int] = excerpt.free[order[by[order] > MOVED]].tolist()
        return moved
