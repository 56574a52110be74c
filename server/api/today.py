"""A community's day for the home page."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from aiohttp import web

from server.auth.middleware import principal
from server.auth.policy import permit, visible_communities
from server.auth.principal import Principal
from server.county import County
from server.keys import (
    amendments_key,
    builds_key,
    counties_key,
    free_space_key,
    live_key,
    reviews_key,
    session_store_key,
    timetable_key,
)
from server.shapes.table import LiveNow, LiveRoom
from server.today import KnownSession, today_view
from server.web import reply
from signaling.plan import SessionRecord
from signaling.session import LiveSession
from timetable.errors import NotFound
from timetable.model import Community
from timetable.term import local_date, moment

routes = web.RouteTableDef()


@routes.get("/api/today")
async def today(request: web.Request) -> web.Response:
    """`?community=ID`, by default the first that the asker belongs to."""
    asker, app, now = principal(request), request.app, time.time()
    county = await app[counties_key].now()
    community = _community(county, request.query.get("community"), asker)
    permit(asker, "view_table", units=community.units, community=community.id)
    day = local_date(now)
    term_begins = _midnight(date.fromisoformat(county.register.term.first_day))
    tables, amendments, draft, records, year, reviews = await asyncio.gather(
        app[amendments_key].in_force(),
        app[amendments_key].all(community.id),
        app[timetable_key].draft(community.id),
        app[session_store_key].between(_midnight(day), _midnight(day + timedelta(days=1)), community.id),
        app[session_store_key].between(term_begins, now, community.id),
        app[reviews_key].rows(asker, community.id),
    )
    running = {session.id: session for session in app[live_key].sessions}
    shape = today_view(
        county,
        community,
        tables=tables,
        draft=draft,
        amendments=amendments,
        sessions={
            record.plan.occurrence: KnownSession(
                id=record.id,
                occurrence=record.plan.occurrence,
                state=running[record.id].room.state if record.id in running else record.state,
            )
            for record in records
            if record.plan.occurrence
        },
        live=[_live(session) for session in running.values() if _is_live(session, community)],
        reviews=reviews,
        held=_held(year),
        asker=asker,
        today=day,
        now=now,
        interrupted=next((build.view() for build in app[builds_key].of(community.id) if build.interrupted), None),
        disk_low=app[free_space_key].low,
    )
    return reply(request, shape)


def _community(county: County, wanted: str | None, asker: Principal) -> Community:
    if wanted is not None:
        return county.community(wanted)
    seen = visible_communities(asker, county.register.communities) or county.register.communities
    if not seen:
        raise NotFound("community", "first")
    return seen[0]


def _midnight(day: date) -> float:
    return moment(day, "00:00")


def _is_live(session: LiveSession, community: Community) -> bool:
    return session.plan.community == community.id and session.room.state in ("live", "overrun")


def _live(session: LiveSession) -> LiveNow:
    """A lesson under way, with the classrooms that belong to it; one that never came is offline."""
    rooms = []
    for part in session.plan.members:
        state = session.link_state(part.room)
        rooms.append(LiveRoom(unit=part.unit, unit_name=part.unit_name, state=state))
    lesson = session.plan.lesson
    return LiveNow(
        session=session.id, title=lesson.title, ends=lesson.ends, rehearsal=lesson.rehearsal, rooms=tuple(rooms)
    )


def _held(records: Iterable[SessionRecord]) -> dict[str, list[str]]:
    """The subjects of the sync lessons that were held, by member unit; rehearsals do not count."""
    held: dict[str, list[str]] = defaultdict(list)
    for record in records:
        if record.kind == "lesson" and record.state == "ended" and record.plan.lesson.kind == "sync" and record.review:
            for part in record.plan.members:
                held[part.unit].append(record.plan.lesson.subject)
    return held
