"""One run of the solver in a process of its own: fed a register, followed while it searches, stopped with its best.

The solver never runs in the event loop's process: it takes all cores for seconds, and killing it must hurt nobody.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from timetable.errors import TimetableError
from timetable.model import Finding, Register, Table, TableSet
from timetable.progress import Progress

LINE_LIMIT = 1 << 20
GRACE_SECONDS = 10.0
PROJECT = Path(__file__).parent.parent


class SolverStopped(TimetableError):
    """The solver ended without the tables that were asked for; `findings` say why, as far as it knows."""

    code = "solver_stopped"

    def __init__(self, exit_code: int, detail: str, findings: Sequence[Finding]) -> None:
        super().__init__(f"exit {exit_code}: {detail}")
        self.exit_code, self.findings = exit_code, tuple(findings)


class Report(Struct, frozen=True):
    """The part of the solver's report that says why there is no table."""

    findings: tuple[Finding, ...] = ()


class SolverRun:
    """`folder` holds the run's files while it goes on."""

    def __init__(self, folder: Path, *, seconds: float, seed: int, workers: int) -> None:
        self._folder = folder
        self._seconds = seconds
        self._seed = seed
        self._workers = workers
        self._process: asyncio.subprocess.Process | None = None
        self.stopped = False

    async def tables(
        self,
        register: Register,
        communities: Sequence[str],
        around: Sequence[Table],
        on_progress: Callable[[Progress], None],
    ) -> tuple[Table, ...]:
        """The best tables found for `communities`, built around the standing tables of others; or SolverStopped."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            folder = Path(name)
            (folder / "input.json").write_bytes(msgspec.json.encode(register))
            (folder / "around.json").write_bytes(msgspec.json.encode(TableSet(tables=tuple(around))))
            code, errors = await self._run(folder, communities, on_progress)
            found = _read_tables(folder)
            if len(found) != len(communities):
                raise SolverStopped(code, errors, _findings(folder))
            return found

    async def stop(self) -> None:
        """Ask the solver to hand in its best; one that does not answer is killed."""
        self.stopped = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), GRACE_SECONDS)
        except TimeoutError:
            process.kill()

    async def _run(
        self, folder: Path, communities: Sequence[str], on_progress: Callable[[Progress], None]
    ) -> tuple[int, str]:
        process = self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "server.commands.table", "build", "input.json", "--around", "around.json"),
            *(f"--community={community}" for community in communities),
            *("--seconds", f"{self._seconds:g}", "--seed", str(self._seed), "--workers", str(self._workers)),
            *("--out", "tables.json", "--report", "report.json", "--progress"),
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
            # a Ctrl-C at the terminal is for the server; it passes on what is meant for the solver
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        if self.stopped:
            process.send_signal(signal.SIGTERM)
        try:
            _, errors = await asyncio.gather(_follow(process.stdout, on_progress), process.stderr.read())
            return await process.wait(), errors.decode(errors="replace")[-2000:].strip()
        finally:
            if process.returncode is None:
                process.kill()


async def _follow(lines: asyncio.StreamReader, on_progress: Callable[[Progress], None]) -> None:
    async for line in lines:
        on_progress(msgspec.json.decode(line, type=Progress))


def _read_tables(folder: Path) -> tuple[Table, ...]:
    output = folder / "tables.json"
    return msgspec.json.decode(output.read_bytes(), type=TableSet).tables if output.exists() else ()


def _findings(folder: Path) -> tuple[Finding, ...]:
    report = folder / "report.json"
    return msgspec.json.decode(report.read_bytes(), type=Report).findings if report.exists() else ()
