"""Opens each shared lesson's session when its time comes, as the tables and their amendments say, and takes back what
was opened for a lesson that was moved or called off since."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date

import structlog

from server.county import Counties
from server.session_plans import occurrence_plan
from signaling.errors import SessionOver
from signaling.plan import SessionPlan
from signaling.rules import OPENS_BEFORE
from signaling.service import LiveService
from timetable.agreement.amendment_service import AmendmentService
from timetable.days.dated import DatedTables
from timetable.errors import NotFound
from timetable.model import SHARED_KINDS
from timetable.term import local_date

PERIOD_SECONDS = 10.0

log = structlog.get_logger()


class LessonSchedule:
    """`clock` gives unix seconds."""

    def __init__(
        self, live: LiveService, counties: Counties, amendments: AmendmentService, clock: Callable[[], float]
    ) -> None:
        self._live = live
        self._counties = counties
        self._amendments = amendments
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
        """Let deadlines of amendments pass, and open the sessions whose doors open by now and whose window is not
        over."""
        try:
            await self._amendments.settle()
        except NotFound:
            raise
        except Exception as error:
            # an amendment that cannot be carried out must not keep lessons from opening
            log.error("amendments_not_settled", exc_info=error)
        now = self._clock()
        plans = {plan.session: plan for plan in await self._plans(local_date(now))}
        await self._take_back(plans, local_date(now))
        for plan in plans.values():
            due = plan.lesson.starts - OPENS_BEFORE <= now < plan.lesson.ends
            if due and plan.session not in self._over:
                try:
                    await self._live.open(plan)
                except SessionOver:
                    self._over.add(plan.session)
                except Exception as error:
                    # one lesson whose journal cannot be opened must not keep the others waiting
                    log.error("session_not_opened", session=plan.session, exc_info=error)

    async def _take_back(self, plans: Mapping[str, SessionPlan], today: date) -> None:
        """Today's sessions that have not begun and are not what the tables say any more."""
        for session in self._live.sessions:
            was, planned = session.plan, plans.get(session.id)
            if not was.occurrence or local_date(was.lesson.starts) != today:
                continue
            stands, reopens = planned is not None and _gist(planned) == _gist(was), planned is not None
            if not stands and await self._live.withdraw(session.id, reopens=reopens):
                log.info("session_taken_back", session=session.id, reopens=reopens)

    async def _plans(self, today: date) -> list[SessionPlan]:
        """Today's plans, made anew when the day, the register or what is in force is another one."""
        county = await self._counties.now()
        tables: DatedTables = await self._amendments.in_force()
        state = (today, county, tables)
        if self._planned[0] != state:
            shared = [o for o in tables.occurrences_on(today) if o.lesson.kind in SHARED_KINDS]
            self._planned = (state, [occurrence_plan(county, occurrence) for occurrence in shared])
            self._over.clear()
        return self._planned[1]


def _gist(plan: SessionPlan) -> tuple[object, ...]:
    """What an amendment can change of a plan; the rest is names, which do not turn anybody away."""
    parts = tuple((part.unit, part.room, part.teachers, part.classes) for part in plan.parts)
    return plan.lesson.starts, plan.lesson.ends, parts
