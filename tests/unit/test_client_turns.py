"""The page and the server agree on a lesson's weeks, its clock on a date, and whose turn it is."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec

from server.demo.county import demo_register
from tests import client_code
from tests.community_builder import CommunityBuilder, bell_times
from timetable.model import Lesson, Party, Weeks
from timetable.solving.solver import solve
from timetable.term import teaching_day
from timetable.turns import in_week, turn
from timetable.weeks import held_in

WEEK_SETS: list[tuple[Weeks, tuple[int, ...]]] = [
    ("all", ()),
    ("odd", ()),
    ("even", ()),
    ("even", (2, 6, 10, 14)),
    ("all", (3, 4, 9)),
]


def test_weeks_and_turns_are_the_servers() -> None:
    given: list[dict[str, Any]] = []
    expected: list[list[object]] = []
    for weeks, only in WEEK_SETS:
        for rotation in ((), ("a",), ("a", "b", "c")):
            given.append({"weeks": weeks, "onlyWeeks": only, "rotation": rotation})
            expected.append([[held_in(weeks, only, week), turn(rotation, weeks, only, week)] for week in range(1, 21)])
    script = """
        const weeks = Array.from({ length: 20 }, (_, index) => index + 1);
        return given.map((one) => weeks.map((week) => [module.heldIn(one, week), module.turnOf(one, week) ?? null]));
    """
    assert client_code.run("timetable/turns.ts", script, given) == expected


def test_a_lesson_of_a_week_is_the_servers() -> None:
    starts = bell_times(480, 20, 840)
    builder = CommunityBuilder()
    units = [builder.unit(starts), builder.unit([start + 5 for start in starts])]
    builder.rings_anew(units[1], "2026-10-14", starts)  # a Wednesday
    parties = [
        Party(unit=unit, classes=(builder.school_class(unit),), teachers=(builder.teacher(unit),)) for unit in units
    ]
    builder.require("sync", "语文", 5, *parties, rotation=(units[1], units[0]))
    register = builder.register()
    outcome = solve(register, "A", seconds=10, workers=1)
    assert outcome.table is not None
    monday = date.fromisoformat(register.term.week_one)
    given, expected = [], []
    for lesson in outcome.table.lessons:
        for week in (6, 7, 8):
            day = monday + timedelta(weeks=week - 1, days=lesson.weekday - 1)
            given.append([msgspec.to_builtins(lesson), week, day.isoformat()])
            expected.append(in_week(lesson.by_date(day.isoformat()), week))
    found = client_code.run("timetable/turns.ts", "return given.map((one) => module.lessonIn(...one))", given)
    assert [structured(one) for one in found] == expected
    assert all(lesson.later for lesson in outcome.table.lessons)
    assert teaching_day(register.term, date(2026, 10, 14)) is not None


def structured(lesson: dict[str, Any]) -> Lesson:
    return msgspec.convert({name: value for name, value in lesson.items() if name != "later"}, Lesson)


def test_the_demo_has_something_of_every_kind_that_goes_round() -> None:
    kinds = {requirement.kind for requirement in demo_register().requirements if requirement.rotation}
    assert kinds == {"sync", "joint_preparation", "joint_meeting"}
