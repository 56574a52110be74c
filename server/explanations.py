"""Why there is no table, as people see it: an explanation is started, watched, cancelled; a concession is made.

One that was under way when the server was killed is there again afterwards, as interrupted, with the concessions that
it had found, as long as the register is the one that it was begun with.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
import structlog
from msgspec import Struct

from server.commands.table_explain import Line
from server.run_folder import left_behind, run_folder
from server.solver_process import SolverProcess
from server.solver_run import SolverStopped, write_input
from server.watched import State, Watched
from timetable.agreement.service import TimetableService
from timetable.errors import NotFound, TimetableError
from timetable.explaining.candidate import Concession
from timetable.explaining.explain import Explanation, Step
from timetable.model import Finding, Register
from timetable.register.importing import ImportReport, ImportService
from timetable.register.reach import Reach, reach

log = structlog.get_logger()

KEPT = 20
RECORD = "explanation.json"
SAID = "said.jsonl"


class Started(Struct, frozen=True, kw_only=True):
    """What a search was begun with: kept in its folder, for a server that is started while it is there."""

    id: str
    community: str
    version: int
    limit: float


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

    def __init__(self, started: Started, clock: Callable[[], float]) -> None:
        super().__init__(ExplanationState(), clock)
        self.id = started.id
        self.community = started.community
        self.version = started.version
        self.limit = started.limit
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

    def left(self) -> None:
        """The server was killed meanwhile."""
        self._end("interrupted")

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

    def of(self, community: str) -> list[Explaining]:
        """Those of a community that are remembered, the newest first."""
        return [known for known in reversed(self._known.values()) if known.community == community]

    async def start(self, community: str, *, seconds: float) -> Explaining:
        """Begin for one community; one of the same community that is still running is returned instead."""
        for known in self.of(community):
            if known.running:
                return known
        version = await self._importing.version()
        started = Started(id=secrets.token_hex(8), community=community, version=version, limit=seconds)
        for earlier in self.of(community):
            await asyncio.to_thread(shutil.rmtree, self._folder / earlier.id, ignore_errors=True)
        explaining = self._remember(started)
        task = asyncio.create_task(self._carry_out(explaining, started), name=f"explanation {explaining.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return explaining

    async def recover(self) -> None:
        """Take up what an earlier process left behind; its solvers end by themselves."""
        folders = await asyncio.to_thread(left_behind, self._folder)
        if not folders:
            return
        register, version = await self._tables.register(), await self._importing.version()
        for folder in folders:
            found = await asyncio.to_thread(_left, folder)
            if found is None or found[0].version != version:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
                continue
            started, said = found
            explaining = self._remember(started)
            for line in said:
                explaining.told(register, line)
            explaining.left()
            log.info("explanation_interrupted", community=started.community, explanation=started.id)

    def _remember(self, started: Started) -> Explaining:
        explaining = self._known[started.id] = Explaining(started, self._clock)
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
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

    async def _carry_out(self, explaining: Explaining, started: Started) -> None:
        community = explaining.community
        try:
            register = await self._tables.register()
            around = [v.table for v in await self._tables.published() if v.community != community]
            with run_folder(self._folder, explaining.id) as folder:
                await asyncio.to_thread(write_input, folder, register, around)
                (folder / RECORD).write_bytes(msgspec.json.encode(started))
                arguments = (
                    *("explain", "input.json", "--around", "around.json", f"--community={community}"),
                    *("--seconds", f"{explaining.limit:g}", "--workers", str(self._workers), "--progress"),
                )
                with (folder / SAID).open("ab", buffering=0) as said:

                    def told(line: bytes) -> None:
                        said.write(line)
                        explaining.told(register, line)

                    await explaining.process.run(arguments, folder, told)
            explaining.finished()
        except TimetableError as error:
            log.warning("explanation_failed", community=community, code=error.code, detail=str(error))
            explaining.failed((Finding(code=error.code),))
        except Exception as error:
            # the people who watch must hear of an end that nobody foresaw, too
            log.error("explanation_failed", community=community, exc_info=error)
            explaining.failed((Finding(code="internal_error"),))


def _left(folder: Path) -> tuple[Started, list[bytes]] | None:
    """What a search was begun with, and what it had said by the time when the server was killed."""
    try:
        started = msgspec.json.decode((folder / RECORD).read_bytes(), type=Started)
        said = (folder / SAID).read_bytes().splitlines(keepends=True)
    except (OSError, msgspec.MsgspecError):
        return None
    return started, [line for line in said if line.endswith(b"\n")]
