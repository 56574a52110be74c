"""Registers survive the way through workbooks, text files and JSON, and garbage never stops the reading."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, datetime, time, timedelta
from functools import cache

import msgspec
import pytest
import xlsxwriter
from hypothesis import given as each
from hypothesis import settings
from hypothesis import strategies as st

from server.demo.county import demo_register, demo_workbooks
from tests.unit.small_register import SMALL
from timetable.model import Finding, Register, Shortage, Slot
from timetable.register import cells
from timetable.register.cells import CellProblem
from timetable.register.files import read_files
from timetable.register.parts import assemble, rows_of
from timetable.register.rows import TeacherRow
from timetable.register.sheet_format import BY_KEY, SHEETS, sheet_named
from timetable.register.sheets import csv_files, empty_forms, read_csv, read_workbook, workbook

Cells = list[list[object]]


def book(**sheets: Cells) -> bytes:
    """A workbook typed by somebody: the sheets by name with their cells, `=...` being formulas."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as written:
        for name, lines in sheets.items():
            page = written.add_worksheet(name)
            for number, line in enumerate(lines):
                for index, value in enumerate(line):
                    page.write(number, index, value)
    return content.getvalue()


def table(key: str, *lines: list[object], fields: tuple[str, ...] = ()) -> Cells:
    titles = [column.title for column in BY_KEY[key].columns if not fields or column.field in fields]
    return [list(titles), *lines]


@cache
def county_bytes() -> dict[str, bytes]:
    return demo_workbooks()


def read_or_refused(kind: cells.Kind, cell: cells.CellValue) -> object:
    """What the cell holds, or the code of why it cannot be understood; nothing else may be raised."""
    try:
        return kind.read(cell)
    except CellProblem as problem:
        return problem.code


# There and back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("register", [SMALL, demo_register()], ids=["small", "county"])
def test_workbook_gives_the_same_register_back(register: Register) -> None:
    found = read_files({"a.xlsx": workbook(rows_of(register))})
    assert found.findings == []
    assert assemble(found.rows) == register


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030"])
def test_csv_gives_the_same_register_back(encoding: str) -> None:
    files = {name: text.decode("utf-8-sig").encode(encoding) for name, text in csv_files(rows_of(SMALL)).items()}
    found = read_files(files)
    assert found.findings == []
    assert assemble(found.rows) == SMALL


def test_csv_of_the_county_gives_the_same_register_back() -> None:
    found = read_files(csv_files(rows_of(demo_register())))
    assert found.findings == []
    assert assemble(found.rows) == demo_register()


@pytest.mark.parametrize("register", [SMALL, demo_register()], ids=["small", "county"])
def test_json_gives_the_same_register_back(register: Register) -> None:
    found = read_files({"county.json": msgspec.json.encode(register)})
    assert found.findings == []
    assert assemble(found.rows) == register


def test_archive_of_csv_gives_the_same_register_back() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("__MACOSX/._教师 teachers.csv", b"litter")
        for name, text in csv_files(rows_of(SMALL)).items():
            archive.writestr(f"阳城/{name}", text)
    found = read_files({"all.zip": content.getvalue()})
    assert found.findings == []
    assert assemble(found.rows) == SMALL
    assert found.rows["teachers"][0].source.file == "all.zip/阳城/教师 teachers.csv"


def test_archive_packed_on_chinese_windows_is_understood() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("XXXX.csv", "单位,缺教师的学科\neast,音乐\n".encode("gb18030"))
    packed = content.getvalue().replace(b"XXXX", "缺口".encode("gb18030"))
    found = read_files({"all.zip": packed})
    assert found.findings == []
    assert [row.row for row in found.rows["shortages"]] == [Shortage(unit="east", subject="音乐")]


def test_workbooks_of_the_demo_make_the_county() -> None:
    found = read_files(county_bytes())
    assert found.findings == []
    assert assemble(found.rows) == demo_register()


def test_the_same_rows_give_the_same_bytes() -> None:
    assert workbook(rows_of(SMALL)) == workbook(rows_of(SMALL))


