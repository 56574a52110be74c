"""This module owns linear programs: what a model asks for when its variables need not be whole."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver.python.model_builder_helper import ModelBuilderHelper

from timetable.solving.sums import OPEN, Sums, Whole


def linear_program(least: Whole, most: Whole, weights: NDArray[np.float64], rows: Sums) -> ModelBuilderHelper:
    """The cheapest values between `least` and `most` that keep the rows; `weights` say what a step of each costs."""
    program = ModelBuilderHelper()
    add_variables: Any = program.add_var_array_with_bounds  # whose stub writes arrays as numpy does not
    add_variables(least.astype(np.float64), most.astype(np.float64), np.zeros(len(least), np.bool_), "")
    priced = np.flatnonzero(weights)
    program.set_objective_coefficients(priced.tolist(), weights[priced].tolist())
    for number, (low, high) in enumerate(zip(rows.low.tolist(), rows.high.tolist(), strict=True)):
        program.add_linear_constraint()
        if low > -OPEN:
            program.set_constraint_lower_bound(number, low)
        if high < OPEN:
            program.set_constraint_upper_bound(number, high)
    add_term = program.add_term_to_constraint
    for number, index, factor in zip(rows.owner.tolist(), rows.variables.tolist(), rows.factors.tolist(), strict=True):
        add_term(number, index, factor)
    program.set_maximize(False)
    return program
