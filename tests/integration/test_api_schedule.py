"""The doors of a lesson open by themselves a quarter of an hour before, on the days that the calendar says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from server.county import Counties
from server.lesson_schedule import LessonSchedule
from server.storage.amendment_store import SqlAmendmentStore
from server.storage.database import Database
from server.storage.register_store import SqlRegisterStore
from server.storage.table_store import SqlTableStore
from signaling.commands import EndLesson, StartLesson
from tests.county_server import CORE, ENDS, MEMBER, STARTS, SYNC, THIRD, agree_on, county_register, county_table
from tests.live_lessons import teacher
from tests.live_server import LiveServer, live_server
from timetable.agreement.amendment_service import AmendmentService
from timetable.agreement.amendments import Amendment
from timetable.agreement.service import TimetableService
from timetable.days.versions import Version
from timetable.model import Closure, MakeUpDay, Register
from timetable.term import moment

THURSDAY = date(2026, 11, 19)
HOLIDAY = THURSDAY + timedelta(weeks=1)
SATURDAY = THURSDAY + timedelta(days=2)
"""A working day that follows Thursday's table."""
MEMBER_CLOSED, HOST_CLOSED = THURSDAY + timedelta(weeks=2), THURSDAY + timedelta(weeks=3)
FOREIGN_SYNC = "B-r1.1"


class School:
    """The schedule of two communities that both have a sync lesson on Thursdays, at a clock that the test moves."""

    def __init__(self, database: Database, server: LiveServer) -> None:
        self.server = server
        self.database = database
        self.registers = SqlRegisterStore(database)
        self.counties = Counties(self.registers)
        self.tables = TimetableService(SqlTableStore(database), self.counties, now=server.clock, announce=keep_quiet)
        self.amendments = AmendmentService(
            SqlAmendmentStore(database),
            self.tables,
            now=server.clock,
            aside=asyncio.to_thread,
            announce=keep_quiet,
            announce_version=keep_quiet,
        )
        self.schedule = LessonSchedule(server.service, self.counties, self.amendments, server.clock)

    async def at(self, day: date, clock: str, minutes: float = 0.0) -> set[str]:
        """The sessions that run after the schedule has looked at this time."""
        self.server.clock.now = moment(day, clock) + minutes * 60
        await self.schedule.look()
        return {session.id for session in self.server.service.sessions if session.room.state != "ended"}

    async def publish(self, register: Register, community: int, start: str = STARTS, end: str = ENDS) -> None:
        known = register.communities[community]
        await agree_on(self.tables, county_table(register, known.id, THURSDAY.isoweekday(), start, end), known.units)


async def keep_quiet(_news: Version | Amendment) -> None:
    """Nobody follows the tables here."""


def with_calendar(register: Register) -> Register:
    closures = (
        Closure(first=HOLIDAY.isoformat(), last=HOLIDAY.isoformat(), name="放假"),
        Closure(first=MEMBER_CLOSED.isoformat(), last=MEMBER_CLOSED.isoformat(), name="停水", units=(MEMBER,)),
        Closure(first=HOST_CLOSED.isoformat(), last=HOST_CLOSED.isoformat(), name="停电", units=(CORE,)),
    )
    made_up = (MakeUpDay(date=SATURDAY.isoformat(), follows_weekday=THURSDAY.isoweekday()),)
    return msgspec.structs.replace(
        register, term=msgspec.structs.replace(register.term, closures=closures, make_up_days=made_up)
    )


@pytest.fixture
async def school(sqlite_url: str, tmp_path: Path) -> AsyncIterator[School]:
    database = Database.open(sqlite_url)
    register = with_calendar(county_register(THURSDAY))
    async with live_server(database, tmp_path / "journals") as server:
        server.clock.now = moment(THURSDAY - timedelta(days=7), "08:00")
        school = School(database, server)
        await school.registers.save(register, "test", 0.0, 0)
        await school.publish(register, 0)
        await school.publish(register, 1)
        yield school
    await database.close()


def of(day: date) -> set[str]:
    return {f"{lesson}.{day.isoformat()}" for lesson in (SYNC, FOREIGN_SYNC)}


