"""A printed grid of periods: how much smaller it is drawn so that one sheet holds it, as far as it can be read then."""

from __future__ import annotations

import pytest

from tests import client_code

LEAST = 7 / 8.25
"""Of the smallest type, 8.25 points, what can be read on A4."""
HIGH, ROW, DENSE, HEAD, BREAK = 168, 19, 6.4, 8, 5
"""Millimetres for the grid on A4 across, less margins, heading and legend; and what it is made of."""


@pytest.mark.parametrize(
    ("stacks", "breaks", "smaller"),
    [
        ([1] * 7, 2, False),
        ([2, 3, 2, 1, 2, 3, 1], 2, False),
        ([1, 1, 2, 1, 4, 3, 6, 1], 2, True),
        ([1] * 10, 3, True),
        ([8] * 8, 2, True),
        ([], 0, False),
    ],
)
def test_a_grid_is_drawn_as_large_as_its_sheet_holds(stacks: list[int], breaks: int, smaller: bool) -> None:
    fit = client_code.run("timetable/one-sheet.ts", "return module.fitOnSheet(given[0], given[1]);", [stacks, breaks])
    high = HEAD + BREAK * breaks + sum(max(ROW, DENSE * most) for most in stacks)
    assert (fit < 1) is smaller
    assert fit == pytest.approx(max(LEAST, min(1, HIGH / high)))
