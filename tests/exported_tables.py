"""Tables to take away: two small schools with a lesson of every kind, a large school, any table that can be written."""

from __future__ import annotations

import io
from typing import Any

import msgspec
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from server.sentences import Language, words_in
from tests.community_builder import CommunityBuilder, bell_times
from tests.drawn_registers import small_registers
from timetable.export.paper import height_of
from timetable.export.table_export import Audience, TableExport
from timetable.export.wall_pages import Page, Wall
from timetable.model import Leftover, Lesson, Party, PlacedParty, Register, Table, clock

AUDIENCES: tuple[Audience, ...] = ("class", "teacher", "room", "unit", "community")
STATE = "草案（未发布）"


def lesson(id: str, subject: str, weekday: int, *parties: PlacedParty, kind: str = "local", **more: Any) -> Lesson:
    given = {"id": id, "requirement": id.split(".")[0], "kind": kind, "subject": subject, "weekday": weekday, **more}
    start, end = max(p.start for p in parties), min(p.end for p in parties)
    return msgspec.convert({"start": start, "end": end, **given, "parties": parties}, Lesson, from_attributes=True)


def side(unit: str, period: int, start: str, end: str, **more: Any) -> PlacedParty:
    return PlacedParty(unit=unit, period=period, start=start, end=end, **more)


def two_schools() -> tuple[Register, Table]:
    """Two schools ten minutes apart: a sync lesson, an odd and an even lesson in one period, a block."""
    builder = CommunityBuilder()
    units = [builder.unit(bell_times(480, 30, 840)), builder.unit(bell_times(490, 30, 840))]
    a, b = (builder.school_class(unit) for unit in units)
    t1, t2, t3 = builder.teacher("A0"), builder.teacher("A1"), builder.teacher("A0", "A1", subject="科学")
    builder.require(
        "sync",
        "英语",
        1,
        Party(unit="A0", classes=(a,), teachers=(t1,)),
        Party(unit="A1", classes=(b,), teachers=(t2,)),
    )
    builder.local(a, "科学", 1, t3, weeks="odd")
    builder.local(a, "劳动", 1, t1, weeks="even")
    builder.local(b, "美术", 1, t2, block=2)
    left = (Leftover(start="08:00", end="08:10", teacher=t1),)
    host = side("A0", 1, "08:00", "08:40", classes=(a,), teachers=(t1,), room="A0-remote1", leftover=left)
    member = side("A1", 1, "08:10", "08:50", classes=(b,), teachers=(t2,), room="A1-remote1")
    third = {"classes": (a,), "room": f"room-{a}"}
    lessons = (
        lesson("A-r1.1", "英语", 1, host, member, kind="sync"),
        lesson("A-r2.1", "科学", 2, side("A0", 3, "10:00", "10:40", teachers=(t3,), **third), weeks="odd"),
        lesson("A-r3.1", "劳动", 2, side("A0", 3, "10:00", "10:40", teachers=(t1,), **third), weeks="even"),
        lesson("A-r4.1", "美术", 3, side("A1", 5, "14:00", "15:30", classes=(b,), teachers=(t2,), room=f"room-{b}")),
    )
    register = builder.register()
    return register, Table(community="A", term=register.term.id, lessons=lessons)


def wall(register: Register, table: Table, language: Language = "zh-CN") -> Wall:
    return Wall(register, register.communities[0], table, words_in(language), STATE)


def export_of(register: Register, table: Table, **more: Any) -> TableExport:
    return TableExport(register, register.communities[0], table, words=words_in("zh-CN"), state=STATE, **more)


def texts(page: Page, style: str) -> dict[tuple[int, int], str]:
    return {(box.top, box.left): box.text for box in page.boxes if box.style == style}


def sheets(content: bytes) -> dict[str, list[list[Any]]]:
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
        return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def assert_apart(page: Page) -> None:
    """No two boxes share a cell, and all are on the page."""
    cells = [
        (row, column)
        for box in page.boxes
        for row in range(box.top, box.bottom + 1)
        for column in range(box.left, box.right + 1)
    ]
    assert len(cells) == len(set(cells))
    assert all(0 <= row < len(page.rows) and 0 <= column < len(page.columns) for row, column in cells)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Register, Table]:
    """A small register with lessons anywhere, clashing or not, as long as each can be written."""
    register = draw(small_registers())
    rung = {unit.id: unit.bells[0].periods for unit in register.units}
    rooms = [room.id for room in register.rooms]
    supervisors = st.sampled_from([None, *(teacher.id for teacher in register.teachers)])
    found = []
    for requirement in register.requirements:
        for index in range(1, requirement.weekly + 1):
            parties = []
            for party in requirement.parties:
                period = draw(st.sampled_from(rung[party.unit]))
                left = Leftover(start=period.start, end=clock(draw(st.integers(0, 1439))), teacher=draw(supervisors))
                parties.append(
                    PlacedParty(
                        unit=party.unit,
                        period=period.number,
                        start=period.start,
                        end=period.end,
                        room=draw(st.sampled_from([None, *rooms])),
                        classes=party.classes,
                        teachers=party.teachers,
                        leftover=(left,) * draw(st.integers(0, 2)),
                    )
                )
            found.append(
                Lesson(
                    id=f"{requirement.id}.{index}",
                    requirement=requirement.id,
                    kind=requirement.kind,
                    subject=draw(
                        st.sampled_from([requirement.subject, "=SUM(A1)", "'+1", "@x", "-", "<b>", "a\u2028b"])
                    ),
                    weekday=draw(st.integers(1, 7)),
                    start=parties[0].start,
                    end=parties[0].end,
                    parties=tuple(parties),
                    weeks=requirement.weeks,
                    topic=draw(st.sampled_from(["", "光的反射", "=1+1", "''=x", "、", '"a","b"'])),
                )
            )
    return register, Table(community="A", term=register.term.id, lessons=tuple(found))


def large_school() -> tuple[Register, Table]:
    """A school of 36 classes, six of each year, every period of the week taught."""
    builder = CommunityBuilder()
    builder.unit(bell_times(480, 30, 840))
    teachers = [builder.teacher("A0", subject=subject) for subject in ("语文", "数学", "英语", "体育")]
    classes = [builder.school_class("A0", grade=grade) for grade in range(1, 7) for _ in range(6)]
    register = builder.register()
    lessons = [
        lesson(
            f"A-r{row}-{day}-{period.number}.1",
            ("语文", "数学", "英语", "综合实践")[(row + period.number) % 4],
            day,
            side("A0", period.number, period.start, period.end, classes=(id,), teachers=(teachers[row % 4],)),
        )
        for row, id in enumerate(classes)
        for day in register.weekdays
        for period in register.units[0].bells[0].periods
    ]
    return register, Table(community="A", term=register.term.id, lessons=tuple(lessons))


def assert_readable(page: Page) -> None:
    """Nothing on the page is larger than its box, and the page is no larger than its paper."""
    assert sum(page.columns) <= page.paper.width + 0.01
    assert sum(page.rows) <= page.paper.height + 0.01
    for box in page.boxes:
        width, height = sum(page.columns[box.left : box.right + 1]), sum(page.rows[box.top : box.bottom + 1])
        assert height_of(box.text, width, page.type_of(box.style)) <= height + 0.01, box
