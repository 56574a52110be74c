"""Tables on walls: each page holds what it shows, can be read from where people stand, and prints on its paper."""

from __future__ import annotations

import io
import zipfile
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.sentences import Language
from tests.exported_tables import (
    STATE,
    assert_apart,
    assert_readable,
    export_of,
    lesson,
    sheets,
    side,
    tables,
    texts,
    wall,
)
from timetable.export.paper import PAPERS, Fit, PaperName, Printing, width_of
from timetable.export.table_list import LESSONS
from timetable.export.table_sheets import wall_workbook
from timetable.export.wall_clock import day_pages, week_pages
from timetable.export.wall_grids import class_pages, classes_pages, room_pages, teacher_pages, teachers_pages
from timetable.export.wall_pages import Page
from timetable.model import Register, Table


def test_a_class_sees_its_week(two_schools: tuple[Register, Table]) -> None:
    (page,) = class_pages(wall(*two_schools), "A0-5-1")
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


def test_a_class_that_watches_is_told_who_teaches(two_schools: tuple[Register, Table]) -> None:
    (page,) = class_pages(wall(*two_schools), "A1-5-1")
    assert texts(page, "sync") == {(3, 1): "◆英语\n主讲 语文教师001 / 语文教师002\n同步 A0 08:10–08:40"}
    (block,) = [box for box in page.boxes if box.style == "local"]
    assert (block.text, block.top, block.bottom) == ("美术\n语文教师002", 8, 9)


def test_a_teacher_of_two_schools_sees_both_bells(two_schools: tuple[Register, Table]) -> None:
    (page,) = teacher_pages(wall(*two_schools), "A0-t1")
    assert [box.text for box in page.boxes if box.style in ("sync", "local")] == [
        "◆英语\nA0-5-1班\n同步 A1 08:10–08:40",
        "劳动 (双周)\nA0-5-1班",
    ]
    register, table = two_schools
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


def test_a_room_shows_who_is_in_it(two_schools: tuple[Register, Table]) -> None:
    (page,) = room_pages(wall(*two_schools), "A1-remote1")
    assert texts(page, "sync") == {(3, 1): "◆英语\nA1-5-1班\n主讲 语文教师001 / 语文教师002\n同步 A0 08:10–08:40"}


def test_a_school_fits_one_sheet_of_a3(two_schools: tuple[Register, Table]) -> None:
    (page,) = classes_pages(wall(*two_schools), "A0")
    assert page.paper.name == "A3"
    heads = list(texts(page, "head").values())
    assert heads[1:6] == ["周一", "周二", "周三", "周四", "周五"]
    assert heads[6:] == ["1", "2", "3", "4", "5", "6", "7"] * 5
    assert texts(page, "sync") == {(4, 1): "◆英语\n语文教师001"}
    # the classes' names here are longer than a school's
    (teachers,) = teachers_pages(wall(*two_schools), "A0", Printing("one"))
    assert list(texts(teachers, "label").values()) == ["科学教师003", "语文教师001"]
    assert_apart(page)
    assert_apart(teachers)


def test_the_community_is_drawn_on_the_clock(two_schools: tuple[Register, Table]) -> None:
    (page,) = week_pages(wall(*two_schools))
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
    (monday,) = day_pages(wall(*two_schools), 1)
    host, member = [box.text for box in monday.boxes if box.style == "sync"]
    assert host == "◆英语 A0-5-1班 08:10–08:40\n语文教师001 · 远程教室1\n看护 语文教师001"
    assert member == "◆英语 A1-5-1班 08:10–08:40\n主讲 语文教师001 / 语文教师002 · 远程教室1"
    assert [box.text for box in monday.boxes if box.style == "leftover"] == ["", ""]


def test_lessons_of_one_school_at_one_time_stand_together_in_the_week_and_apart_in_the_day(
    two_schools: tuple[Register, Table],
) -> None:
    register, table = two_schools
    first = table.lessons[0]
    second = msgspec.structs.replace(first, id="A-r9.1", subject="音乐", kind="dedicated", weeks="odd")
    both = wall(register, msgspec.structs.replace(table, lessons=(first, second)))
    week = [box.text for box in week_pages(both)[0].boxes if box.style in ("sync", "dedicated")]
    assert week == ["◆英语 A0-5-1班\n▲音乐 (单周) A0-5-1班", "◆英语 A1-5-1班\n▲音乐 (单周) A1-5-1班"]
    (day,) = day_pages(both, 1)
    assert [box.style for box in day.boxes if box.style in ("sync", "dedicated")] == ["sync", "dedicated"] * 2
    assert_apart(day)


