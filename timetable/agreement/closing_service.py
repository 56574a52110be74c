"""Use cases of sudden closings: look at one, declare it, open the schools again, plan what makes up for it."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import date

from msgspec import Struct, structs

from timetable.agreement import amendments as talks
from timetable.agreement.amendment_service import AmendmentService
from timetable.agreement.amendments import State
from timetable.agreement.in_force import Present
from timetable.agreement.ports import AmendmentStore, Aside, ClosingStore
from timetable.days import make_ups
from timetable.days.changes import MakeUp, MakeUpOwn
from timetable.days.closings import Closing, faults
from timetable.days.dated import DatedTables
from timetable.days.make_ups import MakeUpPlan, OwnMakeUpPlan, made_up_by
from timetable.days.standing import held
from timetable.errors import NotAllowedNow, NotFound, StaleVersion, TimetableError
from timetable.model import Finding, MakeUpDay
from timetable.term import moment


class ClosingRefused(TimetableError):
    """The closing cannot be declared; the findings say why."""

    code = "closing_refused"

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(f"{len(findings)} obstacle(s)")
        self.findings = tuple(findings)


class UnitLoss(Struct, frozen=True, kw_only=True, rename="camel"):
    """The lessons of one school by itself that do not take place."""

    unit: str
    own: int
    made_up: int
    """Of these, those that are held on another date."""


class Loss(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a closing takes of one community's lessons."""

    community: str
    shared: int
    """Lessons of several schools that do not take place."""
    own: int
    """Lessons of single schools that do not take place."""
    reduced: int
    """Shared lessons that go on without the schools that are shut."""
    made_up: int = 0
    """Of the shared ones, those that are made up."""
    own_made_up: int = 0
    """Of the own ones, those that are made up."""
    units: tuple[UnitLoss, ...] = ()
    """The schools that lost lessons of their own."""


