"""Builds of tables as people see them: started, watched, cancelled; a finished one becomes the community's draft.

A build that was under way when the server was killed is there again when it is started anew: as interrupted, with the
best table that it had found, until somebody takes it as the draft or discards it, or nobody has for so many days.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import structlog
from msgspec import Struct

from server.run_folder import left_behind, run_folder, vacated
from server.shapes.table import BuildView
from server.solver_run import SolverRun, SolverStopped, found_tables
from server.watched import Watched
from timetable.agreement.service import Draft, TimetableService
from timetable.checker import check
from timetable.errors import NotAllowedNow, NotFound, TimetableError
from timetable.model import Finding, Register, Table
from timetable.solving.progress import Progress

log = structlog.get_logger()

KEPT = 50
RECORD = "build.json"
DAY_SECONDS = 86400.0
PERIOD_SECONDS = 3600.0

Foreseen = Callable[[str, Register, str | None], Awaitable[Register]]
"""The register as the next table of a community must fit it: with what is planned for its date."""


class BuildOutdated(TimetableError):
    """The table of an interrupted build breaks a rule by now; the findings say which."""

    code = "build_outdated"

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(f"{len(findings)} broken rule(s)")
        self.findings = tuple(findings)


class Started(Struct, frozen=True, kw_only=True, rename="camel"):
    """Who began a build and when (unix seconds): kept in its folder, for a server that is started while it is there."""

    id: str
    community: str
    author: str
    at: float
    limit: float


class Build(Watched[BuildView]):
    """One build; `folder` is its solver's."""

    def __init__(self, started: Started, folder: Path, run: SolverRun, clock: Callable[[], float]) -> None:
        view = BuildView(
            id=started.id,
            community=started.community,
            author=started.author,
            at=started.at,
            state="running",
            phase="lints",
            seconds=0.0,
            limit=started.limit,
        )
        super().__init__(view, clock)
        self.id = started.id
        self.community = started.community
        self.folder = folder
        self.run = run

    @property
    def interrupted(self) -> bool:
        return bool(self._view.state == "interrupted")

    def progressed(self, step: Progress) -> None:
        costs = {"cost_by_rule": step.cost_by_rule} if step.cost_by_rule else {}
        self._show(phase=step.phase, cost=step.cost, bound=step.bound, **costs)

    def finished(self, table: Table) -> None:
        self._end("done", cost=table.cost, cost_by_rule=table.cost_by_rule)

    def failed(self, state: Literal["failed", "cancelled"], findings: tuple[Finding, ...]) -> None:
        self._end(state, findings=findings)

    def left(self, best: Table | None, kept_until: float) -> None:
        """The server was killed meanwhile; `best` is the best table that was found by then."""
        costs = {"cost": best.cost, "cost_by_rule": best.cost_by_rule} if best else {}
        self._end("interrupted", kept_until=kept_until, **costs)


