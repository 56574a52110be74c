"""Schools that join or leave a community in mid-term: seen first, then a draft, and carried out on the date.

The table that fits is searched for by a process of its own, which `Search` follows and may stop.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec
import structlog
from msgspec import Struct, structs

from server.commands.table_member import MemberReport
from server.membership_register import MembershipRefused, as_of, is_to_come, made
from server.run_folder import left_behind, run_folder
from server.solver_process import SolverProcess
from server.solver_run import SolverStopped
from server.storage.membership_store import MembershipChange, SqlMembershipStore
from timetable.agreement.service import Draft, Interim, TimetableService
from timetable.errors import NotFound, StaleVersion, TimetableError
from timetable.model import Finding, Register, Table, TableSet
from timetable.register.importing import ImportService
from timetable.term import local_date
from timetable.years.membership import Join, Leave, Membership, changed, timely, withdrawn
from timetable.years.membership_dates import in_force, steps, teaches

PERIOD_SECONDS = 300.0
SEARCH_SECONDS = 120.0

log = structlog.get_logger()


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


class _Base(Struct, frozen=True):
    """All that a change's course follows from."""

    community: str
    change: Membership
    register: int
    versions: tuple[tuple[str, int], ...]
    planned: tuple[tuple[str, str], ...]
    today: str


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


