"""A change of the same day reaches the doors that are open already: moved, called off, taught by somebody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs

from server.storage.closing_store import SqlClosingStore
from server.storage.database import Database
from signaling.commands import StartLesson
from tests.county_server import CORE, STARTS, SYNC, county_register
from tests.integration.test_api_schedule import THURSDAY, School
from tests.live_lessons import teacher
from tests.live_server import live_server
from timetable.agreement.amendments import Amendment, State
from timetable.days.changes import Cancel, Change, Move, Substitute
from timetable.days.closings import Closing
from timetable.term import moment

TODAY = f"{SYNC}.{THURSDAY.isoformat()}"
UNITS = ("A0", "A1", "A2")


@pytest.fixture
async def school(sqlite_url: str, tmp_path: Path) -> AsyncIterator[School]:
    database = Database.open(sqlite_url)
    register = county_register(THURSDAY)
    async with live_server(database, tmp_path / "journals") as server:
        server.clock.now = moment(THURSDAY - timedelta(days=7), "08:00")
        school = School(database, server)
        await school.registers.save(register, "test", 0.0, 0)
        await school.publish(register, 0)
        yield school
    await database.close()


async def agreed(school: School, change: Change) -> Amendment:
    """Ask for a change, and let everybody concerned agree."""
    asked = await school.amendments.ask("A", change, unit=CORE, by="主任", reason="停电", version=1)
    for unit in UNITS:
        if asked.state is State.ASKED and asked.answer(unit) is None:
            asked = await school.amendments.agree("A", asked.number, unit=unit, by=unit, revision=asked.revision)
    assert asked.state is State.APPLIED
    return asked


async def test_a_lesson_that_is_called_off_while_its_doors_are_open_lets_everybody_go(school: School) -> None:
    assert TODAY in await school.at(THURSDAY, STARTS, -10)
    host = await school.server.join(teacher(CORE, "A0-t1"), school.server.service.running(TODAY).plan)
    await agreed(school, Cancel(occurrence=TODAY))
    assert await school.at(THURSDAY, STARTS, -9) == set()
    assert await host.closed() == "ended"
    assert await school.at(THURSDAY, STARTS, 1) == set()


async def test_a_snow_day_closes_the_doors_that_are_open(school: School) -> None:
    assert TODAY in await school.at(THURSDAY, STARTS, -10)
    host = await school.server.join(teacher(CORE, "A0-t1"), school.server.service.running(TODAY).plan)
    day = THURSDAY.isoformat()
    snow = Closing(
        id="snow", units=UNITS, first=day, last=day, reason="暴雪", by="局", at=moment(THURSDAY, STARTS) - 600
    )
    await SqlClosingStore(school.database).add(snow)
    assert await school.at(THURSDAY, STARTS, -9) == set()
    assert await host.closed() == "ended"
    opened = structs.replace(snow, reopened_at=moment(THURSDAY, STARTS) - 500, revision=2)
    await SqlClosingStore(school.database).save(opened, expected=1)
    assert await school.at(THURSDAY, STARTS, -8) == {TODAY}


async def test_a_lesson_that_moves_to_the_afternoon_opens_there_under_the_same_id(school: School) -> None:
    assert TODAY in await school.at(THURSDAY, STARTS, -10)
    await agreed(school, Move(occurrence=TODAY, date=THURSDAY.isoformat(), period=5))
    assert await school.at(THURSDAY, STARTS, -9) == set()
    assert TODAY in await school.at(THURSDAY, "13:45")
    session = school.server.service.running(TODAY)
    assert (session.room.state, session.plan.lesson.starts) == ("open", moment(THURSDAY, "14:00"))


async def test_a_substitute_hosts_minutes_before_the_bell(school: School) -> None:
    assert TODAY in await school.at(THURSDAY, STARTS, -10)
    host = await school.server.join(teacher(CORE, "A0-t1"), school.server.service.running(TODAY).plan)
    day = THURSDAY.isoformat()
    await agreed(school, Substitute(lesson=SYNC, absent="A0-t1", substitute="A0-t4", first=day, last=day))
    assert await school.at(THURSDAY, STARTS, -9) == {TODAY}
    assert await host.closed() == "drain"
    plan = school.server.service.running(TODAY).plan
    assert plan.host.teachers == ("A0-t4",)
    substitute = await school.server.join(teacher(CORE, "A0-t4"), plan)
    await substitute.ask(StartLesson)
    assert school.server.service.running(TODAY).room.state == "live"


async def test_a_lesson_that_has_begun_goes_on(school: School) -> None:
    assert TODAY in await school.at(THURSDAY, STARTS, -1)
    host = await school.server.join(teacher(CORE, "A0-t1"), school.server.service.running(TODAY).plan)
    await host.ask(StartLesson)
    await agreed(school, Cancel(occurrence=TODAY))
    assert await school.at(THURSDAY, STARTS, -0.5) == {TODAY}
    assert school.server.service.running(TODAY).room.state == "live"
