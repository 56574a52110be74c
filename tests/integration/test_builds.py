"""Builds by the real solver in its own process: watched, cancelled, killed, and what becomes of the draft."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from server import run_folder
from server.builds import Build, BuildOutdated, Builds, Started
from server.solver_process import PROJECT
from server.storage.database import Database
from server.storage.table_store import SqlTableStore
from tests.instances import generated_community
from timetable.agreement.service import TimetableService
from timetable.checker import check
from timetable.days.versions import Version
from timetable.errors import NotAllowedNow, NotFound, StaleVersion
from timetable.model import Register

KEPT_DAYS = 14


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


async def as_it_is(community: str, register: Register, valid_from: str | None) -> Register:
    return register


def builds_of(service: TimetableService, folder: Path, now: Callable[[], float] = time.time) -> Builds:
    return Builds(
        service, folder, workers=2, clock=time.monotonic, now=now, foreseen=as_it_is, interrupted_days=KEPT_DAYS
    )


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
    builds = builds_of(service, tmp_path / "builds")
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
    builds = builds_of(service, tmp_path)
    build = await builds.start(register.communities[0].id, author="a", revision=0, seconds=300)
    await until(build, "improving")
    await build.run.process.stop()
    assert await ended(build) == "done"
    assert await service.draft(build.community) is not None
    await database.close()


async def test_killed_solver_is_told_and_leaves_its_best(sqlite_url: str, tmp_path: Path) -> None:
    register = generated_community(seed=1)
    database, service = tables(sqlite_url, register)
    builds = builds_of(service, tmp_path / "builds")
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
    builds = builds_of(service, tmp_path)
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
    builds = builds_of(service, tmp_path)
    build = await builds.start(register.communities[0].id, author="a", revision=0, seconds=10)
    assert await ended(build) == "failed"
    assert "class_overloaded" in {finding.code for finding in build.view().findings}
    await database.close()


async def test_second_start_of_a_running_build_joins_it(sqlite_url: str, tmp_path: Path) -> None:
    register = generated_community(seed=1)
    database, service = tables(sqlite_url, register)
    builds = builds_of(service, tmp_path)
    first = await builds.start(register.communities[0].id, author="a", revision=0, seconds=300)
    second = await builds.start(register.communities[0].id, author="b", revision=0, seconds=300)
    assert first is second
    await builds.close()
    assert not first.running
    await database.close()


# after the server was killed


SERVED = """
import asyncio, sys, time
from pathlib import Path
from tests.integration.test_builds import builds_of, tables, until
from tests.instances import generated_community

async def main(url, folder, phase):
    register = generated_community(seed=1)
    database, service = tables(url, register)
    builds = builds_of(service, Path(folder))
    build = await builds.start(register.communities[0].id, author="a", revision=0, seconds=300)
    await until(build, phase)
    print(build.id, build.run.process.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main(*sys.argv[1:]))
"""


async def killed_in(phase: str, url: str, folder: Path) -> tuple[str, int]:
    """Begin a build in a process and kill it in this phase; the build, and its solver's process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVED, url, str(folder), phase), cwd=PROJECT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        build, solver = (await process.stdout.readline()).split()
    process.kill()
    await process.wait()
    return build.decode(), int(solver)


async def gone(pid: int) -> None:
    async with asyncio.timeout(20):
        while Path(f"/proc/{pid}").exists():  # noqa: ASYNC110 - a process of somebody else's
            await asyncio.sleep(0.05)


