"""`tongke import` takes registers into a database, or refuses them with every finding and nothing half-written."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from server import cli
from server.demo.county import demo_register, demo_workbooks
from server.storage.database import Database
from server.storage.register_store import SqlRegisterStore
from tests.unit.small_register import SMALL, added, changed, given, with_names
from timetable.errors import InputRefused, StaleVersion
from timetable.model import Register
from timetable.register.importing import ImportService
from timetable.register.parts import assemble
from timetable.register.rows import Rows
from timetable.register.sheets import csv_files, workbook

NOW = 1_790_000_000.0


def stored(url: str) -> tuple[int, Register | None]:
    async def read() -> tuple[int, Register | None]:
        database = Database.open(url)
        try:
            store = SqlRegisterStore(database)
            return await store.version(), await store.load()
        finally:
            await database.close()

    return asyncio.run(read())


def faulty() -> Rows:
    """An unknown teacher, overlapping periods and a duplicate id."""
    rows = changed(given(), "requirements", 0, teachers=("t9",))
    bell = msgspec.structs.replace(rows["bells"][0].row, period=3)
    return added(added(rows, "bells", bell), "teachers", rows["teachers"][0].row)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.xlsx"
    path.write_bytes(workbook(given()))
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.xlsx"
    path.write_bytes(workbook(faulty()))
    return path


def test_import_takes_a_workbook_and_a_second_time_nothing_new(
    sqlite_url: str, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["import", str(good), "--database", sqlite_url, "--lang", "en"]) == 0
    assert capsys.readouterr().err == "tongke: 28 rows imported, register version 1\n"
    assert stored(sqlite_url) == (1, SMALL)
    assert cli.run(["import", str(good), "--database", sqlite_url, "--lang", "zh-CN"]) == 0
    assert capsys.readouterr().err == "tongke: 28 行都与登记册相同，版本仍是 1\n"
    assert stored(sqlite_url) == (1, SMALL)


def test_import_refuses_all_at_once_in_both_languages(
    sqlite_url: str, bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["import", str(bad), "--database", sqlite_url]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.splitlines() == [
        f"{bad}，教师 teachers，第 5 行，教师编号 id：编号 t1 重复，另一行在 {bad} 教师 teachers 2。",
        f"{bad}, 教师 teachers, row 5, 教师编号 id: The id t1 is used twice; the other row is {bad} 教师 teachers 2.",
        f"{bad}，教学要求 requirements，第 2 行，教师 teachers：没有编号或姓名为“t9”的教师。",
        f'{bad}, 教学要求 requirements, row 2, 教师 teachers: No teacher has the id or name "t9".',
        f"{bad}，作息 bells，第 6 行，上课 start：第 3 节与第 1 节时间重叠，另一行在 {bad} 作息 bells 2。",
        f"{bad}, 作息 bells, row 6, 上课 start: Period 3 overlaps period 1; the other row is {bad} 作息 bells 2.",
        "tongke: 有 3 处错误，什么都没有导入 / 3 error(s), nothing was imported",
    ]
    assert stored(sqlite_url) == (0, None)


def test_a_school_that_writes_names_for_ids_is_understood(
    sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    register = assemble(changed(given(), "rooms", 3, name="东远程教室"))
    whole = tmp_path / "county.xlsx"
    whole.write_bytes(workbook(with_names(given(register))))
    assert cli.run(["import", str(whole), "--database", sqlite_url]) == 0
    assert stored(sqlite_url) == (1, register)
    # later a school sends only what it teaches: the names are those of the county
    taught = {key: given(register)[key] for key in ("requirements", "parties")}
    taught = changed(with_names({**given(register), **taught}), "requirements", 1, weekly=5)
    lessons = tmp_path / "lessons.xlsx"
    lessons.write_bytes(workbook({key: taught[key] for key in ("requirements", "parties")}))
    assert cli.run(["import", str(lessons), "--database", sqlite_url]) == 0
    assert stored(sqlite_url) == (2, assemble(changed(given(register), "requirements", 1, weekly=5)))
    capsys.readouterr()
    wrong = changed(changed(taught, "requirements", 0, teachers=("科学老师01",)), "parties", 0, unit="冬学校")
    lessons.write_bytes(workbook({key: wrong[key] for key in ("requirements", "parties")}))
    assert cli.run(["import", str(lessons), "--check", "--database", sqlite_url]) == 1
    said = capsys.readouterr()
    assert [line for line in said.out.splitlines() + said.err.splitlines() if str(lessons) in line] == [
        f"{lessons}，教学要求 requirements，第 2 行，教师 teachers：没有编号或姓名为“科学老师01”的教师。"
        "是“科学教师01”吗？",
        f'{lessons}, 教学要求 requirements, row 2, 教师 teachers: No teacher has the id or name "科学老师01".'
        ' Is it "科学教师01"?',
        f"{lessons}，参与方 parties，第 2 行，单位 unit：没有编号、名称或简称为“冬学校”的单位。",
        f'{lessons}, 参与方 parties, row 2, 单位 unit: No school unit has the id, name or short name "冬学校".',
    ]


def test_import_of_the_good_rows_lists_what_was_left_out(
    sqlite_url: str, bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["import", str(bad), "--good-rows", "--database", sqlite_url, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["imported"] is True
    assert report["version"] == 1
    assert [(f["sheet"], f["row"]) for f in report["findings"] if f["code"] == "row_left_out"] == [
        ("作息 bells", 6),
        ("教师 teachers", 5),
        ("教学要求 requirements", 2),
        ("参与方 parties", 2),
    ]
    expected = msgspec.structs.replace(SMALL, requirements=SMALL.requirements[1:])
    assert stored(sqlite_url) == (1, expected)


def test_check_only_says_what_is_wrong(
    sqlite_url: str, good: Path, bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["import", str(good), "--check", "--database", sqlite_url, "--lang", "en"]) == 0
    assert capsys.readouterr().err == "tongke: 28 rows, 0 error(s), 0 warning(s)\n"
    assert cli.run(["import", str(bad), "--check", "--database", sqlite_url, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [finding["code"] for finding in report["findings"]] == ["duplicate_id", "unknown_teacher", "bell_overlap"]
    assert report["imported"] is False
    assert stored(sqlite_url) == (0, None)


def test_check_makes_no_database_and_brings_none_up_to_date(
    sqlite_url: str, good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = tmp_path / "absent" / "tongke.db"
    assert cli.run(["import", str(good), "--check", "--database", f"sqlite:///{absent}"]) == 0
    assert not absent.parent.exists()
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as older:
        (newest,) = older.execute("SELECT max(number) FROM schema_version").fetchone()
        older.execute("DELETE FROM schema_version WHERE number = ?", (newest,))
        capsys.readouterr()
        assert cli.run(["import", str(good), "--check", "--database", sqlite_url]) == 1
        assert "is of an older version" in capsys.readouterr().err
        assert older.execute("SELECT max(number) FROM schema_version").fetchone() == (newest - 1,)


@pytest.mark.parametrize("address", ["tongke:hunter2@127.0.0.1:1/tongke", "127.0.0.1:1/tongke?password=hunter2"])
def test_a_password_in_an_argument_is_refused_and_not_repeated(
    good: Path, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    assert cli.run(["import", str(good), "--database", f"postgresql+psycopg://{address}"]) == 2
    said = capsys.readouterr().err
    assert "TONGKE_DATABASE_URL_FILE" in said
    assert "hunter2" not in said


def test_the_address_may_come_from_a_file_that_the_environment_names(
    sqlite_url: str, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "database_url"
    file.write_text(f"{sqlite_url}\n")
    monkeypatch.setenv("TONGKE_DATABASE_URL_FILE", str(file))
    assert cli.run(["import", str(good)]) == 0
    assert stored(sqlite_url) == (1, SMALL)


def test_several_files_and_a_folder_make_one_register(sqlite_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "school"
    folder.mkdir()
    files = csv_files(given())
    for name, content in files.items():
        target = tmp_path if name.startswith("教师") else folder
        (target / name).write_bytes(content)
    assert cli.run(["import", str(folder), str(tmp_path / "教师 teachers.csv"), "--database", sqlite_url]) == 0
    assert stored(sqlite_url) == (1, SMALL)


def test_later_file_completes_what_was_imported(sqlite_url: str, good: Path, tmp_path: Path) -> None:
    assert cli.run(["import", str(good), "--database", sqlite_url]) == 0
    later = tmp_path / "later.csv"
    rows = {"teachers": changed(given(), "teachers", 0, name="新名")["teachers"][:1]}
    path = later.with_name("教师.csv")
    path.write_bytes(csv_files(rows)["教师 teachers.csv"])
    assert cli.run(["import", str(path), "--database", sqlite_url]) == 0
    version, register = stored(sqlite_url)
    assert version == 2
    assert register is not None
    assert [teacher.name for teacher in register.teachers] == ["新名", "语文教师01", "=SUM(A1)"]


def test_replace_forgets_what_was_imported(sqlite_url: str, good: Path, tmp_path: Path) -> None:
    assert cli.run(["import", str(good), "--database", sqlite_url]) == 0
    fewer = msgspec.structs.replace(SMALL, shortages=(), busy_rooms=())
    path = tmp_path / "fewer.json"
    path.write_bytes(msgspec.json.encode(fewer))
    assert cli.run(["import", str(path), "--database", sqlite_url]) == 0
    assert stored(sqlite_url) == (1, SMALL)
    assert cli.run(["import", str(path), "--replace", "--database", sqlite_url]) == 0
    assert stored(sqlite_url) == (2, fewer)


@pytest.mark.parametrize(
    ("name", "content"),
    [("missing.xlsx", None), ("a.docx", b"x"), ("a.xlsx", b"x"), ("a.json", b"{"), ("教师.csv", b"x\n1\n")],
)
def test_unusable_file_is_named_in_a_sentence(
    sqlite_url: str, tmp_path: Path, name: str, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert cli.run(["import", str(path), "--database", sqlite_url, "--lang", "en"]) == 2
    error = capsys.readouterr().err
    assert str(path) in error
    assert "Traceback" not in error
    assert stored(sqlite_url) == (0, None)


def test_usage_errors_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["import"]) == 2
    assert capsys.readouterr().err == "tongke: name at least one file; --help says more\n"


def test_form_is_a_workbook_without_rows(tmp_path: Path, sqlite_url: str) -> None:
    form = tmp_path / "form.xlsx"
    assert cli.run(["import", "--form", str(form)]) == 0
    assert cli.run(["import", str(form), "--check", "--database", sqlite_url]) == 1


def test_settings_file_says_which_database(tmp_path: Path, good: Path) -> None:
    url = f"sqlite:///{tmp_path / 'own.db'}"
    config = tmp_path / "tongke.toml"
    config.write_text(f'[database]\nurl = "{url}"\n', encoding="utf-8")
    assert cli.run(["import", str(good), "--config", str(config)]) == 0
    assert stored(url) == (1, SMALL)


# The service --------------------------------------------------------------------------------------------------------


async def test_demo_comes_in_by_the_same_door(database: Database) -> None:
    store = SqlRegisterStore(database)
    service = ImportService(store, lambda: NOW, asyncio.to_thread)
    report = await service.run(demo_workbooks(), "demo")
    assert (report.findings, report.version, report.changed) == ((), 1, True)
    assert report.counts["units"] == 43
    assert await store.load() == demo_register()
    again = await service.run(demo_workbooks(), "demo")
    assert (again.version, again.changed) == (1, False)


async def test_stale_import_is_refused(database: Database) -> None:
    store = SqlRegisterStore(database)
    service = ImportService(store, lambda: NOW)
    await service.run({"a.xlsx": workbook(given())}, "one")
    with pytest.raises(StaleVersion):
        await service.run({"a.xlsx": workbook(given())}, "two", expected_version=0)


async def test_good_rows_without_a_term_are_refused(database: Database) -> None:
    store = SqlRegisterStore(database)
    rows = {key: part for key, part in given().items() if key != "term"}
    with pytest.raises(InputRefused) as refused:
        await ImportService(store, lambda: NOW).run({"a.xlsx": workbook(rows)}, "one", good_rows_only=True)
    assert "term_missing" in {finding.code for finding in refused.value.findings}
    assert await store.version() == 0


async def test_row_that_cannot_be_read_takes_its_lesson_along(database: Database) -> None:
    store = SqlRegisterStore(database)
    files = csv_files(given())
    parties = files["参与方 parties.csv"].decode("utf-8-sig").replace("t3", "#REF!")
    files["参与方 parties.csv"] = parties.encode("utf-8-sig")
    report = await ImportService(store, lambda: NOW).run(files, "one", good_rows_only=True)
    register = await store.load()
    assert register is not None
    assert [requirement.id for requirement in register.requirements] == ["local"]
    assert [finding.code for finding in report.findings] == [
        "cell_formula_failed",
        "party_missing",
        "row_left_out",
        "row_left_out",
    ]
