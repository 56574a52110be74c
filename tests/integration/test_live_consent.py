"""A class that withdraws while its lesson goes on, on the whole server with its media plane."""

from __future__ import annotations

import asyncio

from aiohttp import ClientSession

from server.keys import media_key
from server.live_recording import LOOK_SECONDS
from signaling.commands import StartLesson
from signaling.events import RecordingChanged
from tests.county_server import MEMBER, SYNC, CountyServer, remote_room
from tests.integration.test_api_sessions import enter
from tests.integration.test_live_media import publish
from tests.media_clients import Tone, clients, until


async def test_a_lesson_that_goes_on_writes_the_class_no_more_from_that_moment(county: CountyServer) -> None:
    teacher, panel = await county.person("host_teacher"), await county.panel(MEMBER)
    principal = await county.person("member_principal")
    session = (await teacher.post("/api/sessions", {"lesson": SYNC})).json["id"]
    room_id = remote_room(MEMBER)
    async with ClientSession() as http, clients(county.app[media_key], session, room_id) as (up,):
        host, room = await enter(county, http, teacher, session), await enter(county, http, panel, session)
        await publish(room, up, mic=Tone())
        await up.connected()
        await host.ask(StartLesson)
        await host.hears(RecordingChanged(participant=room_id, state="recording"))
        path = f"/api/consents/{MEMBER}-5-1"
        said = await principal.put(path, {"agreed": False, "revision": 0})
        # sooner than the recordings look by themselves
        async with asyncio.timeout(LOOK_SECONDS / 2):
            await host.hears(RecordingChanged(participant=room_id, state="no_consent"))
        before = len(host.events)
        await principal.put(path, {"agreed": True, "revision": said.json["row"]["revision"]})
        async with asyncio.timeout(LOOK_SECONDS / 2):
            await until(
                lambda: RecordingChanged(participant=room_id, state="recording") in host.events[before:],
            )
        for one in (host, room):
            await one.close()
