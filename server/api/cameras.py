"""The cameras and recording hosts that classrooms have already: which there are, setting one, trying one."""

from __future__ import annotations

import asyncio
import time

from aiohttp import web

from server.auth.middleware import principal
from server.auth.policy import allowed, permit
from server.auth.principal import Principal
from server.cameras.address import checked, shown
from server.cameras.pull import Seen
from server.cameras.store import Camera
from server.keys import camera_store_key, cameras_key, counties_key, people_key
from server.shapes.camera import CameraSeen, CameraView, NewCamera
from server.web import body, reply

routes = web.RouteTableDef()


@routes.get("/api/cameras")
async def cameras(request: web.Request) -> web.Response:
    """Those of the rooms that the asker manages."""
    asker = principal(request)
    permit(asker, "manage_rooms")
    county = await request.app[counties_key].now()
    people = {person.id: person.name for person in await request.app[people_key].all()}
    found = await asyncio.to_thread(request.app[camera_store_key].all)
    mine = [
        room
        for room in county.register.rooms
        if room.id in found and allowed(asker, "manage_rooms", units=(room.unit,))
    ]
    return reply(request, [_view(request, found[room.id], people) for room in mine])


@routes.put("/api/rooms/{room}/camera")
async def put(request: web.Request) -> web.Response:
    """Give a room a camera, or another one."""
    asker, room = await _managed(request)
    wanted = await body(request, NewCamera)
    store = request.app[camera_store_key]
    known = (await asyncio.to_thread(store.all)).get(room)
    url = wanted.url.strip() or (known.url if known else "")
    camera = Camera(
        room=room, url=checked(url), by=asker.id, at=time.time(), lessons=wanted.lessons, sound=wanted.sound
    )
    await asyncio.to_thread(store.put, camera)
    return reply(request, _view(request, camera, {asker.id: asker.name}))


@routes.delete("/api/rooms/{room}/camera")
async def remove(request: web.Request) -> web.Response:
    """The room has none any more."""
    _, room = await _managed(request)
    await asyncio.to_thread(request.app[camera_store_key].remove, room)
    return web.Response(status=204)


@routes.post("/api/rooms/{room}/camera/look")
async def look(request: web.Request) -> web.Response:
    """Try an address, or where none is given the room's camera: what it sends, and a picture."""
    _, room = await _managed(request)
    wanted = await body(request, NewCamera)
    known = (await asyncio.to_thread(request.app[camera_store_key].all)).get(room)
    url = wanted.url.strip() or (known.url if known else "")
    return reply(request, _seen(await request.app[cameras_key].look(url)))


async def _managed(request: web.Request) -> tuple[Principal, str]:
    asker = principal(request)
    room = (await request.app[counties_key].now()).room(request.match_info["room"])
    permit(asker, "manage_rooms", units=(room.unit,))
    return asker, room.id


def _view(request: web.Request, camera: Camera, people: dict[str, str]) -> CameraView:
    state, seen = request.app[cameras_key].state(camera.room)
    return CameraView(
        room=camera.room,
        address=shown(camera.url),
        by=people.get(camera.by, camera.by),
        at=camera.at,
        lessons=camera.lessons,
        sound=camera.sound,
        state=state,
        seen=_seen(seen),
    )


def _seen(seen: Seen) -> CameraSeen:
    return CameraSeen(
        video=seen.video,
        width=seen.width,
        height=seen.height,
        audio=seen.audio,
        transcoded=seen.transcoded,
        problem=seen.problem,
        still=f"data:image/jpeg;base64,{seen.still}" if seen.still else None,
    )
