"""A table taken away: walls that print on one page, lists that come back as they went, nothing that runs."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date
from typing import Any, get_args

import icalendar
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from server.sentences import LANGUAGES, Language, catalogue, words_in
from tests.community_builder import CommunityBuilder, bell_times
from tests.drawn_registers import small_registers
from tests.instances import generated_community
from timetable.days.versions import Diff, Version
from timetable.errors import NotFound
from timetable.export import table_list
from timetable.export.feed_entries import entries
from timetable.export.paper import PAPERS, Fit, PaperName, Printing, height_of, width_of
from timetable.export.table_export import Audience, ExportRefused, Form, TableExport
from timetable.export.table_list import LESSONS, list_csv, read_list
from timetable.export.table_sheets import wall_workbook
from timetable.export.wall_clock import day_pages, week_pages
from timetable.export.wall_grids import class_pages, classes_pages, room_pages, teacher_pages, teachers_pages
from timetable.export.wall_pages import Page, Wall
from timetable.model import Leftover, Lesson, Party, PlacedParty, Register, Room, Table, TableSet, clock

AUDIENCES: tuple[Audience, ...] = ("class", "teacher", "room", "unit", "community")
STATE = "草案（未发布）"


def lesson(id: str, subject: str, weekday: int, *parties: PlacedParty, kind: str = "local", **more: Any) -> Lesson:
    given = {"id": id, "requirement": id.split(".")[0], "kind": kind, "subject": subject, "weekday": weekday, **more}
    start, end = max(p.start for p in parties), min(p.end for p in parties)
    return msgspec.convert({"start": start, "end": end, **given, "parties": parties}, Lesson, from_attributes=True)


def side(unit: str, period: int, start: str, end: str, **more: Any) -> PlacedParty:
    return PlacedParty(unit=unit, period=period, start=start, end=end, **more)


@pytest.fixture(scope="module")
def small() -> tuple[Register, Table]:
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


# Walls --------------------------------------------------------------------------------------------------------------


def test_a_class_sees_its_week(small: tuple[Register, Table]) -> None:
    (page,) = class_pages(wall(*small), "A0-5-1")
    assert page.paper.name == "A4"
    assert list(texts(page, "title").values()) == ["A0 A0-5-1班 课表"]
    assert list(texts(page, "note").values()) == ["教共体A · 2026 秋季学期 · 草案（未发布）   ◆ 同步"]
    labels = list(texts(page, "label").values())
    assert labels[0] == "第1节\n08:00–08:40"
    assert len(labels) == 7
    assert texts(page, "sync") == {(3, 1): "◆英语\n语文教师001\n同步 A1 08:10–08:40"}
    (odd_and_even,) = texts(page, "local").items()
    assert odd_and_even == ((5, 2), "科学 (单周)\n科学教师003\n劳动 (双周)\n语文教师001")
    assert len(texts(page, "empty")) == 7 * 5 - 2
    assert_apart(page)


def test_a_class_that_watches_is_told_who_teaches(small: tuple[Register, Table]) -> None:
    (page,) = class_pages(wall(*small), "A1-5-1")
    assert texts(page, "sync") == {(3, 1): "◆英语\n主讲 语文教师001 / 语文教师002\n同步 A0 08:10–08:40"}
    (block,) = [box for box in page.boxes if box.style == "local"]
    assert (block.text, block.top, block.bottom) == ("美术\n语文教师002", 8, 9)


def test_a_teacher_of_two_schools_sees_both_bells(small: tuple[Register, Table]) -> None:
    (page,) = teacher_pages(wall(*small), "A0-t1")
    assert [box.text for box in page.boxes if box.style in ("sync", "local")] == [
        "◆英语\nA0-5-1班\n同步 A1 08:10–08:40",
        "劳动 (双周)\nA0-5-1班",
    ]
    register, table = small
    moved = msgspec.structs.replace(
        table,
        lessons=(*table.lessons, lesson("A-r9.1", "科学", 4, side("A1", 2, "09:00", "09:40", teachers=("A0-t3",)))),
    )
    (both,) = teacher_pages(wall(register, moved), "A0-t3")
    assert list(texts(both, "label").values())[:3] == [
        "A0 第1节\n08:00–08:40",
        "A1 第1节\n08:10–08:50",
        "A0 第2节\n08:50–09:30",
    ]
    assert_apart(both)


def test_a_room_shows_who_is_in_it(small: tuple[Register, Table]) -> None:
    (page,) = room_pages(wall(*small), "A1-remote1")
    assert texts(page, "sync") == {(3, 1): "◆英语\nA1-5-1班\n主讲 语文教师001 / 语文教师002\n同步 A0 08:10–08:40"}


def test_a_school_fits_one_sheet_of_a3(small: tuple[Register, Table]) -> None:
    (page,) = classes_pages(wall(*small), "A0")
    assert page.paper.name == "A3"
    heads = list(texts(page, "head").values())
    assert heads[1:6] == ["周一", "周二", "周三", "周四", "周五"]
    assert heads[6:] == ["1", "2", "3", "4", "5", "6", "7"] * 5
    assert texts(page, "sync") == {(4, 1): "◆英语\n语文教师001"}
    # the classes' names here are longer than a school's
    (teachers,) = teachers_pages(wall(*small), "A0", Printing("one"))
    assert list(texts(teachers, "label").values()) == ["科学教师003", "语文教师001"]
    assert_apart(page)
    assert_apart(teachers)


def test_the_community_is_drawn_on_the_clock(small: tuple[Register, Table]) -> None:
    (page,) = week_pages(wall(*small))
    # the two schools share 08:10 to 08:40; the host's first ten minutes are left over, and the other's last
    sync = {box.left: (box.top, box.bottom, box.text) for box in page.boxes if box.style == "sync"}
    top, bottom, _ = sync[1]
    assert sync == {1: (top, bottom, "◆英语 A0-5-1班"), 2: (top, bottom, "◆英语 A1-5-1班")}
    left = {box.left: (box.top, box.bottom) for box in page.boxes if box.style == "leftover"}
    assert left == {1: (top - 1, top - 1), 2: (bottom + 1, bottom + 1)}
    # a minute is as high everywhere
    assert sum(page.rows[top : bottom + 1]) == pytest.approx(3 * page.rows[top - 1])
    times = {row: text for (row, _), text in texts(page, "label").items()}
    assert times[top - 1] == "08:00"
    assert len([box for box in page.boxes if box.style == "rest"]) == 1
    assert_apart(page)
    (monday,) = day_pages(wall(*small), 1)
    host, member = [box.text for box in monday.boxes if box.style == "sync"]
    assert host == "◆英语 A0-5-1班 08:10–08:40\n语文教师001 · 远程教室1\n看护 语文教师001"
    assert member == "◆英语 A1-5-1班 08:10–08:40\n主讲 语文教师001 / 语文教师002 · 远程教室1"
    assert [box.text for box in monday.boxes if box.style == "leftover"] == ["", ""]


def test_lessons_of_one_school_at_one_time_stand_together_in_the_week_and_apart_in_the_day(
    small: tuple[Register, Table],
) -> None:
    register, table = small
    first = table.lessons[0]
    second = msgspec.structs.replace(first, id="A-r9.1", subject="音乐", kind="dedicated", weeks="odd")
    both = wall(register, msgspec.structs.replace(table, lessons=(first, second)))
    week = [box.text for box in week_pages(both)[0].boxes if box.style in ("sync", "dedicated")]
    assert week == ["◆英语 A0-5-1班\n▲音乐 (单周) A0-5-1班", "◆英语 A1-5-1班\n▲音乐 (单周) A1-5-1班"]
    (day,) = day_pages(both, 1)
    assert [box.style for box in day.boxes if box.style in ("sync", "dedicated")] == ["sync", "dedicated"] * 2
    assert_apart(day)


def test_a_meeting_of_half_a_day_hides_no_lesson(small: tuple[Register, Table]) -> None:
    register, table = small
    meeting = lesson("A-r9.1", "教研", 1, side("A0", 1, "08:00", "11:40", teachers=("A0-t3",)), kind="research")
    both = wall(register, msgspec.structs.replace(table, lessons=(*table.lessons, meeting)))
    (page,) = week_pages(both)
    boxes = [(box.style, box.left, box.text) for box in page.boxes if box.style in ("sync", "joint")]
    assert boxes == [("sync", 1, "◆英语 A0-5-1班"), ("joint", 2, "■教研"), ("sync", 3, "◆英语 A1-5-1班")]
    assert [box.text for box in page.boxes if box.style == "head" and box.top == 3 and box.left == 1] == ["A0"]
    assert_apart(page)


def test_every_sheet_prints_on_one_page_with_its_version(small: tuple[Register, Table]) -> None:
    content = export_of(*small).take("xlsx", "community").content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        pages = [archive.read(f"xl/worksheets/sheet{number}.xml").decode() for number in range(1, 7)]
    for page in pages:
        assert 'paperSize="8"' in page
        assert 'orientation="landscape"' in page
        assert "<pageSetUpPr fitToPage" in page
        assert "fitToHeight" not in page
        assert STATE in page
    assert list(sheets(content)) == ["一周", "周一", "周二", "周三", "周四", "周五", LESSONS.title]


def test_titles_of_sheets_are_allowed_and_different() -> None:
    names = ["五/1[班]:?*", "'quoted'", "History", "", "x" * 40, "X" * 40, LESSONS.title]
    page = [Page(name, PAPERS["A4"], (5.0,), (5.0,), ()) for name in names]
    found = list(sheets(wall_workbook(page, LESSONS.title)))
    assert found == [
        "五 1 班",
        "quoted",
        "History (2)",
        "-",
        "x" * 31,
        "X" * 27 + " (2)",
        LESSONS.title + " (2)",
        LESSONS.title,
    ]


def test_the_same_table_gives_the_same_bytes(small: tuple[Register, Table]) -> None:
    for audience in AUDIENCES:
        taken = export_of(*small).take("xlsx", audience)
        assert taken == export_of(*small).take("xlsx", audience)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("audience", AUDIENCES)
def test_both_languages_have_every_word(small: tuple[Register, Table], language: Language, audience: Audience) -> None:
    register, table = small
    export = TableExport(register, register.communities[0], table, words=words_in(language), state="v1")
    assert export.take("xlsx", audience).name.endswith(".xlsx")


# Lists --------------------------------------------------------------------------------------------------------------


HOSTILE = ["=SUM(A1)", "'+1", "@x", "-", "<b>", "a\u2028b"]


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


@settings(max_examples=30, deadline=None)
@given(tables(), st.sampled_from(LANGUAGES))
def test_a_list_comes_back_as_it_went(given: tuple[Register, Table], language: Language) -> None:
    export = TableExport(given[0], given[0].communities[0], given[1], words=words_in(language), state=STATE)
    for form in ("xlsx", "csv"):
        taken = export.take(form, "community")
        found = read_list(taken.name, taken.content)
        assert found.findings == ()
        assert found.lessons == given[1].lessons
    assert msgspec.json.decode(export.take("json", "community").content, type=TableSet).tables == (given[1],)


@settings(max_examples=15, deadline=None)
@given(tables(), st.builds(Printing, st.sampled_from(get_args(Fit)), st.sampled_from(["", *PAPERS])))
def test_any_table_is_drawn_without_overlaps(given: tuple[Register, Table], printing: Printing) -> None:
    register, table = given
    drawn = wall(register, table)
    pages = week_pages(drawn, printing)
    for day in drawn.weekdays:
        pages += day_pages(drawn, day, printing)
    for school_class in register.classes:
        pages += class_pages(drawn, school_class.id, printing)
    for teacher in register.teachers:
        pages += teacher_pages(drawn, teacher.id, printing)
    for room in register.rooms:
        pages += room_pages(drawn, room.id, printing)
    for unit in register.units:
        pages += [*classes_pages(drawn, unit.id, printing), *teachers_pages(drawn, unit.id, printing)]
    for page in pages:
        assert_apart(page)
        assert_readable(page)
    wall_workbook(pages)


def test_a_list_in_english_is_english(small: tuple[Register, Table]) -> None:
    register, table = small
    export = TableExport(register, register.communities[0], table, words=words_in("en"), state=STATE)
    lines = sheets(export.take("xlsx", "community").content)[LESSONS.title]
    column = {title: lines[0].index(title) for title in ("种类 kind", "学科 subject", "周几 weekday", "单双周 weeks")}
    said = [tuple(line[at] for at in column.values()) for line in lines[1:]]
    assert said == [
        ("sync", "English", "Mon", "all"),
        ("sync", "English", "Mon", "all"),
        ("local", "Science", "Tue", "odd"),
        ("local", "Crafts", "Tue", "even"),
        ("local", "Art", "Wed", "all"),
    ]


def test_a_wall_in_english_keeps_the_names_of_people_and_schools(small: tuple[Register, Table]) -> None:
    (page,) = class_pages(wall(*small, language="en"), "A1-5-1")
    assert texts(page, "sync") == {(3, 1): "◆English\nby 语文教师001 / 语文教师002\nSync A0 08:10–08:40"}
    (block,) = [box for box in page.boxes if box.style == "local"]
    assert block.text == "Art\n语文教师002"


# Paper --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large() -> tuple[Register, Table]:
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


@pytest.mark.parametrize(("paper", "language"), [("A3", "zh-CN"), ("A3", "en"), ("A4", "zh-CN"), ("A4", "en")])
def test_a_whole_school_can_be_read_from_a_wall(
    large: tuple[Register, Table], paper: PaperName, language: Language
) -> None:
    drawn = wall(*large, language=language)
    pages = classes_pages(drawn, "A0", Printing("readable", paper))
    assert len(pages) > 1
    for page in pages:
        assert page.smallest >= PAPERS[paper].least
        assert_readable(page)
        # the heads stand on every sheet
        assert {box.text for box in page.boxes if box.style == "head"} >= {"1", "7"}
    # each class has each day once, whichever sheet it is on
    boxes = [box for page in pages for box in page.boxes if box.style == "local"]
    assert len(boxes) == len(large[1].lessons)
    # sheets that hang side by side have their rows at one height
    rows = [page.rows for page in pages if texts(page, "label") == texts(pages[0], "label")]
    assert len(set(rows)) == 1
    (one,) = classes_pages(drawn, "A0", Printing("one", paper))
    assert one.smallest < PAPERS[paper].least
    assert_readable(one)


def test_a_school_is_cut_between_years_and_days(large: tuple[Register, Table]) -> None:
    pages = classes_pages(wall(*large), "A0")
    assert [page.name for page in pages] == ["A0 一年级–二年级", "A0 三年级–四年级", "A0 五年级–六年级"]
    assert [len(texts(page, "label")) for page in pages] == [12, 12, 12]
    # four signs in a name, and the names of its teachers long: a week is too wide for A4
    narrow = classes_pages(wall(*large), "A0", Printing("readable", "A4"))
    days = {page.name.rpartition(" ")[2] for page in narrow}
    assert "周一–周三" in days or "周一–周二" in days
    for page in narrow:
        assert len(texts(page, "head")) > 2


def test_no_english_word_is_broken_where_it_can_be_read(large: tuple[Register, Table]) -> None:
    for page in classes_pages(wall(*large, language="en"), "A0"):
        for box in page.boxes:
            if box.style == "local":
                assert width_of("English", page.size) <= page.columns[box.left]


def test_what_is_printed_says_how_many_sheets_and_how_small(large: tuple[Register, Table]) -> None:
    for form in ("print", "xlsx"):
        readable = export_of(*large, printing=Printing("readable")).take(form, "unit", "A0")
        one = export_of(*large, printing=Printing("one")).take(form, "unit", "A0")
        assert readable.sheets["A3"] > one.sheets["A3"] == 2
        assert readable.smallest >= 9 > one.smallest


def test_a_document_to_print_runs_nothing(small: tuple[Register, Table]) -> None:
    register, table = small
    evil = "<script>alert(1)</script>"
    lessons = tuple(msgspec.structs.replace(lesson, subject=evil, kind="local") for lesson in table.lessons)
    taken = export_of(register, msgspec.structs.replace(table, lessons=lessons)).take("print", "class")
    text = taken.content.decode()
    assert (taken.name, taken.content_type) == ("教共体A 班级课表.html", "text/html; charset=utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert text.count('<section class="sheet A4"') == taken.sheets["A4"] == 2


def test_nothing_in_a_file_is_a_formula(small: tuple[Register, Table]) -> None:
    register, table = small
    evil = '=HYPERLINK("http://x","y")'
    lessons = tuple(msgspec.structs.replace(lesson, subject=evil, kind="local", topic="+1") for lesson in table.lessons)
    export = export_of(register, msgspec.structs.replace(table, lessons=lessons))
    for audience in AUDIENCES:
        content = export.take("xlsx", audience).content
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for part in archive.namelist():
                assert b"<f>" not in archive.read(part)
        texts = [cell for lines in sheets(content).values() for line in lines for cell in line if isinstance(cell, str)]
        assert [text for text in texts if text[:1] in ("=", "+", "@", "-", "\t")] == []
    rows = export.take("csv", "community").content.decode("utf-8-sig")
    assert re.findall(r'(?:^|,)"?[=+@]', rows, re.MULTILINE) == []


def test_a_list_with_faults_says_where_they_are(small: tuple[Register, Table]) -> None:
    register, table = small
    names = export_of(register, table)._names()
    text = list_csv(table.lessons, names).decode("utf-8-sig").splitlines()
    text[2] = text[2].replace("英语", "数学")
    text[3] = text[3].replace("10:00,10:40", "10:00,25:40", 1)
    text[4] = text[4].replace("周二", "周八")
    found = read_list("表.csv", "\n".join(text).encode("gb18030"))
    assert [lesson.id for lesson in found.lessons] == ["A-r4.1"]
    assert [(f.code, f.file, f.row, f.field.split(" ")[0]) for f in found.findings] == [
        ("cell_not_time", "表.csv", 4, "结束"),
        ("cell_not_weekday", "表.csv", 5, "周几"),
        ("list_rows_differ", "表.csv", 3, ""),
    ]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["a.csv", "a.xlsx", "a.xls", "a.ods", "a.txt", "a", "a.pdf"]), st.binary(max_size=300))
def test_garbage_is_no_list_and_never_raises(name: str, content: bytes) -> None:
    found = read_list(name, content)
    assert found.lessons == ()
    assert found.findings


def test_every_code_has_a_sentence_in_both_languages() -> None:
    for language in LANGUAGES:
        assert [code for code in table_list.CODES if f"finding.{code}" not in catalogue(language)] == []


# Taking away --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("audience", "id", "lessons"),
    [
        ("class", "A1-5-1", ["A-r1.1", "A-r4.1"]),
        ("teacher", "A0-t3", ["A-r2.1"]),
        ("room", "A1-remote1", ["A-r1.1"]),
        ("unit", "A1", ["A-r1.1", "A-r4.1"]),
        ("community", "A", ["A-r1.1", "A-r2.1", "A-r3.1", "A-r4.1"]),
        ("class", "", ["A-r1.1", "A-r2.1", "A-r3.1", "A-r4.1"]),
    ],
)
def test_everybody_gets_their_own_lessons(
    small: tuple[Register, Table], audience: Audience, id: str, lessons: list[str]
) -> None:
    export = export_of(*small)
    (decoded,) = msgspec.json.decode(export.take("json", audience, id).content, type=TableSet).tables
    assert [lesson.id for lesson in decoded.lessons] == lessons
    for form in ("csv", "xlsx"):
        taken = export.take(form, audience, id)
        assert [lesson.id for lesson in read_list(taken.name, taken.content).lessons] == lessons


def test_names_of_files_say_whose_table_it_is(small: tuple[Register, Table]) -> None:
    export = export_of(*small)
    assert export.take("xlsx", "class", "A0-5-1").name == "A0 A0-5-1班.xlsx"
    assert export.take("csv", "teacher").name == "教共体A 教师课表.csv"
    assert export.take("fet", "community").name == "教共体A 课表.fet"


@pytest.mark.parametrize("form", ["xlsx", "csv", "json", "ics", "fet"])
def test_an_id_of_somebody_else_is_not_found(small: tuple[Register, Table], form: Form) -> None:
    for audience in AUDIENCES:
        with pytest.raises(NotFound):
            export_of(*small).take(form, audience, "B0")


def test_fet_takes_whole_communities_only(small: tuple[Register, Table]) -> None:
    export = export_of(*small)
    assert b"<fet " in export.take("fet", "community", "A").content
    with pytest.raises(ExportRefused) as refused:
        export.take("fet", "unit", "A0")
    assert refused.value.reason == "fet_community_only"


def test_calendars_are_made_of_what_is_published(small: tuple[Register, Table]) -> None:
    register, table = small
    with pytest.raises(ExportRefused) as refused:
        export_of(register, table).take("ics", "class", "A0-5-1")
    assert refused.value.reason == "ics_published_only"
    version = Version(community="A", number=1, author="", at=1.0, table=table, diff=Diff())
    export = export_of(register, table, events=lambda wanted: entries(register.term, [version], wanted))
    one = export.take("ics", "class", "A0-5-1")
    assert (one.name, one.content_type) == ("A0 A0-5-1班.ics", "text/calendar; charset=utf-8")
    events = list(icalendar.Calendar.from_ical(one.content).walk("VEVENT"))
    assert {str(event["SUMMARY"]).split(" ")[0] for event in events} == {"【同步】英语", "科学", "劳动"}
    assert date(2026, 9, 7) in {event["DTSTART"].dt.date() for event in events}
    many = export.take("ics", "class")
    assert many.name == "教共体A 班级课表.zip"
    with zipfile.ZipFile(io.BytesIO(many.content)) as archive:
        assert archive.namelist() == ["A0 A0-5-1班 A0-5-1.ics", "A1 A1-5-1班 A1-5-1.ics"]


def test_a_county_sized_community_is_written_in_a_moment() -> None:
    register = generated_community(1)
    table = Table(community="A", term=register.term.id, lessons=())
    assert len(sheets(export_of(register, table).take("xlsx", "class").content)) == 103


def test_a_room_that_left_the_register_does_no_harm(small: tuple[Register, Table]) -> None:
    register, table = small
    rooms: tuple[Room, ...] = tuple(room for room in register.rooms if room.kind == "home")
    without = msgspec.structs.replace(register, rooms=rooms, teachers=register.teachers[1:])
    for audience in AUDIENCES:
        export_of(without, table).take("xlsx", audience)
