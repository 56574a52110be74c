"""`tongke table propose|agree|object|publish|diff` on files: the schools agree, or the command says who does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from server.cli import run
from tests.community_builder import CommunityBuilder, bell_times
from timetable.model import Party, Register, Table, TableSet
from timetable.solving.solver import solve

STARTS = bell_times(480, 20, 840)


@pytest.fixture(scope="module")
def solved() -> tuple[Register, Table]:
    """Three schools that share one lesson, and teach one of their own each."""
    builder = CommunityBuilder()
    units = [builder.unit(STARTS, remote_rooms=1) for _ in range(3)]
    classes = [builder.school_class(unit) for unit in units]
    parties = [
        Party(unit=unit, classes=(one,), teachers=(builder.teacher(unit),))
        for unit, one in zip(units, classes, strict=True)
    ]
    builder.require("sync", "科学", 1, *parties)
    for unit, one in zip(units, classes, strict=True):
        builder.local(one, "语文", 1, builder.teacher(unit))
    register = builder.register()
    table = solve(register, "A", seconds=10, workers=1, improve_until=0).table
    assert table is not None
    return register, table


@pytest.fixture
def folder(tmp_path: Path, solved: tuple[Register, Table]) -> Path:
    register, table = solved
    (tmp_path / "input.json").write_bytes(msgspec.json.encode(register))
    (tmp_path / "table.json").write_bytes(msgspec.json.encode(TableSet(tables=(table,))))
    return tmp_path


def table(folder: Path, command: str, *names: str) -> int:
    """One command; what ends in .json is a file in the folder."""
    return run(["table", command, *(str(folder / name) if name.endswith(".json") else name for name in names)])


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return msgspec.json.decode(capsys.readouterr().out)


PROPOSE = ("input.json", "table.json", "--talks", "talks.json", "--at", "2026-09-01T08:00")
PUBLISH = ("input.json", "talks.json", "--out", "out.json", "--at", "2026-09-02T08:00")


def test_a_table_is_proposed_agreed_on_and_published(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert table(folder, "propose", *PROPOSE, "--json") == 0
    assert said(capsys)["missing"] == ["A1", "A2"]
    assert table(folder, "publish", *PUBLISH, "--json") == 1
    assert said(capsys)["refused"] == "not_allowed_now"
    assert not (folder / "out.json").exists()
    assert table(folder, "agree", "talks.json", "--unit", "A1", "--by", "李") == 0
    assert "A2" in capsys.readouterr().out
    assert table(folder, "agree", "talks.json", "--unit", "A2", "--json") == 0
    assert said(capsys)["state"] == "agreed"
    assert table(folder, "publish", *PUBLISH) == 0
    assert (folder / "out.json").read_bytes() == (folder / "table.json").read_bytes()
    capsys.readouterr()
    assert table(folder, "agree", "talks.json", "--unit", "A2", "--json") == 1
    assert said(capsys)["refused"] == "not_allowed_now"


def test_an_objection_stands_until_the_lesson_moves(
    folder: Path, solved: tuple[Register, Table], capsys: pytest.CaptureFixture[str]
) -> None:
    own = next(one for one in solved[1].lessons if one.kind == "local" and one.host.unit == "A2")
    table(folder, "propose", *PROPOSE)
    table(folder, "agree", "talks.json", "--unit", "A1")
    objection = ("talks.json", "--unit", "A2", "--reason", "撞了", "--lesson", own.id, "--slot", "4.2")
    assert table(folder, "object", *objection) == 0
    assert "撞了" in capsys.readouterr().out
    assert table(folder, "publish", *PUBLISH) == 1
    moved = structs.replace(
        solved[1],
        lessons=tuple(
            structs.replace(one, weekday=one.weekday % 5 + 1) if one is own else one for one in solved[1].lessons
        ),
    )
    (folder / "new.json").write_bytes(msgspec.json.encode(TableSet(tables=(moved,))))
    capsys.readouterr()
    assert table(folder, "diff", "input.json", "table.json", "new.json", "--json") == 0
    assert said(capsys)["communities"]["A"] == {"added": [], "moved": [own.id], "cancelled": [], "units": ["A2"]}
    assert table(folder, "propose", "input.json", "new.json", "--talks", "talks.json", "--json") == 0
    report = said(capsys)
    assert (report["draft"], report["missing"]) == (2, ["A2"])


def test_what_does_not_change_a_school_needs_no_word_of_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert table(folder, "propose", *PROPOSE, "--published", "table.json", "--json") == 0
    assert (said(capsys)["affected"], table(folder, "publish", *PUBLISH)) == ([], 0)


def test_a_table_that_breaks_a_rule_is_not_published(folder: Path, solved: tuple[Register, Table]) -> None:
    broken = structs.replace(solved[1], lessons=solved[1].lessons[1:])
    (folder / "table.json").write_bytes(msgspec.json.encode(TableSet(tables=(broken,))))
    assert table(folder, "propose", *PROPOSE) == 0
    for unit in ("A1", "A2"):
        table(folder, "agree", "talks.json", "--unit", unit)
    assert table(folder, "publish", *PUBLISH) == 1
    assert not (folder / "out.json").exists()


@pytest.mark.parametrize(
    ("command", "tokens", "told"),
    [
        ("propose", ("input.json", "absent.json", "--talks", "talks.json"), "absent.json"),
        ("propose", ("input.json", "table.json", "--talks", "talks.json", "--community", "Z"), "no community 'Z'"),
        ("propose", ("input.json", "table.json", "--talks", "talks.json", "--at", "noon"), "no such moment"),
        ("agree", ("absent.json", "--unit", "A1"), "absent.json"),
        ("object", ("kept.json", "--unit", "A1", "--reason", "x", "--slot", "9.9"), "no slot"),
        ("object", ("kept.json", "--unit", "A1", "--reason", "x", "--lesson", "absent"), "no lesson 'absent'"),
        ("publish", ("input.json", "absent.json", "--out", "out.json"), "absent.json"),
        ("diff", ("input.json", "table.json", "absent.json"), "absent.json"),
    ],
)
def test_bad_usage_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str, tokens: tuple[str, ...], told: str
) -> None:
    table(folder, "propose", "input.json", "table.json", "--talks", "kept.json")
    kept = (folder / "kept.json").read_bytes()
    capsys.readouterr()
    assert table(folder, command, *tokens) == 2
    streams = capsys.readouterr()
    assert (streams.out, streams.err.count("\n")) == ("", 1)
    assert told in streams.err
    assert (folder / "kept.json").read_bytes() == kept


@pytest.mark.parametrize("unit", ["A0", "Z"])
def test_who_has_no_say_is_told_so(folder: Path, capsys: pytest.CaptureFixture[str], unit: str) -> None:
    table(folder, "propose", *PROPOSE, "--published", "table.json")
    capsys.readouterr()
    assert table(folder, "agree", "talks.json", "--unit", unit, "--json") == 1
    assert said(capsys)["refused"] == "wrong_side"
