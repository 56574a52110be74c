"""The demo county's tables, built together: six communities that share teachers, rooms and campuses."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from server.demo.county import demo_register
from timetable.checker import check, missing
from timetable.habits import remarks
from timetable.model import Table
from timetable.problem import Problem
from timetable.register.references import check_references
from timetable.solving.builder import build_all
from timetable.solving.lints import lint

ENOUGH = 2


@pytest.mark.slow
def test_the_whole_county_gets_tables_that_hold_together() -> None:
    register = demo_register()
    assert check_references(register) == []
    assert [f for c in register.communities for f in lint(Problem(register, c)) if f.severity == "error"] == []
    given = 0

    def count(tables: Sequence[Table]) -> None:
        nonlocal given
        given += 1

    # the first tables of all, and the first better ones: what comes later is held to the same
    build = build_all(register, seconds=25, on_tables=count, should_stop=lambda: given >= ENOUGH)
    assert build.status in ("feasible", "optimal")
    assert missing(register, *build.tables) == []
    assert check(register, *build.tables) == []
    assert remarks(register, *build.tables) == []
    assert all(outcome.findings == () for outcome in build.outcomes)