class ClosingService:
    """The one door to closings. `announce` is awaited with each that was declared, changed or ended."""

    def __init__(
        self,
        store: ClosingStore,
        amendments: AmendmentService,
        changes: AmendmentStore,
        *,
        now: Callable[[], float],
        new_id: Callable[[], str],
        aside: Aside,
        announce: Callable[[Closing], Awaitable[None]],
    ) -> None:
        self._store = store
        self._amendments = amendments
        self._changes = changes
        self._now = now
        self._new_id = new_id
        self._aside = aside
        self._announce = announce

    async def all(self) -> list[Closing]:
        """The newest first."""
        return await self._store.all()

    async def get(self, id: str) -> Closing:
        found = next((closing for closing in await self._store.all() if closing.id == id), None)
        if found is None:
            raise NotFound("closing", id)
        return found

    async def losses(self, closing: Closing) -> list[Loss]:
        """What it takes from whom, by community."""
        present = await self._amendments.present()
        return await self._aside(lambda: losses(present.tables, closing))

    async def look(self, closing: Closing) -> tuple[Closing, list[Loss]]:
        """What it would take, declared now. Raises ClosingRefused."""
        present = await self._amendments.present()
        known = structs.replace(closing, id=self._new_id(), at=self._now(), revision=1)
        found = faults(known, present.grounds.term, present.grounds.register.weekdays, known.at)
        if not found and _until(known) <= known.at:
            found = [Finding(code="closing_past", values={"last": known.last})]
        if found:
            raise ClosingRefused(found)
        tables = present.tables.with_closings((*present.tables.closings.all, known))
        return known, await self._aside(lambda: losses(tables, known))

    async def declare(self, closing: Closing) -> tuple[Closing, list[Loss]]:
        """Close the schools: every lesson in that time is off at once."""
        known, taken = await self.look(closing)
        await self._store.add(known)
        await self._announce(known)
        return known, taken

    async def reopen(self, id: str, *, by: str, revision: int) -> Closing:
        """Open the schools again: what has not begun takes place, and what was to make up for it does not."""
        known = await self._current(id, revision)
        if known.reopened_at is not None:
            raise NotAllowedNow("reopened", "reopened")
        changed = structs.replace(known, reopened_at=self._now(), reopened_by=by, revision=revision + 1)
        await self._store.save(changed, expected=revision)
        await self._announce(changed)
        await self._take_back(await self._amendments.present())
        return changed

    async def give_days(self, id: str, days: tuple[MakeUpDay, ...], *, revision: int) -> Closing:
        """Say on which free days lost lessons may be made up."""
        known = await self._current(id, revision)
        present = await self._amendments.present()
        changed = structs.replace(known, make_up_days=days, revision=revision + 1)
        if found := faults(changed, present.grounds.term, present.grounds.register.weekdays, self._now()):
            raise ClosingRefused(found)
        await self._store.save(changed, expected=revision)
        await self._announce(changed)
        return changed

    async def plan(self, community: str, id: str) -> MakeUpPlan:
        """When the community's lost shared lessons could be made up."""
        closing, present = await self.get(id), await self._amendments.present()
        waiting, now = await self._waiting(community), self._now()
        return await self._aside(
            lambda: make_ups.plan(present.grounds, present.tables, closing, community, now, waiting)
        )

    async def own_plan(self, community: str, unit: str, id: str) -> OwnMakeUpPlan:
        """When the lessons that the unit lost of its own could be made up."""
        closing, present = await self.get(id), await self._amendments.present()
        waiting, now = await self._waiting(community), self._now()
        return await self._aside(
            lambda: make_ups.own_plan(present.grounds, present.tables, closing, community, unit, now, waiting)
        )

    async def _waiting(self, community: str) -> list[MakeUp | MakeUpOwn]:
        """What is asked for already."""
        every = await self._changes.waiting()
        return [
            one.change for one in every if one.community == community and isinstance(one.change, MakeUp | MakeUpOwn)
        ]

    async def _current(self, id: str, revision: int) -> Closing:
        known = await self.get(id)
        if known.revision != revision:
            raise StaleVersion(revision, known.revision)
        return known

    async def _take_back(self, present: Present) -> None:
        """End what makes up for lessons that take place after all."""
        now, tables = self._now(), present.tables
        for amendment in await self._changes.waiting():
            if not isinstance(amendment.change, MakeUp | MakeUpOwn):
                continue
            if any(held(tables.find(occurrence)) for occurrence in make_ups.asked_for((amendment.change,))):
                withdrawn = talks.withdraw(amendment, unit=amendment.unit)
                await self._changes.save(withdrawn, expected=amendment.revision)
        for community in tables.communities:
            for amendment in await self._changes.of(community):
                if not isinstance(amendment.change, MakeUp | MakeUpOwn) or amendment.state is not State.APPLIED:
                    continue
                needless = {
                    effect.uid
                    for effect in amendment.effects
                    if held(tables.standing(made_up_by(effect.uid)))
                    and held(extra := tables.standing(effect.uid))
                    and extra.starts > now
                }
                if needless:
                    changed = talks.without(amendment, needless, now=now)
                    await self._changes.save(changed, expected=amendment.revision)


def losses(tables: DatedTables, closing: Closing) -> list[Loss]:
    """What the closing takes of the tables in which it counts already."""
    counts: dict[str, Counter[str]] = {}
    own: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    made_up = make_ups.made_up_for(tables)
    for day in closing.days:
        for standing in tables.on(day):
            if standing.closing is None or standing.closing.id != closing.id:
                continue
            parties = standing.occurrence.lesson.parties
            kind = "reduced" if not standing.cancelled else "shared" if len(parties) > 1 else "own"
            count = counts.setdefault(standing.community, Counter())
            count[kind] += 1
            if kind == "own":
                own[standing.community][parties[0].unit].update(own=1, made_up=standing.uid in made_up)
                count["own_made_up"] += standing.uid in made_up
            elif kind == "shared":
                count["made_up"] += standing.uid in made_up
    return [
        Loss(
            community=community,
            **{what: found[what] for what in ("shared", "own", "reduced", "made_up", "own_made_up")},
            units=tuple(
                UnitLoss(unit=unit, own=lost["own"], made_up=lost["made_up"])
                for unit, lost in sorted(own[community].items())
            ),
        )
        for community, found in counts.items()
    ]


def _until(closing: Closing) -> float:
    """Unix seconds at which the closed time is over."""
    return moment(date.fromisoformat(closing.last), closing.end or "23:59")