def test_empty_forms_have_every_sheet_and_no_rows() -> None:
    found = read_workbook("form.xlsx", empty_forms())
    assert found.findings == []
    assert found.rows == {sheet.key: [] for sheet in SHEETS}


def test_text_like_a_formula_is_guarded_and_comes_back() -> None:
    text = csv_files(rows_of(SMALL))["教师 teachers.csv"].decode("utf-8-sig")
    assert "'=SUM(A1)" in text
    assert "\n=SUM" not in text
    assert ",=SUM" not in text


@each(st.text(min_size=1, max_size=40).map(str.strip).filter(bool))
def test_any_name_comes_back_or_is_a_finding(name: str) -> None:
    written = cells.Text().write(name)
    assert not written.startswith(("=", "+", "-", "@"))
    assert read_or_refused(cells.Text(), written) in {name, "cell_not_text", "cell_formula_failed"}


# What people type ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        (cells.Clock(), "8:20", "08:20"),
        (cells.Clock(), "08：20", "08:20"),
        (cells.Clock(), time(8, 20), "08:20"),
        (cells.Clock(), timedelta(hours=8, minutes=20), "08:20"),
        (cells.Clock(), 8 / 24 + 20 / 1440, "08:20"),
        (cells.Day(), "2026-9-1", "2026-09-01"),
        (cells.Day(), "2026年9月1日", "2026-09-01"),
        (cells.Day(), "2026/09/01", "2026-09-01"),
        (cells.Day(), datetime(2026, 9, 1), "2026-09-01"),
        (cells.Day(), date(2026, 9, 1), "2026-09-01"),
        (cells.Number(), "６", 6),
        (cells.Number(), 6.0, 6),
        (cells.Truth(), "√", True),
        (cells.Truth(), "否", False),
        (cells.Truth(), True, True),
        (cells.Label(), 101.0, "101"),
        (cells.Weekdays(), "周一至周五", (1, 2, 3, 4, 5)),
        (cells.Weekdays(), "1-4、6", (1, 2, 3, 4, 6)),
        (cells.Weekdays(), "一,三;五", (1, 3, 5)),
        (cells.Weekdays(), 5.0, (5,)),
        (cells.OneWeekday(), "星期天", 7),
        (cells.Slots(), "周一第6节、3-2", (Slot(weekday=1, period=6), Slot(weekday=3, period=2))),
        (cells.Many(cells.Label()), "a，b; c", ("a", "b", "c")),
    ],
)
def test_cell_is_understood(kind: cells.Kind, cell: cells.CellValue, value: object) -> None:
    assert kind.read(cell) == value


@pytest.mark.parametrize(
    ("kind", "cell", "code"),
    [
        (cells.Clock(), "24:00", "cell_not_time"),
        (cells.Clock(), 1.5, "cell_not_time"),
        (cells.Clock(), "八点", "cell_not_time"),
        (cells.Day(), "2026-02-30", "cell_not_date"),
        (cells.Day(), 46266.0, "cell_not_date"),
        (cells.Number(), 2.5, "cell_not_number"),
        (cells.Number(), True, "cell_not_number"),
        (cells.Truth(), "也许", "cell_not_choice"),
        (cells.Weekdays(), "周八", "cell_not_weekday"),
        (cells.Weekdays(), "5-1", "cell_not_weekday"),
        (cells.Slots(), "周一第17节", "cell_not_slot"),
        (cells.Text(), "a\x00b", "cell_not_text"),
        (cells.Text(), "#REF!", "cell_formula_failed"),
        (cells.Text(), True, "cell_not_text"),
    ],
)
def test_cell_is_refused(kind: cells.Kind, cell: cells.CellValue, code: str) -> None:
    with pytest.raises(CellProblem) as refused:
        kind.read(cell)
    assert refused.value.code == code


def test_titles_are_known_by_words_by_key_or_both() -> None:
    lines: Cells = [["姓名", "id", "任职单位 posts", "SUBJECTS", "备注"], ["甲", "t1", "core", "语文、数学", "x"]]
    found = read_workbook("a.xlsx", book(教师=lines))
    assert [row.row for row in found.rows["teachers"]] == [
        TeacherRow(id="t1", name="甲", posts=("core",), subjects=("语文", "数学"))
    ]
    assert found.findings == [
        Finding(code="column_unknown", file="a.xlsx", sheet="教师", row=1, field="备注", severity="warning")
    ]


