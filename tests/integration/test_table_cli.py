"""`tongke table` as other programs use it: files in, files out, exit codes, progress, and stopping."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.dated_days import community
from tests.instances import generated_community
from timetable.model import Register, TableSet
from timetable.solving.progress import Progress

ROOT = Path(__file__).parents[2]


def start(*tokens: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "server.commands.table", *tokens],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def call(*tokens: str, cwd: Path) -> tuple[int, str, str]:
    with start(*tokens, cwd=cwd) as process:
        out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.fixture(scope="module")
def register() -> Register:
    return generated_community(3, shape=(2, 1, 1), lacking={2: ("音乐",)})


@pytest.fixture
def folder(tmp_path: Path, register: Register) -> Path:
    (tmp_path / "input.json").write_bytes(msgspec.json.encode(register))
    return tmp_path


def document(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "input.json").read_text("utf-8")))


@pytest.mark.parametrize("command", [("build", "--out", "table.json"), ("explain",)])
def test_standing_tables_of_another_county_are_refused(folder: Path, command: tuple[str, ...]) -> None:
    elsewhere = msgspec.json.encode(TableSet(tables=(community()[1],))).replace(b'"A0"', b'"Z0"')
    (folder / "around.json").write_bytes(elsewhere)
    name, *more = command
    code, _, err = call(name, "input.json", *more, "--seconds", "4", "--around", "around.json", cwd=folder)
    assert (code, err) == (2, "tongke: around.json: the register has no unit 'Z0'\n")


def test_a_table_is_built_and_checked(folder: Path) -> None:
    code, out, err = call(
        *("build", "input.json", "--seconds", "4", "--seed", "7", "--workers", "1"),
        *("--out", "table.json", "--report", "report.json"),
        cwd=folder,
    )
    assert (code, out) == (0, ""), err
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert report["status"] in ("feasible", "optimal")
    assert 0 < report["seconds_to_first"] <= report["seconds"]
    assert report["cost"] == sum(report["cost_by_rule"].values()) >= report["bound"]
    assert [part["community"] for part in report["communities"]] == ["A"]
    tables = msgspec.json.decode((folder / "table.json").read_bytes(), type=TableSet).tables
    assert tables[0].cost == report["cost"]
    assert sorted(path.name for path in folder.iterdir()) == ["input.json", "report.json", "table.json"]
    assert call("check", "input.json", "table.json", cwd=folder)[0] == 0
    code, out, _ = call("check", "input.json", "table.json", "--json", cwd=folder)
    assert (code, json.loads(out)) == (0, {"findings": []})


def test_progress_is_one_json_object_a_line(folder: Path) -> None:
    code, out, _ = call("build", "input.json", "--seconds", "3", "--out", "table.json", "--progress", cwd=folder)
    assert code == 0
    steps = [msgspec.json.decode(line, type=Progress) for line in out.splitlines()]
    assert [step.phase for step in steps[:3]] == ["lints", "first", "improving"]
    assert steps[-1].phase == "done"
    assert sum(rule.cost for rule in steps[-1].cost_by_rule) == steps[-1].cost


def test_a_broken_table_is_a_finding(folder: Path) -> None:
    call("build", "input.json", "--seconds", "2", "--out", "table.json", cwd=folder)
    table = json.loads((folder / "table.json").read_text("utf-8"))
    del table["tables"][0]["lessons"][0]
    (folder / "table.json").write_text(json.dumps(table), "utf-8")
    code, out, _ = call("check", "input.json", "table.json", cwd=folder)
    assert (code, out.splitlines()[-1].split(", ")[-1]) == (1, "1 broken rule(s)")
    (folder / "table.json").write_text('{"tables": []}', "utf-8")
    code, out, _ = call("check", "input.json", "table.json", "--json", cwd=folder)
    assert (code, [finding["code"] for finding in json.loads(out)["findings"]]) == (1, ["table_missing"])


def test_an_impossible_register_has_a_report_and_no_table(folder: Path) -> None:
    content = document(folder)
    for teacher in content["teachers"]:
        teacher["maxPerDay"] = 1
    (folder / "input.json").write_text(json.dumps(content), "utf-8")
    code, _, err = call(
        "build", "input.json", "--seconds", "5", "--out", "table.json", "--report", "report.json", cwd=folder
    )
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert (code, report["status"], report["cost"]) == (1, "infeasible", None)
    assert {finding["code"] for finding in report["findings"]} == {"teacher_over_days"}
    assert "the daily maximum allows 5" in err
    assert not (folder / "table.json").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_keeps_the_best_table_so_far(folder: Path, number: signal.Signals) -> None:
    with start(
        *("build", "input.json", "--seconds", "600", "--workers", "1", "--out", "table.json"),
        *("--report", "report.json", "--progress"),
        cwd=folder,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["phase"] == "improving":
                process.send_signal(number)
                break
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert call("check", "input.json", "table.json", cwd=folder)[0] == 0
    assert json.loads((folder / "report.json").read_text("utf-8"))["seconds"] < 60


def test_a_signal_before_the_first_table_is_unfinished(tmp_path: Path) -> None:
    (tmp_path / "input.json").write_bytes(msgspec.json.encode(generated_community(1)))
    with start(
        *("build", "input.json", "--seconds", "600", "--workers", "1", "--out", "table.json"),
        *("--report", "report.json", "--progress"),
        cwd=tmp_path,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 1
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["status"] == "unknown"
    assert not (tmp_path / "table.json").exists()


def broken(content: dict[str, Any], kind: str) -> str:
    """Break the document in one way; the place that the sentence has to name."""
    teacher = content["teachers"][3]
    if kind == "wrong type":
        teacher["posts"] = "A0"
        return "$.teachers[3].posts"
    if kind == "unknown field":
        teacher["nickname"] = "x"
        return "$.teachers[3]"
    if kind == "missing field":
        del teacher["name"]
        return "$.teachers[3]"
    if kind == "unknown unit":
        teacher["posts"] = ["nowhere"]
        return "$.teachers[3].posts[0]"
    if kind == "duplicate id":
        teacher["id"] = content["teachers"][0]["id"]
        return "$.teachers"
    if kind == "bad time":
        content["units"][0]["bells"][0]["periods"][0]["start"] = "25:00"
        return "$.units[0].bells[0].periods[0].start"
    content["units"][1]["bells"][0]["periods"][1]["start"] = "08:10"
    return "$.units[1].bells[0].periods"


@pytest.mark.parametrize(
    "kind",
    ["wrong type", "unknown field", "missing field", "unknown unit", "duplicate id", "bad time", "overlapping periods"],
)
def test_bad_input_is_one_sentence_naming_file_and_field(folder: Path, kind: str) -> None:
    content = document(folder)
    place = broken(content, kind)
    (folder / "input.json").write_text(json.dumps(content), "utf-8")
    code, out, err = call("build", "input.json", "--seconds", "2", "--out", "table.json", cwd=folder)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith("tongke: input.json: ")
    assert place in err
    assert [path.name for path in folder.iterdir()] == ["input.json"]


@pytest.mark.parametrize(
    "tokens",
    [
        ("build", "absent.json", "--out", "table.json"),
        ("build", "input.json"),
        ("build", "input.json", "--out", "absent/table.json"),
        ("build", "input.json", "--out", "table.json", "--seconds", "0"),
        ("build", "input.json", "--out", "table.json", "--seconds", "soon"),
        ("build", "input.json", "--out", "table.json", "--workers", "0"),
        ("build", "input.json", "--out", "table.json", "--community", "Z"),
        ("build", "input.json", "--out", "table.json", "--fast"),
        ("check", "input.json", "input.json"),
        ("bild",),
    ],
)
def test_bad_usage_is_exit_code_2(folder: Path, tokens: tuple[str, ...]) -> None:
    code, out, err = call(*tokens, cwd=folder)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("tongke: ")
    assert [path.name for path in folder.iterdir()] == ["input.json"]


def test_bytes_that_are_no_json_are_bad_input(folder: Path) -> None:
    for content in (b"", b"\xff\xfe", b"[" * 100_000, b'{"county": "\xff"}'):
        (folder / "input.json").write_bytes(content)
        code, _, err = call("check", "input.json", "input.json", cwd=folder)
        assert (code, len(err.splitlines())) == (2, 1)


def test_the_schema_describes_the_register(folder: Path) -> None:
    code, out, _ = call("schema", cwd=folder)
    schema = json.loads(out)
    assert code == 0
    assert {"communities", "units", "teachers", "requirements"} <= set(schema["$defs"]["Register"]["required"])
    assert "TableSet" in json.loads(call("schema", "--tables", cwd=folder)[1])["$defs"]
