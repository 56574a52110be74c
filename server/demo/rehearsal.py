"""Keeps a rehearsal of one lesson open at any hour: a new one soon after each end."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

import structlog

from server.county import Counties
from server.session_plans import rehearsal_plan
from signaling.service import LiveService
from timetable.model import Lesson

PERIOD_SECONDS = 1.0
WINDOW_SECONDS = 2400.0
"""As long as a lesson of the primary schools; it begins anew as long as nobody has started it."""

log = structlog.get_logger()


class RehearsalKeeper:
    """`clock` gives unix seconds."""

    def __init__(self, live: LiveService, counties: Counties, lesson: Lesson, clock: Callable[[], float]) -> None:
        self._live = live
        self._counties = counties
        self._lesson = lesson
        self._clock = clock

    async def keep(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                await self.current()
            except Exception as error:
                log.error("rehearsal_not_opened", exc_info=error)
            await asyncio.sleep(PERIOD_SECONDS)

    async def current(self) -> str:
        """The id of the rehearsal that is open now, opened if need be."""
        plan = rehearsal_plan(
            await self._counties.now(),
            self._lesson,
            session=f"rehearsal-{secrets.token_hex(6)}",
            starts=self._clock(),
            seconds=WINDOW_SECONDS,
        )
        return (await self._live.rehearse(plan)).id
