"""Settling rows takes nothing away: what is left has exactly the solutions that there were."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from timetable.solving.rows import Row
from timetable.solving.sums import sums_of

VARIABLES = 4
FACTORS = st.integers(-3, 3).filter(bool)
SIDES = st.none() | st.integers(-6, 8)


@st.composite
def rows(draw: st.DrawFn) -> Row:
    terms = draw(st.dictionaries(st.integers(0, VARIABLES - 1), FACTORS, max_size=VARIABLES))
    low, high = draw(SIDES), draw(SIDES)
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high)
    return Row(terms, low, high)


def keeps(row: Row, values: tuple[int, ...]) -> bool:
    total = sum(factor * values[variable] for variable, factor in row.terms.items())
    return (row.low is None or row.low <= total) and (row.high is None or total <= row.high)


@given(st.lists(rows(), max_size=6), st.lists(st.integers(0, 3), min_size=VARIABLES, max_size=VARIABLES))
def test_what_is_settled_leaves_the_same_solutions(given_rows: list[Row], most: list[int]) -> None:
    """A row without terms says nothing of a variable: the model has none that cannot be kept."""
    held = [row for row in given_rows if row.terms]
    ranges = [range(high + 1) for high in most]
    before = {values for values in product(*ranges) if all(keeps(row, values) for row in held)}
    low, high = np.zeros(VARIABLES, np.int64), np.array(most, np.int64)
    whole = sums_of(held)
    left = whole.settled(low, high)
    if not before:
        return
    after = {
        values
        for values in product(*(range(a, b + 1) for a, b in zip(low.tolist(), high.tolist(), strict=True)))
        if left.kept_by(np.array(values, np.int64))
    }
    assert after == before
    assert all(whole.kept_by(np.array(values, np.int64)) for values in after)
    assert set(left.variables.tolist()) <= set(np.flatnonzero(low != high).tolist())


def test_one_row_settles_another() -> None:
    low, high = np.zeros(3, np.int64), np.ones(3, np.int64)
    left = sums_of([Row({0: 1}, 1, 1), Row({0: 1, 1: 1}, None, 1), Row({1: 1, 2: 1}, 1, 1)]).settled(low, high)
    assert (low.tolist(), high.tolist(), len(left.low)) == ([1, 0, 1], [1, 0, 1], 0)
