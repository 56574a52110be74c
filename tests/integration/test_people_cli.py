"""`tongke people`: a new installation comes to its people, and they can sign in to the running server."""

from __future__ import annotations

import asyncio
import csv
import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from server import cli, people
from server.commands import people as command
from server.storage.database import Database
from server.storage.migrate import migrate
from server.storage.register_store import SqlRegisterStore
from tests.county_server import CORE, PASSWORD, CountyServer, county_register
from timetable.term import local_date

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HEAD = "login,name,role,unit,community,teacher\n"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "HASHER", QUICK)


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """Settings of a server that has a register and nobody."""
    config = tmp_path / "tongke.toml"
    config.write_text(f'[server]\ndata_dir = "{tmp_path}"\n')
    database = Database.open(f"sqlite:///{tmp_path / 'tongke.db'}")

    async def fill() -> None:
        migrate(database.engine)
        await SqlRegisterStore(database).save(county_register(local_date(1_790_000_000.0)), "tests", 1.0, 0)
        await database.close()

    asyncio.run(fill())
    return config


def run(config: Path, *words: str) -> int:
    return cli.run(["people", *words, "--config", str(config)])


def listed(config: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    capsys.readouterr()
    assert run(config, "list") == 0
    return list(csv.DictReader(capsys.readouterr().out.splitlines()))


async def test_people_sign_in_until_their_account_is_closed(
    county: CountyServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the running server, at once."""
    config = tmp_path / "tongke.toml"
    config.write_text(f'[server]\ndata_dir = "{tmp_path / "data"}"\n')

    async def told(*words: str) -> str:
        assert await asyncio.to_thread(run, config, *words) == 0
        # the log of the requests before it stands there too
        return capsys.readouterr().out.splitlines()[-1]

    async def signs_in(password: str) -> tuple[int, str]:
        answer = await county.nobody.post("/api/sign-in", {"login": "new.director", "password": password})
        return answer.status, answer.headers.get("Set-Cookie", "").partition(";")[0]

    first = await told("add", "new.director", "academic_director", "--name", "新教务", "--unit", CORE)
    status, cookie = await signs_in(first)
    assert status == 200
    me = await county.nobody.get("/api/me", headers={"Cookie": cookie})
    assert (me.json["name"], me.json["unit"]) == ("新教务", CORE)
    assert [grant["role"] for grant in me.json["grants"]] == ["academic_director"]
    second = await told("password", "new.director")
    assert (await county.nobody.get("/api/me", headers={"Cookie": cookie})).status == 401
    assert (await signs_in(first))[0] == 401
    status, cookie = await signs_in(second)
    assert status == 200
    # a role that is taken away is gone from the next request on
    assert await asyncio.to_thread(run, config, "revoke", "new.director", "academic_director") == 0
    me = await county.nobody.get("/api/me", headers={"Cookie": cookie})
    assert (me.json["unit"], me.json["grants"]) == (None, [])
    assert await asyncio.to_thread(run, config, "close", "new.director") == 0
    assert (await county.nobody.get("/api/me", headers={"Cookie": cookie})).status == 401
    assert (await signs_in(second))[0] == 401
    # everybody else is as they were
    assert (await county.nobody.post("/api/sign-in", {"login": "core_director", "password": PASSWORD})).status == 200


def test_the_first_account_of_an_empty_installation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "tongke.toml"
    config.write_text(f'[server]\ndata_dir = "{tmp_path / "data"}"\n')
    assert run(config, "add", "bureau", "bureau_admin", "--name", "教育局") == 0
    password = capsys.readouterr().out.strip()
    assert len(password) == 14
    assert set(password) <= {*people.SIGNS, "-"}
    assert run(config, "add", "bureau", "bureau_admin", "--name", "教育局") == 0
    assert capsys.readouterr().out == ""
    assert run(config, "add", "somebody", "teacher", "--name", "某", "--unit", "A0", "--teacher", "A0-t1") == 2
    assert "no register" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_of_people_is_taken_once(
    installation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], encoding: str
) -> None:
    rows = "director,王老师,academic_director,A0,,\nhost,李老师,teacher,A0,,A0-t1\nhost,李老师,convenor,,A,\n"
    file, out = tmp_path / "people.csv", tmp_path / "passwords.csv"
    file.write_text(HEAD + rows, encoding)
    assert run(installation, "take", str(file), "--check") == 0
    assert listed(installation, capsys) == []
    assert run(installation, "take", str(file), "--out", str(out)) == 0
    assert "2 new people, 0 with a new role" in capsys.readouterr().err
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    given = list(csv.DictReader(out.read_text("utf-8-sig").splitlines()))
    assert [(row["login"], row["name"]) for row in given] == [("director", "王老师"), ("host", "李老师")]
    kept = listed(installation, capsys)
    assert [(row["login"], row["role"], row["unit"], row["community"], row["teacher"]) for row in kept] == [
        ("director", "academic_director", "A0", "", ""),
        ("host", "convenor", "", "A", "A0-t1"),
        ("host", "teacher", "A0", "", "A0-t1"),
    ]
    # passwords that nobody has read yet are not overwritten, and nobody gets a second one
    assert run(installation, "take", str(file), "--out", str(out)) == 2
    assert run(installation, "take", str(file), "--out", str(tmp_path / "again.csv")) == 0
    assert "0 new people, 0 with a new role" in capsys.readouterr().err


def test_a_file_with_a_wrong_row_names_all_and_takes_nothing(
    installation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {
        "Has Space,某,bureau_admin,,,": "is no login",
        "a,,bureau_admin,,,": "no name",
        "a,\x00某,bureau_admin,,,": "cannot be read",
        "good,别人,bureau_viewer,,,": "the login of 某 already",
        "a,某,boss,,,": "is no role",
        "a,某,principal,,,": "principal needs a unit",
        "a,某,bureau_viewer,A0,,": "bureau_viewer has no unit",
        "a,某,convenor,,Z,": "no community 'Z'",
        "a,某,principal,Z0,,": "no unit 'Z0'",
        "a,某,teacher,A0,,": "needs the teacher's id",
        "a,某,teacher,A0,,A1-t2": "has no post at A0",
        "a,某,teacher,A0,,nobody": "no teacher 'nobody'",
    }
    file, out = tmp_path / "people.csv", tmp_path / "passwords.csv"
    file.write_text(HEAD + "good,某,bureau_admin,,,\n" + "\n".join(wrong) + "\n", "utf-8")
    assert run(installation, "take", str(file), "--out", str(out)) == 2
    said = capsys.readouterr().err.splitlines()
    for number, (line, part) in enumerate(zip(said, wrong.values(), strict=True), start=3):
        assert f"people.csv row {number}: " in line
        assert part in line
    assert not out.exists()
    assert listed(installation, capsys) == []


def test_rows_are_counted_as_a_spreadsheet_counts_them(
    installation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(HEAD + "\na,某,boss,,,\n", "utf-8")
    assert run(installation, "take", str(file), "--check") == 2
    assert "people.csv row 3: 'boss' is no role" in capsys.readouterr().err


def test_a_login_never_becomes_somebody_elses(installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two people of one name, or one login typed for another, must not share an account."""
    assert run(installation, "add", "wang", "bureau_viewer", "--name", "王伟") == 0
    capsys.readouterr()
    assert run(installation, "add", "wang", "bureau_admin", "--name", "王芳") == 2
    assert capsys.readouterr().err == "tongke: wang is the login of 王伟 already\n"
    assert [row["role"] for row in listed(installation, capsys)] == ["bureau_viewer"]


def test_who_has_the_role_already_becomes_the_teacher_in_the_register(
    installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("add", "li", "academic_director", "--name", "李", "--unit", "A0")
    assert run(installation, *words) == 0
    assert run(installation, *words, "--teacher", "A0-t1") == 0
    assert [row["teacher"] for row in listed(installation, capsys)] == ["A0-t1"]


def test_a_closed_account_gets_no_role_unsaid(installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(installation, "add", "wang", "bureau_viewer", "--name", "王伟") == 0
    assert run(installation, "close", "wang") == 0
    capsys.readouterr()
    assert run(installation, "add", "wang", "bureau_admin", "--name", "王伟") == 2
    assert "the account wang is closed" in capsys.readouterr().err
    assert run(installation, "password", "wang") == 0
    assert run(installation, "add", "wang", "bureau_admin", "--name", "王伟") == 0


def test_a_role_is_taken_away_and_the_others_stay(installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ("teacher", "--unit", "A0", "--teacher", "A0-t1"),
        ("academic_director", "--unit", "A0"),
        ("academic_director", "--unit", "A1"),
    ):
        assert run(installation, "add", "li", words[0], "--name", "李", *words[1:]) == 0
    capsys.readouterr()
    assert run(installation, "revoke", "li", "principal") == 2
    assert "li has academic_director of A0, academic_director of A1, teacher of A0\n" in capsys.readouterr().err
    assert run(installation, "revoke", "li", "academic_director") == 2
    assert "A0, academic_director of A1; name the unit or the community\n" in capsys.readouterr().err
    assert run(installation, "revoke", "li", "academic_director", "--unit", "A1") == 0
    assert [(row["role"], row["unit"], row["teacher"]) for row in listed(installation, capsys)] == [
        ("academic_director", "A0", "A0-t1"),
        ("teacher", "A0", "A0-t1"),
    ]
    # the teacher of the register, perhaps the wrong one, goes with the role
    assert run(installation, "revoke", "li", "teacher") == 0
    assert [row["teacher"] for row in listed(installation, capsys)] == [""]
    assert run(installation, "revoke", "li", "academic_director") == 0
    assert "li has no role any more" in capsys.readouterr().err


def test_the_last_administrator_goes_only_when_it_is_said(
    installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for login in ("one", "two"):
        assert run(installation, "add", login, "bureau_admin", "--name", "教育局") == 0
    assert run(installation, "close", "one") == 0
    capsys.readouterr()
    for words in (("revoke", "two", "bureau_admin"), ("close", "two")):
        assert run(installation, *words) == 2
        assert "two is the county's last bureau_admin" in capsys.readouterr().err
    assert [row["login"] for row in listed(installation, capsys)] == ["two"]
    assert run(installation, "revoke", "two", "bureau_admin", "--last") == 0
    assert listed(installation, capsys) == []


@pytest.mark.parametrize("content", [b"", b"\xff\xff", HEAD.encode(), b"login,name\na,b\n", b'login,name,role\n"a,b\n'])
def test_a_file_that_is_no_list_of_people_is_one_sentence(
    installation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(content)
    assert run(installation, "take", str(file), "--out", str(tmp_path / "out.csv")) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_whom_nobody_knows_is_said(installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("password", "close"):
        assert run(installation, word, "nobody") == 1
        assert capsys.readouterr().err == "tongke: nobody has the login 'nobody'\n"


def test_the_list_is_for_machines_too(installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(installation, "add", "bureau", "bureau_admin", "--name", "教育局") == 0
    capsys.readouterr()
    assert run(installation, "list", "--json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["grants"] == [{"role": "bureau_admin", "unit": None, "community": None}]


@pytest.mark.parametrize("words", [("list",), ("take", "people.csv", "--check")])
def test_what_only_looks_leaves_an_older_database_as_it_is(
    installation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    (tmp_path / "people.csv").write_text(HEAD + "a,某,bureau_viewer,,,\n", "utf-8")
    words = tuple(str(tmp_path / word) if word.endswith(".csv") else word for word in words)
    with closing(sqlite3.connect(tmp_path / "tongke.db", isolation_level=None)) as connection:
        connection.execute("DELETE FROM schema_version WHERE number = 17")
    before = (tmp_path / "tongke.db").read_bytes()
    assert run(installation, *words) == 1
    said = capsys.readouterr().err
    assert f"the database sqlite:///{tmp_path}/tongke.db is of an older version, 1 migration(s) behind" in said
    assert (tmp_path / "tongke.db").read_bytes() == before


def test_what_only_looks_makes_no_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "tongke.toml"
    config.write_text(f'[server]\ndata_dir = "{tmp_path / "data"}"\n')
    assert listed(config, capsys) == []
    file = tmp_path / "people.csv"
    file.write_text(HEAD + "a,某,bureau_viewer,,,\n", "utf-8")
    assert run(config, "take", str(file), "--check") == 0
    assert not (tmp_path / "data").exists()
