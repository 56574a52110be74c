"""The way of the demo county into an empty data folder: the same import, solver and negotiation as a real county's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from server.county import Counties, County
from server.demo.county import demo_workbooks
from server.run_folder import run_folder
from server.solver_run import SolverRun, SolverStopped
from timetable.agreement.service import TimetableService
from timetable.checker import check
from timetable.model import Lesson, Register, Table
from timetable.register.importing import ImportService
from timetable.solving.progress import Progress

AUTHOR = "演示"
MEMBERS = 3
"""Member classrooms of the lesson that the demonstration shows."""

ATTEMPTS = 3
MORE_TIME = 4

Tell = Callable[[str], None]


async def import_county(importing: ImportService, counties: Counties, tell: Tell) -> County:
    """Import the demo's workbooks, unless a county is there already."""
    if await counties.load() is None:
        tell("导入演示县 / importing the demo county")
        files = await asyncio.to_thread(demo_workbooks)
        await importing.run(files, AUTHOR)
    return await counties.now()


async def publish_tables(
    tables: TimetableService, county: County, folder: Path, *, seconds: float, workers: int, tell: Tell
) -> None:
    """Solve and agree on the table of every community that has none yet, each to its version 1."""
    register = county.register
    standing = {version.community: version.table for version in await tables.published()}
    wanted = [community.id for community in register.communities if community.id not in standing]
    if not wanted:
        return
    tell(f"排课 {len(wanted)} 个教共体 / building {len(wanted)} tables")
    built = await _build(register, wanted, list(standing.values()), folder, seconds, workers, tell)
    found = await asyncio.to_thread(check, register, *standing.values(), *built)
    if wrong := [finding for finding in found if finding.severity == "error"]:
        raise SolverStopped(0, "the checker refused the tables", wrong)
    for table in built:
        await agree(tables, county, table)
        tell(f"已发布 / published: {county.community(table.community).name}，{len(table.lessons)} 节 lessons")


async def _build(
    register: Register,
    wanted: list[str],
    standing: list[Table],
    folder: Path,
    seconds: float,
    workers: int,
    tell: Tell,
) -> tuple[Table, ...]:
    """A table for each, with more time for a machine that is slow or busy; an impossible one stays impossible."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with run_folder(folder) as own:
                run = SolverRun(own, seconds=seconds, seed=attempt, workers=workers)
                return await run.tables(register, wanted, standing, _progress_teller(register, tell))
        except SolverStopped:
            if attempt == ATTEMPTS:
                raise
        seconds *= MORE_TIME
        tell(f"时间不够，再给 {seconds:.0f} 秒 / out of time, {seconds:.0f} s more")
    raise AssertionError("the last attempt returns or raises")


async def agree(tables: TimetableService, county: County, table: Table) -> None:
    """Take the draft through the schools' negotiation: the core proposes, every member agrees, the core publishes."""
    community = county.community(table.community)
    draft = await tables.draft(community.id)
    draft = await tables.take_draft(community.id, table, author=AUTHOR, revision=draft.revision if draft else 0)
    core = f"{county.unit(community.core).short_name}教务主任"
    draft = await tables.propose(community.id, unit=community.core, by=core, revision=draft.revision)
    for member in community.members:
        if member in draft.negotiation.affected:
            by = f"{county.unit(member).short_name}教务主任"
            draft = await tables.agree(community.id, unit=member, by=by, revision=draft.revision)
    await tables.publish(community.id, unit=community.core, by=core, revision=draft.revision)


def demo_lesson(county: County, table: Table) -> Lesson:
    """The lesson that the demonstration shows: taught by the core school of the first community to three members,
    each in a remote room; the one with a topic first."""
    core = county.community(table.community).core
    fitting = [
        lesson
        for lesson in table.lessons
        if lesson.kind == "sync"
        and lesson.host.unit == core
        and len(lesson.parties) == MEMBERS + 1
        and all(party.room and party.teachers for party in lesson.parties)
    ]
    fitting.sort(key=lambda lesson: (not lesson.topic, lesson.id))
    if not fitting:
        raise LookupError(f"no sync lesson of {core} with {MEMBERS} members")
    return fitting[0]


def _progress_teller(register: Register, tell: Tell) -> Callable[[Progress], None]:
    names = {community.id: community.name for community in register.communities}
    told: dict[str, tuple[str, int | None]] = {}

    def progressed(step: Progress) -> None:
        news = (step.phase, step.cost)
        if told.get(step.community) != news and step.phase != "lints":
            told[step.community] = news
            cost = "" if step.cost is None else f" 代价 cost {step.cost}"
            tell(f"  {step.seconds:5.1f} s  {names.get(step.community, step.community)}：{step.phase}{cost}")

    return progressed
