"""The bound that a director reads is true: never above a table that exists, whatever the relaxation's solver says."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model

from tests.drawn_registers import small_registers
from tests.instances import generated_community
from timetable.model import Register
from timetable.problem import Problem
from timetable.solving import lints
from timetable.solving.formulation import Formulation
from timetable.solving.pricing import UNLIMITED, Pricing
from timetable.solving.relaxation import proven, relax
from timetable.solving.rows import Row, rows_of
from timetable.solving.search import Effort, Run, run

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def never() -> bool:
    return False


def priced(register: Register) -> Pricing | None:
    """The priced model from a first table on; None where there is no table."""
    problem = Problem(register, register.communities[0])
    if any(finding.severity == "error" for finding in lints.lint(problem)):
        return None
    formulation = Formulation(problem)
    first = run(formulation.cp, Effort(600, 1, 2), never)
    return None if first.solution is None else Pricing(formulation, first.solution)


def optimum(pricing: Pricing) -> Run:
    return run(pricing.minimise(UNLIMITED, pricing.complete), Effort(600, 1, 2), never)


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(small_registers())
def test_no_table_costs_less_than_the_bound_nor_lies_outside_what_it_leaves(register: Register) -> None:
    pricing = priced(register)
    assume(pricing is not None)
    assert pricing is not None
    found = relax([*rows_of(pricing.cp)], pricing.ranges, pricing.weights, 600, never)
    assert found is not None
    best = optimum(pricing)
    assert best.status == "optimal"
    assert best.solution is not None
    assert best.cost is not None
    assert found.bound <= best.cost
    for index, (low, high) in found.narrowed(best.cost).items():
        assert low <= best.solution[index] <= high


def test_the_bound_of_a_community_is_its_optimum_where_nothing_has_to_be_divided() -> None:
    pricing = priced(generated_community(3, shape=(1, 1), lacking={}))
    assert pricing is not None
    found = relax([*rows_of(pricing.cp)], pricing.ranges, pricing.weights, 600, never)
    assert found is not None
    best = optimum(pricing)
    assert (best.status, best.cost) == ("optimal", found.bound)


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_any_multipliers_prove_something_true(seed: int) -> None:
    rng = random.Random(seed)
    cp = cp_model.CpModel()
    ranges = [(rng.randint(-2, 1), rng.randint(1, 3)) for _ in range(4)]
    variables = [cp.new_int_var(low, high, "") for low, high in ranges]
    inside = [rng.randint(low, high) for low, high in ranges]
    rows = []
    for _ in range(3):
        terms = {index: rng.randint(-3, 3) for index in rng.sample(range(4), 2)}
        at = sum(coefficient * inside[index] for index, coefficient in terms.items())
        low, high = rng.choice([(at, None), (None, at), (at - 1, at + 1)])
        rows.append(Row(terms, low, high))
        value = sum(coefficient * variables[index] for index, coefficient in terms.items())
        cp.add(value >= (-100 if low is None else low))
        cp.add(value <= (100 if high is None else high))
    weights = {index: rng.randint(0, 4) for index in range(4)}
    found = proven(rows, ranges, weights, [rng.uniform(-5, 5) for _ in rows])
    cp.minimize(sum(weight * variables[index] for index, weight in weights.items()))
    best = run(cp, Effort(10, 1, 1), never)
    solver = cp_model.CpSolver()
    assert solver.solve(cp) == cp_model.OPTIMAL
    assert best.solution is not None
    assert found.proven <= round(solver.objective_value) * 1_000_000
    for index, (low_, high_) in found.narrowed(round(solver.objective_value)).items():
        assert low_ <= best.solution[index] <= high_


def test_a_bound_that_is_not_reached_in_time_is_no_bound() -> None:
    pricing = priced(generated_community(3, shape=(1, 1), lacking={}))
    assert pricing is not None
    assert relax([*rows_of(pricing.cp)], pricing.ranges, pricing.weights, 30, lambda: True) is None
