"""Builds of tables as people see them: started, watched, cancelled; a finished one becomes the community's draft."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import structlog

from server.shapes.table import BuildView
from server.solver_run import SolverRun, SolverStopped
from server.watched import Watched
from timetable.agreement.service import TimetableService
from timetable.checker import check
from timetable.errors import NotFound, TimetableError
from timetable.model import Finding, Register, Table
from timetable.solving.progress import Progress

log = structlog.get_logger()

KEPT = 50


class Build(Watched[BuildView]):
    """One build."""

    def __init__(self, id: str, community: str, limit: float, run: SolverRun, clock: Callable[[], float]) -> None:
        view = BuildView(id=id, community=community, state="running", phase="lints", seconds=0.0, limit=limit)
        super().__init__(view, clock)
        self.id = id
        self.community = community
        self.run = run

    def progressed(self, step: Progress) -> None:
        costs = {"cost_by_rule": step.cost_by_rule} if step.cost_by_rule else {}
        self._show(phase=step.phase, cost=step.cost, bound=step.bound, **costs)

    def finished(self, table: Table) -> None:
        self._end("done", cost=table.cost, cost_by_rule=table.cost_by_rule)

    def failed(self, state: Literal["failed", "cancelled"], findings: tuple[Finding, ...]) -> None:
        self._end(state, findings=findings)


class Builds:
    """The builds of this process; the last KEPT are remembered. `clock` need not be the wall's."""

    def __init__(
        self, tables: TimetableService, folder: Path, *, workers: int, clock: Callable[[], float], seed: int = 1
    ) -> None:
        self._tables = tables
        self._folder = folder
        self._workers = workers
        self._clock = clock
        self._seed = seed
        self._builds: dict[str, Build] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def get(self, id: str) -> Build:
        try:
            return self._builds[id]
        except KeyError:
            raise NotFound("build", id) from None

    async def start(self, community: str, *, author: str, revision: int, seconds: float) -> Build:
        """Begin a build for one community; one of the same community that is still running is returned instead."""
        for known in self._builds.values():
            if known.community == community and known.running:
                return known
        run = SolverRun(self._folder, seconds=seconds, seed=self._seed, workers=self._workers)
        build = Build(secrets.token_hex(8), community, seconds, run, self._clock)
        self._builds[build.id] = build
        while len(self._builds) > KEPT:
            del self._builds[next(iter(self._builds))]
        task = asyncio.create_task(self._carry_out(build, author, revision), name=f"build {build.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return build

    async def close(self) -> None:
        """Stop every build; what each has found by then is kept as a draft."""
        await asyncio.gather(*(build.run.process.stop() for build in self._builds.values() if build.running))
        await asyncio.gather(*self._tasks)

    async def _carry_out(self, build: Build, author: str, revision: int) -> None:
        try:
            register = await self._tables.register()
            around = [v.table for v in await self._tables.published() if v.community != build.community]
            try:
                (table,) = await build.run.tables(register, [build.community], around, build.progressed)
            except SolverStopped as stopped:
                for table in stopped.best:
                    await self._take(build, register, around, table, author, revision)
                    kept = (Finding(code=stopped.code), Finding(code="best_so_far_kept", severity="warning"))
                    raise SolverStopped(stopped.exit_code, str(stopped), kept, stopped.best) from stopped
                raise
            await self._take(build, register, around, table, author, revision)
        except TimetableError as error:
            log.warning("build_failed", community=build.community, code=error.code, detail=str(error))
            findings = tuple(getattr(error, "findings", ())) or (Finding(code=error.code),)
            build.failed("cancelled" if build.run.process.stopped else "failed", findings)
        except Exception as error:
            # the people who watch must hear of an end that nobody foresaw, too
            log.error("build_failed", community=build.community, exc_info=error)
            build.failed("failed", (Finding(code="internal_error"),))
        else:
            build.finished(table)

    async def _take(
        self, build: Build, register: Register, around: Sequence[Table], table: Table, author: str, revision: int
    ) -> None:
        """Make the table the draft, unless it breaks a rule."""
        if wrong := await asyncio.to_thread(_broken, register, around, table):
            raise SolverStopped(0, "the checker refused the table", wrong)
        await self._tables.take_draft(build.community, table, author=author, revision=revision)


def _broken(register: Register, around: Sequence[Table], table: Table) -> list[Finding]:
    """The rules that the new table breaks. What other tables broke before it is theirs: a register may have changed
    since they were published."""
    before = check(register, *around)
    return [finding for finding in check(register, *around, table) if finding not in before]
