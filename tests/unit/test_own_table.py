"""A school's own table, as schools write it: walls, the whole school, lists; and every fault named by its cell."""

from __future__ import annotations

import io
import itertools
from typing import Any

import msgspec
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from server.sentences import LANGUAGES, catalogue, words_in
from tests.community_builder import CommunityBuilder, bell_times
from timetable.checker import check as check_table
from timetable.export.paper import Printing
from timetable.export.table_export import TableExport
from timetable.model import BusyTime, Party, Register, Slot
from timetable.own import lessons as own_lessons
from timetable.own import table as own_table
from timetable.own.lessons import Into, OwnImport, take_own_table
from timetable.register.check import check
from timetable.register.parts import rows_of
from timetable.solving import solver

Lines = list[list[Any]]
DAYS = ["星期一", "星期二", "星期三", "星期四", "星期五"]


@pytest.fixture(scope="module")
def register() -> Register:
    """One school with two classes and four teachers, and a partner with whom English is shared."""
    builder = CommunityBuilder()
    unit, partner = builder.unit(bell_times(500, 30, 840)), builder.unit(bell_times(500, 30, 840))
    first, _, other = (builder.school_class(school) for school in (unit, unit, partner))
    for subject in ("语文", "数学", "体育", "英语"):
        builder.teacher(unit, subject=subject)
    builder.teacher(partner, subject="英语")
    builder.local(first, "语文", 3, "A0-t1")
    builder.local(first, "数学", 2, "A0-t2")
    builder.local(first, "体育", 1, "A0-t3", block=2)
    builder.require(
        "sync",
        "英语",
        1,
        Party(unit=unit, classes=(first,), teachers=("A0-t4",)),
        Party(unit=partner, classes=(other,), teachers=("A1-t5",)),
    )
    given = builder.register()
    names = {"A0-5-1": "五(1)班", "A0-5-2": "五(2)班"}
    people = {"A0-t1": "李华", "A0-t2": "王芳", "A0-t3": "赵强", "A0-t4": "陈静"}
    return msgspec.structs.replace(
        given,
        classes=tuple(msgspec.structs.replace(c, name=names.get(c.id, c.name)) for c in given.classes),
        teachers=tuple(msgspec.structs.replace(t, name=people.get(t.id, t.name)) for t in given.teachers),
    )


