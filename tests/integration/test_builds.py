"""Builds by the real solver in its own process: watched, cancelled, killed, and what becomes of the draft."""

import asyncio
import os
import signal
import time
from pathlib import Path

from msgspec import structs

from server.builds import Build, Builds
from server.storage.database import Database
from server.storage.table_store import SqlTableStore
from tests.instances import generated_community
from timetable.agreement.service import TimetableService
from timetable.checker import check
from timetable.days.versions import Version
from timetable.model import Register


class Fixed:
    def __init__(self, register: Register) -> None:
        self.register = register

    async def load(self) -> Register:
        return self.register


async def nobody(version: Version) -> None:
    return None


def tables(url: str, register: Register) -> tuple[Database, TimetableService]:
    database = Database.open(url)
    return database, TimetableService(SqlTableStore(database), Fixed(register), now=time.time, announce=nobody)


async def until(build: Build, phase: str) -> None:
    async with asyncio.timeout(60):
        async for view in build.watch():
            if view.phase == phase:
                return


async def ended(build: Build) -> str:
    async with asyncio.timeout(60):
        return [view.state async for view in build.watch()][-1]


async def test_finished_build_becomes_the_draft(sqlite_url: str, tmp_path: Path) -> None:
    register = generated_community(seed=1, shape=(1, 1))
    database, service = tables(sqlite_url, register)
    builds = Builds(service, tmp_path / "builds", workers=2, clock=time.monotonic)
    build = await builds.start(register.communities[0].id, author="教务主任", revision=0, seconds=5)
    assert await ended(build) == "done"
    draft = await service.draft(build.community)
    assert draft is not None
    assert (draft.revision, draft.author, draft.table.cost) == (1, "教务主任", build.view().cost)
    assert list((tmp_path / "builds").iterdir()) == []
    await database.close()


async def test_cancelled_build_keeps_its_best_table(sqlite_url: str, tmp_path: Path) -> None:
    register = generated_community(seed=1)
    database, service = tables(sqlite_url, register)
    builds = Builds(service, tmp_path, workers=2, clock=time.monotonic)
    build = await builds.start(register.communities[0].id, author="a", revision=0, seconds=300)
    await until(build, "improving")
    await build.run.process.stop()
    assert await ended(build) == "done"
    assert await service.draft(build.community) is not None
    await database.close()


async def test_killed_solver_is_told_and_leaves_its_best(sqlite_url: str, tmp_path: Path) -> None:
    register = generated_community(seed=1)
    database, service = tables(sqlite_url, register)
    builds = Builds(service, tmp_path / "builds", workers=2, clock=time.monotonic)
    build = await builds.start(register.communities[0].id, author="a", revision=0, seconds=300)
    await until(build, "improving")
    assert build.run.process.pid is not None
    os.kill(build.run.process.pid, signal.SIGKILL)
    assert await ended(build) == "failed"
    assert [finding.code for finding in build.view().findings] == ["solver_stopped", "best_so_far_kept"]
    draft = await service.draft(build.community)
    assert draft is not None
    assert check(register, draft.table) == []
    assert list((tmp_path / "builds").iterdir()) == []
    await database.close()


async def test_solver_killed_before_its_first_table_changes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    register = generated_community(seed=1)
    database, service = tables(sqlite_url, register)
    builds = Builds(service, tmp_path, workers=2, clock=time.monotonic)
    build = await builds.start(register.communities[0].id, author="a", revision=0, seconds=300)
    await until(build, "first")
    assert build.run.process.pid is not None
    os.kill(build.run.process.pid, signal.SIGKILL)
    assert await ended(build) == "failed"
    assert [finding.code for finding in build.view().findings] == ["solver_stopped"]
    assert await service.draft(build.community) is None
    await database.close()


async def test_impossible_input_says_why(sqlite_url: str, tmp_path: Path) -> None:
    register = generated_community(seed=1, shape=(1, 1))
    crowded = tuple(structs.replace(r, weekly=20) if r.kind == "local" else r for r in register.requirements)
    database, service = tables(sqlite_url, structs.replace(register, requirements=crowded))
    builds = Builds(service, tmp_path, workers=2, clock=time.monotonic)
    build = await builds.start(register.communities[0].id, author="a", revision=0, seconds=10)
    assert await ended(build) == "failed"
    assert "class_overloaded" in {finding.code for finding in build.view().findings}
    await database.close()


async def test_second_start_of_a_running_build_joins_it(sqlite_url: str, tmp_path: Path) -> None:
    register = generated_community(seed=1)
    database, service = tables(sqlite_url, register)
    builds = Builds(service, tmp_path, workers=2, clock=time.monotonic)
    first = await builds.start(register.communities[0].id, author="a", revision=0, seconds=300)
    second = await builds.start(register.communities[0].id, author="b", revision=0, seconds=300)
    assert first is second
    await builds.close()
    assert not first.running
    await database.close()
