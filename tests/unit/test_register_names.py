"""Names stand for ids wherever they mean one thing; every other text is named with its place."""

from __future__ import annotations

import time
import zipfile
from io import BytesIO

import pytest
from hypothesis import given as each
from hypothesis import settings
from hypothesis import strategies as st
from msgspec import structs

from server.demo.county import demo_register
from server.sentences import LANGUAGES, finding_sentence
from tests.unit.small_register import SMALL, added, changed, given, with_names
from timetable.model import Finding, Register
from timetable.register.cells import FORMULA_ERROR, SEPARATORS
from timetable.register.check import check
from timetable.register.files import read_files
from timetable.register.merge import over
from timetable.register.names import MOST_GUESSED, MOST_LISTED, spelled, with_ids
from timetable.register.parts import assemble, rows_of
from timetable.register.rows import Rows, Source, Sourced, UnavailableRow
from timetable.register.sheet_format import BY_KEY, SHEETS
from timetable.register.sheets import csv_files, empty_forms, workbook

ROWS = given()

NAMES = (
    st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=8)
    .map(str.strip)
    .filter(lambda name: spelled(name) and not SEPARATORS.search(name) and not FORMULA_ERROR.fullmatch(name))
)


@st.composite
def called_differently(draw: st.DrawFn) -> Register:
    """The small register with any names, those of one kind all different."""
    ids = {one.id for name in ("units", "campuses", "rooms", "teachers") for one in getattr(SMALL, name)}
    ids |= {one.id for one in (*SMALL.classes, *SMALL.communities)}
    names = draw(st.lists(NAMES.filter(lambda name: name not in ids), min_size=20, max_size=20, unique_by=spelled))

    def renamed(things: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(structs.replace(thing, name=names.pop()) for thing in things)  # type: ignore[type-var]

    lists = ("communities", "campuses", "rooms", "teachers", "classes")
    units = tuple(structs.replace(unit, name=names.pop(), short_name=names.pop()) for unit in SMALL.units)
    return structs.replace(SMALL, units=units, **{name: renamed(getattr(SMALL, name)) for name in lists})


def places(rows: Rows, standing: Register | None = None) -> list[tuple[str, str, int | None, str]]:
    """Code, sheet, row and field of everything wrong, after names were looked up as an import does."""
    return [(f.code, f.sheet.split()[-1], f.row, f.field.split()[-1]) for f in found(rows, standing)]


def found(rows: Rows, standing: Register | None = None) -> list[Finding]:
    base = rows_of(standing) if standing is not None else {}
    return check(over(base, with_ids(rows, over(base, rows))))


def imported(rows: Rows) -> Register:
    read = read_files(csv_files(rows))
    assert read.findings == []
    meant = with_ids(read.rows, read.rows)
    assert check(meant) == []
    return assemble(meant)


# Understood ---------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=80)
@each(register=called_differently(), some=st.sets(st.sampled_from(SHEETS).map(lambda sheet: sheet.key)))
def test_any_names_that_only_one_has_give_the_same_register(register: Register, some: set[str]) -> None:
    rows = given(register)
    assert imported(with_names(rows)) == register
    assert imported(with_names(rows, lambda sheet, field: sheet in some)) == register


def test_class_room_and_teacher_are_looked_up_in_their_own_school_first() -> None:
    rows = with_names(ROWS, lambda sheet, field: sheet != "busy_rooms")
    assert [row.row.classes for row in rows["requirements"]] == [("五(1)班",), ("五(1)班",)]
    assert {row.row.room for row in rows["classes"]} == {"五(1)班教室"}
    assert imported(rows) == SMALL


def test_the_county_by_names_is_the_county_but_for_namesakes_at_one_school() -> None:
    """Rows of no school (a teacher's or a room's times) are left aside: 美术教师01 is everywhere."""
    county = given(demo_register())
    rows = with_names(county, lambda sheet, field: sheet not in ("unavailable", "busy_rooms"))
    meant = with_ids(rows, rows)
    problems = check(meant)
    assert {(problem.code, problem.values["noun"]) for problem in problems} <= {("name_ambiguous", "teacher")}
    asked = {(problem.sheet, problem.row) for problem in problems}
    assert 0 < len(asked) < 100
    for key, part in county.items():
        for known, found in zip(part, meant[key], strict=True):
            assert found.row == known.row or (found.source.sheet, found.source.row) in asked


@pytest.mark.parametrize("written", ["五(1)班", "五（1）班", " 五( 1 )班 ", "五（１）班"])
def test_width_and_spaces_make_no_other_name(written: str) -> None:
    rows = changed(ROWS, "requirements", 1, classes=(written,), unit="东　学校", teachers=("语文 教师０１",))
    assert imported(rows) == SMALL


def test_an_id_comes_before_a_name_and_a_short_name_is_a_name() -> None:
    rows = changed(ROWS, "teachers", 0, name="t2")
    rows = changed(rows, "requirements", 1, teachers=("t2",))
    rows = changed(rows, "teachers", 1, posts=("东", "core"))
    assert imported(rows).requirements[1] == SMALL.requirements[1]
    assert imported(rows).teachers[1].posts == ("east", "core")


@pytest.mark.parametrize("written", ["东远程教室1", "东学校 远程教室1", "东　远程教室１"])
def test_with_its_school_before_it_a_name_is_that_of_the_school(written: str) -> None:
    assert imported(changed(ROWS, "busy_rooms", 0, room=written)) == SMALL
    # t2 is of both schools and one person all the same
    assert imported(changed(ROWS, "unavailable", 0, teacher="中语文教师01")) == SMALL


def test_names_of_the_county_and_of_the_same_import_count() -> None:
    new = structs.replace(ROWS["teachers"][0].row, id="t4", name="新来的", posts=("东学校",))
    lesson = structs.replace(ROWS["requirements"][1].row, teachers=("新来的",))
    source = Source("b.xlsx", "x", 2)
    rows: Rows = {
        "teachers": [Sourced("teachers", new, source)],
        "requirements": [Sourced("requirements", lesson, source)],
        "unavailable": [
            Sourced("unavailable", UnavailableRow(teacher="语文教师01", weekday=1, start="08:00", end="09:00"), source)
        ],
    }
    base = rows_of(SMALL)
    register = assemble(over(base, with_ids(rows, over(base, rows))))
    assert register.teachers[3].posts == ("east",)
    assert register.requirements[1].parties[0].teachers == ("t4",)
    # a list goes with its owner, whatever the sheet calls it: the new one takes the place of the old
    assert [busy.weekday for busy in register.teachers[1].unavailable] == [1]


def test_a_new_name_takes_the_place_of_the_old() -> None:
    renamed = Sourced("teachers", structs.replace(ROWS["teachers"][0].row, name="改名"), Source("b.xlsx", "x", 2))
    row = structs.replace(ROWS["requirements"][0].row, teachers=("科学教师01",))
    rows: Rows = {
        "teachers": [Sourced("teachers", rows_of(SMALL)["teachers"][0].row, renamed.source)],
        "requirements": [Sourced("requirements", row, Source("b.xlsx", "教学要求 requirements", 2))],
    }
    assert places(rows, SMALL) == []
    rows["teachers"] = [Sourced("teachers", structs.replace(rows["teachers"][0].row, name="改名"), renamed.source)]
    assert places(rows, SMALL) == [("unknown_teacher", "requirements", 2, "teachers")]


# Not understood -----------------------------------------------------------------------------------------------------


REFERRING = [
    ("closures", 0, "units", "unknown_unit"),
    ("communities", 0, "core", "unknown_unit"),
    ("communities", 0, "members", "unknown_unit"),
    ("travel", 0, "campus_a", "unknown_campus"),
    ("travel", 0, "campus_b", "unknown_campus"),
    ("units", 1, "campus", "unknown_campus"),
    ("bells", 2, "unit", "unknown_unit"),
    ("rooms", 0, "unit", "unknown_unit"),
    ("rooms", 0, "campus", "unknown_campus"),
    ("busy_rooms", 0, "room", "unknown_room"),
    ("teachers", 0, "posts", "unknown_unit"),
    ("unavailable", 0, "teacher", "unknown_teacher"),
    ("classes", 0, "unit", "unknown_unit"),
    ("classes", 0, "room", "unknown_room"),
    ("shortages", 0, "unit", "unknown_unit"),
    ("requirements", 1, "unit", "unknown_unit"),
    ("requirements", 1, "community", "unknown_community"),
    ("requirements", 1, "classes", "unknown_class"),
    ("requirements", 1, "teachers", "unknown_teacher"),
    ("requirements", 1, "rotation", "unknown_unit"),
    ("parties", 0, "unit", "unknown_unit"),
    ("parties", 0, "classes", "unknown_class"),
    ("parties", 0, "teachers", "unknown_teacher"),
]


@pytest.mark.parametrize(("sheet", "index", "field", "code"), REFERRING)
def test_a_text_that_is_neither_is_named_with_its_place(sheet: str, index: int, field: str, code: str) -> None:
    column = BY_KEY[sheet].by_name[field]
    rows = changed(ROWS, sheet, index, **{field: ("无此物",) if column.several else "无此物"})
    read = read_files({"a.xlsx": workbook(rows)})
    assert read.findings == []
    assert (code, sheet, index + 2, field) in places(read.rows)
    for finding in found(read.rows):
        for language in LANGUAGES:
            assert "{" not in finding_sentence(finding, language)


def test_every_column_that_refers_to_something_is_looked_up() -> None:
    """The list above is complete, and a requirement is the one thing without a name."""
    referring = {(sheet.key, column.field) for sheet in SHEETS for column in sheet.columns if column.refers}
    listed = {(sheet, field) for sheet, _, field, _ in REFERRING} | {("wishes", "unit")}
    assert referring == listed


def test_a_name_of_several_lists_their_ids() -> None:
    rows = changed(ROWS, "busy_rooms", 0, room="远程教室 1")
    [ambiguous] = found(rows)
    assert (ambiguous.code, ambiguous.file, ambiguous.row) == ("name_ambiguous", "a.xlsx", 2)
    assert ambiguous.field == "教室 room"
    assert ambiguous.values == {"value": "远程教室 1", "noun": "room", "count": 2, "ids": "core.remote1、east.remote1"}
    assert finding_sentence(ambiguous, "zh-CN") == "叫“远程教室 1”的教室有 2 个，请写编号：core.remote1、east.remote1。"
    assert finding_sentence(ambiguous, "en") == (
        'The name "远程教室 1" is that of more than one room (2); write the id: core.remote1, east.remote1'
    )


def test_two_of_one_school_are_ambiguous_and_one_elsewhere_is_not() -> None:
    twin = structs.replace(ROWS["teachers"][1].row, id="t5", posts=("core",))
    rows = added(changed(ROWS, "requirements", 1, teachers=("语文教师01",)), "teachers", twin)
    # the lesson is at east, where only t2 has a post
    assert places(rows) == []
    rows = changed(rows, "requirements", 0, teachers=("语文教师01",))
    assert places(rows) == [("name_ambiguous", "requirements", 2, "teachers")]
    assert found(rows)[0].values["ids"] == "t2、t5"


def test_of_two_of_one_name_it_is_who_teaches_the_subject() -> None:
    """A visiting teacher has the name of one of the school's own."""
    subject = ROWS["requirements"][0].row.subject
    visiting = structs.replace(ROWS["teachers"][1].row, id="t5", posts=("east", "core"), subjects=("美术",))
    rows = added(changed(ROWS, "teachers", 1, posts=("core",), subjects=(subject,)), "teachers", visiting)
    rows = changed(rows, "requirements", 0, teachers=("语文教师01",))
    meant = with_ids(rows, rows)
    assert meant["requirements"][0].row.teachers == ("t2",)
    art = changed(rows, "requirements", 0, subject="美术")
    assert with_ids(art, art)["requirements"][0].row.teachers == ("t5",)
    # who assists need not teach it
    both = changed(rows, "parties", 0, unit="core", teachers=("语文教师01",))
    assert ("name_ambiguous", "parties", 2, "teachers") in places(both)
    # where neither or both teach it, the ids are named
    for subjects in ((subject,), ("书法",)):
        neither = changed(changed(rows, "teachers", 1, subjects=subjects), "teachers", 3, subjects=subjects)
        assert ("name_ambiguous", "requirements", 2, "teachers") in places(neither)


def test_with_a_school_before_it_a_teachers_name_is_that_of_who_is_at_home_there() -> None:
    visiting = structs.replace(ROWS["teachers"][1].row, id="t5", posts=("east", "core"))
    rows = added(changed(ROWS, "teachers", 1, posts=("core",)), "teachers", visiting)
    for written, id in (("中语文教师01", "t2"), ("东语文教师01", "t5"), ("东学校 语文教师01", "t5")):
        named = changed(rows, "unavailable", 0, teacher=written)
        assert with_ids(named, named)["unavailable"][0].row.teacher == id


def test_without_its_school_a_row_is_not_asked_which_class_it_means() -> None:
    rows = changed(ROWS, "requirements", 1, unit="冬学校", classes=("五(1)班",), locked=())
    assert places(rows) == [("unknown_unit", "requirements", 3, "unit")]


def test_many_of_one_name_are_not_all_listed() -> None:
    rows = changed(ROWS, "requirements", 1, teachers=("同名",))
    for number in range(MOST_LISTED + 5):
        twin = structs.replace(ROWS["teachers"][2].row, id=f"u{number:02}", name="同名")
        rows = added(rows, "teachers", twin)
    ids = str(next(f for f in found(rows) if f.code == "name_ambiguous").values["ids"])
    assert ids == "、".join(f"u{number:02}" for number in range(MOST_LISTED)) + "、…"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("语文教师1", "语文教师01"), ("语文老师01", "语文教师01"), ("T2", ""), ("王老师", "")],
)
def test_the_nearest_name_is_offered(written: str, meant: str) -> None:
    [unknown] = found(changed(ROWS, "requirements", 1, teachers=(written,)))
    assert unknown.values == {"id": written} | ({"nearest": meant} if meant else {})
    assert finding_sentence(unknown, "zh-CN").endswith(f"是“{meant}”吗？" if meant else "的教师。")


