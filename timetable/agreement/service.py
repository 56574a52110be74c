"""Use cases on the communities' tables: take a draft, talk about it, publish it, read it."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Protocol

from msgspec import UNSET, Struct, UnsetType, structs

from timetable.agreement import negotiation as talks
from timetable.agreement.ledger import met
from timetable.agreement.negotiation import Negotiation
from timetable.agreement.ports import Aside
from timetable.days.new_bells import following, rung
from timetable.days.versions import Version, diff
from timetable.errors import NotFound, StaleVersion, TimetableError
from timetable.model import Community, IsoDate, Register, Slot, Table
from timetable.term import local_date


class Interim(Struct, frozen=True, kw_only=True):
    """A table that counts from its date on until the next one does."""

    valid_from: IsoDate
    table: Table


class Draft(Struct, frozen=True, kw_only=True):
    """The table being agreed on. `revision` counts every change of draft or negotiation, from 1."""

    community: str
    revision: int
    table: Table
    author: str
    negotiation: Negotiation
    base: int = 0
    """Number of the version that was published when the table was built; 0: none."""
    valid_from: IsoDate | None = None
    """The first date that it is to count for, where that is later than its publication."""
    interim: tuple[Interim, ...] = ()
    """What is to count on the way there, each from its own date on, the earliest first; published with it."""


class DraftOutdated(TimetableError):
    """A lasting change was published after the draft was built; publishing the draft would undo it unsaid."""

    code = "draft_outdated"

    def __init__(self, base: int, current: int) -> None:
        super().__init__(f"built on version {base}, version {current} stands")
        self.base, self.current = base, current


class TableStore(Protocol):
    """Where drafts and versions are kept. A version, once kept, never changes."""

    async def draft(self, community: str) -> Draft | None: ...

    async def save_draft(self, draft: Draft, *, expected: int) -> None:
        """Keep `draft`; StaleVersion unless the revision kept now is `expected` (0: none yet)."""
        ...

    async def publish(self, draft: Draft, *made: Version, expected: int) -> None:
        """Keep `draft` and the versions in one transaction, or nothing."""
        ...

    async def follow(self, versions: Sequence[Version], draft: Draft | None, *, expected: int) -> None:
        """Keep versions that follow the newest one, and the draft where there is one, in one transaction. StaleVersion
        where others came first."""
        ...

    async def version(self, community: str, number: int) -> Version | None: ...

    async def newest(self, community: str) -> Version | None: ...

    async def history(self, community: str) -> list[Version]:
        """All versions, the newest first."""
        ...


class Registers(Protocol):
    async def load(self) -> Register | None: ...


Announce = Callable[[Version], Awaitable[None]]


class TimetableService:
    """The one door to a community's table. `now` gives unix seconds; `announce` hears of each new version."""

    def __init__(
        self, store: TableStore, registers: Registers, *, now: Callable[[], float], announce: Announce
    ) -> None:
        self._store = store
        self._registers = registers
        self._now = now
        self._announce = announce

    async def register(self) -> Register:
        """The county, or NotFound before anything was imported."""
        register = await self._registers.load()
        if register is None:
            raise NotFound("register", "county")
        return register

    async def community(self, community: str) -> Community:
        for known in (await self.register()).communities:
            if known.id == community:
                return known
        raise NotFound("community", community)

    async def draft(self, community: str) -> Draft | None:
        """The draft with its negotiation settled as of now, or None before the first build of the term."""
        draft = await self._store.draft(community)
        if draft is None or draft.table.term != await self._term():
            return None
        return structs.replace(draft, negotiation=talks.settle(draft.negotiation, self._now()))

    async def newest(self, community: str) -> Version | None:
        """The newest version of the term."""
        newest = await self._store.newest(community)
        return newest if newest is not None and newest.table.term == await self._term() else None

    async def published(self) -> list[Version]:
        """The newest version of every community that has one in this term."""
        found = [await self.newest(known.id) for known in (await self.register()).communities]
        return [version for version in found if version is not None]

    async def version(self, community: str, number: int) -> Version:
        version = await self._store.version(community, number)
        if version is None:
            raise NotFound("version", f"{community}/{number}")
        return version

    async def history(self, community: str, term: str | None = None) -> list[Version]:
        """All versions of a term, the newest first; without `term` those of the present one."""
        wanted = term or await self._term()
        return [version for version in await self._store.history(community) if version.table.term == wanted]

    async def _term(self) -> str:
        return (await self.register()).term.id

    async def take_draft(
        self,
        community: str,
        table: Table,
        *,
        author: str,
        revision: int,
        valid_from: str | UnsetType | None = UNSET,
        interim: tuple[Interim, ...] | UnsetType = UNSET,
        base: int | UnsetType = UNSET,
    ) -> Draft:
        """Put a newly built table on the table; what was said about an earlier draft counts where nothing changed, and
        so do the date that it was to count from and what was to count on the way there, unless others are given."""
        known = await self.community(community)
        draft = await self.drafted(
            known, table, author=author, revision=revision, valid_from=valid_from, interim=interim, base=base
        )
        await self._store.save_draft(draft, expected=draft.revision - 1)
        return draft

    async def drafted(
        self,
        known: Community,
        table: Table,
        *,
        author: str,
        revision: int,
        valid_from: str | UnsetType | None = UNSET,
        interim: tuple[Interim, ...] | UnsetType = UNSET,
        base: int | UnsetType = UNSET,
    ) -> Draft:
        """The draft that `take_draft` would keep; it replaces the one of the revision before its own. It was made for
        the newest version, unless another `base` is given."""
        community = known.id
        before = await self._store.draft(community)
        newest = await self.newest(community)
        counts_from = None if valid_from is UNSET else valid_from
        on_the_way = () if interim is UNSET else interim
        if before is not None and before.table.term == await self._term() and interim is UNSET:
            on_the_way = before.interim
        standing = newest.table if newest else None
        courses = [diff(standing, one) for one in (*(step.table for step in on_the_way), table)]
        affected = tuple(sorted({unit for one in courses for unit in one.units}))
        if before is None:
            negotiation = talks.begin(known, 1, affected)
        elif before.table.term != await self._term():
            # the draft of an earlier term is on nobody's table any more
            negotiation, revision = talks.begin(known, 1, affected), before.revision + revision
        else:
            changed = set(diff(before.table, table).units)
            if on_the_way != before.interim:
                changed |= {unit for one in courses[:-1] for unit in one.units}
            negotiation = talks.rebuilt(before.negotiation, known, affected, tuple(sorted(changed)))
            negotiation = structs.replace(negotiation, raised=talks.remembered(before.negotiation, before.table))
            counts_from = before.valid_from if valid_from is UNSET else valid_from
        return Draft(
            community=community,
            revision=revision + 1,
            table=table,
            author=author,
            negotiation=negotiation,
            base=base if base is not UNSET else newest.number if newest else 0,
            valid_from=counts_from,
            interim=on_the_way,
        )

    async def propose(self, community: str, *, unit: str, by: str, revision: int) -> Draft:
        return await self._change(community, revision, lambda n: talks.propose(n, unit=unit, by=by, now=self._now()))

    async def agree(self, community: str, *, unit: str, by: str, revision: int) -> Draft:
        return await self._change(community, revision, lambda n: talks.agree(n, unit=unit, by=by, now=self._now()))

    async def object(
        self,
        community: str,
        *,
        unit: str,
        by: str,
        revision: int,
        reason: str,
        lesson: str | None = None,
        counter: Slot | None = None,
    ) -> Draft:
        def say(negotiation: Negotiation) -> Negotiation:
            return talks.object_to(
                negotiation, unit=unit, by=by, now=self._now(), reason=reason, lesson=lesson, counter=counter
            )

        return await self._change(community, revision, say)

    async def publish(self, community: str, *, unit: str, by: str, revision: int) -> Version:
        """Freeze the agreed draft as the next version, after what is to count on the way there; the last of them."""
        draft = await self._current(community, revision)
        newest, last = await self.newest(community), await self._store.newest(community)
        if (newest.number if newest else 0) != draft.base:
            raise DraftOutdated(draft.base, newest.number if newest else 0)
        term = (await self.register()).term
        at, number, before = self._now(), last.number if last else 0, newest.table if newest else None
        made: list[Version] = []
        for first, table in (*((one.valid_from, one.table) for one in draft.interim), (draft.valid_from, draft.table)):
            valid_from = term.first_day if newest is None and last is not None else None
            if first is not None and first > local_date(at).isoformat():
                valid_from = first
            made.append(
                Version(
                    community=community,
                    number=number + 1 + len(made),
                    author=by,
                    at=at,
                    table=table,
                    diff=diff(before, table),
                    valid_from=valid_from,
                )
            )
            before = table
        made[-1] = structs.replace(made[-1], yielded=met(draft.negotiation.raised, draft.table))
        published = talks.publish(draft.negotiation, unit=unit, now=at)
        draft = structs.replace(draft, negotiation=published, interim=(), revision=revision + 1)
        await self._store.publish(draft, *made, expected=revision)
        for version in made:
            await self._announce(version)
        return made[-1]

    async def ring_anew(self, units: Collection[str], *, by: str, aside: Aside) -> list[Version]:
        """Publish for every community what makes the lessons to come of these units ring by the register's bells.
        A draft that is talked about stays on the table, by the same bells."""
        register, made = await self.register(), []
        newest = {version.community: version.table for version in await self.published()}
        for community in newest:
            history = await self.history(community)
            around = [table for id, table in newest.items() if id != community]
            at = self._now()
            versions = await aside(partial(following, register, units, history, around, by=by, at=at))
            if not versions:
                continue
            draft, expected = await self.draft(community), 0
            if draft is not None:
                expected = draft.revision
                base = versions[-1].number if draft.base == history[0].number else draft.base
                table = await aside(partial(rung, register, units, draft.table, around))
                interim = [
                    structs.replace(one, table=await aside(partial(rung, register, units, one.table, around)))
                    for one in draft.interim
                ]
                draft = structs.replace(draft, table=table, base=base, interim=tuple(interim), revision=expected + 1)
            await self._store.follow(versions, draft, expected=expected)
            for version in versions:
                await self._announce(version)
            newest[community] = versions[-1].table
            made += versions
        return made

    async def _current(self, community: str, revision: int) -> Draft:
        draft = await self._store.draft(community)
        if draft is None or draft.table.term != await self._term():
            raise NotFound("draft", community)
        if draft.revision != revision:
            raise StaleVersion(revision, draft.revision)
        return draft

    async def _change(self, community: str, revision: int, step: Callable[[Negotiation], Negotiation]) -> Draft:
        draft = await self._current(community, revision)
        changed = structs.replace(draft, negotiation=step(draft.negotiation), revision=revision + 1)
        await self._store.save_draft(changed, expected=revision)
        return changed
