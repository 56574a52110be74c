"""The demo county's tables, built together: six communities that share teachers, rooms and campuses."""

from __future__ import annotations

import pytest

from server.demo.county import demo_register
from timetable.checker import check, missing
from timetable.habits import remarks
from timetable.problem import Problem
from timetable.register.references import check_references
from timetable.solving.builder import build_all
from timetable.solving.lints import lint


@pytest.mark.slow
def test_the_whole_county_gets_tables_that_hold_together() -> None:
    register = demo_register()
    assert check_references(register) == []
    assert [f for c in register.communities for f in lint(Problem(register, c)) if f.severity == "error"] == []
    build = build_all(register, seconds=25)
    assert build.status in ("feasible", "optimal")
    assert missing(register, *build.tables) == []
    assert check(register, *build.tables) == []
    assert remarks(register, *build.tables) == []
    assert all(outcome.findings == () for outcome in build.outcomes)
