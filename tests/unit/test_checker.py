"""The checker finds every kind of broken rule: each test breaks a sound table in one way."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.community_builder import CommunityBuilder, bell_times
from tests.instances import generated_community
from timetable.checker import check, missing
from timetable.habits import remarks
from timetable.model import BusyTime, Leftover, Lesson, Party, PlacedParty, Register, Slot, Table, Travel
from timetable.solving.solver import solve

STARTS = bell_times(480, 20, 840)
AWAY = BusyTime(weekday=1, start="08:00", end="12:00", weeks="odd")


@cache
def sound() -> tuple[Register, Table]:
    """Two units whose bells differ by five minutes, a teacher with posts at both, and every kind of lesson."""
    builder = CommunityBuilder()
    host = builder.unit(STARTS, remote_rooms=2, link=1)
    member = builder.unit([start + 5 for start in STARTS], remote_rooms=2, link=2)
    builder.travel.append(Travel(campuses=(f"campus-{host}", f"campus-{member}"), minutes=30))
    here, there = builder.school_class(host), builder.school_class(member)
    teacher, assistant, roving = builder.teacher(host), builder.teacher(member), builder.teacher(host, member)
    builder.require(
        "sync",
        "语文",
        2,
        Party(unit=host, classes=(here,), teachers=(teacher,)),
        Party(unit=member, classes=(there,), teachers=(assistant,)),
    )
    builder.require("dedicated", "音乐", 2, Party(unit=host, teachers=(teacher,)), Party(unit=member, classes=(there,)))
    builder.local(here, "数学", 3, roving, locked=(Slot(weekday=2, period=1),))
    builder.local(there, "数学", 3, roving)
    builder.local(here, "美术", 1, assistant_of(builder, host), weeks="odd")
    builder.local(here, "体育", 1, assistant_of(builder, host), weeks="even")
    builder.local(there, "美术", 4, assistant_of(builder, member))
    register = builder.register()
    table = solve(register, "A", seconds=20, workers=1).table
    assert table is not None
    return register, table


def assistant_of(builder: CommunityBuilder, unit: str) -> str:
    return builder.teacher(unit, max_per_day=2, unavailable=(AWAY,))


def codes(register: Register, table: Table) -> set[str]:
    return {finding.code for finding in check(register, table)}


def change(table: Table, id: str, edit: Callable[[Lesson], Lesson]) -> Table:
    assert any(lesson.id == id for lesson in table.lessons)
    return structs.replace(table, lessons=tuple(edit(x) if x.id == id else x for x in table.lessons))


def place(register: Register, lesson: Lesson, weekday: int, period: int) -> Lesson:
    """The lesson at another host period, in the same-numbered period of the other units, told truthfully."""
    units = {unit.id: unit for unit in register.units}
    parties = []
    for party in lesson.parties:
        rung = units[party.unit].bells[0].periods[period - 1]
        parties.append(structs.replace(party, period=period, start=rung.start, end=rung.end, leftover=()))
    start, end = max(p.start for p in parties), min(p.end for p in parties)
    parties = [structs.replace(p, leftover=_leftover(p, start, end)) for p in parties]
    return structs.replace(lesson, weekday=weekday, start=start, end=end, parties=tuple(parties))


def at(weekday: int, period: int, lesson: Lesson) -> Lesson:
    """The same, for the sound register."""
    return place(sound()[0], lesson, weekday, period)


def _leftover(party: PlacedParty, start: str, end: str) -> tuple[Leftover, ...]:
    parts = [(party.start, start), (end, party.end)]
    return tuple(Leftover(start=a, end=b, teacher=None) for a, b in parts if a < b and party.classes)


def party_of(lesson: Lesson, index: int, **changes: object) -> Lesson:
    parties = list(lesson.parties)
    parties[index] = structs.replace(parties[index], **changes)
    return structs.replace(lesson, parties=tuple(parties))


def test_the_solvers_table_is_sound() -> None:
    register, table = sound()
    assert check(register, table) == []
    assert missing(register, table) == []


def test_a_community_without_a_table_is_missing() -> None:
    register, _ = sound()
    assert [finding.code for finding in missing(register)] == ["table_missing"]


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda x: party_of(x, 1, period=x.parties[1].period % 7 + 1), "table_bell"),
        (lambda x: party_of(x, 1, start="08:01"), "table_bell"),
        (lambda x: structs.replace(x, start="08:01"), "table_window"),
        (lambda x: party_of(x, 1, leftover=()), "table_leftover"),
        (lambda x: party_of(x, 0, room="A1-remote1"), "table_room_kind"),
        (lambda x: party_of(x, 0, room="room-A0-5-1"), "table_room_kind"),
        (lambda x: party_of(x, 0, room=None), "table_room_kind"),
        (lambda x: party_of(x, 0, teachers=("A1-t2",)), "table_lesson_differs"),
        (lambda x: party_of(x, 0, classes=()), "table_lesson_differs"),
        (lambda x: structs.replace(x, weeks="odd"), "table_lesson_differs"),
        (lambda x: structs.replace(x, requirement="nobody"), "table_unknown"),
        (lambda x: party_of(x, 0, period=12), "table_unknown"),
        (lambda x: structs.replace(x, weekday=6), "table_unknown"),
    ],
)
def test_a_lesson_that_tells_something_untrue_is_found(edit: Callable[[Lesson], Lesson], code: str) -> None:
    register, table = sound()
    assert code in codes(register, change(table, "A-r1.1", edit))


def test_missing_doubled_and_unlocked_lessons_are_found() -> None:
    register, table = sound()
    fewer = structs.replace(table, lessons=table.lessons[1:])
    assert codes(register, fewer) == {"table_count"}
    twice = structs.replace(table, lessons=(*table.lessons, table.lessons[0]))
    assert {"table_count", "table_twice"} <= codes(register, twice)
    locked = next(x for x in table.lessons if x.requirement == "A-r3" and (x.weekday, x.host.period) == (2, 1))
    moved = change(table, locked.id, lambda x: place(register, x, 2, 6))
    assert "table_lock" in codes(register, moved)


def test_clashes_of_classes_teachers_rooms_and_lines_are_found() -> None:
    register, table = sound()
    sync, dedicated = (next(x for x in table.lessons if x.requirement == r) for r in ("A-r1", "A-r2"))
    onto = change(table, dedicated.id, lambda x: place(register, x, sync.weekday, sync.host.period))
    onto = change(onto, dedicated.id, lambda x: party_of(x, 0, room=sync.host.room))
    assert {"table_class_clash", "table_teacher_clash", "table_room_clash", "table_link"} <= codes(register, onto)


def test_a_teacher_who_cannot_arrive_in_time_is_found() -> None:
    register, table = sound()
    here, there = (next(x for x in table.lessons if x.requirement == r) for r in ("A-r3", "A-r4"))
    table = structs.replace(table, lessons=(here, there))  # alone, for no other lesson to clash where they go
    for period, code in ((1, "table_teacher_clash"), (2, "table_teacher_travel")):
        moved = change(table, here.id, lambda x: place(register, x, 4, 1))
        moved = change(moved, there.id, partial(at, 4, period))
        assert code in codes(register, moved)
    apart = change(table, here.id, lambda x: place(register, x, 4, 1))
    apart = change(apart, there.id, lambda x: place(register, x, 4, 5))
    assert not codes(register, apart) & {"table_teacher_travel", "table_teacher_clash"}


def test_unavailable_times_count_only_in_their_weeks() -> None:
    register, table = sound()
    odd, even = (next(x for x in table.lessons if x.requirement == r) for r in ("A-r5", "A-r6"))
    assert "table_teacher_unavailable" in codes(register, change(table, odd.id, lambda x: place(register, x, 1, 2)))
    assert "table_teacher_unavailable" not in codes(
        register, change(table, even.id, lambda x: place(register, x, 1, 2))
    )


def test_lessons_of_odd_and_even_weeks_do_not_clash() -> None:
    register, table = sound()
    odd, even = (next(x for x in table.lessons if x.requirement == r) for r in ("A-r5", "A-r6"))
    onto = change(table, odd.id, lambda x: place(register, x, even.weekday, even.host.period))
    assert "table_class_clash" not in codes(register, onto)


def test_too_many_lessons_a_day_or_a_week_are_found() -> None:
    register, table = sound()
    arts = [x for x in table.lessons if x.requirement == "A-r7"]
    crowded = table
    for period, lesson in enumerate(arts[:3], start=5):
        crowded = change(crowded, lesson.id, partial(at, 5, period))
    assert "table_teacher_day" in codes(register, crowded)
    assert "table_crowded" in {finding.code for finding in remarks(register, crowded)}
    strict = structs.replace(
        register, teachers=tuple(structs.replace(teacher, max_per_week=3) for teacher in register.teachers)
    )
    assert "table_teacher_week" in codes(strict, table)


def test_windows_that_share_too_little_are_found() -> None:
    register, table = sound()
    strict = structs.replace(
        register, communities=tuple(structs.replace(c, overlap_slack=4) for c in register.communities)
    )
    assert codes(strict, table) == {"table_overlap"}


def test_busy_rooms_and_supervisors_elsewhere_are_found() -> None:
    register, table = sound()
    lesson = next(x for x in table.lessons if x.requirement == "A-r2")
    party = lesson.parties[1]
    assert party.room is not None
    busy = BusyTime(weekday=lesson.weekday, start=party.start, end=party.end)
    assert codes(structs.replace(register, busy_rooms=((party.room, busy),)), table) == {"table_room_busy"}
    elsewhere = tuple(structs.replace(left, teacher="A0-t1") for left in party.leftover)
    assert "table_supervisor" in codes(register, change(table, lesson.id, lambda x: party_of(x, 1, leftover=elsewhere)))


def test_a_gap_in_a_full_day_is_remarked() -> None:
    register = generated_community(3, shape=(2, 1, 1), lacking={2: ("音乐",)})
    table = solve(register, "A", seconds=20, improve_until=0).table
    assert table is not None
    assert remarks(register, table) == []
    local = next(x for x in table.lessons if x.kind == "local" and x.host.period == 2)
    moved = change(table, local.id, lambda x: place(register, x, x.weekday, 7))
    assert "table_gap" in {finding.code for finding in remarks(register, moved)}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_lesson_moved_onto_another_of_its_class_is_found(data: st.DataObject) -> None:
    register, table = sound()
    lesson = data.draw(st.sampled_from(table.lessons))
    classes = {c for party in lesson.parties for c in party.classes}
    others = [
        other
        for other in table.lessons
        if other.id != lesson.id
        and classes & {c for party in other.parties for c in party.classes}
        and {"odd", "even"} != {lesson.weeks, other.weeks}
    ]
    other = data.draw(st.sampled_from(others))
    moved = change(table, lesson.id, lambda x: place(register, x, other.weekday, other.host.period))
    assert "table_class_clash" in codes(register, moved)