class Memberships:
    """`clock` gives unix seconds; `folder` holds the solver's files while it searches."""

    def __init__(
        self,
        store: SqlMembershipStore,
        tables: TimetableService,
        importing: ImportService,
        registers: Registers,
        folder: Path,
        *,
        workers: int,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._tables = tables
        self._importing = importing
        self._registers = registers
        self._folder = folder
        self._workers = workers
        self._clock = clock
        self._looked: dict[str, tuple[_Base, Fitted]] = {}
        """What was looked at last, by community: put before those concerned, it is not searched for again."""

    async def of(self, community: str) -> list[MembershipChange]:
        return await self._store.of(community)

    async def foreseen(self, community: str, register: Register, valid_from: str | None) -> Register:
        """The register as a draft that counts from `valid_from` on must fit it: without the schools that are to leave
        by then. None: from its publication on, as the register stands."""
        if valid_from is None:
            return register
        for planned in await self._store.planned():
            if planned.community == community and planned.change.first <= valid_from:
                # one who has left by now, by another way, is no member any more
                with suppress(NotFound):
                    register = made(register, community=community, change=planned.change)
        return register

    async def look(self, community: str, change: Membership, search: Search) -> Fitted:
        """What the change would come to. Raises NotFound where nothing is published yet, SearchStopped."""
        base = await self._base(community, change)
        known = self._looked.get(community)
        if known is not None and known[0] == base:
            return known[1]
        found = await self._course(community, await self._tables.register(), change, search)
        self._looked[community] = base, found
        return found

    async def plan(
        self, community: str, change: Membership, search: Search, *, by: str, revision: int
    ) -> tuple[Fitted, MembershipChange]:
        """Put the change before those concerned, as a draft that counts from its date. Who joins is a member at once,
        so that it has its say; who leaves is one until the date. Raises MembershipRefused, StaleVersion,
        SearchStopped."""
        await self.current(community, revision)
        found = await self.look(community, change, search)
        if found.table is None:
            raise MembershipRefused(found.report.findings)
        edit = None
        if isinstance(change, Join):
            edit = await self._importing.prepared(partial(made, community=community, change=change))
        register = edit.register if edit else await self._tables.register()
        known = next(one for one in register.communities if one.id == community)
        draft = await self._tables.drafted(
            known, found.table, author=by, revision=revision, valid_from=found.valid_from, interim=found.interim
        )
        kept = MembershipChange(
            id=secrets.token_hex(6),
            community=community,
            change=change,
            by=by,
            at=self._clock(),
            state="planned" if isinstance(change, Leave) else "done",
            register_before=edit.base if edit else 0,
        )
        _go_on(search)
        await self._store.keep(kept, was=None, by=by, at=kept.at, draft=draft, edit=edit)
        return found, kept

    async def may_withdraw(self, change: MembershipChange) -> bool:
        return await self._obstacle(change) is None

    async def withdrawable(self, community: str, id: str) -> MembershipChange:
        """The change that may be taken back. Raises NotFound, MembershipRefused."""
        kept = await self._store.get(community, id)
        if kept is None:
            raise NotFound("membership", id[:32])
        if obstacle := await self._obstacle(kept):
            raise MembershipRefused((obstacle,))
        return kept

    async def withdraw(self, community: str, id: str, search: Search, *, by: str, revision: int) -> Fitted:
        """Take a change back. The draft is then the table that stands, with what else is planned, and with room again
        for a school that stays where a table without it is published, from the same date on. Raises NotFound,
        MembershipRefused, StaleVersion, SearchStopped."""
        await self.current(community, revision)
        kept = await self.withdrawable(community, id)
        gone = structs.replace(kept, state="withdrawn")
        edit = None
        if isinstance(kept.change, Join):
            before = await self._registers.at(kept.register_before)
            undo = partial(withdrawn, before=before, community=community, change=kept.change)
            edit = await self._importing.prepared(undo)
        register = edit.register if edit else await self._tables.register()
        found = await self._course(community, register, kept.change, search, gone=kept)
        if found.table is None:
            raise MembershipRefused(found.report.findings)
        known = next(one for one in register.communities if one.id == community)
        draft = await self._tables.drafted(
            known, found.table, author=by, revision=revision, valid_from=found.valid_from, interim=found.interim
        )
        _go_on(search)
        await self._store.keep(gone, was=kept.state, by=by, at=self._clock(), draft=draft, edit=edit)
        return found

    async def sweep(self) -> None:
        """Remove what the searches of an earlier process left behind."""
        for folder in await asyncio.to_thread(left_behind, self._folder):
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def run(self) -> None:
        """Carry out what has come due, until cancelled."""
        while True:
            try:
                await self.settle()
            except NotFound:
                pass  # nothing was imported yet
            except Exception as error:
                log.error("memberships_failed", exc_info=error)
            await asyncio.sleep(PERIOD_SECONDS)

    async def settle(self) -> None:
        """Take those out of their community whose last lesson by the published tables is over."""
        today = local_date(self._clock())
        for planned in await self._store.planned():
            change, term = planned.change, (await self._tables.register()).term
            history = await self._tables.history(planned.community)
            counting = in_force(term, history, today)
            if counting is None or change.first > today.isoformat():
                continue
            # not while a table that counts, or is to count, has lessons of it
            to_come = (version for version in history if version.number >= counting.number)
            if any(teaches(version.table, change.unit) for version in to_come):
                continue
            community = await self._tables.community(planned.community)
            edit = None
            if change.unit in community.units:
                edit = await self._importing.prepared(partial(made, community=community.id, change=change))
            done = structs.replace(planned, state="done")
            await self._store.keep(done, was="planned", by=planned.by, at=self._clock(), edit=edit)
            log.info("membership_changed", community=planned.community, unit=change.unit)

    async def _obstacle(self, kept: MembershipChange) -> Finding | None:
        """Why a change cannot be withdrawn."""
        if kept.state == "withdrawn" or (kept.state == "done" and isinstance(kept.change, Leave)):
            return Finding(code="membership_over")
        if isinstance(kept.change, Join):
            newest = await self._tables.newest(kept.community)
            register = await self._tables.register()
            members = {unit for one in register.communities if one.id == kept.community for unit in one.units}
            if kept.change.unit not in members or kept.register_before == 0:
                return Finding(code="membership_over")
            if newest is not None and teaches(newest.table, kept.change.unit):
                return Finding(code="membership_published")
        return None

    async def current(self, community: str, revision: int) -> Draft | None:
        """The draft that stands; StaleVersion unless it is of that revision (0: none)."""
        draft = await self._tables.draft(community)
        current = draft.revision if draft else 0
        if revision != current:
            raise StaleVersion(revision, current)
        return draft

    async def _base(self, community: str, change: Membership) -> _Base:
        return _Base(
            community=community,
            change=change,
            register=await self._importing.version(),
            versions=tuple((version.community, version.number) for version in await self._tables.published()),
            planned=tuple((known.id, known.state) for known in await self._store.of(community)),
            today=local_date(self._clock()).isoformat(),
        )

    async def _course(
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
            _go_on(search)
            return await asyncio.to_thread(_read, folder, community, code, errors)


def _go_on(search: Search) -> None:
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
