"""From the table to a session's plan: who is in it, in which room, and when."""

from __future__ import annotations

import msgspec

from server.session_plans import occurrence_plan, rehearsal_plan
from tests.unit.county_days import THURSDAY, at, county, occurrence, table
from timetable.model import Closure


def test_a_lessons_plan_has_the_id_of_its_occurrence_and_everybodys_part() -> None:
    here = county()
    lesson = table(here).lessons[0]
    plan = occurrence_plan(here, occurrence(here, lesson))
    assert (plan.session, plan.occurrence, plan.community) == (
        "A-r1.1.2026-11-19",
        "A-r1.1.2026-11-19",
        "A",
    )
    assert [(part.unit, part.room, part.teachers, part.classes) for part in plan.parts] == [
        ("A0", "A0-remote1", ("A0-t1",), ("A0-5-1",)),
        ("A1", "A1-remote1", ("A1-t2",), ("A1-5-1",)),
        ("A2", "A2-remote1", ("A2-t3",), ("A2-5-1",)),
    ]
    info = plan.lesson
    assert (info.id, info.title, info.host_unit, info.host_teacher) == (
        "A-r1.1",
        "科学 A0-5-1班",
        "A0",
        "科学教师001",
    )
    assert (info.starts, info.ends, info.rehearsal) == (at("10:30"), at("11:10"), False)
    assert (info.week, info.weekday, info.period, info.expected) == (7, 4, 3, ("A1-remote1", "A2-remote1"))


def test_a_closed_school_has_no_part() -> None:
    here = county(
        Closure(first=THURSDAY.isoformat(), last=THURSDAY.isoformat(), name="停水", units=("A1",)),
    )
    plan = occurrence_plan(here, occurrence(here, table(here).lessons[0]))
    assert plan.units == ("A0", "A2")
    assert plan.lesson.expected == ("A2-remote1",)


def test_a_rehearsal_has_everybody_and_begins_now() -> None:
    here = county()
    plan = rehearsal_plan(here, table(here).lessons[0], session="rehearsal-1", starts=at("17:00"), seconds=2400.0)
    assert (plan.session, plan.occurrence, plan.lesson.rehearsal, plan.lesson.week) == ("rehearsal-1", "", True, 0)
    assert (plan.lesson.starts, plan.lesson.ends) == (at("17:00"), at("17:40"))
    assert plan.units == ("A0", "A1", "A2")


def test_a_host_without_a_class_and_without_a_room_is_still_the_host() -> None:
    here = county()
    lesson = table(here).lessons[0]
    host = msgspec.structs.replace(lesson.parties[0], classes=(), room=None)
    dedicated = msgspec.structs.replace(lesson, kind="dedicated", parties=(host, *lesson.parties[1:]), topic="光的反射")
    plan = rehearsal_plan(here, dedicated, session="r", starts=0.0, seconds=1.0)
    assert (plan.host.unit, plan.host.room, plan.host.room_name, plan.host.class_name) == ("A0", "", "", "")
    # named after the class that learns
    assert plan.lesson.title == "科学 A1-5-1班 · 光的反射"
