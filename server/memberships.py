"""Schools that join or leave a community in mid-term: seen first, then a draft, and carried out on the date."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from server.commands.table_member import MemberReport
from server.solver_process import SolverProcess
from server.solver_run import SolverStopped
from server.storage.membership_store import MembershipChange, SqlMembershipStore
from timetable.agreement.service import TimetableService
from timetable.days.published import first_date
from timetable.errors import NotFound, StaleVersion, TimetableError
from timetable.model import Finding, Register, Table, TableSet
from timetable.register.importing import ImportService
from timetable.term import local_date
from timetable.years.membership import Join, Leave, Membership, changed

PERIOD_SECONDS = 300.0
SEARCH_SECONDS = 120.0

log = structlog.get_logger()


class MembershipRefused(TimetableError):
    """The school cannot join or leave like this; the findings say why."""

    code = "membership_refused"

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(f"{len(findings)} obstacle(s)")
        self.findings = findings


class Fitted(Struct, frozen=True):
    """What a change comes to; no `table` where it is not possible."""

    report: MemberReport
    table: Table | None


class Memberships:
    """`clock` gives unix seconds; `folder` holds the solver's files while it searches."""

    def __init__(
        self,
        store: SqlMembershipStore,
        tables: TimetableService,
        importing: ImportService,
        folder: Path,
        *,
        workers: int,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._tables = tables
        self._importing = importing
        self._folder = folder
        self._workers = workers
        self._clock = clock

    async def of(self, community: str) -> list[MembershipChange]:
        return await self._store.of(community)

    async def look(self, community: str, change: Membership) -> Fitted:
        """What the change would come to. Raises NotFound where nothing is published yet."""
        published = await self._tables.published()
        if all(version.community != community for version in published):
            raise NotFound("version", community)
        register = await self._tables.register()
        with _folder_in(self._folder) as name:
            folder = Path(name)
            (folder / "input.json").write_bytes(msgspec.json.encode(register))
            (folder / "change.json").write_bytes(msgspec.json.encode(change))
            tables = TableSet(tables=tuple(version.table for version in published))
            (folder / "tables.json").write_bytes(msgspec.json.encode(tables))
            arguments = (
                *("member", "input.json", "tables.json", "change.json", f"--community={community}"),
                *("--seconds", f"{SEARCH_SECONDS:g}", "--workers", str(self._workers)),
                *("--out", "fitted.json", "--report", "report.json"),
            )
            code, errors = await SolverProcess().run(arguments, folder, lambda line: None)
            return _read(folder, community, code, errors)

    async def plan(
        self, community: str, change: Membership, *, by: str, revision: int
    ) -> tuple[Fitted, MembershipChange]:
        """Put the change before those concerned, as a draft that counts from its date. Who joins is a member at once,
        so that it has its say; who leaves is one until the date. Raises MembershipRefused, StaleVersion."""
        await self._expect(community, revision)
        found = await self.look(community, change)
        if found.table is None:
            raise MembershipRefused(found.report.findings)
        # the search took its time: a draft changed meanwhile must not leave a member without a table
        await self._expect(community, revision)
        if isinstance(change, Join):
            await self._importing.edit(partial(_made, community=community, change=change), by)
        await self._tables.take_draft(community, found.table, author=by, revision=revision, valid_from=change.first)
        kept = MembershipChange(
            id=secrets.token_hex(6),
            community=community,
            change=change,
            by=by,
            at=self._clock(),
            state="planned" if isinstance(change, Leave) else "done",
        )
        await self._store.add(kept)
        return found, kept

    async def _expect(self, community: str, revision: int) -> None:
        draft = await self._tables.draft(community)
        current = draft.revision if draft else 0
        if revision != current:
            raise StaleVersion(revision, current)

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
            newest = await self._tables.newest(planned.community)
            if newest is None or first_date(term, newest) > today or change.first > today.isoformat():
                continue
            if any(party.unit == change.unit for lesson in newest.table.lessons for party in lesson.parties):
                continue
            await self._importing.edit(partial(_made, community=planned.community, change=planned.change), planned.by)
            await self._store.set_state(planned, "done")
            log.info("membership_changed", community=planned.community, unit=change.unit)


def _made(register: Register, *, community: str, change: Membership) -> Register:
    future, findings = changed(register, community, change)
    if wrong := tuple(finding for finding in findings if finding.severity == "error"):
        raise MembershipRefused(wrong)
    return future


def _folder_in(parent: Path) -> tempfile.TemporaryDirectory[str]:
    parent.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=parent)


def _read(folder: Path, community: str, code: int, errors: str) -> Fitted:
    report, fitted = folder / "report.json", folder / "fitted.json"
    if not report.exists():
        raise SolverStopped(code, errors, ())
    told = msgspec.json.decode(report.read_bytes(), type=MemberReport)
    if not fitted.exists():
        return Fitted(told, None)
    tables = msgspec.json.decode(fitted.read_bytes(), type=TableSet).tables
    return Fitted(told, next(table for table in tables if table.community == community))