def test_a_column_of_nonsense_is_read_within_seconds() -> None:
    county = demo_register()
    rows = given(county)
    lost = [
        Sourced("unavailable", UnavailableRow(teacher=f"查无此人第{n}", weekday=1, start="08:00", end="09:00"), source)
        for n in range(5000)
        if (source := Source("a.xlsx", "不可排时间 unavailable", n + 2))
    ]
    begun = time.process_time()
    named = found({**rows, "unavailable": lost})
    assert len(named) == len(lost)
    assert sum("nearest" in finding.values for finding in named) <= MOST_GUESSED
    assert time.process_time() - begun < 30


# Said beforehand ----------------------------------------------------------------------------------------------------


def test_exports_write_ids_and_forms_say_that_a_name_will_do() -> None:
    text = csv_files(rows_of(SMALL))["教学要求 requirements.csv"].decode("utf-8-sig")
    assert "core.c51" in text
    assert "五(1)班" not in text
    with zipfile.ZipFile(BytesIO(empty_forms())) as form:
        noted = [form.read(part).decode() for part in form.namelist() if part.startswith("xl/worksheets/sheet")]
    assert sum(page.count("写编号或名称") for page in noted) == sum(
        bool(column.refers) for sheet in SHEETS for column in sheet.columns
    )
