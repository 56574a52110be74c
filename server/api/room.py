"""A paired room's own day, and what its panel found out about its camera, microphone and line."""

import time
from datetime import timedelta

from aiohttp import web

from server.auth.errors import NotPermitted
from server.auth.middleware import principal
from server.keys import counties_key, people_key, session_store_key, settings_key, timetable_key
from server.room_day import room_day
from server.web import reply
from timetable.model import SHARED_KINDS
from timetable.term import local_date, moment

routes = web.RouteTableDef()


@routes.get("/api/room/day")
async def day(request: web.Request) -> web.Response:
    asker = principal(request)
    if asker.kind != "room":
        raise NotPermitted("room_day")
    app, now = request.app, time.time()
    today = local_date(now)
    first, last = moment(today, "00:00"), moment(today + timedelta(days=1), "00:00")
    lessons = [
        lesson
        for version in await app[timetable_key].published()
        for lesson in version.table.lessons
        if lesson.kind in SHARED_KINDS
    ]
    sessions = {record.id: record for record in await app[session_store_key].between(first, last)}
    for record in await app[session_store_key].unfinished():
        sessions[record.id] = record
    shape = room_day(
        await app[counties_key].now(),
        asker.id,
        lessons=lessons,
        sessions=list(sessions.values()),
        now=now,
        prefer_rehearsal=app[settings_key].demo.enabled,
    )
    await app[people_key].seen(asker.id, now)
    return reply(request, shape)