async def test_the_doors_open_a_quarter_of_an_hour_before(school: School) -> None:
    assert await school.at(THURSDAY, STARTS, -15.1) == set()
    assert await school.at(THURSDAY, STARTS, -15) == of(THURSDAY)
    session = school.server.service.running(f"{SYNC}.{THURSDAY.isoformat()}")
    assert (session.room.state, session.plan.lesson.rehearsal, session.plan.community) == ("open", False, "A")
    assert [part.unit for part in session.plan.parts] == [CORE, MEMBER, THIRD]
    assert session.plan.lesson.week == 7
    await school.server.state_becomes("open", session.id)


async def test_a_server_that_starts_in_mid_lesson_opens_it_and_one_that_starts_later_does_not(school: School) -> None:
    assert await school.at(THURSDAY, ENDS, -1) == of(THURSDAY)
    assert await school.at(THURSDAY + timedelta(days=1), STARTS) == of(THURSDAY)
    school.server.service.tick()
    assert await school.at(THURSDAY + timedelta(days=1), STARTS) == set()


async def test_nothing_opens_after_the_window(school: School) -> None:
    assert await school.at(THURSDAY, ENDS) == set()


@pytest.mark.parametrize("day", [HOLIDAY, THURSDAY + timedelta(days=1), THURSDAY + timedelta(weeks=40)])
async def test_nothing_opens_on_a_holiday_on_another_day_or_out_of_term(school: School, day: date) -> None:
    assert await school.at(day, STARTS) == set()


async def test_a_saturday_that_follows_thursday_has_thursdays_lessons(school: School) -> None:
    assert await school.at(SATURDAY, STARTS, -15) == of(SATURDAY)


async def test_a_closed_member_stays_away_and_a_closed_host_calls_it_off(school: School) -> None:
    await school.at(MEMBER_CLOSED, STARTS)
    session = school.server.service.running(f"{SYNC}.{MEMBER_CLOSED.isoformat()}")
    assert [part.unit for part in session.plan.parts] == [CORE, THIRD]
    running = await school.at(HOST_CLOSED, STARTS)
    assert f"{FOREIGN_SYNC}.{HOST_CLOSED.isoformat()}" in running
    assert f"{SYNC}.{HOST_CLOSED.isoformat()}" not in running


async def test_a_lesson_that_was_ended_early_stays_ended(school: School) -> None:
    await school.at(THURSDAY, STARTS)
    service = school.server.service
    session = service.running(f"{SYNC}.{THURSDAY.isoformat()}")
    host = await school.server.join(teacher(CORE, "A0-t1"), session.plan)
    await host.ask(StartLesson)
    await host.ask(EndLesson)
    await host.closed()
    for minute in (1, 2, 20):
        assert await school.at(THURSDAY, STARTS, minute) == {f"{FOREIGN_SYNC}.{THURSDAY.isoformat()}"}


async def test_a_moved_lesson_opens_at_its_new_time(school: School) -> None:
    register = await school.registers.load()
    assert register is not None
    assert await school.at(THURSDAY, "08:00") == set()
    await school.publish(register, 0, "14:00", "14:40")
    assert await school.at(THURSDAY, STARTS) == {f"{FOREIGN_SYNC}.{THURSDAY.isoformat()}"}
    assert f"{SYNC}.{THURSDAY.isoformat()}" in await school.at(THURSDAY, "13:45")


async def test_a_lesson_whose_journal_cannot_be_opened_holds_up_no_other(school: School, tmp_path: Path) -> None:
    journal = tmp_path / "journals" / f"{SYNC}.{THURSDAY.isoformat()}.journal"
    journal.mkdir(parents=True)
    assert await school.at(THURSDAY, STARTS, -15) == {f"{FOREIGN_SYNC}.{THURSDAY.isoformat()}"}
    # once that is mended it opens too
    journal.rmdir()
    assert await school.at(THURSDAY, STARTS, -14) == of(THURSDAY)


async def test_the_schedule_looks_by_itself_until_it_is_cancelled(school: School) -> None:
    school.server.clock.now = moment(THURSDAY, STARTS) - 60
    task = asyncio.create_task(school.schedule.run())
    await school.server.state_becomes("open", f"{SYNC}.{THURSDAY.isoformat()}")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
