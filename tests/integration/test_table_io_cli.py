"""`tongke table export` and `tongke table import` as people use them: files in, files out, exit codes, sentences."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import icalendar
import msgspec
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from tests.community_builder import CommunityBuilder
from tests.instances import generated_community
from timetable.model import Register, Slot, TableSet
from timetable.solving import solver

ROOT = Path(__file__).parents[2]
FET = """<fet version="6.8.5"><Institution_Name>北小</Institution_Name>
<Days_List><Day><Name>周一</Name></Day><Day><Name>周二</Name></Day></Days_List>
<Hours_List><Hour><Name>8:00-8:40</Name></Hour><Hour><Name>8:50-9:30</Name></Hour></Hours_List>
<Teachers_List><Teacher><Name>李</Name></Teacher></Teachers_List>
<Students_List><Year><Name>五(1)</Name><Number_of_Students>30</Number_of_Students></Year></Students_List>
<Activities_List><Activity><Teacher>李</Teacher><Subject>美术</Subject><Students>五(1)</Students><Duration>1</Duration>
<Id>1</Id><Activity_Group_Id>0</Activity_Group_Id><Active>true</Active></Activity></Activities_List></fet>"""


def call(*tokens: str, cwd: Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "server.commands.table", *tokens],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def built() -> tuple[Register, TableSet]:
    register = generated_community(3, shape=(2, 1), lacking={})
    table = solver.solve(register, "A", seconds=60, seed=1, workers=1, improve_until=0).table
    assert table is not None
    return register, TableSet(tables=(table,))


@pytest.fixture
def folder(tmp_path: Path, built: tuple[Register, TableSet]) -> Path:
    (tmp_path / "input.json").write_bytes(msgspec.json.encode(built[0]))
    (tmp_path / "table.json").write_bytes(msgspec.json.encode(built[1]))
    return tmp_path


def export(folder: Path, form: str, *more: str) -> tuple[dict[str, Any], bytes]:
    """What the command reports, and what it wrote."""
    out = f"out.{form}"
    code, said, err = call(
        "export", "input.json", "table.json", "--form", form, "--out", out, "--json", *more, cwd=folder
    )
    assert (code, err) == (0, "")
    return json.loads(said), (folder / out).read_bytes()


def titles(content: bytes) -> list[str]:
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
        return list(book.sheet_names)


def test_walls_lists_and_calendars_are_written(folder: Path, built: tuple[Register, TableSet]) -> None:
    report, content = export(folder, "xlsx", "--for", "class", "--id", "A1-3-1", "--lang", "zh-CN")
    assert (report["name"], report["bytes"]) == ("A1 A1-3-1班.xlsx", len(content))
    assert titles(content) == ["A1 A1-3-1班", "课表 lessons"]
    _, content = export(folder, "xlsx", "--lang", "en")
    assert titles(content)[:2] == ["Week", "Mon"]
    report, content = export(folder, "csv", "--for", "teacher", "--lang", "en")
    assert report["name"] == "教共体A teachers.csv"
    assert content.decode("utf-8-sig").startswith("课编号 lesson,")
    _, content = export(folder, "ics", "--for", "unit", "--id", "A1")
    events = icalendar.Calendar.from_ical(content).walk("VEVENT")
    assert {str(event["CATEGORIES"].to_ical(), "utf-8") for event in events} == {"同步"}
    _, again = export(folder, "ics", "--for", "unit", "--id", "A1")
    assert again == content


def test_a_wall_rings_the_bells_of_the_week_that_is_asked_for(tmp_path: Path) -> None:
    builder = CommunityBuilder()
    unit = builder.unit([480, 530])
    builder.rings_anew(unit, "2026-11-02", [495, 545])
    locked = (Slot(weekday=1, period=1),)
    builder.local(builder.school_class(unit), "语文", 1, builder.teacher(unit), locked=locked, only_weeks=(3, 4, 12))
    register = builder.register()
    table = solver.solve(register, "A", seconds=10, workers=1).table
    assert table is not None
    (tmp_path / "input.json").write_bytes(msgspec.json.encode(register))
    (tmp_path / "table.json").write_bytes(msgspec.json.encode(TableSet(tables=(table,))))

    def wall(*more: str) -> str:
        _, content = export(tmp_path, "xlsx", "--for", "class", "--lang", "zh-CN", *more)
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            return str(book.get_sheet_by_index(0).to_python())

    first = wall()
    assert ("08:00" in first, "08:15" in first, "第3、4、12周" in first) == (True, False, True)
    winter = wall("--week", "11")
    assert ("08:00" in winter, "08:15" in winter, "第 11 周作息" in winter) == (False, True, True)


def test_a_table_goes_out_as_a_list_and_comes_back(folder: Path, built: tuple[Register, TableSet]) -> None:
    for form in ("csv", "xlsx"):
        export(folder, form)
        code, out, err = call(
            *("import", f"out.{form}", "--register", "input.json", "--as", "table", "--out", f"back-{form}.json"),
            cwd=folder,
        )
        assert (code, out) == (0, ""), err
        back = msgspec.json.decode((folder / f"back-{form}.json").read_bytes(), type=TableSet)
        assert back == built[1]
    _, content = export(folder, "json")
    assert msgspec.json.decode(content, type=TableSet) == built[1]


def test_a_list_that_breaks_rules_is_written_and_says_so(folder: Path) -> None:
    _, content = export(folder, "csv")
    lines = content.decode("utf-8-sig").splitlines()
    (folder / "less.csv").write_text("\n".join([lines[0], *lines[10:]]), "utf-8")
    code, out, _ = call(
        *("import", "less.csv", "--register", "input.json", "--as", "table", "--out", "back.json", "--json"), cwd=folder
    )
    report = json.loads(out)
    assert (code, report["written"]) == (1, True)
    assert {finding["code"] for finding in report["findings"]} >= {"table_count"}
    assert call("check", "input.json", "back.json", cwd=folder)[0] == 1


def test_fet_solves_what_was_exported_and_the_table_comes_back(folder: Path, require: Callable[[str], str]) -> None:
    report, _ = export(folder, "fet")
    assert {finding["code"] for finding in report["findings"]} >= {"fet_overlap", "fet_not_priced"}
    command = [require("fet-cl"), "--inputfile=out.fet", "--timelimitseconds=60"]
    subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=120)
    made = folder / "timetables/out/out_data_and_timetable.fet"
    code, _, err = call(
        *("import", str(made), "--register", "input.json", "--as", "table", "--out", "fet.json"), cwd=folder
    )
    assert code == 0, err
    assert call("check", "input.json", "fet.json", cwd=folder)[0] == 0


def test_a_fet_file_becomes_a_register_that_is_built(folder: Path) -> None:
    (folder / "school.fet").write_text(FET, "utf-8")
    code, _, err = call("import", "school.fet", "--out", "school.json", "--first-day", "2026-08-31", cwd=folder)
    assert code == 0, err
    register = msgspec.json.decode((folder / "school.json").read_bytes(), type=Register)
    assert (register.term.first_day, register.term.last_day) == ("2026-08-31", "2027-01-17")
    assert call("build", "school.json", "--seconds", "5", "--workers", "1", "--out", "t.json", cwd=folder)[0] == 0


def week(path: Path, *rows: list[str | None]) -> None:
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet("A1-5-1班")
        page.write_row(0, 0, ["节次", "周一", "周二", "周三", "周四", "周五"])
        for number, row in enumerate(rows, 1):
            page.write_row(number, 0, row)


def test_a_schools_own_table_is_fixed_and_kept_by_the_solver(folder: Path) -> None:
    week(folder / "own.xlsx", ["1", "语文", None, "数学"], ["2", None, "体育"])
    taking = ("import", "own.xlsx", "--register", "input.json", "--unit", "A1", "--out", "fixed.json")
    code, out, err = call(*taking, "--json", cwd=folder)
    assert (code, err) == (0, "")
    assert json.loads(out)["counts"] == {"lessons": 3, "locked": 3, "requirements": 0, "busy": 0}
    assert call("build", "fixed.json", "--seconds", "20", "--workers", "1", "--out", "t.json", cwd=folder)[0] == 0
    (table,) = msgspec.json.decode((folder / "t.json").read_bytes(), type=TableSet).tables
    there = {
        (lesson.weekday, lesson.host.period, lesson.subject)
        for lesson in table.lessons
        if lesson.kind == "local" and lesson.host.classes == ("A1-5-1",)
    }
    assert there >= {(1, 1, "语文"), (3, 1, "数学"), (2, 2, "体育")}


def test_faults_are_told_by_cell_in_both_languages_and_nothing_is_written(folder: Path) -> None:
    week(folder / "own.xlsx", ["1", "语文 张三", "数学"])
    taking = ("import", "own.xlsx", "--register", "input.json", "--unit", "A1", "--out", "fixed.json")
    code, _, err = call(*taking, cwd=folder)
    assert code == 2
    assert err.splitlines()[:2] == [
        "own.xlsx，A1-5-1班，第 2 行，B2：本校没有教师“张三”。",
        'own.xlsx, A1-5-1班, row 2, B2: No teacher of this unit is called "张三".',
    ]
    assert not (folder / "fixed.json").exists()
    assert call(*taking, "--check", cwd=folder)[0] == 1
    code, out, _ = call(*taking, "--good-rows", "--json", cwd=folder)
    assert (code, json.loads(out)["counts"]["locked"]) == (0, 1)


def test_a_calendar_takes_a_teachers_time(folder: Path) -> None:
    calendar = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:a\r\nSUMMARY:例会\r\n"
        "DTSTART:20260901T140000\r\nDTEND:20260901T150000\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    (folder / "a.ics").write_text(calendar, "utf-8")
    taking = ("import", "a.ics", "--register", "input.json", "--out", "busy.json")
    code, out, _ = call(*taking, "--teacher", "A0-t1", "--json", cwd=folder)
    assert (code, json.loads(out)["counts"]) == (0, {"busy": 1})
    register = msgspec.json.decode((folder / "busy.json").read_bytes(), type=Register)
    busy = next(teacher.unavailable[-1] for teacher in register.teachers if teacher.id == "A0-t1")
    assert (busy.weekday, busy.start, busy.end, busy.reason) == (2, "14:00", "15:00", "日历：例会")
    assert call(*taking, cwd=folder)[0] == 2
    assert call(*taking, "--room", "nowhere", cwd=folder)[0] == 2


@pytest.mark.parametrize(
    "tokens",
    [
        ("export", "input.json", "table.json", "--form", "pdf", "--out", "x"),
        ("export", "input.json", "table.json", "--form", "csv"),
        ("export", "input.json", "absent.json", "--form", "csv", "--out", "x"),
        ("export", "input.json", "table.json", "--form", "csv", "--out", "absent/x"),
        ("export", "input.json", "table.json", "--form", "csv", "--for", "class", "--id", "Z", "--out", "x"),
        ("export", "input.json", "table.json", "--form", "csv", "--community", "Z", "--out", "x"),
        ("export", "input.json", "table.json", "--form", "fet", "--for", "class", "--out", "x"),
        ("export", "input.json", "table.json", "--form", "xlsx", "--week", "60", "--out", "x"),
        ("import", "--out", "x"),
        ("import", "absent.xlsx", "--out", "x"),
        ("import", "input.json", "--register", "input.json"),
        ("import", "table.json", "--unit", "A0", "--out", "x"),
        ("import", "table.json", "--register", "input.json", "--out", "x"),
        ("import", "table.json", "--register", "input.json", "--unit", "Z", "--out", "x"),
        ("import", "table.json", "--register", "table.json", "--unit", "A0", "--out", "x"),
        ("import", "input.json", "--as", "table", "--out", "x"),
        ("import", "a.fet", "--first-day", "2026-09-01", "--out", "x"),
        ("import", "a.fet", "--first-day", "soon", "--out", "x"),
    ],
)
def test_bad_usage_is_one_sentence_and_exit_code_2(folder: Path, tokens: tuple[str, ...]) -> None:
    (folder / "a.fet").write_text(FET, "utf-8")
    code, out, err = call(*tokens, cwd=folder)
    assert (code, out, len(err.splitlines())) == (2, "", 1), err
    assert err.startswith("tongke: ")
    assert not (folder / "x").exists()
