"""Use cases of changes after publication: look at one, ask for it, answer it, take it back, and carry it out."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import date
from functools import partial

from msgspec import structs

from timetable.agreement import amendments as talks
from timetable.agreement.amendments import Amendment, AmendmentRefused, State
from timetable.agreement.consent import WrongSide
from timetable.agreement.in_force import InForce, Present
from timetable.agreement.ports import AmendmentStore, Aside, Tables
from timetable.days import cover, rung_days
from timetable.days.changes import Change
from timetable.days.cover import CoverPlan
from timetable.days.dated import DatedTables
from timetable.days.effects import Applied
from timetable.days.grounds import Grounds
from timetable.days.openings import Opening, openings
from timetable.days.outcomes import work_out
from timetable.days.rung_days import Rung
from timetable.days.scene import Outcome, clashes, lines_of
from timetable.days.versions import Version
from timetable.errors import NotFound, StaleVersion
from timetable.model import Finding, Slot

ATTEMPTS = 5
"""How often an amendment is worked out anew when others are carried out at the same moment."""


class AmendmentService:
    """The one door to changes after publication. `now` gives unix seconds; the announcements are awaited after each
    amendment that was applied and each version that one made."""

    def __init__(
        self,
        store: AmendmentStore,
        tables: Tables,
        *,
        now: Callable[[], float],
        aside: Aside,
        announce: Callable[[Amendment], Awaitable[None]],
        announce_version: Callable[[Version], Awaitable[None]],
    ) -> None:
        self._store = store
        self._tables = tables
        self._in_force = InForce(store, tables)
        self._now = now
        self._aside = aside
        self._announce = announce
        self._announce_version = announce_version

    # Looking --------------------------------------------------------------------------------------------------------

    async def present(self) -> Present:
        """Everything in force now; NotFound before anything was imported."""
        return await self._in_force.now()

    async def in_force(self) -> DatedTables:
        """The tables of all communities on every date; the same object as long as nothing changes."""
        return (await self.present()).tables

    async def all(self, community: str) -> list[Amendment]:
        """The amendments of a community, the newest first, settled as of now."""
        now = self._now()
        return [talks.settle(amendment, now) for amendment in await self._store.of(community)]

    async def clashes(self, amendments: Sequence[Amendment]) -> dict[int, tuple[Finding, ...]]:
        """By number, what stands in the way of applied amendments since a version was published after them."""
        present = await self.present()
        now = self._now()
        latest = max((v.at for id in present.tables.communities for v in present.tables.versions(id)), default=0.0)
        later = [
            one
            for one in amendments
            if one.state is State.APPLIED and one.applied_at is not None and one.applied_at < latest
        ]

        def body() -> dict[int, tuple[Finding, ...]]:
            found = {one.number: clashes(present.grounds, present.tables, one.effects, now) for one in later}
            return {number: findings for number, findings in found.items() if findings}

        return await self._aside(body)

    async def get(self, community: str, number: int) -> Amendment:
        found = await self._store.get(community, number)
        if found is None:
            raise NotFound("amendment", f"{community}/{number}")
        return found

    async def look(self, community: str, change: Change) -> tuple[Present, Outcome]:
        """What a change would come to, without asking anybody."""
        known = await self._tables.community(community)
        present = await self.present()
        return present, await self._work_out(present, known.id, change, 0)

    async def openings(self, community: str, occurrence: str, first: date, last: date) -> list[Opening]:
        """Where an occurrence of the community could stand on these days, and what stands against the rest."""
        present = await self.present()
        standing = present.tables.find(occurrence)
        if standing is None or standing.community != community:
            raise NotFound("occurrence", occurrence)
        now = self._now()
        return await self._aside(lambda: openings(present.grounds, present.tables, standing, first, last, now))

    async def cover(self, teacher: str, first: date, last: date) -> CoverPlan:
        """Who could stand in for a teacher on these days."""
        present = await self.present()
        now = self._now()
        return await self._aside(lambda: cover.plan(present.grounds, present.tables, teacher, first, last, now))

    # Talking --------------------------------------------------------------------------------------------------------

    async def ask(self, community: str, change: Change, *, unit: str, by: str, reason: str, version: int) -> Amendment:
        """Ask those concerned for a change of published `version`; what needs nobody else counts at once. Raises
        AmendmentRefused with the reasons, StaleVersion where a newer version is published."""
        known = await self._tables.community(community)
        present = await self.present()
        newest = present.tables.newest(community)
        if newest is None:
            raise NotFound("version", community)
        if newest.number != version:
            raise StaleVersion(version, newest.number)
        outcome = await self._work_out(present, community, change, 0)
        if not outcome.possible:
            raise AmendmentRefused(outcome.findings)
        if unit not in outcome.affected and unit != known.core:
            raise WrongSide(unit, "ask")
        now = self._now()
        drafted = talks.draft(
            known,
            number=0,
            change=change,
            reason=reason,
            unit=unit,
            by=by,
            now=now,
            affected=outcome.affected,
            earliest=outcome.earliest,
            lines=lines_of(present.grounds, outcome),
        )
        return await self._settled(await self._store.add(talks.ask(drafted, now)))

    async def agree(self, community: str, number: int, *, unit: str, by: str, revision: int) -> Amendment:
        return await self._say(
            community, number, revision, lambda known: talks.agree(known, unit=unit, by=by, now=self._now())
        )

    async def object(
        self,
        community: str,
        number: int,
        *,
        unit: str,
        by: str,
        revision: int,
        reason: str,
        counter: Slot | None = None,
    ) -> Amendment:
        def say(known: Amendment) -> Amendment:
            return talks.object_to(known, unit=unit, by=by, now=self._now(), reason=reason, counter=counter)

        return await self._say(community, number, revision, say)

    async def withdraw(self, community: str, number: int, *, unit: str, revision: int) -> Amendment:
        return await self._say(community, number, revision, lambda known: talks.withdraw(known, unit=unit))

    async def settle(self) -> list[Amendment]:
        """Let deadlines that have passed count, and carry out what is agreed; what changed by that."""
        changed = []
        for waiting in await self._store.waiting():
            settled = talks.settle(waiting, self._now())
            try:
                if settled is not waiting:
                    await self._store.save(settled, expected=waiting.revision)
                after = await self._settled(settled)
            except StaleVersion:
                continue  # somebody answered at this moment; the next look sees it
            if after is not waiting:
                changed.append(after)
        return changed

    async def ring_anew(self, units: Collection[str]) -> list[Finding]:
        """Let the changes of days to come of these units follow the register's bells; what is to be said of that."""
        present, said = await self.present(), []
        for applied in present.tables.applied:
            found = await self._aside(partial(self._rung, present, units, applied))
            if found.effects == applied.effects and not found.findings:
                continue
            for _ in range(ATTEMPTS):
                known = await self.get(applied.community, applied.number)
                if known.state is not State.APPLIED or known.effects != applied.effects:
                    break  # taken back, or schools opened again, at this moment
                changed = talks.rung(known, found.effects, found.findings, now=self._now())
                try:
                    await self._store.save(changed, expected=known.revision)
                except StaleVersion:
                    continue
                said += rung_days.told(present.grounds, applied, found)
                await self._announce(changed)
                break
        return said

    def _rung(self, present: Present, units: Collection[str], applied: Applied) -> Rung:
        return rung_days.rung(present.grounds, present.tables, units, applied, at=self._now())

    # Carrying out ---------------------------------------------------------------------------------------------------

    async def _say(
        self, community: str, number: int, revision: int, word: Callable[[Amendment], Amendment]
    ) -> Amendment:
        known = await self.get(community, number)
        if known.revision != revision:
            raise StaleVersion(revision, known.revision)
        changed = word(known)
        await self._store.save(changed, expected=revision)
        return await self._settled(changed)

    async def _settled(self, amendment: Amendment) -> Amendment:
        """Carried out where it is agreed; otherwise as it is."""
        for _ in range(ATTEMPTS):
            if amendment.state is not State.AGREED:
                return amendment
            try:
                return await self._carry_out(amendment)
            except StaleVersion:
                amendment = await self.get(amendment.community, amendment.number)
        return amendment

    async def _carry_out(self, amendment: Amendment) -> Amendment:
        present = await self.present()
        try:
            outcome = await self._work_out(present, amendment.community, amendment.change, amendment.number)
        except NotFound as gone:
            # a later version or register does not have it any more
            outcome = Outcome(findings=(Finding(code="amend_gone", values={"id": gone.id}),))
        findings = (*outcome.findings, *_unasked(present.grounds, amendment, outcome))
        if any(finding.severity == "error" for finding in findings):
            refused = talks.no_longer_fits(amendment, findings)
            await self._store.save(refused, expected=amendment.revision)
            return refused
        now = self._now()
        version = outcome.version and structs.replace(outcome.version, author=amendment.by, at=now)
        done = talks.applied(
            amendment,
            now=now,
            effects=outcome.effects,
            version=version.number if version else None,
            lines=lines_of(present.grounds, outcome),
            findings=findings,
        )
        undone = None
        if outcome.undone is not None:
            undone = talks.undone(await self.get(amendment.community, outcome.undone), now=now, by=amendment.number)
        await self._store.carry_out(
            done, expected=amendment.revision, mark=present.mark, undone=undone, version=version
        )
        if version is not None:
            await self._announce_version(version)
        await self._announce(done)
        return done

    async def _work_out(self, present: Present, community: str, change: Change, number: int) -> Outcome:
        now = self._now()

        def body() -> Outcome:
            return work_out(
                change,
                community=community,
                number=number,
                grounds=present.grounds,
                tables=present.tables,
                now=now,
            )

        return await self._aside(body)


def _unasked(grounds: Grounds, amendment: Amendment, outcome: Outcome) -> tuple[Finding, ...]:
    """Something came between the question and the answer, and the change would touch others now."""
    more = [unit for unit in outcome.affected if unit not in amendment.affected]
    if not more or not outcome.possible:
        return ()
    units = "、".join(grounds.unit_name(unit) for unit in more)
    return (Finding(code="amend_more_affected", values={"units": units}),)
