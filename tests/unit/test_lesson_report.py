"""A lesson's report by its journal: presence, turns, answers and lines of each room, and its sheets."""

from __future__ import annotations

import csv
import io
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from recordings.journal import Record
from server.lesson_report import lesson_report
from server.report_sheet import ROOM_COLUMNS, report_file
from server.sentences import words_in
from server.shapes.report import LessonReport, RoomReport
from signaling.chat import Said
from signaling.events import (
    AttendanceTaken,
    CalledOn,
    DevicesReported,
    HandRaised,
    Left,
    LineMeasured,
    Marked,
    Reconnecting,
    Returned,
    SessionEnded,
    SessionLive,
    Signalled,
    TalkMeasured,
)
from signaling.exercises import (
    Answered,
    Exercise,
    ExerciseClosed,
    ExercisePushed,
    HandsCounted,
    PhotoAdded,
    ResultShown,
)
from signaling.messages import AnyRoomEvent
from signaling.room_state import ExpectedRoom
from tests.live_lessons import HOST_UNIT, MEMBERS, arrival, plan

STARTS = 1_000_000.0
YANLI, GULONG, DONGYE = MEMBERS
HOST, ROOM, SECOND, HELPER = "host.p", "room-yanli", "room-gulong", "assistant.a"
ANGLE = Exercise(kind="choice", prompt="=反射角是多少度？", options=("35°", "55°"), right=0)
PLAN = msgspec.structs.replace(
    plan("s1", starts=STARTS),
    lesson=msgspec.structs.replace(
        plan("s1", starts=STARTS).lesson,
        host_pupils=40,
        rooms=tuple(
            ExpectedRoom(room=f"room-{unit}", unit=unit, unit_name=unit, pupils=pupils)
            for unit, pupils in zip(MEMBERS, (30, 20, 10), strict=True)
        ),
    ),
)


def line(since: float, loss: float, freezes: int = 0, seconds: float = 60.0) -> LineMeasured:
    return LineMeasured(
        participant=ROOM,
        since=since,
        seconds=seconds,
        loss=loss,
        worst_loss=loss * 2,
        rtt_ms=40.0,
        kbps=250.0,
        weak=0.0,
        freezes=freezes,
    )


LESSON: list[tuple[float, AnyRoomEvent]] = [
    (-300, arrival(HOST, "host", HOST_UNIT)),
    (-200, arrival(ROOM, "endpoint", YANLI)),
    (-100, AttendanceTaken(participant=ROOM, absent=(3, 9), late=(4,))),
    (-90, DevicesReported(participant=ROOM, camera="unplugged", microphone="ok")),
    (0, SessionLive(by=HOST)),
    (10, arrival(HELPER, "assistant", YANLI)),
    (60, line(0, 0.02, freezes=1)),
    (100, HandRaised(participant=ROOM, hand="h", seat=7)),
    (110, CalledOn(participant=ROOM, turn=1, seat=7)),
    (130, TalkMeasured(participant=ROOM, since=STARTS + 111, seconds=12.5)),
    (140, Signalled(participant=ROOM, kind="slower")),
    (150, Marked(participant=HOST, side="host")),
    (160, Said(message="m", participant=HOST, role="host", name="", unit_name="", text="x")),
    (200, Reconnecting(participant=ROOM, until=STARTS + 260)),
    (230, Returned(participant=ROOM)),
    (290, line(230, 0.0)),
    (300, arrival(SECOND, "endpoint", GULONG)),
    (400, ExercisePushed(run="r", number=1, by=HOST, title="反射角", exercise=ANGLE)),
    (420, HandsCounted(run="r", unit=YANLI, hands=(14, 5))),
    (421, Answered(run="r", unit=YANLI, seat=7, choice=0)),
    (422, PhotoAdded(run="r", unit=YANLI, photo="p", seat=7)),
    (430, Answered(run="r", unit=GULONG, seat=1, choice=1)),
    (460, ExerciseClosed(run="r")),
    (461, ResultShown(run="r", right=0)),
    (500, Left(participant=SECOND, reason="lost")),
    (1000, SessionEnded(reason="host", by=HOST)),
]


def records(events: list[tuple[float, AnyRoomEvent]]) -> list[Record]:
    return [
        Record(seq, 1, STARTS + at, msgspec.to_builtins(event, str_keys=True)) for seq, (at, event) in enumerate(events)
    ]


def report(
    events: list[tuple[float, AnyRoomEvent]] = LESSON, *, single: bool = True, now: float = 5000
) -> LessonReport:
    return lesson_report(PLAN, records(events), state="ended", review="rv", now=STARTS + now, single_answers=single)


def room(unit: str, found: LessonReport) -> RoomReport:
    return next(one for one in found.rooms if one.unit == unit)


def test_lesson_is_counted_from_its_beginning_to_its_end() -> None:
    found = report()
    assert (found.live_since, found.seconds, found.overrun, found.ended_by) == (STARTS, 1000.0, 0.0, "host")
    assert (found.marks, found.messages, [one.unit for one in found.rooms]) == (1, 1, [HOST_UNIT, *MEMBERS])


