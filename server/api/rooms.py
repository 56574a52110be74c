"""Remote rooms: which have a panel, and the pairing of one by a code that a person confirms."""

import time

from aiohttp import web
from msgspec.structs import replace

from server.auth.middleware import auth_key, principal, remote_address, set_cookie
from server.auth.policy import allowed, permit
from server.auth.service import PAIRING_SECONDS, ROOM_SESSION_SECONDS
from server.keys import counties_key, importing_key, people_key, site_key, withdrawals_key
from server.qr import qr_code
from server.shapes.people import ChangedRoom, ConfirmPairing, PairingCode, PairingPoll, PairingState, RoomRow
from server.storage.people_store import PairedRoom
from server.web import body, reply
from timetable.errors import NotFound
from timetable.model import Register

routes = web.RouteTableDef()


@routes.get("/api/rooms")
async def rooms(request: web.Request) -> web.Response:
    asker = principal(request)
    permit(asker, "manage_rooms")
    county = await request.app[counties_key].now()
    paired = {room.room: room for room in await request.app[people_key].rooms()}
    people = {person.id: person.name for person in await request.app[people_key].all()}
    rows = []
    for room in county.register.rooms:
        if room.kind != "remote" or not allowed(asker, "manage_rooms", units=(room.unit,)):
            continue
        panel = paired.get(room.id)
        rows.append(
            RoomRow(
                id=room.id,
                name=room.name,
                unit=room.unit,
                unit_name=county.unit_name(room.unit),
                paired_at=panel.paired_at if panel else None,
                paired_by=people.get(panel.paired_by, panel.paired_by) if panel else "",
                last_seen=panel.last_seen if panel else None,
                listen_only=room.listen_only,
            )
        )
    return reply(request, rows)


@routes.post("/api/pairing")
async def begin(request: web.Request) -> web.Response:
    """A panel that belongs to no room yet asks for a code."""
    pairing = await request.app[auth_key].begin_pairing(remote_address(request))
    confirm_url = f"{request.app[site_key].public_url}/pair?code={pairing.code}"
    shape = PairingCode(
        code=pairing.code,
        secret=pairing.secret,
        expires_at=pairing.expires_at,
        expires_in=PAIRING_SECONDS,
        confirm_url=confirm_url,
        confirm_qr=qr_code(confirm_url),
    )
    return reply(request, shape, 201)


@routes.post("/api/pairing/poll")
async def poll(request: web.Request) -> web.Response:
    """The panel asks whether its code was confirmed; the answer that says so signs it in."""
    wanted = await body(request, PairingPoll)
    state, opened, name = await request.app[auth_key].collect_pairing(wanted.secret)
    response = reply(request, PairingState(state=state, room_name=name))
    if opened:
        set_cookie(request, response, opened, ROOM_SESSION_SECONDS)
    return response


@routes.post("/api/pairing/confirm")
async def confirm(request: web.Request) -> web.Response:
    wanted = await body(request, ConfirmPairing)
    asker = principal(request)
    room = (await request.app[counties_key].now()).room(wanted.room)
    permit(asker, "manage_rooms", units=(room.unit,))
    if room.kind != "remote":
        raise NotFound("remote room", room.id)
    paired = PairedRoom(room=room.id, name=room.name, unit=room.unit, paired_at=time.time(), paired_by=asker.id)
    gone = await request.app[auth_key].confirm_pairing(wanted.code, paired)
    if gone is not None:
        await request.app[withdrawals_key].turn_out(gone)
    return web.Response(status=204)


@routes.put("/api/rooms/{room}")
async def change(request: web.Request) -> web.Response:
    """What is to be known of a remote room. Lessons that have begun keep what they were planned with."""
    wanted = await body(request, ChangedRoom)
    asker = principal(request)
    room = (await request.app[counties_key].now()).room(request.match_info["room"])
    permit(asker, "manage_rooms", units=(room.unit,))
    if room.kind != "remote":
        raise NotFound("remote room", room.id)

    def changed(register: Register) -> Register:
        rooms = (replace(one, listen_only=wanted.listen_only) if one.id == room.id else one for one in register.rooms)
        return replace(register, rooms=tuple(rooms))

    await request.app[importing_key].edit(changed, asker.name)
    return web.Response(status=204)


@routes.delete("/api/rooms/{room}/device")
async def unpair(request: web.Request) -> web.Response:
    asker = principal(request)
    room = (await request.app[counties_key].now()).room(request.match_info["room"])
    permit(asker, "manage_rooms", units=(room.unit,))
    gone = await request.app[people_key].unpair(room.id)
    if gone is not None:
        await request.app[withdrawals_key].turn_out(gone)
    return web.Response(status=204)