class Builds:
    """The builds of this process, and those that an earlier one left behind; the last KEPT are remembered. `clock`
    need not be the wall's, `now` gives unix seconds."""

    def __init__(
        self,
        tables: TimetableService,
        folder: Path,
        *,
        workers: int,
        clock: Callable[[], float],
        now: Callable[[], float],
        foreseen: Foreseen,
        interrupted_days: int,
        seed: int = 1,
    ) -> None:
        self._tables = tables
        self._folder = folder
        self._workers = workers
        self._clock = clock
        self._now = now
        self._foreseen = foreseen
        self._interrupted_seconds = interrupted_days * DAY_SECONDS
        self._seed = seed
        self._builds: dict[str, Build] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._settling: list[asyncio.Task[None]] = []

    def get(self, id: str) -> Build:
        try:
            return self._builds[id]
        except KeyError:
            raise NotFound("build", id[:32]) from None

    def of(self, community: str) -> list[Build]:
        """The builds of a community that are remembered, the newest first."""
        return [build for build in reversed(self._builds.values()) if build.community == community]

    async def start(self, community: str, *, author: str, revision: int, seconds: float) -> Build:
        """Begin a build for one community; one of the same community that is still running is returned instead."""
        for known in self._builds.values():
            if known.community == community and known.running:
                return known
        id = secrets.token_hex(8)
        started = Started(id=id, community=community, author=author, at=self._now(), limit=seconds)
        build = self._remember(started, self._folder / id)
        task = asyncio.create_task(self._carry_out(build, started, revision), name=f"build {id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return build

    async def recover(self) -> None:
        """Take up what an earlier process left behind; its solvers are ended."""
        folders = await asyncio.to_thread(left_behind, self._folder)
        communities = {known.id for known in (await self._tables.register()).communities} if folders else set()
        for folder in folders:
            started = await asyncio.to_thread(_record, folder)
            if started is None or started.community not in communities:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
                continue
            build = self._remember(started, folder)
            build.left(await self._best(build), self._kept_until(build))
            log.info("build_interrupted", community=build.community, build=build.id, cost=build.view().cost)
            self._settling.append(asyncio.create_task(self._settle(build), name=f"settle {build.id}"))

    async def take(self, id: str, *, author: str, revision: int) -> Build:
        """Make the best table of an interrupted build the draft. Raises NotFound, NotAllowedNow when it was not
        interrupted, BuildOutdated, StaleVersion."""
        build = self.get(id)
        if not build.interrupted:
            raise NotAllowedNow(build.view().state, "take")
        await vacated(build.folder)
        table = await self._best(build)
        if table is None:
            raise NotFound("table", build.community)
        register, around = await self._surroundings(build.community)
        try:
            await self._take(build, register, around, table, author, revision)
        except SolverStopped as refused:
            raise BuildOutdated(refused.findings) from refused
        build.finished(table)
        await self._drop(build)
        return build

    async def stop(self, id: str) -> Build:
        """Let a build hand in its best; one that was interrupted is discarded."""
        build = self.get(id)
        if build.interrupted:
            build.failed("cancelled", ())
            await self._drop(build)
        else:
            await build.run.process.stop()
        return build

    async def run(self) -> None:
        """Discard interrupted builds whose time is over, until cancelled."""
        while True:
            try:
                await self.expire()
            except Exception as error:
                log.error("builds_failed", exc_info=error)
            await asyncio.sleep(PERIOD_SECONDS)

    async def expire(self) -> None:
        """Discard the interrupted builds that nobody has taken in time."""
        for build in list(self._builds.values()):
            if build.interrupted and self._now() >= self._kept_until(build):
                log.info("build_expired", community=build.community, build=build.id)
                await self.stop(build.id)

    async def close(self) -> None:
        """Stop every build; what each has found by then is kept as a draft."""
        for waiting in self._settling:
            waiting.cancel()
        await asyncio.gather(*(build.run.process.stop() for build in self._builds.values() if build.running))
        await asyncio.gather(*self._tasks, *self._settling, return_exceptions=True)

    def _remember(self, started: Started, folder: Path) -> Build:
        run = SolverRun(folder, seconds=started.limit, seed=self._seed, workers=self._workers)
        build = self._builds[started.id] = Build(started, folder, run, self._clock)
        over = [known for known in self._builds.values() if not known.running and not known.interrupted]
        for known in over[: max(0, len(self._builds) - KEPT)]:
            del self._builds[known.id]
        return build

    async def _settle(self, build: Build) -> None:
        """When the solver that was left alone has ended, say what it came to."""
        await vacated(build.folder)
        if build.interrupted:
            build.left(await self._best(build), self._kept_until(build))

    def _kept_until(self, build: Build) -> float:
        return build.view().at + self._interrupted_seconds

    async def _carry_out(self, build: Build, started: Started, revision: int) -> None:
        try:
            register, around = await self._surroundings(build.community)
            with run_folder(self._folder, build.id) as folder:
                (folder / RECORD).write_bytes(msgspec.json.encode(started))
                try:
                    (table,) = await build.run.tables(register, [build.community], around, build.progressed)
                except SolverStopped as stopped:
                    for table in stopped.best:
                        await self._take(build, register, around, table, started.author, revision)
                        kept = (Finding(code=stopped.code), Finding(code="best_so_far_kept", severity="warning"))
                        raise SolverStopped(stopped.exit_code, str(stopped), kept, stopped.best) from stopped
                    raise
                await self._take(build, register, around, table, started.author, revision)
        except TimetableError as error:
            log.warning("build_failed", community=build.community, code=error.code, detail=str(error))
            findings = tuple(getattr(error, "findings", ())) or (Finding(code=error.code),)
            build.failed("cancelled" if build.run.process.stopped else "failed", findings)
        except Exception as error:
            # the people who watch must hear of an end that nobody foresaw, too
            log.error("build_failed", community=build.community, exc_info=error)
            build.failed("failed", (Finding(code="internal_error"),))
        else:
            for earlier in self.of(build.community):
                if earlier.interrupted:
                    await self.stop(earlier.id)
            build.finished(table)

    async def _surroundings(self, community: str) -> tuple[Register, list[Table]]:
        """The register that the table must fit, and the standing tables of the other communities."""
        draft = await self._tables.draft(community)
        valid_from = draft.valid_from if draft else None
        register = await self._foreseen(community, await self._tables.register(), valid_from)
        return register, [v.table for v in await self._tables.published() if v.community != community]

    async def _best(self, build: Build) -> Table | None:
        """The best table that is in the folder by now; none of an earlier term."""
        try:
            found = await asyncio.to_thread(found_tables, build.folder)
        except msgspec.MsgspecError as error:
            log.warning("build_unreadable", build=build.id, error=str(error))
            return None
        register = await self._tables.register()
        return next((t for t in found if (t.community, t.term) == (build.community, register.term.id)), None)

    async def _drop(self, build: Build) -> None:
        await asyncio.to_thread(shutil.rmtree, build.folder, ignore_errors=True)

    async def _take(
        self, build: Build, register: Register, around: Sequence[Table], table: Table, author: str, revision: int
    ) -> Draft:
        """Make the table the draft, unless it breaks a rule."""
        if wrong := await asyncio.to_thread(_broken, register, around, table):
            raise SolverStopped(0, "the checker refused the table", wrong)
        return await self._tables.take_draft(build.community, table, author=author, revision=revision)


def _record(folder: Path) -> Started | None:
    """None for a build that was killed before it had begun."""
    try:
        return msgspec.json.decode((folder / RECORD).read_bytes(), type=Started)
    except (OSError, msgspec.MsgspecError):
        return None


def _broken(register: Register, around: Sequence[Table], table: Table) -> list[Finding]:
    """The rules that the new table breaks. What other tables broke before it is theirs: a register may have changed
    since they were published."""
    before = check(register, *around)
    return [finding for finding in check(register, *around, table) if finding not in before]
