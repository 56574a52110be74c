"""Why there is no table, as people see it: an explanation is started, watched, cancelled; a concession is made."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec
import structlog
from msgspec import Struct

from server.commands.table_explain import Line
from server.solver_process import SolverProcess
from server.solver_run import SolverStopped, write_input
from server.watched import State, Watched
from timetable.agreement.service import TimetableService
from timetable.errors import NotFound, TimetableError
from timetable.explaining.concessions import Concession
from timetable.explaining.explain import Explanation, Step
from timetable.model import Finding, Register
from timetable.register.importing import ImportReport, ImportService
from timetable.register.reach import Reach, reach

log = structlog.get_logger()

KEPT = 20


class Verified(Struct, frozen=True):
    """A concession, and whose rows it changes."""

    concession: Concession
    touched: Reach


class ExplanationState(Struct, frozen=True, kw_only=True):
    """What is known by now. `concessions` are in the order in which they were found; `feasible` is None until the end,
    `complete` says that every candidate was tried."""

    state: State = "running"
    phase: Literal["lints", "largest", "trying", "done"] = "lints"
    seconds: float = 0.0
    tried: int = 0
    of: int = 0
    feasible: bool | None = None
    complete: bool = False
    findings: tuple[Finding, ...] = ()
    missing: dict[str, int] = {}
    concessions: tuple[Verified, ...] = ()


class Explaining(Watched[ExplanationState]):
    """One search for concessions, begun with a version of the register."""

    def __init__(self, id: str, community: str, version: int, limit: float, clock: Callable[[], float]) -> None:
        super().__init__(ExplanationState(), clock)
        self.id = id
        self.community = community
        self.version = version
        self.limit = limit
        self.process = SolverProcess()
        self._explanation: Explanation | None = None

    def told(self, register: Register, line: bytes) -> None:
        """One line of the solver's, about this register."""
        said = msgspec.json.decode(line, type=Line)
        if said.step is not None:
            self._stepped(said.step)
        if said.found is not None:
            verified = Verified(said.found, reach(register, said.found.change.made(register)))
            self._show(concessions=(*self._view.concessions, verified))
        if said.end is not None:
            self._explanation = said.end

    def _stepped(self, step: Step) -> None:
        found = {"findings": step.findings} if step.findings else {}
        self._show(phase=step.phase, tried=step.tried, of=step.of, **found)

    def finished(self) -> None:
        """The process has ended; SolverStopped where it did not say how."""
        end = self._explanation
        if end is None:
            raise SolverStopped(0, "no explanation", ())
        self._end(
            "cancelled" if self.process.stopped else "done",
            feasible=end.feasible,
            complete=end.complete,
            findings=end.findings,
            missing=end.missing,
            tried=end.tried,
        )

    def failed(self, findings: tuple[Finding, ...]) -> None:
        stopped = self.process.stopped
        self._end("cancelled" if stopped else "failed", findings=(*self._view.findings, *(() if stopped else findings)))

    def concession(self, number: int) -> Concession:
        """The one that was found as the `number`th, from 0; NotFound."""
        if not 0 <= number < len(self._view.concessions):
            raise NotFound("concession", str(number))
        return self._view.concessions[number].concession


class Explanations:
    """The explanations of this process; the last KEPT are remembered. `clock` need not be the wall's."""

    def __init__(
        self,
        tables: TimetableService,
        importing: ImportService,
        folder: Path,
        *,
        workers: int,
        clock: Callable[[], float],
    ) -> None:
        self._tables = tables
        self._importing = importing
        self._folder = folder
        self._workers = workers
        self._clock = clock
        self._known: dict[str, Explaining] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def get(self, id: str) -> Explaining:
        try:
            return self._known[id]
        except KeyError:
            raise NotFound("explanation", id[:32]) from None

    async def start(self, community: str, *, seconds: float) -> Explaining:
        """Begin for one community; one of the same community that is still running is returned instead."""
        for known in self._known.values():
            if known.community == community and known.running:
                return known
        version = await self._importing.version()
        explaining = Explaining(secrets.token_hex(8), community, version, seconds, self._clock)
        self._known[explaining.id] = explaining
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
        task = asyncio.create_task(self._carry_out(explaining), name=f"explanation {explaining.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return explaining

    async def concede(self, id: str, number: int, *, author: str, may: Callable[[Reach], bool]) -> ImportReport:
        """Make one of the concessions in the register. StaleVersion when the register is another one by now,
        OutsideReach when the author may not change what it touches."""
        explaining = self.get(id)
        change = explaining.concession(number).change
        return await self._importing.edit(change.made, author, expected_version=explaining.version, may=may)

    async def close(self) -> None:
        await asyncio.gather(*(one.process.stop() for one in self._known.values() if one.running))
        await asyncio.gather(*self._tasks)

    async def _carry_out(self, explaining: Explaining) -> None:
        community = explaining.community
        try:
            register = await self._tables.register()
            around = [v.table for v in await self._tables.published() if v.community != community]
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._folder) as name:
                folder = Path(name)
                await asyncio.to_thread(write_input, folder, register, around)
                arguments = (
                    *("explain", "input.json", "--around", "around.json", f"--community={community}"),
                    *("--seconds", f"{explaining.limit:g}", "--workers", str(self._workers), "--progress"),
                )
                await explaining.process.run(arguments, folder, partial(explaining.told, register))
            explaining.finished()
        except TimetableError as error:
            log.warning("explanation_failed", community=community, code=error.code, detail=str(error))
            explaining.failed((Finding(code=error.code),))
        except Exception as error:
            # the people who watch must hear of an end that nobody foresaw, too
            log.error("explanation_failed", community=community, exc_info=error)
            explaining.failed((Finding(code="internal_error"),))
