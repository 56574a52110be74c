"""What is found in an excerpt is a table of the whole: it keeps every row, and costs what it is said to cost."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model

from tests.drawn_registers import small_registers
from tests.unit.test_relaxation import never, optimum, priced
from timetable.model import Register
from timetable.solving.excerpt import Excerpts
from timetable.solving.pricing import UNLIMITED, Pricing
from timetable.solving.rows import rows_of
from timetable.solving.search import Effort, run
from timetable.solving.sums import Whole

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def excerpts_of(pricing: Pricing) -> tuple[Excerpts, list[int]]:
    placements = pricing.placements
    return Excerpts(rows_of(pricing.cp), pricing.ranges, pricing.weights, placements), placements


def broken(pricing: Pricing, solution: np.ndarray) -> list[str]:
    """Every row of the whole model that a solution does not keep."""
    found = []
    for row in rows_of(pricing.cp):
        total = sum(factor * int(solution[variable]) for variable, factor in row.terms.items())
        if (row.low is not None and total < row.low) or (row.high is not None and total > row.high):
            found.append(str(row))
    return found


def cheaper(excerpts: Excerpts, free: list[int], solution: Whole) -> Whole | None:
    """The cheapest solution with these placements free, if it is cheaper."""
    excerpt = excerpts.cut(free, solution)
    if excerpt.hopeless:
        return None
    found = run(excerpt.model(), Effort(600, 1, 1, way="part"), never)
    assert found.status in ("optimal", "infeasible")
    return None if found.solution is None else excerpt.put_back(solution, found.solution)


def cheapest(pricing: Pricing, free: list[int], solution: Whole) -> int:
    """What the cheapest solution with these placements free costs, by the whole model."""
    cp = pricing.minimise(UNLIMITED, solution.tolist()).clone()
    for index in set(pricing.placements) - set(free):
        domain = cp.proto.variables[index].domain
        domain[0] = domain[1] = int(solution[index])
    found = run(cp, Effort(600, 1, 2), never)
    assert found.status == "optimal"
    assert found.solution is not None
    return pricing.cost(found.solution)


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(small_registers(), st.integers(0, 1 << 20))
def test_an_excerpt_keeps_the_whole_and_finds_what_is_cheapest(register: Register, seed: int) -> None:
    pricing = priced(register)
    assume(pricing is not None)
    assert pricing is not None
    assert pricing.ranges == [(v.domain[0], v.domain[len(v.domain) - 1]) for v in pricing.cp.proto.variables]
    excerpts, placements = excerpts_of(pricing)
    assume(placements)
    random = Random(seed)
    solution = np.array(pricing.complete, np.int64)
    for _ in range(4):
        free = random.sample(placements, random.randint(1, len(placements)))
        refined = cheaper(excerpts, free, solution)
        least = cheapest(pricing, free, solution)
        if refined is None:
            assert pricing.cost(solution.tolist()) == least
            continue
        assert broken(pricing, refined) == []
        changed = np.flatnonzero(refined != solution)
        assert excerpts.sound(refined, changed)
        held = set(placements) - set(free)
        assert not held & set(changed.tolist())
        assert pricing.cost(refined.tolist()) == excerpts.cost(refined) == least < pricing.cost(solution.tolist())
        solution = refined


@settings(max_examples=15, deadline=None, suppress_health_check=SLOW)
@given(small_registers())
def test_the_excerpt_of_everything_has_the_optimum_of_the_whole(register: Register) -> None:
    pricing = priced(register)
    assume(pricing is not None)
    assert pricing is not None
    excerpts, placements = excerpts_of(pricing)
    solution = np.array(pricing.complete, np.int64)
    refined = cheaper(excerpts, placements, solution)
    assert pricing.cost((solution if refined is None else refined).tolist()) == optimum(pricing).cost


def test_what_breaks_a_row_is_not_sound() -> None:
    cp = cp_model.CpModel()
    a, b, c = (cp.new_bool_var("") for _ in range(3))
    cp.add_exactly_one([a, b, c])
    excerpts = Excerpts(rows_of(cp), [(0, 1)] * 3, {1: 5}, [0, 1, 2])
    assert excerpts.sound(np.array([0, 1, 0]), np.array([0, 1]))
    assert not excerpts.sound(np.array([1, 1, 0]), np.array([0]))
    excerpt = excerpts.cut([0, 1], np.array([0, 1, 0]))
    found = run(excerpt.model(), Effort(10, 1, 1, way="part"), never)
    assert found.solution is not None
    assert excerpt.put_back(np.array([0, 1, 0]), found.solution).tolist() == [1, 0, 0]
    assert excerpts.cut([0, 2], np.array([1, 0, 0])).hopeless


def test_a_constraint_that_is_no_sum_is_refused() -> None:
    cp = cp_model.CpModel()
    a, b = (cp.new_int_var(0, 9, "") for _ in range(2))
    cp.add_max_equality(a, [b])
    with pytest.raises(ValueError, match="not a row"):
        list(rows_of(cp))
