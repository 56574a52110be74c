"""`tongke table explain` as other programs use it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from tests.community_builder import CommunityBuilder, bell_times
from tests.integration.test_table_cli import call
from timetable.model import Register, TableSet
from timetable.solving.solver import solve

STARTS = bell_times(480, 20, 840)


def write(folder: Path, register: Register) -> None:
    (folder / "input.json").write_bytes(msgspec.json.encode(register))


@pytest.fixture
def possible(tmp_path: Path) -> Path:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    builder.local(builder.school_class(unit), "语文", 4, builder.teacher(unit))
    register = builder.register()
    write(tmp_path, register)
    table = solve(register, "A", seconds=5, workers=1).table
    assert table is not None
    (tmp_path / "table.json").write_bytes(msgspec.json.encode(TableSet(tables=(table,))))
    return tmp_path


def test_an_impossible_register_is_told_what_to_concede(tmp_path: Path) -> None:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    builder.local(builder.school_class(unit), "语文", 16, builder.teacher(unit, max_per_day=3))
    write(tmp_path, builder.register())
    code, out, _ = call("explain", "input.json", "--seconds", "20", cwd=tmp_path)
    assert code == 1
    assert "If 语文教师001 taught up to 4 lessons a day, a table would exist." in out
    assert "the daily maximum allows 15" in out
    code, out, _ = call("explain", "input.json", "--seconds", "20", "--json", cwd=tmp_path)
    assert code == 1
    told = json.loads(out)["communities"]["A"]
    assert not told["feasible"]
    assert [concession["kind"] for concession in told["concessions"]] == ["teacher_day", "weekly"]
    assert told["seconds_to_first"] <= told["seconds"]


def test_a_register_with_a_table_is_good(possible: Path) -> None:
    code, out, _ = call("explain", "input.json", "--seconds", "20", cwd=possible)
    assert code == 0
    assert "A table exists" in out


def test_a_lessons_slots_are_listed_with_their_reasons(possible: Path) -> None:
    code, out, _ = call("explain", "input.json", "--table", "table.json", "--lesson", "A-r1.1", cwd=possible)
    assert code == 0
    lines = out.splitlines()
    assert len(lines) == 35
    assert sum("  here" in line for line in lines) == 1
    assert sum("Another lesson of the same requirement" in line for line in lines) == 3
    code, out, _ = call("explain", "input.json", "--table", "table.json", "--lesson", "A-r1.1", "--json", cwd=possible)
    assert code == 0
    assert len(json.loads(out)["slots"]) == 35


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (("--lesson", "A-r1.1"), "go together"),
        (("--table", "table.json"), "go together"),
        (("--lesson", "absent", "--table", "table.json"), "no lesson 'absent'"),
        (("--lesson", "A-r1.1", "--table", "absent.json"), "absent.json"),
        (("--community", "Z"), "no community 'Z'"),
    ],
)
def test_bad_usage_is_one_sentence(possible: Path, tokens: tuple[str, ...], said: str) -> None:
    code, out, err = call("explain", "input.json", *tokens, cwd=possible)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_table_of_another_register_is_refused(possible: Path) -> None:
    register = msgspec.json.decode((possible / "input.json").read_bytes(), type=Register)
    write(possible, msgspec.structs.replace(register, requirements=()))
    code, _, err = call("explain", "input.json", "--table", "table.json", "--lesson", "A-r1.1", cwd=possible)
    assert code == 2
    assert "table.json" in err
