"""`tongke table build` on inputs that are empty, contradictory or ten times too large, and killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from server.demo.county import demo_register
from tests.community_builder import CommunityBuilder, bell_times
from tests.instances import SHAPE_OF_100_CLASSES, generated_community, many_counties, many_times
from timetable.checker import check
from timetable.model import BusyTime, Register, Slot, TableSet

ROOT = Path(__file__).parents[2]
STARTS = bell_times(480, 20, 840)
MOST_MEGABYTES = 2500


class Building:
    """A build in a process of its own; `used` is what it took, once it has ended."""

    def __init__(self, folder: Path, register: Register, seconds: float) -> None:
        self.folder = folder
        (folder / "input.json").write_bytes(msgspec.json.encode(register))
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "server.commands.table", "build", "input.json", "--progress"),
                *("--seconds", f"{seconds:g}", "--out", "tables.json", "--report", "report.json"),
            ],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def until(self, phase: str) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if json.loads(line)["phase"] == phase:
                return
        raise AssertionError(f"it ended before {phase}")

    def end(self) -> tuple[int, str]:
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        with self.process.stdout, self.process.stderr:
            self.process.stdout.read()
            said = self.process.stderr.read().decode()
        _, status, self.used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return self.process.returncode, said

    def report(self) -> dict[str, object]:
        return dict(json.loads((self.folder / "report.json").read_text("utf-8")))

    def tables(self) -> TableSet:
        return msgspec.json.decode((self.folder / "tables.json").read_bytes(), type=TableSet)


def test_a_community_without_requirements_gets_an_empty_table(tmp_path: Path) -> None:
    builder = CommunityBuilder()
    builder.school_class(builder.unit(STARTS))
    building = Building(tmp_path, builder.register(), 5)
    assert building.end()[0] == 0
    assert [table.lessons for table in building.tables().tables] == [()]
    assert building.report()["status"] == "optimal"


def test_a_register_of_nothing_is_built_into_nothing(tmp_path: Path) -> None:
    nothing = structs.replace(generated_community(1, shape=(1,), lacking={}), communities=(), requirements=())
    building = Building(tmp_path, nothing, 5)
    code, said = building.end()
    assert code in (0, 2), said
    assert "Traceback" not in said


def test_locks_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    school_class, slot = builder.school_class(unit), (Slot(weekday=1, period=1),)
    for subject in ("语文", "数学"):
        builder.local(school_class, subject, 1, builder.teacher(unit, subject=subject), locked=slot)
    building = Building(tmp_path, builder.register(), 5)
    code, said = building.end()
    assert (code, building.report()["status"]) == (1, "infeasible")
    assert "locked" in said
    assert not (tmp_path / "tables.json").exists()


def test_a_teacher_who_is_never_there_is_named(tmp_path: Path) -> None:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    away = tuple(BusyTime(weekday=day, start="00:00", end="23:59") for day in (1, 2, 3, 4, 5))
    builder.local(builder.school_class(unit), "语文", 3, builder.teacher(unit, unavailable=away))
    building = Building(tmp_path, builder.register(), 5)
    code, said = building.end()
    assert (code, building.report()["status"]) == (1, "infeasible")
    assert "语文" in said


def test_ten_times_the_classes_in_one_place_are_refused_by_counting(tmp_path: Path) -> None:
    building = Building(tmp_path, generated_community(1, shape=SHAPE_OF_100_CLASSES * 10), 60)
    code, said = building.end()
    assert (code, building.report()["status"]) == (1, "infeasible")
    assert 0 < len(said.splitlines()) < 200
    assert building.used.ru_maxrss / 1024 < MOST_MEGABYTES


SECONDS_TO_STOP = 60


@pytest.mark.slow
def test_a_build_of_five_counties_ends_when_told(tmp_path: Path) -> None:
    """What it has found by then is kept, and it never was more processes than the machine can bear."""
    county = many_counties(demo_register(), 5)
    (tmp_path / "input.json").write_bytes(msgspec.json.encode(county))
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "server.commands.table", "build", "input.json", "--seconds", "20"),
            *("--workers", "2", "--out", "tables.json", "--report", "report.json", "--progress"),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    with process.stdout:
        while b'"improving"' not in process.stdout.readline():
            assert process.poll() is None
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split()
        assert 2 <= len(children) <= 5  # with the one that looks after shared memory
        process.terminate()
        told = time.monotonic()
        process.stdout.read()
    assert process.wait(SECONDS_TO_STOP) != 0
    assert time.monotonic() - told < SECONDS_TO_STOP
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["status"] == "unknown"
    found = msgspec.json.decode((tmp_path / "tables.json").read_bytes(), type=TableSet).tables
    assert 0 < len(found) < len(county.communities)


READ = """
import asyncio, sys
from pathlib import Path
from timetable.register.importing import ImportService
content = Path(sys.argv[1]).read_bytes()
report = asyncio.run(ImportService(None, lambda: 0.0).check({"county.json": content}, replace=True))
print(report.counts["units"], report.counts["classes"], sorted({finding.code for finding in report.findings}))
"""
SECONDS_TO_READ = 30


@pytest.mark.slow
def test_ten_times_the_county_is_read_in_bounded_time_and_memory(tmp_path: Path) -> None:
    """Whether it is good, or has a fault in each of its tens of thousands of lessons."""
    county = many_counties(demo_register(), 10)
    nobody = tuple(
        structs.replace(one, parties=(structs.replace(one.parties[0], teachers=("nobody",)), *one.parties[1:]))
        for one in county.requirements
    )
    size = f"{len(county.units)} {len(county.classes)}"
    for register, found in (
        (county, []),
        (structs.replace(county, requirements=nobody), ["locked_teacher_twice", "unknown_teacher"]),
    ):
        file = tmp_path / "county.json"
        file.write_bytes(msgspec.json.encode(register))
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        reading = subprocess.Popen([sys.executable, "-c", READ, file], env=environment, stdout=subprocess.PIPE)
        assert reading.stdout is not None
        with reading.stdout:
            said = reading.stdout.read().decode()
        _, status, used = os.wait4(reading.pid, 0)
        reading.returncode = os.waitstatus_to_exitcode(status)
        assert (reading.returncode, said.strip()) == (0, f"{size} {found}")
        assert used.ru_utime < SECONDS_TO_READ
        assert used.ru_maxrss / 1024 < MOST_MEGABYTES


@pytest.mark.slow
def test_ten_communities_in_one_are_searched_in_bounded_memory_and_can_be_cancelled(tmp_path: Path) -> None:
    building = Building(tmp_path, many_times(10), 600)
    building.until("first")
    building.process.send_signal(signal.SIGTERM)
    code, said = building.end()
    assert (code, building.report()["status"]) == (1, "unknown"), said
    assert building.used.ru_maxrss / 1024 < MOST_MEGABYTES


def test_a_killed_build_leaves_its_best_tables(tmp_path: Path) -> None:
    register = generated_community(1)
    building = Building(tmp_path, register, 600)
    building.until("improving")
    building.process.kill()
    assert building.end()[0] == -signal.SIGKILL
    assert check(register, *building.tables().tables) == []
    assert not (tmp_path / "report.json").exists()


def test_a_build_whose_reader_goes_away_is_built_to_its_end(tmp_path: Path) -> None:
    building = Building(tmp_path, generated_community(1, shape=(1, 1)), 2)
    building.until("lints")
    assert building.process.stdout is not None
    building.process.stdout.close()
    assert building.process.wait() == 0
    assert building.tables().tables
    assert building.process.stderr is not None
    with building.process.stderr:
        assert b"Traceback" not in building.process.stderr.read()


def test_a_first_table_is_found_however_short_the_time(tmp_path: Path) -> None:
    building = Building(tmp_path, generated_community(1), 0.01)
    assert building.end()[0] == 0
    assert building.report()["status"] == "feasible"