def book(*sheets: tuple[str, Lines], merged: tuple[str, ...] = ()) -> bytes:
    """A workbook as somebody typed it; the areas in `merged` of the first sheet hold their first cell's value."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as made:
        for number, (name, lines) in enumerate(sheets):
            page = made.add_worksheet(name)
            for row, line in enumerate(lines):
                for column, value in enumerate(line):
                    if value is not None:
                        page.write(row, column, value)
            for area in merged if number == 0 else ():
                page.merge_range(area, "", None)
                row, column = xlsxwriter.utility.xl_cell_to_rowcol(area.split(":")[0])
                page.write(row, column, lines[row][column])
    return content.getvalue()


def week(*rows: tuple[Any, ...], title: str = "五(1)班课程表", corner: str = "节次") -> Lines:
    return [[title], [corner, *DAYS], *[list(row) for row in rows]]


def locks(taken: OwnImport) -> dict[str, tuple[tuple[int, int], ...]]:
    """The fixed slots by subject and class."""
    return {
        f"{r.subject} {r.parties[0].classes[0]}": tuple((slot.weekday, slot.period) for slot in r.locked)
        for r in taken.register.requirements
        if r.locked
    }


def codes(taken: OwnImport) -> list[str]:
    return [finding.code for finding in taken.findings]


def take(register: Register, content: bytes, name: str = "表.xlsx", into: Into = "locked") -> OwnImport:
    taken = take_own_table({name: content}, register, "A0", into)
    errors = [finding for finding in check(rows_of(taken.register)) if finding.severity == "error"]
    assert errors == []
    return taken


# The three forms ----------------------------------------------------------------------------------------------------


def test_a_week_on_the_wall_fixes_the_lessons(register: Register) -> None:
    lines = week(
        ("第一节", "语文\n李华", "数学(王芳)", None, "语 李华", None),
        ("第二节", None, "数学 / 王芳", None, None, None),
        ("大课间", "大课间", "大课间", "大课间", "大课间", "大课间"),
        ("第三节", None, None, "语文李华", None, None),
        ("午休", "午休"),
        ("第五节", None, None, None, "体育", None),
        ("第六节", None, None, None, "体育", None),
    )
    taken = take(register, book(("五(1)班", lines)))
    assert taken.findings == ()
    assert locks(taken) == {
        "语文 A0-5-1": ((1, 1), (3, 3), (4, 1)),
        "数学 A0-5-1": ((2, 1), (2, 2)),
        "体育 A0-5-1": ((4, 5),),
    }
    assert (taken.lessons, taken.locked, taken.requirements) == (7, 6, 0)


def test_the_whole_school_on_one_sheet(register: Register) -> None:
    lines: Lines = [
        ["第一小学总课表"],
        ["班级", "星期一", None, None, "星期二", None, None, "星期三", None, None],
        [None, 1, 2, 3, 1, 2, 3, 1, 2, 3],
        ["五(1)", "语文", None, None, "数学", None, None, None, "语文", None],
        [None, "李华", None, None, "王芳", None, None, None, "李华", None],
        ["五(2)", None, "数学", None, None, "数学", None, None, None, None],
        [None, None, "王芳", None, None, "王芳", None, None, None, None],
        ["六(1)", "语文"],
    ]
    taken = take(register, book(("总表", lines), merged=("B2:D2", "E2:G2", "A4:A5")))
    assert locks(taken) == {
        "语文 A0-5-1": ((1, 1), (3, 2)),
        "数学 A0-5-1": ((2, 1),),
        "数学 A0-5-2": ((1, 2), (2, 2)),
    }
    assert [(f.code, f.sheet, f.row, f.field, f.severity) for f in taken.findings] == [
        ("own_class_unknown", "总表", 8, "", "error"),
        ("own_requirement_new", "总表", 6, "C6", "warning"),
    ]
    new = taken.register.requirements[-1]
    assert (new.id, new.weekly, new.parties[0].teachers, new.community) == ("own.A0-5-2.1", 2, ("A0-t2",), "A")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_list_in_any_encoding(register: Register, encoding: str) -> None:
    text = (
        "班级,星期,节次,学科,教师,单双周\n"
        "五(1)班,周一,第1节,语文,李华,\n"
        "501,2,3,数学,,\n"
        "五年级1班,周四,5-6,体育,赵强,\n"
    )
    taken = take(register, text.encode(encoding), "五年级.csv")
    assert taken.findings == ()
    assert locks(taken) == {"语文 A0-5-1": ((1, 1),), "数学 A0-5-1": ((2, 3),), "体育 A0-5-1": ((4, 5),)}


def test_a_timetable_that_fet_made_is_a_list(register: Register) -> None:
    starts = "".join(
        f"<ConstraintActivityPreferredStartingTime><Weight_Percentage>100</Weight_Percentage><Activity_Id>{id}"
        f"</Activity_Id><Preferred_Day>{day}</Preferred_Day><Preferred_Hour>{hour}</Preferred_Hour><Active>true</Active>"
        "</ConstraintActivityPreferredStartingTime>"
        for id, day, hour in ((1, "Monday", 1), (2, "Tuesday", 3), (3, "Thursday", 5))
    )
    activities = "".join(
        f"<Activity><Teacher>{teacher}</Teacher><Subject>{subject}</Subject><Students>五(1)班</Students>"
        f"<Duration>{hours}</Duration><Id>{id}</Id><Activity_Group_Id>0</Activity_Group_Id><Active>true</Active></Activity>"
        for id, teacher, subject, hours in ((1, "李华", "语文", 1), (2, "王芳", "数学", 1), (3, "赵强", "体育", 2))
    )

    def fet(constraints: str) -> bytes:
        days = "".join(f"<Day><Name>{day}</Name></Day>" for day in ("Monday", "Tuesday", "Thursday"))
        hours = "".join(f"<Hour><Name>{hour}</Name></Hour>" for hour in range(1, 7))
        return (
            f"<fet version='6.8.5'><Institution_Name>实验</Institution_Name><Days_List>{days}</Days_List>"
            f"<Hours_List>{hours}</Hours_List><Students_List><Year><Name>五(1)班</Name></Year></Students_List>"
            f"<Activities_List>{activities}</Activities_List>"
            f"<Time_Constraints_List>{constraints}</Time_Constraints_List></fet>"
        ).encode()

    taken = take(register, fet(starts), "实验_data_and_timetable.fet")
    assert taken.findings == ()
    assert locks(taken) == {"语文 A0-5-1": ((1, 1),), "数学 A0-5-1": ((2, 3),), "体育 A0-5-1": ((4, 5),)}
    unmade = take(register, fet(""), "实验.fet")
    assert [(f.code, f.file, f.severity) for f in unmade.findings] == [("own_fet_without_times", "实验.fet", "error")]
    assert [f.code for f in take(register, b"<fet", "a.fet").findings] == ["file_unreadable"]


def test_several_weeks_below_each_other_and_on_several_sheets(register: Register) -> None:
    first = week(("1", "语文"), ("2", "语文"))
    second = week(("1", None, "数学 王芳"), title="五(2)班 课程表")
    taken = take(register, book(("五年级", [*first, [], *second]), ("五(1)班", week(("3", "语文"), title="课程表"))))
    assert locks(taken) == {"语文 A0-5-1": ((1, 1), (1, 2), (1, 3)), "数学 A0-5-2": ((2, 1),)}


def test_the_name_of_a_csv_says_whose_week_it_is(register: Register) -> None:
    text = "节次,周一,周二,周三\n1,语文,,\n2,,数学,\n"
    assert locks(take(register, text.encode("gb18030"), "五(1)班.csv")) == {
        "语文 A0-5-1": ((1, 1),),
        "数学 A0-5-1": ((2, 2),),
    }


# How people write ---------------------------------------------------------------------------------------------------


def test_merged_cells_are_a_block_and_a_half_day(register: Register) -> None:
    lines = week(
        ("1", "语文", "语文", "语文", None, None),
        ("2", None, None, None, None, None),
        ("3", None, None, None, None, "体育"),
        ("4", None, None, None, None, None),
    )
    taken = take(register, book(("五(1)班", lines), merged=("A1:F1", "F5:F6")))
    assert locks(taken) == {"语文 A0-5-1": ((1, 1), (2, 1), (3, 1)), "体育 A0-5-1": ((5, 3),)}


def test_numbers_that_begin_again_in_the_afternoon_go_on(register: Register) -> None:
    lines: Lines = [
        ["五(1)班"],
        [None, None, *DAYS],
        ["上午", "1", "语文"],
        [None, "2"],
        [None, "3"],
        [None, "4", "数学"],
        ["下午", "1", "语文"],
        [None, "2", None, "数学"],
    ]
    taken = take(register, book(("表", lines), merged=("A3:A6", "A7:A8")))
    assert locks(taken) == {"语文 A0-5-1": ((1, 1), (1, 5)), "数学 A0-5-1": ((1, 4), (2, 6))}


def test_times_on_the_labels_find_the_period(register: Register) -> None:
    rows = week(("8:20—9:00", "语文"), ("10：20 ~ 11：00", "语文"), ("14:00-14:40", None, "数学"))
    assert locks(take(register, book(("五(1)班", rows)))) == {
        "语文 A0-5-1": ((1, 1), (1, 3)),
        "数学 A0-5-1": ((2, 5),),
    }


# Faults -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "code", "severity"),
    [
        ("语文 张三", "own_teacher_unknown", "error"),
        ("语文 王芳", "own_teacher_differs", "error"),
        ("123", "own_cell_unreadable", "error"),
        ("书法 李华", "own_subject_new", "warning"),
        ("书法", "own_teacher_missing", "error"),
        ("英语 陈静", "own_shared", "warning"),
        ("语文/数学", "own_weeks_assumed", "warning"),
    ],
)
def test_a_fault_names_its_cell(register: Register, cell: str, code: str, severity: str) -> None:
    taken = take(register, book(("五(1)班", week(("1", None, cell)))), "表.xlsx")
    found = [finding for finding in taken.findings if finding.code == code]
    assert [(f.file, f.sheet, f.row, f.field, f.severity) for f in found] == [("表.xlsx", "五(1)班", 3, "C3", severity)]


def test_formulas_count_by_their_value_and_failed_ones_are_named(register: Register) -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as made:
        page = made.add_worksheet("五(1)班")
        for row, line in enumerate(week(("1",), ("2",))):
            page.write_row(row, 0, line)
        page.write_formula("B3", '="语"&"文"', None, "语文")
        page.write_formula("C3", "=A99", None, "#REF!")
        page.write_formula("D3", "=1+1", None, 2)
    taken = take(register, content.getvalue())
    assert locks(taken) == {"语文 A0-5-1": ((1, 1),)}
    assert [(f.code, f.field) for f in taken.findings] == [("own_formula_failed", "C3"), ("own_cell_unreadable", "D3")]


def test_a_lesson_too_many_a_broken_block_and_a_period_that_does_not_ring(register: Register) -> None:
    lines = week(
        ("1", "数学", "数学", "数学", "体育", None),
        ("2", None, None, None, None, None),
        ("9", "语文", None, None, None, None),
    )
    taken = take(register, book(("五(1)班", lines)))
    assert [(f.code, f.field) for f in taken.findings] == [
        ("own_no_period", "B5"),
        ("own_more_than_weekly", "D3"),
        ("own_block_broken", "E3"),
    ]
    assert locks(taken) == {"数学 A0-5-1": ((1, 1), (2, 1))}


def test_nobody_is_in_two_places(register: Register) -> None:
    first = week(("1", "语文 李华", "语文(单)"))
    second = week(("1", "数学 李华", "语文(双) 李华"), title="五(2)班")
    lists: Lines = [["班级", "星期", "节次", "学科", "教师"], ["五(1)班", "周一", 1, "数学", "王芳"]]
    taken = take(register, book(("五(1)班", first), ("五(2)班", second), ("清单", lists)))
    clashes = [(f.code, f.sheet, f.field, f.values.get("other")) for f in taken.findings if f.severity == "error"]
    assert clashes == [
        ("own_teacher_twice", "五(2)班", "B3", "表.xlsx 五(1)班 B3"),
        ("own_class_twice", "清单", "D2", "表.xlsx 五(1)班 B3"),
    ]


def test_two_classes_together_are_taught_once(register: Register) -> None:
    first, second = week(("1", "书法 赵强")), week(("1", "书法 赵强"), title="五(2)班")
    taken = take_own_table({"a.xlsx": book(("五(1)班", first), ("五(2)班", second))}, register, "A0", "busy")
    assert not taken.has_errors
    times = next(t.unavailable for t in taken.register.teachers if t.id == "A0-t3")
    assert [(busy.weekday, busy.start, busy.end) for busy in times] == [(1, "08:20", "09:00")]


def test_sheets_without_a_timetable_are_named(register: Register) -> None:
    notes: Lines = [["说明"], ["请填写"]]
    taken = take(register, book(("五(1)班", week(("1", "语文"))), ("说明", notes)))
    assert [(f.code, f.sheet, f.severity) for f in taken.findings] == [("own_sheet_left_out", "说明", "warning")]
    nothing = take(register, book(("说明", notes)))
    assert [(f.code, f.sheet, f.severity) for f in nothing.findings] == [("own_no_form", "说明", "error")]
    unknown = take(register, book(("七(9)班", week(("1", "语文"), title="课程表"))))
    assert codes(unknown) == ["own_class_unknown"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("表.csv", b"", "file_empty"),
        ("表.xlsx", b"", "file_empty"),
        ("表.fet", b"", "file_empty"),
        ("表.xlsx", book(("课表", [])), "own_nothing"),
        ("表.csv", b"\r\n\r\n", "own_nothing"),
        ("表.csv", "班级,星期,节次,学科\n".encode(), "own_nothing"),
        ("表.pdf", b"%PDF", "file_type_unknown"),
        ("表.csv", b"\xff\xff\xff", "file_not_text"),
    ],
)
def test_a_table_without_a_lesson_is_no_table(register: Register, name: str, content: bytes, code: str) -> None:
    taken = take(register, content, name)
    assert [(f.code, f.severity) for f in taken.findings] == [(code, "error")]
    assert taken.register == register


def test_teachers_of_one_name_are_told_apart_by_what_they_teach_or_by_id(register: Register) -> None:
    twins = msgspec.structs.replace(
        register, teachers=tuple(msgspec.structs.replace(t, name="李华") for t in register.teachers)
    )
    taken = take(twins, book(("五(1)班", week(("1", "书法 李华", "语文 李华", "书法 A0-t1")))))
    assert [(f.code, f.field) for f in taken.findings if f.severity == "error"] == [("own_teacher_ambiguous", "B3")]
    assert locks(taken) == {"语文 A0-5-1": ((2, 1),), "书法 A0-5-1": ((3, 1),)}


# Twice, and busy ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("into", ["locked", "busy"])
def test_taking_a_table_twice_changes_nothing(register: Register, into: Into) -> None:
    content = book(("五(2)班", week(("1", "书法(单) 李华", "语文 李华"), ("2", "数学 王芳"), title="五(2)班")))
    once = take(register, content, into=into)
    assert once.register != register
    again = take(once.register, content, into=into)
    if into == "busy":
        assert again.register == once.register
    else:
        assert again.register.requirements == once.register.requirements
        assert (again.locked, again.requirements) == (0, 0)


def test_a_new_table_takes_the_place_of_the_old_times(register: Register) -> None:
    first = take(register, book(("五(2)班", week(("1", "语文 李华"), title="五(2)班"))), into="busy")
    second = take(first.register, book(("五(2)班", week(("3", None, "语文 李华"), title="五(2)班"))), into="busy")
    times = next(t.unavailable for t in second.register.teachers if t.id == "A0-t1")
    expected = BusyTime(weekday=2, start="10:20", end="11:00", reason="本校课表：五(2)班 语文")
    assert times == (expected,)
    assert second.register.busy_rooms == (("room-A0-5-2", expected),)
    assert second.busy == 2


def test_what_is_planned_here_is_no_taken_time(register: Register) -> None:
    taken = take(register, book(("五(1)班", week(("1", "语文 李华", "英语 陈静", "书法 李华")))), into="busy")
    assert codes(taken) == ["own_subject_new", "own_planned_here", "own_shared"]
    assert taken.busy == 2


def test_an_earlier_lock_stays_where_the_table_leaves_room(register: Register) -> None:
    requirements = tuple(
        msgspec.structs.replace(r, locked=(Slot(weekday=5, period=1), Slot(weekday=5, period=2)))
        if r.subject == "语文"
        else r
        for r in register.requirements
    )
    taken = take(
        msgspec.structs.replace(register, requirements=requirements), book(("五(1)班", week(("1", "语文", "语文"))))
    )
    assert locks(taken)["语文 A0-5-1"] == ((1, 1), (2, 1), (5, 1))


# Round trip and garbage ---------------------------------------------------------------------------------------------


def test_a_table_that_was_printed_here_can_be_taken_back(register: Register) -> None:
    lines = week(
        ("1", "语文", "数学", None, "语文", None),
        ("2", None, "数学", "语文", None, None),
        ("5", None, None, None, "体育", None),
        ("6", None, None, None, "体育", None),
    )
    fixed = take(register, book(("五(1)班", lines))).register
    only_local = msgspec.structs.replace(
        fixed, requirements=tuple(r for r in fixed.requirements if r.kind == "local" and r.locked)
    )
    table = solver.solve(only_local, "A", seconds=20, seed=1, workers=1, improve_until=0).table
    assert table is not None
    assert check_table(only_local, table) == []
    bare = msgspec.structs.replace(
        only_local, requirements=tuple(msgspec.structs.replace(r, locked=()) for r in only_local.requirements)
    )
    # A4 takes the whole school in several sheets, of a day or two each
    for language, paper in itertools.product(LANGUAGES, ("A3", "A4")):
        export = TableExport(
            only_local,
            only_local.communities[0],
            table,
            words=words_in(language),
            state="草案",
            printing=Printing("readable", paper),
        )
        for audience, id in (("class", "A0-5-1"), ("unit", "A0")):
            printed = export.take("xlsx", audience, id)  # type: ignore[arg-type]
            again = take_own_table({printed.name: printed.content}, bare, "A0", "locked")
            assert not again.has_errors, again.findings
            assert {r.id: set(r.locked) for r in again.register.requirements} == {
                r.id: set(r.locked) for r in only_local.requirements
            }


def test_english_words_of_a_printed_table_mean_the_same(register: Register) -> None:
    lines = week(
        ("1", "Chinese", "Maths", None, "PE\n李华", "Class meeting"), ("2", "Maths (odd)\nChinese (even)", "Art/PE")
    )
    chinese = week(("1", "语文", "数学", None, "体育\n李华", "班会"), ("2", "数学 (单)\n语文 (双)", "美术/体育"))
    english, expected = take(register, book(("Class 5-1", lines))), take(register, book(("五(1)班", chinese)))
    assert locks(english) == locks(expected)
    assert codes(english) == codes(expected)


def test_every_code_has_a_sentence_in_both_languages() -> None:
    wanted = [*own_table.ERRORS, *own_table.WARNINGS, *own_lessons.ERRORS, *own_lessons.WARNINGS]
    for language in LANGUAGES:
        assert [code for code in wanted if f"finding.{code}" not in catalogue(language)] == []


texts = st.text("语文数学李华周一二第节班五(1)（单）双/\n 123=#REF!—", max_size=8)
cells = st.one_of(st.none(), texts, st.integers(-5, 20), st.floats(allow_nan=False, allow_infinity=False))


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(st.lists(cells, max_size=7), max_size=8), heading=st.booleans())
def test_any_sheet_is_read_without_failing(register: Register, lines: Lines, heading: bool) -> None:
    content = book(("五(1)班", [*(week()[1:] if heading else []), *lines]))
    for into in ("locked", "busy"):
        take(register, content, into=into)  # type: ignore[arg-type]


@settings(max_examples=100, deadline=None)
@given(
    name=st.sampled_from(["a.xlsx", "a.csv", "a.xls", "a.ods", "a.txt", "a.pdf", ""]), content=st.binary(max_size=300)
)
def test_garbage_never_raises(register: Register, name: str, content: bytes) -> None:
    taken = take_own_table({name: content}, register, "A0", "locked")
    assert taken.register == register