def test_presence_counts_the_seconds_that_a_room_was_there() -> None:
    found = report()
    yanli, gulong, dongye = (room(unit, found).line for unit in MEMBERS)
    assert (yanli.connected, yanli.reconnects, yanli.longest_outage, yanli.joined_after) == (0.97, 1, 30.0, 0.0)
    assert (gulong.connected, gulong.longest_outage, gulong.joined_after) == (0.2, 500.0, 300.0)
    assert (dongye.connected, dongye.joined_after, dongye.loss) == (0.0, None, None)
    assert room(HOST_UNIT, found).line.connected == 1.0


def test_line_is_the_mean_of_its_minutes() -> None:
    found = room(YANLI, report()).line
    assert (found.loss, found.worst_loss, found.rtt_ms, found.freezes) == (0.01, 0.04, 40.0, 1)


def test_room_takes_part() -> None:
    yanli = room(YANLI, report())
    assert (yanli.pupils, yanli.absent, yanli.late, yanli.assistants) == (30, 2, 1, (HELPER,))
    assert (yanli.turns, yanli.hands, yanli.talk_seconds, yanli.slower) == (1, 1, 12.5, 1)
    assert (yanli.camera, yanli.microphone) == ("unplugged", "ok")
    assert (yanli.answered, yanli.asked) == (19, 28)


def test_answers_and_non_answers_of_every_class() -> None:
    [exercise] = report().exercises
    assert (exercise.at, exercise.seconds, exercise.shown) == (400.0, 60.0, True)
    by_unit = {one.unit: one for one in exercise.classes}
    assert (by_unit[YANLI].by_option, by_unit[YANLI].right, by_unit[YANLI].pupils) == ((14, 5), 14, 28)
    assert (by_unit[GULONG].answered, by_unit[GULONG].right) == (1, 0)
    assert (by_unit[DONGYE].answered, by_unit[DONGYE].pupils) == (0, 10)
    assert [one.seat for one in by_unit[YANLI].single] == [7]


def test_single_answers_are_only_for_those_who_may_see_them() -> None:
    [exercise] = report(single=False).exercises
    assert all(one.single == () and one.pictures == () for one in exercise.classes)
    assert sum(one.photos for one in exercise.classes) == 1


def test_lesson_that_goes_on_is_reported_so_far_and_one_that_never_began_too() -> None:
    assert report(LESSON[:-1], now=600).seconds == 600.0
    never = report(LESSON[:4])
    assert (never.live_since, never.seconds, room(YANLI, never).line.connected) == (None, 0.0, 0.0)


def test_events_of_a_newer_program_are_passed_over() -> None:
    strange: dict[str, Any] = {"type": "teleported", "participant": ROOM}
    found = lesson_report(
        PLAN,
        [*records(LESSON), Record(99, 1, STARTS + 1, strange)],
        state="ended",
        review=None,
        now=STARTS,
        single_answers=False,
    )
    assert found.seconds == 1000.0


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_sheets_hold_every_room_and_class_and_no_formula(language: Any) -> None:
    words = words_in(language)
    name, text = report_file(report(), "csv", words)
    lines = list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))
    assert name.endswith(".csv")
    assert lines[0] == [words(f"report.column.{column}") for column in ROOM_COLUMNS]
    assert [line[0] for line in lines[1:5]] == [f"{unit}学校" for unit in (HOST_UNIT, *MEMBERS)]
    assert all(not cell.startswith("=") for line in lines for cell in line)
    _, workbook = report_file(report(), "xlsx", words)
    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook))
    assert book.sheet_names == [words("report.rooms"), words("report.exercises")]
    rows = book.get_sheet_by_index(0).to_python()
    assert [row[0] for row in rows[1:]] == [f"{unit}学校" for unit in (HOST_UNIT, *MEMBERS)]


MOMENTS = st.integers(-100, 1200)
COMINGS = st.lists(st.tuples(MOMENTS, st.sampled_from(["join", "reconnecting", "returned", "left"])), max_size=12)


@given(COMINGS)
def test_presence_is_a_share_whatever_the_line_does(comings: list[tuple[int, str]]) -> None:
    kinds: dict[str, AnyRoomEvent] = {
        "join": arrival(ROOM, "endpoint", YANLI),
        "reconnecting": Reconnecting(participant=ROOM, until=0.0),
        "returned": Returned(participant=ROOM),
        "left": Left(participant=ROOM, reason="lost"),
    }
    events: list[tuple[float, AnyRoomEvent]] = [(at, kinds[kind]) for at, kind in comings]
    events += [(0, SessionLive(by=HOST)), (1000, SessionEnded(reason="host", by=HOST))]
    found = room(YANLI, report(sorted(events, key=lambda pair: pair[0]))).line
    assert 0.0 <= found.connected <= 1.0
    assert 0.0 <= found.longest_outage <= 1000.0
    assert (found.joined_after is None) == (found.connected == 0.0)
