"""Runs of the solver: each a process of its own, watched while it searches, cancelled with its best table kept.

The solver never runs in the event loop's process: it takes all cores for seconds, and killing it must hurt nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import structlog
from msgspec import structs

from server.shapes.table import BuildView
from timetable.checker import check
from timetable.coupling import community_register
from timetable.errors import NotFound, TimetableError
from timetable.model import Finding, Register, Table, TableSet
from timetable.progress import Progress
from timetable.service import TimetableService

log = structlog.get_logger()

KEPT = 50
LINE_LIMIT = 1 << 20
GRACE_SECONDS = 10.0


class Build:
    """One run. `watch` yields its view whenever it changes and ends with the run."""

    def __init__(self, id: str, community: str, limit: float, clock: Callable[[], float]) -> None:
        self.id = id
        self.community = community
        self._clock = clock
        self._began = clock()
        self._view = BuildView(id=id, community=community, state="running", phase="lints", seconds=0.0, limit=limit)
        self._changed = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._cancelled = False

    def view(self) -> BuildView:
        if self._view.state != "running":
            return self._view
        return structs.replace(self._view, seconds=round(self._clock() - self._began, 1))

    async def watch(self) -> AsyncIterator[BuildView]:
        while True:
            changed, view = self._changed, self.view()
            yield view
            if view.state != "running":
                return
            # a second without news is news too: the seconds go on
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), 1.0)

    async def cancel(self) -> None:
        """Ask the solver to stop; it hands in its best table. One that does not answer is killed."""
        self._cancelled = True
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), GRACE_SECONDS)
        except TimeoutError:
            self._process.kill()

    async def search(self, register: Register, folder: Path, *, seed: int, workers: int) -> Table:
        """Run the solver on `register` in `folder`; the best table found, or the error that says why there is none."""
        (folder / "input.json").write_bytes(msgspec.json.encode(register))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "server.commands.table", "build", "input.json"),
            *("--seconds", f"{self._view.limit:g}", "--seed", str(seed), "--workers", str(workers)),
            *("--out", "tables.json", "--report", "report.json", "--progress"),
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
            start_new_session=True,
        )
        if self._cancelled:
            self._process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.gather(self._follow(self._process), _read(self._process.stderr))
        code = await self._process.wait()
        output = folder / "tables.json"
        if not output.exists():
            raise SolverStopped(code, errors.decode(errors="replace")[-2000:], _report_findings(folder))
        tables = msgspec.json.decode(output.read_bytes(), type=TableSet).tables
        if len(tables) != 1:
            raise SolverStopped(code, f"{len(tables)} tables", _report_findings(folder))
        return tables[0]

    def finish(self, view: BuildView) -> None:
        self._view = structs.replace(view, seconds=round(self._clock() - self._began, 1))
        self._wake()

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    async def _follow(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            step = msgspec.json.decode(line, type=Progress)
            self._view = structs.replace(
                self._view, phase=step.phase, cost=step.cost, bound=step.bound, cost_by_rule=step.cost_by_rule
            )
            self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class SolverStopped(TimetableError):
    """The solver ended without a table."""

    code = "solver_stopped"

    def __init__(self, exit_code: int, detail: str, findings: tuple[Finding, ...]) -> None:
        super().__init__(f"exit {exit_code}: {detail}")
        self.exit_code, self.findings = exit_code, findings


class Builds:
    """All runs of this process; the last KEPT are remembered."""

    def __init__(
        self, tables: TimetableService, folder: Path, *, workers: int, clock: Callable[[], float], seed: int = 1
    ) -> None:
        self._tables = tables
        self._folder = folder
        self._workers = workers or os.cpu_count() or 1
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
        """Begin a run for one community; a run of the same community that is still going is returned instead."""
        for running in self._builds.values():
            if running.community == community and running.view().state == "running":
                return running
        register = await self._tables.register()
        others = [v.table for v in await self._tables.published() if v.community != community]
        build = Build(secrets.token_hex(8), community, seconds, self._clock)
        self._builds[build.id] = build
        while len(self._builds) > KEPT:
            del self._builds[next(iter(self._builds))]
        restricted = community_register(register, community, others)
        task = asyncio.create_task(self._run(build, restricted, author, revision))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return build

    async def close(self) -> None:
        """Stop every run; what they have found by then is kept as their draft."""
        for build in self._builds.values():
            if build.view().state == "running":
                await build.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, build: Build, register: Register, author: str, revision: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with tempfile.TemporaryDirectory(dir=self._folder) as folder:
                table = await build.search(register, Path(folder), seed=self._seed, workers=self._workers)
            if wrong := check(register, table):
                raise SolverStopped(0, "the checker refused the table", tuple(wrong))
            await self._tables.take_draft(build.community, table, author=author, revision=revision)
        except TimetableError as error:
            findings = tuple(getattr(error, "findings", ())) or (Finding(code=error.code),)
            log.warning("build_failed", community=build.community, code=error.code, detail=str(error))
            state = "cancelled" if build.cancelled else "failed"
            build.finish(structs.replace(build.view(), state=state, findings=findings))
        except Exception as error:
            log.error("build_failed", community=build.community, exc_info=error)
            build.finish(structs.replace(build.view(), state="failed", findings=(Finding(code="internal_error"),)))
        else:
            build.finish(
                structs.replace(
                    build.view(), state="done", phase="done", cost=table.cost, cost_by_rule=table.cost_by_rule
                )
            )


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    return await stream.read() if stream is not None else b""


def _report_findings(folder: Path) -> tuple[Finding, ...]:
    """What the solver's report says about why there is no table."""
    report = folder / "report.json"
    if not report.exists():
        return ()

    class Report(msgspec.Struct, frozen=True):
        findings: tuple[Finding, ...] = ()

    return msgspec.json.decode(report.read_bytes(), type=Report).findings
