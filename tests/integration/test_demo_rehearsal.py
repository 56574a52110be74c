"""The rehearsal that a demonstration keeps open."""

from __future__ import annotations

import asyncio
import time

from server.demo.rehearsal import RehearsalKeeper
from server.keys import counties_key, live_key, timetable_key
from tests.county_server import SYNC, CountyServer


async def test_all_who_come_at_one_moment_are_let_into_one_rehearsal(county: CountyServer) -> None:
    version = await county.app[timetable_key].newest("A")
    assert version is not None
    lesson = next(lesson for lesson in version.table.lessons if lesson.id == SYNC)
    keeper = RehearsalKeeper(county.app[live_key], county.app[counties_key], lesson, time.time)
    assert len(set(await asyncio.gather(*(keeper.current() for _ in range(5))))) == 1
    assert len(county.app[live_key].sessions) == 1