def test_value_of_a_formula_counts() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as written:
        page = written.add_worksheet("缺口")
        page.write_row(0, 0, ["单位", "缺教师的学科"])
        page.write_string(1, 0, "east")
        page.write_formula(1, 1, '="音"&"乐"', value="音乐")
    found = read_workbook("a.xlsx", content.getvalue())
    assert found.findings == []
    assert found.rows["shortages"][0].row.subject == "音乐"


def test_sheet_that_begins_lower_counts_rows_as_the_spreadsheet_does() -> None:
    lines: Cells = [[], [], ["", "单位", "缺教师的学科"], [], ["", "east", ""]]
    found = read_workbook("a.xlsx", book(缺口=lines))
    assert found.findings == [Finding(code="cell_missing", file="a.xlsx", sheet="缺口", row=5, field="缺教师的学科")]


# What is wrong ------------------------------------------------------------------------------------------------------


def test_every_wrong_cell_is_found_at_once() -> None:
    lines = table(
        "classes",
        ["core.c51", "五(1)班", "core", "五", 1, 30, "core.r51", "是"],
        ["core c52", "五(2)班", "core", 5, 99, 30, "core.r52", "也许"],
        ["core.c53", "五(3)班", "core", 5, 3, 30, "core.r53", "是"],
        ["core.c54", "", "core", 5, 4, 30, "core.r54", ""],
    )
    found = read_workbook("a.xlsx", book(班级=lines))
    assert [(finding.code, finding.row, finding.field) for finding in found.findings] == [
        ("cell_not_number", 2, "年级 grade"),
        ("cell_not_id", 3, "班级编号 id"),
        ("cell_out_of_range", 3, "班号 number"),
        ("cell_not_choice", 3, "同意录制 recording_consent"),
        ("cell_missing", 5, "班级名称 name"),
    ]
    assert next(f for f in found.findings if f.code == "cell_out_of_range").values["value"] == "99"
    assert [row.source.row for row in found.rows["classes"]] == [4]
    assert {finding.file for finding in found.findings} == {"a.xlsx"}
    assert {finding.sheet for finding in found.findings} == {"班级"}


def test_missing_column_and_double_column_are_found() -> None:
    found = read_workbook("a.xlsx", book(缺口=[["单位", "unit"], ["east", "x"]]))
    assert [(finding.code, finding.row, finding.field) for finding in found.findings] == [
        ("column_twice", 1, "unit"),
        ("column_missing", 1, "缺教师的学科 subject"),
    ]


def test_unknown_sheet_is_a_warning_and_none_known_an_error() -> None:
    found = read_workbook("a.xlsx", book(说明=[["如何填写"]]))
    assert [(finding.code, finding.sheet, finding.severity) for finding in found.findings] == [
        ("sheet_unknown", "说明", "warning"),
        ("file_without_sheets", "", "error"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.xlsx", b"garbage", "file_unreadable"),
        ("a.docx", b"", "file_type_unknown"),
        ("a.xlsx", b"", "file_empty"),
        ("教师.csv", b"", "file_empty"),
        ("a.json", b"", "file_empty"),
        ("a.zip", b"", "file_empty"),
        ("教师.csv", b"\xff\xff\xff", "file_not_text"),
        ("x.csv", b"a,b", "file_name_unknown"),
        ("a.zip", b"PK\x03\x04", "file_damaged"),
        ("a.json", b"[", "json_cut"),
        ("a.json", b"[]", "json_kind"),
        ("a.json", b"\xff", "json_malformed"),
        ("a.json", b'["\xff"]', "json_not_utf8"),
        ("a.json", b"[" * 100_000, "json_too_deep"),
    ],
)
def test_file_that_cannot_be_read_is_named(name: str, content: bytes, code: str) -> None:
    found = read_files({name: content})
    assert [(finding.code, finding.file) for finding in found.findings] == [(code, name)]


