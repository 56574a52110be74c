"""Where the relaxation of a part finds nothing, there is nothing; and what it moves leads to what is cheaper."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.drawn_registers import small_registers
from tests.instances import generated_community
from tests.unit.test_excerpt import SLOW, cheaper, excerpts_of
from tests.unit.test_relaxation import never, priced
from timetable.model import Register
from timetable.problem import Problem
from timetable.solving.formulation import Formulation
from timetable.solving.neighbourhoods import KINDS, Neighbourhoods
from timetable.solving.pricing import Pricing
from timetable.solving.search import Effort, run
from timetable.solving.stirring import LEAST_GAIN, STAY, Stirring


@settings(max_examples=12, deadline=None, suppress_health_check=SLOW)
@given(small_registers(), st.integers(0, 1 << 20))
def test_where_nothing_is_stirred_there_is_nothing(register: Register, seed: int) -> None:
    pricing = priced(register)
    assume(pricing is not None)
    assert pricing is not None
    excerpts, placements = excerpts_of(pricing)
    assume(placements)
    random = Random(seed)
    solution = np.array(pricing.complete, np.int64)
    stirring = Stirring(placements, len(pricing.ranges))
    for _ in range(4):
        free = random.sample(placements, random.randint(1, len(placements)))
        excerpt = excerpts.cut(free, solution)
        if excerpt.hopeless:
            continue
        moved, wholly = stirring.of(excerpt, 600)
        assert set(moved) <= set(free)
        assert len(set(moved)) == len(moved)
        assert moved or not wholly
        refined = cheaper(excerpts, free, solution)
        if moved or refined is None:
            continue
        left = sum(int(solution[index]) for index in placements if not refined[index])
        assert excerpts.cost(solution) - excerpts.cost(refined) - STAY * left < LEAST_GAIN + 1e-6


def test_what_is_stirred_is_narrowed_to_lessons_that_find_better_places() -> None:
    """In a community far from settled every kind of wide part is stirred, and narrowed to something cheaper."""
    register = generated_community(1)
    formulation = Formulation(Problem(register, register.communities[0]))
    first = run(formulation.cp, Effort(600, 1, 2, way="jump"), never)
    assert first.solution is not None
    pricing = Pricing(formulation, first.solution)
    solution = np.array(pricing.complete, np.int64)
    excerpts, placements = excerpts_of(pricing)
    around = Neighbourhoods(formulation, pricing)
    stirring = Stirring(placements, len(pricing.ranges))
    random = Random(7)
    for kind in KINDS:
        wide = around.pick(kind, solution, 1200, random)
        moved, wholly = stirring.of(excerpts.cut(wide, solution), 600)
        narrow = around.narrowed(wide, moved, 400)
        assert wholly
        assert set(moved) & set(narrow)
        assert set(narrow) <= set(wide)
        assert 400 <= len(narrow) < len(wide)
        assert cheaper(excerpts, narrow, solution) is not None


def test_a_part_is_narrowed_to_whole_requirements_the_moved_ones_first() -> None:
    register = generated_community(1, shape=(1, 1))
    formulation = Formulation(Problem(register, register.communities[0]))
    first = run(formulation.cp, Effort(600, 1, 2), never)
    assert first.solution is not None
    around = Neighbourhoods(formulation, Pricing(formulation, first.solution))
    own = [[variable.index for variable in variables] for _, variables in formulation.placed]
    every = [index for indices in own for index in indices]
    assert around.narrowed(every, [own[3][1], own[2][0]], 1) == own[3]
    assert around.narrowed(every, [own[3][1], own[2][0]], len(own[3]) + 1) == own[3] + own[2]
    assert around.narrowed(every, [own[2][0]], len(own[2]) + 1) == own[2] + own[0]
    assert sorted(around.narrowed(every, [own[2][0]], len(every))) == sorted(every)