async def test_a_build_survives_the_server_and_its_solver_does_not(sqlite_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "builds"
    id, solver = await killed_in("improving", sqlite_url, folder)
    await gone(solver)
    register = generated_community(seed=1)
    database, service = tables(sqlite_url, register)
    builds = builds_of(service, folder)
    await builds.recover()
    build = builds.get(id)
    view = build.view()
    assert (view.state, view.author, view.limit) == ("interrupted", "a", 300)
    assert view.cost is not None
    assert builds.of(view.community) == [build]

    # and the next server, too, until somebody has made up their mind
    await builds.close()
    builds = builds_of(service, folder)
    await builds.recover()
    with pytest.raises(StaleVersion):
        await builds.take(id, author="b", revision=5)
    assert builds.get(id).interrupted
    taken = await builds.take(id, author="b", revision=0)
    assert taken.view().state == "done"
    draft = await service.draft(view.community)
    assert draft is not None
    assert (draft.author, check(register, draft.table)) == ("b", [])
    assert list(folder.iterdir()) == []
    with pytest.raises(NotAllowedNow):
        await builds.take(id, author="b", revision=1)
    await builds.close()
    await database.close()


async def test_a_table_that_breaks_a_rule_by_now_is_not_taken(sqlite_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "builds"
    id, _ = await killed_in("improving", sqlite_url, folder)
    register = generated_community(seed=1)
    busy = register.requirements[0].parties[0].teachers[0]
    teachers = tuple(structs.replace(t, max_per_day=0) if t.id == busy else t for t in register.teachers)
    database, service = tables(sqlite_url, structs.replace(register, teachers=teachers))
    builds = builds_of(service, folder)
    await builds.recover()
    with pytest.raises(BuildOutdated) as refused:
        await builds.take(id, author="b", revision=0)
    assert {finding.code for finding in refused.value.findings} == {"table_teacher_day"}
    assert await service.draft(register.communities[0].id) is None
    assert (await builds.stop(id)).view().state == "cancelled"
    assert list(folder.iterdir()) == []
    await database.close()


async def test_a_build_killed_before_its_first_table_can_only_be_started_again(sqlite_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "builds"
    id, solver = await killed_in("first", sqlite_url, folder)
    await gone(solver)
    # it may have found one in its last moments
    (folder / id / "tables.json").unlink(missing_ok=True)
    register = generated_community(seed=1, shape=(1, 1))
    database, service = tables(sqlite_url, register)
    builds = builds_of(service, folder)
    await builds.recover()
    assert (builds.get(id).view().state, builds.get(id).view().cost) == ("interrupted", None)
    with pytest.raises(NotFound):
        await builds.take(id, author="b", revision=0)
    again = await builds.start(register.communities[0].id, author="b", revision=0, seconds=2)
    assert again.id != id
    assert await ended(again) == "done"
    # what came of it makes the other one needless
    assert builds.get(id).view().state == "cancelled"
    assert list(folder.iterdir()) == []
    await database.close()


async def test_an_interrupted_build_that_nobody_takes_is_discarded_when_its_days_are_over(
    sqlite_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "builds"
    (folder / "left").mkdir(parents=True)
    register = generated_community(seed=1, shape=(1, 1))
    started = Started(id="left", community=register.communities[0].id, author="a", at=1000.0, limit=20)
    (folder / "left" / "build.json").write_bytes(msgspec.json.encode(started))
    database, service = tables(sqlite_url, register)
    until = 1000.0 + KEPT_DAYS * 86400
    now = [until - 1]
    builds = builds_of(service, folder, lambda: now[0])
    await builds.recover()
    await builds.expire()
    [view] = [build.view() for build in builds.of(started.community)]
    assert (view.state, view.kept_until) == ("interrupted", until)
    now[0] = until
    await builds.expire()
    assert builds.get("left").view().state == "cancelled"
    assert list(folder.iterdir()) == []
    await builds.close()
    await database.close()


async def test_a_solver_that_does_not_end_with_its_server_is_killed(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "builds"
    id, solver = await killed_in("improving", sqlite_url, folder)
    os.kill(solver, signal.SIGSTOP)
    monkeypatch.setattr(run_folder, "PATIENCE_SECONDS", 0.2)
    database, service = tables(sqlite_url, generated_community(seed=1))
    builds = builds_of(service, folder)
    await builds.recover()
    await gone(solver)
    assert (await builds.stop(id)).view().state == "cancelled"
    await builds.close()
    await database.close()


async def test_folders_without_a_record_are_swept(sqlite_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "builds"
    (folder / "tmpabc").mkdir(parents=True)
    (folder / "cut").mkdir()
    (folder / "cut" / "build.json").write_bytes(b'{"id": "cut", "comm')
    database, service = tables(sqlite_url, generated_community(seed=1, shape=(1, 1)))
    await builds_of(service, folder).recover()
    assert list(folder.iterdir()) == []
    await database.close()


async def test_a_rebuilt_draft_keeps_its_date(sqlite_url: str, tmp_path: Path) -> None:
    register = generated_community(seed=1, shape=(1, 1))
    database, service = tables(sqlite_url, register)
    builds = builds_of(service, tmp_path / "builds")
    community = register.communities[0].id
    assert await ended(await builds.start(community, author="a", revision=0, seconds=2)) == "done"
    draft = await service.draft(community)
    assert draft is not None
    assert draft.valid_from is None
    await service.take_draft(community, draft.table, author="a", revision=1, valid_from="2030-01-01")
    assert await ended(await builds.start(community, author="a", revision=2, seconds=2)) == "done"
    rebuilt = await service.draft(community)
    assert rebuilt is not None
    assert (rebuilt.revision, rebuilt.valid_from) == (3, "2030-01-01")
    await service.take_draft(community, draft.table, author="a", revision=3, valid_from=None)
    dateless = await service.draft(community)
    assert dateless is not None
    assert dateless.valid_from is None
    await database.close()