def test_merged_cells_count_for_every_row_below_a_heading_over_the_sheet() -> None:
    titles = ("教师编号", "姓名", "任职单位", "学科")
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as written:
        page = written.add_worksheet("教师")
        page.merge_range(0, 0, 0, 3, "实验小学 教师登记表")
        page.write_row(1, 0, titles)
        for row, (id, name) in enumerate((("t1", "陈"), ("t2", "李")), 2):
            page.write_row(row, 0, (id, name))
        page.merge_range(2, 2, 3, 2, "core")
        page.merge_range(2, 3, 3, 3, "语文")
    found = read_files({"a.xlsx": content.getvalue()})
    assert found.findings == []
    assert [(r.row.id, r.row.posts, r.row.subjects, r.source.row) for r in found.rows["teachers"]] == [
        ("t1", ("core",), ("语文",), 3),
        ("t2", ("core",), ("语文",), 4),
    ]


def test_workbook_that_would_not_fit_is_refused() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as written:
        page = written.add_worksheet("教师")
        page.write(0, 0, "x")
        page.write(1_048_575, 16_383, "far out")
    found = read_files({"a.xlsx": content.getvalue()})
    assert [finding.code for finding in found.findings] == ["file_too_big"]


def test_json_names_list_place_and_field() -> None:
    document = msgspec.to_builtins(SMALL)
    document["teachers"][1]["maxPerDay"] = "six"
    document["units"][0]["bells"][0]["periods"][1]["start"] = "25:00"
    document["colour"] = "red"
    found = read_files({"a.json": msgspec.json.encode(document)})
    assert [(finding.code, finding.sheet, finding.row, finding.field) for finding in found.findings] == [
        ("json_field_unknown", "", None, "colour"),
        ("json_not_time", "units", 1, "$.bells[0].periods[1].start"),
        ("json_kind", "teachers", 2, "$.maxPerDay"),
    ]
    assert [row.row.id for row in found.rows["teachers"]] == ["t1", "t3"]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("教师 teachers", "teachers"),
        ("教师", "teachers"),
        ("Teachers", "teachers"),
        ("西河-教师", "teachers"),
        ("xihe_teachers", "teachers"),
        ("xihe_busy_rooms", "busy_rooms"),
        ("不是教师", None),
    ],
)
def test_sheet_is_known_by_name(name: str, key: str | None) -> None:
    sheet = sheet_named(name)
    assert (sheet and sheet.key) == key


# Garbage ------------------------------------------------------------------------------------------------------------

ANY_CELL = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.timedeltas(),
)
KINDS = {type(column.kind).__name__: column.kind for sheet in SHEETS for column in sheet.columns}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@each(cell=ANY_CELL.filter(lambda cell: not cells.is_blank(cell)))
def test_cell_garbage_is_read_or_refused(kind: cells.Kind, cell: cells.CellValue) -> None:
    read_or_refused(kind, cell)


@settings(deadline=None, max_examples=150)
@each(
    key=st.sampled_from([sheet.key for sheet in SHEETS]),
    lines=st.lists(st.lists(st.text(max_size=8), min_size=12, max_size=12), max_size=4),
)
def test_csv_garbage_becomes_findings(key: str, lines: list[list[str]]) -> None:
    sheet = BY_KEY[key]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.title for column in sheet.columns])
    writer.writerows(lines)
    found = read_csv(f"{sheet.key}.csv", text.getvalue().encode("utf-8", "surrogatepass"))
    for finding in found.findings:
        assert finding.file == f"{sheet.key}.csv"
        assert finding.code.startswith(("cell_", "column_", "file_"))


@settings(deadline=None, max_examples=150)
@each(
    content=st.binary(max_size=400), name=st.sampled_from(["a.xlsx", "教师.csv", "a.zip", "a.json", "a.xls", "a.ods"])
)
def test_file_garbage_becomes_findings(name: str, content: bytes) -> None:
    read_files({name: content})


@settings(deadline=None, max_examples=60)
@each(place=st.integers(0, 20_000), bits=st.integers(1, 255))
def test_damaged_workbook_becomes_findings(place: int, bits: int) -> None:
    whole = bytearray(workbook(rows_of(SMALL)))
    whole[place % len(whole)] ^= bits
    read_files({"a.xlsx": bytes(whole)})