def test_a_meeting_of_half_a_day_hides_no_lesson(two_schools: tuple[Register, Table]) -> None:
    register, table = two_schools
    meeting = lesson("A-r9.1", "教研", 1, side("A0", 1, "08:00", "11:40", teachers=("A0-t3",)), kind="research")
    both = wall(register, msgspec.structs.replace(table, lessons=(*table.lessons, meeting)))
    (page,) = week_pages(both)
    boxes = [(box.style, box.left, box.text) for box in page.boxes if box.style in ("sync", "joint")]
    assert boxes == [("sync", 1, "◆英语 A0-5-1班"), ("joint", 2, "■教研"), ("sync", 3, "◆英语 A1-5-1班")]
    assert [box.text for box in page.boxes if box.style == "head" and box.top == 3 and box.left == 1] == ["A0"]
    assert_apart(page)


def test_every_sheet_prints_on_one_page_with_its_version(two_schools: tuple[Register, Table]) -> None:
    content = export_of(*two_schools).take("xlsx", "community").content
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


def test_a_wall_in_english_keeps_the_names_of_people_and_schools(two_schools: tuple[Register, Table]) -> None:
    (page,) = class_pages(wall(*two_schools, language="en"), "A1-5-1")
    assert texts(page, "sync") == {(3, 1): "◆English\nby 语文教师001 / 语文教师002\nSync A0 08:10–08:40"}
    (block,) = [box for box in page.boxes if box.style == "local"]
    assert block.text == "Art\n语文教师002"


@pytest.mark.parametrize(("paper", "language"), [("A3", "zh-CN"), ("A3", "en"), ("A4", "zh-CN"), ("A4", "en")])
def test_a_whole_school_can_be_read_from_a_wall(
    large_school: tuple[Register, Table], paper: PaperName, language: Language
) -> None:
    drawn = wall(*large_school, language=language)
    pages = classes_pages(drawn, "A0", Printing("readable", paper))
    assert len(pages) > 1
    for page in pages:
        assert page.smallest >= PAPERS[paper].least
        assert_readable(page)
        # the heads stand on every sheet
        assert {box.text for box in page.boxes if box.style == "head"} >= {"1", "7"}
    # each class has each day once, whichever sheet it is on
    boxes = [box for page in pages for box in page.boxes if box.style == "local"]
    assert len(boxes) == len(large_school[1].lessons)
    # sheets that hang side by side have their rows at one height
    rows = [page.rows for page in pages if texts(page, "label") == texts(pages[0], "label")]
    assert len(set(rows)) == 1
    (one,) = classes_pages(drawn, "A0", Printing("one", paper))
    assert one.smallest < PAPERS[paper].least
    assert_readable(one)


def test_a_school_is_cut_between_years_and_days(large_school: tuple[Register, Table]) -> None:
    pages = classes_pages(wall(*large_school), "A0")
    assert [page.name for page in pages] == ["A0 一年级–二年级", "A0 三年级–四年级", "A0 五年级–六年级"]
    assert [len(texts(page, "label")) for page in pages] == [12, 12, 12]
    # four signs in a name, and the names of its teachers long: a week is too wide for A4
    narrow = classes_pages(wall(*large_school), "A0", Printing("readable", "A4"))
    days = {page.name.rpartition(" ")[2] for page in narrow}
    assert "周一–周三" in days or "周一–周二" in days
    for page in narrow:
        assert len(texts(page, "head")) > 2


def test_no_english_word_is_broken_where_it_can_be_read(large_school: tuple[Register, Table]) -> None:
    for page in classes_pages(wall(*large_school, language="en"), "A0"):
        for box in page.boxes:
            if box.style == "local":
                assert width_of("English", page.size) <= page.columns[box.left]
