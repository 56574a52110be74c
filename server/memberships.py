"""Schools that join or leave a community in mid-term: seen first, then a draft, and carried out on the date."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import structlog
from msgspec import Struct, structs

from server.membership_course import Courses, Fitted, Registers, Search, go_on
from server.membership_register import MembershipRefused, made
from server.storage.membership_store import MembershipChange, SqlMembershipStore
from timetable.agreement.service import Draft, TimetableService
from timetable.errors import NotFound, StaleVersion
from timetable.model import Finding, Register
from timetable.register.importing import ImportService
from timetable.term import local_date
from timetable.years.membership import Join, Leave, Membership, withdrawn
from timetable.years.membership_dates import in_force, teaches

PERIOD_SECONDS = 300.0

log = structlog.get_logger()


class _Base(Struct, frozen=True):
    """All that a change's course follows from."""

    community: str
    change: Membership
    register: int
    versions: tuple[tuple[str, int], ...]
    planned: tuple[tuple[str, str], ...]
    today: str


class Memberships:
    """`clock` gives unix seconds."""

    def __init__(
        self,
        store: SqlMembershipStore,
        tables: TimetableService,
        importing: ImportService,
        registers: Registers,
        courses: Courses,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._tables = tables
        self._importing = importing
        self._registers = registers
        self._courses = courses
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
        found = await self._courses.of(community, await self._tables.register(), change, search)
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
        go_on(search)
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
        found = await self._courses.of(community, register, kept.change, search, gone=kept)
        if found.table is None:
            raise MembershipRefused(found.report.findings)
        known = next(one for one in register.communities if one.id == community)
        draft = await self._tables.drafted(
            known, found.table, author=by, revision=revision, valid_from=found.valid_from, interim=found.interim
        )
        go_on(search)
        await self._store.keep(gone, was=kept.state, by=by, at=self._clock(), draft=draft, edit=edit)
        return found

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
