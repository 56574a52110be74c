"""One run of the solver for tables: fed a register, followed while it searches, stopped with its best."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from server.solver_process import SolverProcess
from timetable.errors import TimetableError
from timetable.model import Finding, Register, Table, TableSet
from timetable.solving.progress import Progress


class SolverStopped(TimetableError):
    """The solver ended without the tables that were asked for, or before its time; `findings` say why, as far as it
    knows. `best` are the tables that it had handed out by then: all that were asked for, or none."""

    code = "solver_stopped"

    def __init__(self, exit_code: int, detail: str, findings: Sequence[Finding], best: Sequence[Table] = ()) -> None:
        super().__init__(f"exit {exit_code}: {detail}")
        self.exit_code, self.findings, self.best = exit_code, tuple(findings), tuple(best)


class Report(Struct, frozen=True):
    """The part of the solver's report that says why there is no table."""

    findings: tuple[Finding, ...] = ()


class SolverRun:
    """`folder` is the run's own. What it has found by then is in it, even when the server is killed."""

    def __init__(self, folder: Path, *, seconds: float, seed: int, workers: int) -> None:
        self._folder = folder
        self._seconds = seconds
        self._seed = seed
        self._workers = workers
        self.process = SolverProcess()

    async def tables(
        self,
        register: Register,
        communities: Sequence[str],
        around: Sequence[Table],
        on_progress: Callable[[Progress], None],
    ) -> tuple[Table, ...]:
        """The best tables found for `communities`, built around the standing tables of others; or SolverStopped."""
        await asyncio.to_thread(write_input, self._folder, register, around)
        arguments = (
            *("build", "input.json", "--around", "around.json"),
            *(f"--community={community}" for community in communities),
            *("--seconds", f"{self._seconds:g}", "--seed", str(self._seed), "--workers", str(self._workers)),
            *("--out", "tables.json", "--report", "report.json", "--progress"),
        )
        code, errors = await self.process.run(
            arguments, self._folder, lambda line: on_progress(msgspec.json.decode(line, type=Progress))
        )
        found = await asyncio.to_thread(found_tables, self._folder)
        report = _read_report(self._folder)
        if report is None:
            raise SolverStopped(code, errors, (), found)
        if len(found) != len(communities):
            raise SolverStopped(code, errors, report.findings)
        return found


def write_input(folder: Path, register: Register, around: Sequence[Table]) -> None:
    """The register as `input.json`, and the standing tables as `around.json`."""
    (folder / "input.json").write_bytes(msgspec.json.encode(register))
    (folder / "around.json").write_bytes(msgspec.json.encode(TableSet(tables=tuple(around))))


def found_tables(folder: Path) -> tuple[Table, ...]:
    """The best tables that a run in this folder has found by now."""
    output = folder / "tables.json"
    return msgspec.json.decode(output.read_bytes(), type=TableSet).tables if output.exists() else ()


def _read_report(folder: Path) -> Report | None:
    """What the solver writes last; None when it did not come to its end."""
    report = folder / "report.json"
    return msgspec.json.decode(report.read_bytes(), type=Report) if report.exists() else None
