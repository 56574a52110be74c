"""Opens each shared lesson's session when its time comes, as the published tables say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date

import structlog

from server.county import Counties
from server.session_plans import occurrence_plan
from signaling.errors import SessionOver
from signaling.plan import SessionPlan
from signaling.rules import OPENS_BEFORE
from signaling.service import LiveService
from timetable.errors import NotFound
from timetable.model import SHARED_KINDS
from timetable.service import TimetableService
from timetable.term import local_date, occurrences_on

PERIOD_SECONDS = 10.0

log = structlog.get_logger()


class LessonSchedule:
    """`clock` gives unix seconds."""

    def __init__(
        self, live: LiveService, counties: Counties, tables: TimetableService, clock: Callable[[], float]
    ) -> None:
        self._live = live
        self._counties = counties
        self._tables = tables
        self._clock = clock
        self._planned: tuple[object, list[SessionPlan]] = (None, [])
        self._over: set[str] = set()

    async def run(self) -> None:
        """Look at the clock until cancelled. A look that fails is logged, the next one comes all the same."""
        while True:
            try:
                await self.look()
            except NotFound:
                pass  # nothing was imported yet
            except Exception as error:
                log.error("schedule_failed", exc_info=error)
            await asyncio.sleep(PERIOD_SECONDS)

    async def look(self) -> None:
        """Open the sessions whose doors open by now and whose window is not over."""
        now = self._clock()
        for plan in await self._plans(local_date(now)):
            due = plan.lesson.starts - OPENS_BEFORE <= now < plan.lesson.ends
            if due and plan.session not in self._over:
                try:
                    await self._live.open(plan)
                except SessionOver:
                    self._over.add(plan.session)
                except Exception as error:
                    # one lesson whose journal cannot be opened must not keep the others waiting
                    log.error("session_not_opened", session=plan.session, exc_info=error)

    async def _plans(self, today: date) -> list[SessionPlan]:
        """Today's plans, made anew when the day, the register or a table is another one."""
        county = await self._counties.now()
        published = await self._tables.published()
        state = (today, county, tuple((version.community, version.number) for version in published))
        if self._planned[0] != state:
            shared = [
                lesson for version in published for lesson in version.table.lessons if lesson.kind in SHARED_KINDS
            ]
            occurrences = occurrences_on(county.register.term, shared, today)
            self._planned = (state, [occurrence_plan(county, occurrence) for occurrence in occurrences])
            self._over.clear()
        return self._planned[1]
