"""A lesson's report over HTTP: for everybody who may see its review, as a page needs it or as a sheet to keep."""

from __future__ import annotations

import asyncio
import time
from typing import get_args
from urllib.parse import quote

from aiohttp import web

from server.auth.errors import NotPermitted
from server.auth.middleware import principal
from server.auth.policy import allowed
from server.keys import live_key, reviews_key, session_store_key
from server.lesson_report import lesson_report
from server.report_sheet import CONTENT_TYPES, SheetForm, report_file
from server.sentences import LANGUAGES, words_in
from server.web import choice, reply
from signaling.errors import SessionNotFound

routes = web.RouteTableDef()


@routes.get("/api/sessions/{id}/report")
async def report(request: web.Request) -> web.Response:
    """`?form=csv` or `xlsx` (in `?lang=`) for a file to save. While the lesson goes on: so far."""
    asker, app = principal(request), request.app
    record = await app[session_store_key].get(request.match_info["id"])
    if record is None:
        raise SessionNotFound(request.match_info["id"])
    plan = record.plan
    if asker.kind != "person" or not allowed(asker, "view_reviews", units=plan.units, community=plan.community):
        raise NotPermitted("view_reviews")
    running = next((one for one in app[live_key].sessions if one.id == record.id), None)
    events = await asyncio.to_thread(app[reviews_key].events, record.id)
    watches, hidden = await app[reviews_key].single_answers(asker, record, events)
    found = lesson_report(
        plan,
        events,
        state=running.room.state if running else record.state,
        review=record.review,
        now=time.time(),
        single_answers=watches,
        hidden=hidden.units,
    )
    single = any(one.single or one.pictures for exercise in found.exercises for one in exercise.classes)
    if single and record.review is not None:
        await app[reviews_key].viewed(asker, record.review)
    if "form" not in request.query:
        return reply(request, found)
    form: SheetForm = choice(request, "form", get_args(SheetForm))
    words = words_in(choice(request, "lang", LANGUAGES, LANGUAGES[0]))
    name, content = await asyncio.to_thread(report_file, found, form, words)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    content_type, _, charset = CONTENT_TYPES[form].partition("; charset=")
    return web.Response(body=content, content_type=content_type, charset=charset or None, headers=headers)
