"""`tongke table build` of communities that share nothing: a process for each, stopped together, killed together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from server.demo.county import demo_register
from tests.unit.test_builder import joined
from tests.unit.test_coupling import school
from timetable.checker import check
from timetable.model import Register, TableSet

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
APART = ("yangcheng-shiyan-xiaoxue-jiaogongti", "yangcheng-erxiao-jiaogongti")
"""Two large communities of the demo county that have nothing in common."""


def start(folder: Path, register: Register, *communities: str, seconds: float) -> subprocess.Popen[bytes]:
    (folder / "input.json").write_bytes(msgspec.json.encode(register))
    command = [sys.executable, "-m", "server.commands.table", "build", "input.json", "--progress"]
    command += [f"--community={community}" for community in communities]
    command += ["--seconds", f"{seconds:g}", "--out", "tables.json", "--report", "report.json", "--workers", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


@pytest.fixture
def improving(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """A build of both large communities once each is being improved, and the processes that it started."""
    process = start(tmp_path, demo_register(), *APART, seconds=300)
    waiting = set(APART)
    assert process.stdout is not None
    assert process.stderr is not None
    with process, process.stdout, process.stderr:
        try:
            for line in process.stdout:
                step = json.loads(line)
                if step["phase"] == "improving":
                    waiting.discard(step["community"])
                if not waiting:
                    break
            assert not waiting
            yield process, children_of(process.pid)
        finally:
            process.kill()


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def all_gone(pids: list[int]) -> bool:
    until = time.monotonic() + PATIENCE
    while any(running(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        os.sched_yield()
    return True


@pytest.mark.slow
def test_asked_to_stop_all_hand_in_their_best(
    improving: tuple[subprocess.Popen[bytes], list[int]], tmp_path: Path
) -> None:
    process, children = improving
    assert len(children) == 2
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert all_gone(children)
    tables = msgspec.json.decode((tmp_path / "tables.json").read_bytes(), type=TableSet).tables
    assert tuple(table.community for table in tables) == APART
    register = demo_register()
    assert check(register, *tables) == []
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert [one["community"] for one in report["communities"]] == list(APART)
    assert report["cost"] == sum(table.cost for table in tables)


@pytest.mark.slow
def test_killed_none_works_on_and_the_first_tables_are_kept(
    improving: tuple[subprocess.Popen[bytes], list[int]], tmp_path: Path
) -> None:
    process, children = improving
    process.kill()
    assert all_gone(children)
    tables = msgspec.json.decode((tmp_path / "tables.json").read_bytes(), type=TableSet).tables
    assert tuple(table.community for table in tables) == APART


@pytest.mark.slow
def test_a_part_that_is_killed_ends_the_build_with_a_word(
    improving: tuple[subprocess.Popen[bytes], list[int]], tmp_path: Path
) -> None:
    process, children = improving
    os.kill(children[0], signal.SIGKILL)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode not in (0, None)
    assert b"ended by itself: exit -9" in said
    assert all_gone(children)
    assert not (tmp_path / "report.json").exists()


def test_one_without_a_table_does_not_cost_the_other_its_own(tmp_path: Path) -> None:
    register = joined(school("A"), school("B"))
    overfull = tuple(
        structs.replace(one, weekly=20) if one.community == "B" else one for one in (*register.requirements,)
    )
    teachers = tuple(structs.replace(one, max_per_day=2) for one in register.teachers)
    register = structs.replace(register, requirements=overfull, teachers=teachers)
    process = start(tmp_path, register, seconds=20)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, said
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert [one["status"] for one in report["communities"]] == ["optimal", "infeasible"]
    tables = msgspec.json.decode((tmp_path / "tables.json").read_bytes(), type=TableSet).tables
    assert [table.community for table in tables] == ["A"]
    assert check(register, *tables) == []
