"""Exercises over HTTP: what was prepared for a lesson, and photos of pupils' work in a session."""

from __future__ import annotations

import asyncio
import functools
import re
import secrets
import time

from aiohttp import web

from server.auth.middleware import principal
from server.auth.principal import Principal
from server.keys import answers_key, exercises_key, live_key, live_sessions_key, reviews_key, session_store_key
from server.photo import LARGEST_BYTES, clean
from server.shapes.exercise import LessonExercises, PhotoKept, PrepareExercises
from server.storage.exercise_store import Prepared
from server.uploads import takes_place
from server.web import InvalidBody, UnsupportedBody, body, reply
from signaling.audience import audience_of
from signaling.errors import NotInLesson, Refusal, SessionNotFound
from signaling.exercise_rules import check_exercise
from signaling.exercises import AddPhoto, RemovePhoto
from signaling.messages import Refused
from signaling.roles import MAY
from signaling.session import LiveSession
from signaling.wire import Command, Role
from timetable.errors import NotFound, StaleVersion

PHOTO_ID = re.compile(r"[0-9a-f]{16}")
JPEG = "image/jpeg"

routes = web.RouteTableDef()


@routes.get("/api/lessons/{lesson}/exercises")
async def prepared(request: web.Request) -> web.Response:
    """For the lesson's teachers; classrooms must not read what is right."""
    lesson = request.match_info["lesson"]
    roles = await _roles(request, lesson)
    if not any(audience_of(role) == "teachers" for role in roles):
        raise NotInLesson(lesson, "host")
    found = await request.app[exercises_key].of(lesson)
    shape = LessonExercises(
        lesson=lesson, revision=found.revision, may_change="host" in roles, exercises=found.exercises
    )
    return reply(request, shape)


@routes.put("/api/lessons/{lesson}/exercises")
async def prepare(request: web.Request) -> web.Response:
    """By those who may host the lesson."""
    lesson, wanted = request.match_info["lesson"], await body(request, PrepareExercises)
    if "host" not in await _roles(request, lesson):
        raise NotInLesson(lesson, "host")
    for exercise in wanted.exercises:
        check_exercise(exercise)
    fresh = Prepared(changed_by=principal(request).id, changed_at=time.time(), exercises=wanted.exercises)
    stands = await request.app[exercises_key].replace(lesson, wanted.revision, fresh)
    if stands is not None:
        raise StaleVersion(wanted.revision, stands)
    shape = LessonExercises(lesson=lesson, revision=wanted.revision + 1, may_change=True, exercises=wanted.exercises)
    return reply(request, shape)


@routes.post("/api/sessions/{id}/photos")
@functools.partial(takes_place, size="photo")
async def add_photo(request: web.Request) -> web.Response:
    """A JPEG of at most 1 MB as the body; query `exercise`, and `pupil`, a seat, where it is known."""
    asker = principal(request)
    session = request.app[live_key].running(request.match_info["id"])
    sender = _sender(session, asker, AddPhoto)
    if request.content_type != JPEG:
        raise UnsupportedBody(f"send {JPEG}")
    photo = secrets.token_hex(8)
    add = AddPhoto(
        msg_id=photo, exercise=request.query.get("exercise", ""), photo=photo, seat=_seat(request.query.get("pupil"))
    )
    picture = clean(await request.clone(client_max_size=LARGEST_BYTES).read())
    # written first: whoever is told of a photo can read it
    await asyncio.to_thread(request.app[answers_key].keep, session.id, photo, picture)
    answer = session.obey(sender, add)
    if isinstance(answer, Refused):
        await asyncio.to_thread(request.app[answers_key].remove, session.id, photo)
        raise Refusal(answer.code, **answer.values)
    return reply(request, PhotoKept(photo=photo), 201)


@routes.get("/api/sessions/{id}/photos/{photo}")
async def show_photo(request: web.Request) -> web.Response:
    """For the teachers in the lesson, afterwards for those who may watch its recording."""
    session, photo = request.match_info["id"], request.match_info["photo"]
    await _permit_reading(request, session, photo)
    found = None
    if PHOTO_ID.fullmatch(photo):
        found = await asyncio.to_thread(request.app[answers_key].read, session, photo)
    if found is None:
        raise NotFound("photo", photo)
    return web.Response(body=found, content_type=JPEG, headers={"Cache-Control": "private, no-store"})


@routes.delete("/api/sessions/{id}/photos/{photo}")
async def remove_photo(request: web.Request) -> web.Response:
    """Taken back by the class that it is of, while its exercise is there."""
    asker, photo = principal(request), request.match_info["photo"]
    session = request.app[live_key].running(request.match_info["id"])
    sender = _sender(session, asker, RemovePhoto)
    if session.room.exercises.unit_of_photo(photo) is None:
        raise NotFound("photo", photo)
    answer = session.obey(sender, RemovePhoto(msg_id=f"remove {photo}", photo=photo))
    if isinstance(answer, Refused):
        raise Refusal(answer.code, **answer.values)
    await asyncio.to_thread(request.app[answers_key].remove, session.id, photo)
    return web.Response(status=204)


async def _roles(request: web.Request, lesson: str) -> tuple[Role, ...]:
    return await request.app[live_sessions_key].roles_in(principal(request), lesson)


def _sender(session: LiveSession, asker: Principal, command: type[Command]) -> str:
    """The asker's place in the session, where it may do this."""
    places = (asker.id,) if asker.kind == "room" else (f"assistant.{asker.id}", f"host.{asker.id}")
    for place in places:
        who = session.room.participants.get(place)
        if who is not None and who.presence != "offline" and command in MAY[who.role]:
            return place
    raise NotInLesson(session.id, "assistant")


async def _permit_reading(request: web.Request, session: str, photo: str) -> None:
    asker = principal(request)
    try:
        room = request.app[live_key].running(session).room
    except SessionNotFound:
        record = await request.app[session_store_key].get(session)
        if record is None or record.review is None:
            raise
        await request.app[reviews_key].permit_photo(asker, record.review, photo)
        return
    here = (room.participants.get(f"{role}.{asker.id}") for role in ("host", "assistant", "observer"))
    if asker.kind != "person" or all(who is None for who in here):
        raise NotInLesson(session, "assistant")


def _seat(text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"[1-9]\d?", text):
        raise InvalidBody("not a seat", "pupil")
    return int(text)
