"""The sessions as people ask for them: which there are on a day, what the asker would be in them, and the way in.

A lesson's session exists from the moment its doors open; before that its occurrence in the published table stands for
it, under the same id.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import get_args

from server.accesses import Accesses
from server.auth.policy import sees_table
from server.auth.principal import Principal
from server.county import Counties, County
from server.session_plans import occurrence_plan, rehearsal_plan
from server.shapes.live import SessionRow
from server.storage.access_store import AccessKind, GivenAccess
from signaling.errors import NotInLesson, SessionNotFound, SessionOver
from signaling.plan import SessionPlan, SessionRecord
from signaling.ports import SessionStore
from signaling.roles import Asker, is_peer, roles_for
from signaling.service import LiveService
from signaling.tokens import Claims
from signaling.wire import Role, SessionState
from timetable.agreement.amendment_service import AmendmentService
from timetable.errors import NotFound
from timetable.model import SHARED_KINDS, Lesson, minutes
from timetable.term import local_date, moment
from timetable.turns import led_by

ROLES: tuple[Role, ...] = get_args(Role)


class LiveSessions:
    """`clock` gives unix seconds."""

    def __init__(
        self,
        live: LiveService,
        store: SessionStore,
        counties: Counties,
        amendments: AmendmentService,
        *,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        accesses: Accesses,
    ) -> None:
        self._live = live
        self._store = store
        self._counties = counties
        self._amendments = amendments
        self._clock = clock
        self._new_id = new_id
        self._accesses = accesses

    async def day(self, asker: Principal, day: date | None, community: str | None) -> list[SessionRow]:
        """The sessions of a day (today where none is named) by their time, those to come included. A person sees those
        of the communities whose table they may read, a room those that it belongs to."""
        day = day or local_date(self._clock())
        first = moment(day, "00:00")
        records = await self._store.between(first, moment(day + timedelta(days=1), "00:00"), community)
        found: dict[str, tuple[SessionPlan, SessionRecord | None]] = {
            plan.session: (plan, None) for plan in await self._planned(day) if community in (None, plan.community)
        }
        found |= {record.id: (record.plan, record) for record in records}
        rows = [self._row(asker, plan, record) for plan, record in found.values() if self._sees(asker, plan)]
        return sorted(rows, key=lambda row: (row.starts, row.id))

    async def one(self, asker: Principal, session: str) -> SessionRow:
        """One session; raises SessionNotFound, also for a person who may not see it."""
        record = await self._store.get(session)
        plan = record.plan if record else await self._plan_of(session)
        if asker.kind == "person" and not self._sees(asker, plan):
            raise SessionNotFound(session)
        return self._row(asker, plan, record)

    async def plan(self, session: str) -> SessionPlan:
        """The plan of a session, past, running or to come; raises SessionNotFound."""
        record = await self._store.get(session)
        return record.plan if record else await self._plan_of(session)

    async def rehearse(self, asker: Principal, lesson: str) -> SessionRow:
        """Open a rehearsal of a lesson, or the one that runs already; its host alone may, or who hosts it in turn, or
        raises NotInLesson."""
        county = await self._counties.now()
        found = await self._lesson(lesson)
        window = (minutes(found.end) - minutes(found.start)) * 60.0
        session, starts = f"rehearsal-{self._new_id()}", self._clock()
        led = [led_by(found, unit) for unit in found.rotation] or [found]
        plans = [rehearsal_plan(county, one, session=session, starts=starts, seconds=window) for one in led]
        plan = next((plan for plan in plans if "host" in roles_for(asker, plan)), None)
        if plan is None:
            raise NotInLesson(lesson, "host")
        return await self.one(asker, (await self._live.rehearse(plan)).id)

    async def roles_in(self, asker: Asker, lesson: str) -> tuple[Role, ...]:
        """Every role that the asker may take in the lesson; raises NotFound where it is no shared lesson."""
        county, found = await self._counties.now(), await self._lesson(lesson)
        led = [led_by(found, unit) for unit in found.rotation] or [found]
        plans = (rehearsal_plan(county, one, session="", starts=self._clock(), seconds=0.0) for one in led)
        return tuple(dict.fromkeys(role for plan in plans for role in self.roles(asker, plan)))

    def roles(self, asker: Asker, plan: SessionPlan) -> tuple[Role, ...]:
        """Every role that the asker may take in a session, as its host has opened it."""
        return roles_for(asker, plan, guest=bool(self._as_peer(asker, plan)) or self._watches(asker, plan))

    async def join(self, asker: Asker, session: str, wish: str | None, invitation: str = "") -> tuple[str, Claims]:
        """A join token and what it says; `invitation`: of a guest's link. Opens the session's doors where it is time;
        raises NotInLesson, SessionOver, SessionNotOpen or SessionNotFound."""
        if wish is not None and wish not in ROLES:
            raise NotInLesson(session, wish)
        record = await self._store.get(session)
        plan = record.plan if record else await self._plan_of(session)
        access = self._as_peer(asker, plan)
        if not access and invitation and asker.kind == "person":
            access = self._accesses.invited(plan, invitation)
        joining = self._live.admission.invite(asker, plan, next((role for role in ROLES if role == wish), None), access)
        if record is not None and record.state == "ended":
            raise SessionOver(session)
        await self._live.open(plan)
        return joining

    async def given(self, asker: Principal, session: str) -> list[GivenAccess]:
        """The accesses to the lesson of a session; for its host alone, or raises NotInLesson."""
        return self._accesses.of((await self._hosted(asker, session)).lesson.id)

    async def give(self, asker: Principal, session: str, kind: AccessKind) -> tuple[str, Claims]:
        """A new access to the lesson of a session until a while after its end, and its token; its host alone may give
        one away, or raises NotInLesson."""
        return await self._accesses.give(asker.id, await self._hosted(asker, session), kind)

    async def withdraw(self, asker: Principal, session: str, access: str) -> None:
        """Take one back; raises NotFound where the lesson has none of this id."""
        plan = await self._hosted(asker, session)
        if self._accesses.find(plan.lesson.id, access) is None:
            raise NotFound("access", access)
        await self._accesses.withdraw(access)

    async def _hosted(self, asker: Principal, session: str) -> SessionPlan:
        """The plan of a session that is not over and that the asker may host."""
        record = await self._store.get(session)
        plan = record.plan if record else await self._plan_of(session)
        if "host" not in roles_for(asker, plan):
            raise NotInLesson(session, "host")
        if record is not None and record.state == "ended":
            raise SessionOver(session)
        return plan

    def _watches(self, asker: Asker, plan: SessionPlan) -> bool:
        """Whether the asker is in the session already, such as by a link."""
        running = next((one for one in self._live.sessions if one.id == plan.session), None)
        return running is not None and asker.kind == "person" and running.room.present(f"observer.{asker.id}")

    def _as_peer(self, asker: Asker, plan: SessionPlan) -> str:
        return self._accesses.peers(plan.lesson.id) if is_peer(asker, plan) else ""

    def _sees(self, asker: Principal, plan: SessionPlan) -> bool:
        if roles_for(asker, plan):
            return True
        county = self._counties.latest
        known = county.register.communities if county and asker.kind == "person" else ()
        return any(community.id == plan.community and sees_table(asker, community) for community in known)

    def _row(self, asker: Asker, plan: SessionPlan, record: SessionRecord | None) -> SessionRow:
        lesson = plan.lesson
        roles = self.roles(asker, plan)
        return SessionRow(
            id=plan.session,
            lesson=lesson.id,
            title=lesson.title,
            subject=lesson.subject,
            kind=lesson.kind,
            rehearsal=lesson.rehearsal,
            state=self._state(plan.session, record),
            starts=lesson.starts,
            ends=lesson.ends,
            host_unit=lesson.host_unit,
            host_unit_name=plan.host.unit_name,
            units=plan.units,
            role=roles[0] if roles else None,
            review=record.review if record else None,
        )

    def _state(self, session: str, record: SessionRecord | None) -> SessionState:
        """The room knows first; the store is told a moment later."""
        for running in self._live.sessions:
            if running.id == session:
                return running.room.state
        return record.state if record else "scheduled"

    async def _plan_of(self, session: str) -> SessionPlan:
        """The plan of a lesson whose doors are still closed, whatever its day."""
        try:
            county: County = await self._counties.now()
        except NotFound:
            raise SessionNotFound(session) from None
        standing = (await self._amendments.in_force()).find(session)
        if standing is None or standing.cancelled or standing.occurrence.lesson.kind not in SHARED_KINDS:
            raise SessionNotFound(session)
        return occurrence_plan(county, standing.occurrence)

    async def _planned(self, day: date) -> list[SessionPlan]:
        """The shared lessons of a day as the tables and their amendments have them."""
        try:
            county: County = await self._counties.now()
        except NotFound:
            return []
        found = (await self._amendments.in_force()).occurrences_on(day)
        return [occurrence_plan(county, one) for one in found if one.lesson.kind in SHARED_KINDS]

    async def _lesson(self, id: str) -> Lesson:
        tables = await self._amendments.in_force()
        found = tables.lesson(id, local_date(self._clock()))
        if found is None or found[1].kind not in SHARED_KINDS:
            raise NotFound("lesson", id)
        return found[1]
