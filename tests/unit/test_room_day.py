"""The day of one remote room, and which session its panel belongs in now."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from server.county import County
from server.room_day import room_day
from server.session_plans import occurrence_plan, rehearsal_plan
from server.shapes.live import RoomDay
from signaling.plan import SessionRecord
from signaling.wire import SessionState
from tests.unit.county_days import THURSDAY, at, county, dated, occurrence, record, table
from timetable.days.effects import Applied, CalledOff
from timetable.identity import uid_of
from timetable.model import Closure

HERE = county()
LESSON = table(HERE).lessons[0]
LATER = msgspec.structs.replace(LESSON, id="A-r9.1", start="11:20", end="12:00")


def session(state: SessionState, lesson: object = LESSON) -> SessionRecord:
    assert isinstance(lesson, type(LESSON))
    return record(occurrence_plan(HERE, occurrence(HERE, lesson)), state)


def rehearsal(state: SessionState = "open", id: str = "rehearsal-1") -> SessionRecord:
    return record(rehearsal_plan(HERE, LESSON, session=id, starts=at("09:00"), seconds=2400.0), state)


def day(room: str, *sessions: SessionRecord, clock: str = "10:20", prefer_rehearsal: bool = False) -> RoomDay:
    return room_day(
        HERE,
        room,
        standings=dated(HERE, LESSON, LATER).on(THURSDAY),
        sessions=list(sessions),
        now=at(clock),
        prefer_rehearsal=prefer_rehearsal,
    )


def test_a_room_shows_its_lessons_by_the_clock() -> None:
    shown = day("A1-remote1", session("open"))
    assert (shown.unit, shown.unit_name, shown.date) == ("A1", "学校A1", "2026-11-19")
    assert [(row.start, row.state, row.session, row.host_name) for row in shown.lessons] == [
        ("10:30", "open", "A-r1.1.2026-11-19", "学校A0"),
        ("11:20", "scheduled", None, "学校A0"),
    ]
    assert (shown.lessons[0].starts, shown.lessons[0].ends) == (at("10:30"), at("11:10"))


def test_a_member_is_sent_into_its_session_and_the_hosts_room_is_not() -> None:
    running = session("open")
    member = day("A1-remote1", running)
    assert (member.join, member.class_name, member.recording_consent) == (running.id, "A1-5-1班", True)
    assert day("A2-remote1", running).recording_consent is False
    assert day("A0-remote1", running).join is None
    assert day("B0-remote1", running).join is None


def test_a_class_that_leaves_the_register_leaves_its_panel_in_the_lesson() -> None:
    without = County(msgspec.structs.replace(HERE.register, classes=()))
    shown = room_day(without, "A1-remote1", standings=(), sessions=[session("live")], now=at("10:40"))
    assert (shown.join, shown.recording_consent) == (session("live").id, False)


@pytest.mark.parametrize("state", ["scheduled", "ended"])
def test_a_session_that_does_not_run_calls_nobody(state: SessionState) -> None:
    assert day("A1-remote1", session(state)).join is None


def test_what_is_live_goes_before_what_opens_and_lessons_before_rehearsals() -> None:
    first, second, rehearsed = session("live"), session("open", LATER), rehearsal("live")
    assert day("A1-remote1", rehearsed, second, first).join == first.id
    assert day("A1-remote1", rehearsed, second).join == second.id
    assert day("A1-remote1", rehearsed).join == rehearsed.id
    assert day("A1-remote1", rehearsed, first, prefer_rehearsal=True).join == rehearsed.id
    assert day("A1-remote1", session("overrun"), second).join == first.id
    assert day("A1-remote1", session("overrun"), session("live", LATER)).join == second.id


def test_another_days_session_is_not_taken_for_todays() -> None:
    yesterday = record(occurrence_plan(HERE, occurrence(HERE, LESSON, THURSDAY - timedelta(weeks=1))), "ended")
    assert [row.session for row in day("A1-remote1", yesterday).lessons] == [None, None]


def test_a_closed_school_has_no_lessons() -> None:
    closed = county(Closure(first="2026-11-19", last="2026-11-19", name="停水", units=("A1",)))
    shown = room_day(closed, "A1-remote1", standings=dated(closed, LESSON).on(THURSDAY), sessions=[], now=at("10:20"))
    assert shown.lessons == ()


def test_a_lesson_that_was_called_off_is_shown_struck_out() -> None:
    off = CalledOff(uid=uid_of(HERE.register.term, LESSON.id, THURSDAY), lesson=LESSON.id)
    tables = dated(HERE, LESSON, LATER).with_applied(Applied(community="A", number=1, at=0.0, effects=(off,)))
    shown = room_day(HERE, "A1-remote1", standings=tables.on(THURSDAY), sessions=[], now=at("09:00"))
    assert [row.cancelled for row in shown.lessons] == [True, False]
