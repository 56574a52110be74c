"""What a change of a community's members comes to: its course, a table from each date on that fits what is to be taught
then.

Each table is searched for by a process of its own, which `Search` follows and may stop.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct, structs

from server.commands.table_member import MemberReport
from server.membership_register import as_of, is_to_come, made
from server.run_folder import left_behind, run_folder
from server.solver_process import SolverProcess
from server.solver_run import SolverStopped
from server.storage.membership_store import MembershipChange, SqlMembershipStore
from timetable.agreement.service import Interim, TimetableService
from timetable.errors import NotFound, TimetableError
from timetable.model import Finding, Register, Table, TableSet
from timetable.term import local_date
from timetable.years.membership import Membership, changed, timely
from timetable.years.membership_dates import steps

SEARCH_SECONDS = 120.0


class Search(Protocol):
    """Follows one search for what a change comes to."""

    process: SolverProcess
    """Stopped by who does not want it any more: nothing is kept then."""

    def begun(self, step: int, of: int) -> None:
        """The table of that date is looked for, the `step`th of these, from 1."""
        ...

    def told(self, line: bytes) -> None:
        """One line of the solver's."""
        ...


class SearchStopped(TimetableError):
    """Nobody wants the search any more."""

    code = "search_stopped"


class Registers(Protocol):
    async def at(self, number: int) -> Register:
        """The register as it was in that version."""
        ...


class Fitted(Struct, frozen=True):
    """What a change comes to; no `table` where it is not possible. It counts from `valid_from` on, `interim` before."""

    report: MemberReport
    table: Table | None
    valid_from: str | None = None
    interim: tuple[Interim, ...] = ()


class Courses:
    """`clock` gives unix seconds; `folder` holds the solver's files while it searches."""

    def __init__(
        self,
        store: SqlMembershipStore,
        tables: TimetableService,
        registers: Registers,
        folder: Path,
        *,
        workers: int,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._tables = tables
        self._registers = registers
        self._folder = folder
        self._workers = workers
        self._clock = clock

    async def of(
        self,
        community: str,
        register: Register,
        change: Membership,
        search: Search,
        *,
        gone: MembershipChange | None = None,
    ) -> Fitted:
        """What the published tables come to with everything that is planned and this change, each from its own date
        on; without it where it is `gone`."""
        history = await self._tables.history(community)
        if not history:
            raise NotFound("version", community)
        others = [one for one in await self._store.of(community) if gone is None or one.id != gone.id]
        planned = [one for one in others if is_to_come(one, local_date(self._clock()))]
        before = {one.id: await self._registers.at(one.register_before) for one in planned if one.register_before}
        findings: tuple[Finding, ...] = ()
        if gone is None:
            then = as_of(register, community, change.first, planned, before)
            today = local_date(self._clock()).isoformat()
            findings = (*timely(register.term, change, today), *changed(then, community, change)[1])
            if any(finding.severity == "error" for finding in findings):
                return Fitted(MemberReport(possible=False, findings=findings), None)

        def register_on(day: str) -> Register:
            then = as_of(register, community, day, planned, before)
            if gone is not None or change.first > day:
                return then
            return made(then, community=community, change=change)

        dates = [change.first, *(one.change.first for one in planned)]
        units = {change.unit, *(one.change.unit for one in planned)}
        term = register.term
        course = steps(term, history, community, units, dates, register_on)
        if not course:
            newest = history[0]
            report = MemberReport(possible=True, findings=findings, kept=len(newest.table.lessons))
            return Fitted(report, newest.table, newest.valid_from)
        around = [version.table for version in await self._tables.published() if version.community != community]
        told: MemberReport | None = None
        found: list[Interim] = []
        for number, step in enumerate(course, 1):
            standing = step.table or found[-1].table
            search.begun(number, len(course))
            report, table = await self._fit(community, step.register, [*around, standing], change, search)
            if table is None:
                return Fitted(structs.replace(report, findings=(*findings, *report.findings)), None)
            if told is None or step.first == change.first:
                told = structs.replace(report, findings=(*findings, *report.findings))
            found.append(Interim(valid_from=step.first, table=table))
        assert told is not None
        *interim, last = found
        return Fitted(told, last.table, last.valid_from, tuple(interim))

    async def _fit(
        self, community: str, register: Register, tables: Sequence[Table], change: Membership, search: Search
    ) -> tuple[MemberReport, Table | None]:
        """The community's table that fits the register, with the fewest moves."""
        with run_folder(self._folder) as folder:
            await asyncio.to_thread(_write, folder, register, TableSet(tables=tuple(tables)), change)
            arguments = (
                *("member", "input.json", "tables.json", "change.json", f"--community={community}", "--withdraw"),
                *("--seconds", f"{SEARCH_SECONDS:g}", "--workers", str(self._workers), "--progress"),
                *("--out", "fitted.json", "--report", "report.json"),
            )
            code, errors = await search.process.run(arguments, folder, search.told)
            go_on(search)
            return await asyncio.to_thread(_read, folder, community, code, errors)

    async def sweep(self) -> None:
        """Remove what the searches of an earlier process left behind."""
        for folder in await asyncio.to_thread(left_behind, self._folder):
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def go_on(search: Search) -> None:
    """Raises SearchStopped where nobody wants it any more."""
    if search.process.stopped:
        raise SearchStopped()


def _write(folder: Path, register: Register, tables: TableSet, change: Membership) -> None:
    for name, content in (("input", register), ("tables", tables), ("change", change)):
        (folder / f"{name}.json").write_bytes(msgspec.json.encode(content))


def _read(folder: Path, community: str, code: int, errors: str) -> tuple[MemberReport, Table | None]:
    report, fitted = folder / "report.json", folder / "fitted.json"
    if not report.exists():
        raise SolverStopped(code, errors, ())
    told = msgspec.json.decode(report.read_bytes(), type=MemberReport)
    if not fitted.exists():
        return told, None
    tables = msgspec.json.decode(fitted.read_bytes(), type=TableSet).tables
    return told, next(table for table in tables if table.community == community)
