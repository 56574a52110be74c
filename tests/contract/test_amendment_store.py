"""Changes after publication keep their promises on SQLite and on PostgreSQL, whoever comes at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import TypeVar

import pytest
from msgspec import structs

from server.storage.amendment_store import SqlAmendmentStore
from server.storage.database import Database
from server.storage.table_store import SqlTableStore
from tests.dated_days import PUBLISHED, community, days
from timetable.agreement.amendment_service import AmendmentService
from timetable.agreement.amendments import Amendment, AmendmentRefused, State
from timetable.agreement.consent import WrongSide
from timetable.agreement.service import TimetableService
from timetable.days.changes import Cancel, Change, Move, MoveWeekly, Undo
from timetable.days.dated import DatedTables
from timetable.days.standing import Standing
from timetable.days.versions import Version
from timetable.errors import NotFound, StaleVersion
from timetable.model import Mode, Register
from timetable.term import moment

NOW = moment(date(2026, 9, 2), "07:00")
SHARED, LOCAL = "A-r14", "A-r1"

T = TypeVar("T")


class Registers:
    def __init__(self, register: Register) -> None:
        self.register = register

    async def load(self) -> Register:
        return self.register


class Office:
    """The services over one database, with a clock that tests move, and what was announced."""

    def __init__(self, database: Database, mode: Mode) -> None:
        register, _ = community()
        known = structs.replace(
            register, communities=tuple(structs.replace(c, mode=mode) for c in register.communities)
        )
        self.now = PUBLISHED
        self.versions: list[Version] = []
        self.told: list[Amendment] = []
        self.store = SqlAmendmentStore(database)
        self.tables = TimetableService(
            SqlTableStore(database), Registers(known), now=lambda: self.now, announce=self._published
        )
        self.amendments = self.service()

    def service(self) -> AmendmentService:
        """Another process on the same database."""
        return AmendmentService(
            self.store,
            self.tables,
            now=lambda: self.now,
            aside=at_once,
            announce=self._told,
            announce_version=self._published,
        )

    async def _published(self, version: Version) -> None:
        self.versions.append(version)

    async def _told(self, amendment: Amendment) -> None:
        self.told.append(amendment)

    async def publish(self) -> None:
        await self.tables.take_draft("A", community()[1], author="a", revision=0)
        revision = (await self.tables.propose("A", unit="A0", by="a", revision=1)).revision
        for unit in ("A1", "A2"):
            revision = (await self.tables.agree("A", unit=unit, by="b", revision=revision)).revision
        await self.tables.publish("A", unit="A0", by="a", revision=revision)
        self.now = NOW

    async def ask(self, change: Change, unit: str = "A0") -> Amendment:
        return await self.amendments.ask("A", change, unit=unit, by="主任", reason="活动", version=1)


async def at_once(body: Callable[[], T], /) -> T:
    return body()


@pytest.fixture
async def office(database: Database) -> Office:
    office = Office(database, "collaborative")
    await office.publish()
    return office


def standing(tables: DatedTables, requirement: str, unit: str = "A0") -> Standing:
    return next(
        found
        for day in days(community()[0])[6:]
        for found in tables.on(day)
        if found.occurrence.lesson.requirement == requirement and found.occurrence.lesson.host.unit == unit
    )


async def test_a_schools_own_lesson_is_cancelled_at_once(office: Office) -> None:
    tables = await office.amendments.in_force()
    local = standing(tables, LOCAL)
    done = await office.ask(Cancel(occurrence=local.occurrence.id))
    assert (done.number, done.state, done.affected) == (1, State.APPLIED, ("A0",))
    found = (await office.amendments.in_force()).find(local.occurrence.id)
    assert found is not None
    assert (found.cancelled, [one.number for one in office.told]) == (True, [1])


async def test_shared_lesson_waits_for_those_concerned_and_is_seen_by_another_process(office: Office) -> None:
    tables = await office.amendments.in_force()
    shared = standing(tables, SHARED)
    asked = await office.ask(Cancel(occurrence=shared.occurrence.id))
    assert (asked.state, office.told) == (State.ASKED, [])
    for unit in ("A1", "A2"):
        asked = await office.amendments.agree("A", 1, unit=unit, by="x", revision=asked.revision)
    assert (asked.state, [consent.unit for consent in asked.consents]) == (State.APPLIED, ["A0", "A1", "A2"])
    found = (await office.service().in_force()).find(shared.occurrence.id)
    assert found is not None
    assert found.cancelled


async def test_stale_answers_and_stale_tables_are_refused(office: Office) -> None:
    shared = standing(await office.amendments.in_force(), SHARED)
    asked = await office.ask(Cancel(occurrence=shared.occurrence.id))
    await office.amendments.agree("A", 1, unit="A1", by="x", revision=asked.revision)
    with pytest.raises(StaleVersion):
        await office.amendments.agree("A", 1, unit="A2", by="x", revision=asked.revision)
    with pytest.raises(StaleVersion):
        await office.amendments.ask(
            "A", Cancel(occurrence=shared.occurrence.id), unit="A0", by="x", reason="", version=7
        )
    with pytest.raises(NotFound):
        await office.amendments.get("A", 9)


async def test_two_answers_at_once_lose_nothing(office: Office) -> None:
    shared = standing(await office.amendments.in_force(), SHARED)
    asked = await office.ask(Cancel(occurrence=shared.occurrence.id))
    answers = await asyncio.gather(
        *(office.amendments.agree("A", 1, unit=unit, by="x", revision=asked.revision) for unit in ("A1", "A2")),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Amendment", "StaleVersion"]
    assert len((await office.amendments.get("A", 1)).consents) == 2


async def test_two_changes_into_one_slot_are_not_both_carried_out(office: Office) -> None:
    """Each is possible alone; whoever comes second is refused with the reason, however close behind."""
    tables = await office.amendments.in_force()
    one, other = standing(tables, LOCAL), standing(tables, "A-r2")
    into = await free_for_both(office, one, other)
    outcomes = await asyncio.gather(
        *(
            office.service().ask(
                "A",
                Move(occurrence=s.occurrence.id, date=into[0], period=into[1]),
                unit="A0",
                by="x",
                reason="",
                version=1,
            )
            for s in (one, other)
        ),
        return_exceptions=True,
    )
    refused = [o for o in outcomes if isinstance(o, AmendmentRefused) or (isinstance(o, Amendment) and o.cause)]
    assert (len(refused), len(office.told)) == (1, 1)


async def free_for_both(office: Office, one: Standing, other: Standing) -> tuple[str, int]:
    for day in days(community()[0])[8:]:
        for period in range(1, 8):
            changes = [Move(occurrence=s.occurrence.id, date=day.isoformat(), period=period) for s in (one, other)]
            if all([(await office.amendments.look("A", change))[1].possible for change in changes]):
                return day.isoformat(), period
    raise AssertionError("no slot is free for both")


async def test_undo_brings_back_what_was(office: Office) -> None:
    local = standing(await office.amendments.in_force(), LOCAL)
    await office.ask(Cancel(occurrence=local.occurrence.id))
    undo = await office.ask(Undo(amendment=1))
    first = await office.amendments.get("A", 1)
    assert (undo.state, first.state, first.undone_by) == (State.APPLIED, State.UNDONE, 2)
    assert (await office.amendments.in_force()).find(local.occurrence.id) == local
    assert [one.undone_at for one in (await office.amendments.present()).history] == [office.now, None]


async def test_lasting_change_publishes_the_next_version_with_its_author(office: Office) -> None:
    _, table = community()
    own = [lesson for lesson in table.lessons if lesson.requirement == LOCAL]
    for lesson in own:
        for weekday in range(1, 6):
            change = MoveWeekly(lesson=lesson.id, first="2026-09-10", weekday=weekday, period=7)
            _, outcome = await office.amendments.look("A", change)
            if outcome.possible:
                done = await office.ask(change)
                newest = await office.tables.newest("A")
                assert newest is not None
                assert (done.state, done.version, newest.number) == (State.APPLIED, 2, 2)
                assert (newest.author, newest.valid_from, newest.diff.moved) == ("主任", "2026-09-14", (lesson.id,))
                assert office.versions[-1] == newest
                return
    raise AssertionError("no lesson can move")


async def test_silence_counts_at_the_deadline_without_anybody_asking(database: Database) -> None:
    office = Office(database, "co_built")
    await office.publish()
    shared = standing(await office.amendments.in_force(), SHARED)
    asked = await office.ask(Cancel(occurrence=shared.occurrence.id))
    office.now = asked.deadline - 1
    assert await office.amendments.settle() == []
    office.now = asked.deadline
    assert [one.state for one in await office.amendments.settle()] == [State.APPLIED]
    assert await office.amendments.settle() == []


async def test_only_a_school_that_is_concerned_asks(office: Office) -> None:
    local = standing(await office.amendments.in_force(), LOCAL)
    with pytest.raises(WrongSide):
        await office.ask(Cancel(occurrence=local.occurrence.id), unit="A1")


async def test_impossible_change_is_refused_and_not_kept(office: Office) -> None:
    local = standing(await office.amendments.in_force(), LOCAL)
    with pytest.raises(AmendmentRefused) as refused:
        await office.ask(Move(occurrence=local.occurrence.id, date="2026-09-25", period=1))
    assert [finding.code for finding in refused.value.findings] == ["amend_no_school"]
    assert await office.amendments.all("A") == []


async def test_what_a_new_version_has_no_more_is_refused_when_it_is_agreed(office: Office) -> None:
    shared = standing(await office.amendments.in_force(), SHARED)
    asked = await office.ask(Cancel(occurrence=shared.occurrence.id))
    _, table = community()
    without = structs.replace(table, lessons=tuple(one for one in table.lessons if one.requirement != SHARED))
    draft = await office.tables.draft("A")
    assert draft is not None
    revision = (await office.tables.take_draft("A", without, author="a", revision=draft.revision)).revision
    revision = (await office.tables.propose("A", unit="A0", by="a", revision=revision)).revision
    for unit in ("A1", "A2"):
        revision = (await office.tables.agree("A", unit=unit, by="b", revision=revision)).revision
    await office.tables.publish("A", unit="A0", by="a", revision=revision)
    for unit in ("A1", "A2"):
        asked = await office.amendments.agree("A", 1, unit=unit, by="x", revision=asked.revision)
    assert (asked.state, asked.cause) == (State.REFUSED, "no_longer_fits")
    assert [finding.code for finding in asked.findings] == ["amend_gone"]


async def test_a_later_version_that_gets_in_the_way_is_said(office: Office) -> None:
    """The new table knows nothing of a lesson that was moved for one day: the directors are told."""
    tables = await office.amendments.in_force()
    local = standing(tables, LOCAL)
    into = await free_for_both(office, local, standing(tables, "A-r2"))
    done = await office.ask(Move(occurrence=local.occurrence.id, date=into[0], period=into[1]))
    assert (done.state, await office.amendments.clashes([done])) == (State.APPLIED, {})
    found = (await office.amendments.in_force()).find(local.occurrence.id)
    assert found is not None
    _, table = community()
    host, slot = found.occurrence.parties[0], found.occurrence.lesson
    lessons = tuple(
        structs.replace(
            one,
            weekday=found.occurrence.day.weekday,
            start=slot.start,
            end=slot.end,
            parties=(structs.replace(one.parties[0], period=host.period, start=host.start, end=host.end),),
        )
        if one.requirement == "A-r2" and one.id.endswith(".1")
        else one
        for one in table.lessons
    )
    office.now += 60
    draft = await office.tables.draft("A")
    assert draft is not None
    new = structs.replace(table, lessons=lessons)
    revision = (await office.tables.take_draft("A", new, author="a", revision=draft.revision)).revision
    revision = (await office.tables.propose("A", unit="A0", by="a", revision=revision)).revision
    await office.tables.publish("A", unit="A0", by="a", revision=revision)
    (clash,) = (await office.amendments.clashes([done])).values()
    assert {"amend_class_busy", "amend_room_busy"} <= {finding.code for finding in clash}
