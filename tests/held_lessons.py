"""A lesson that was held and recorded, made in seconds: by sockets, and with real packets of each side."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from recordings.errors import JournalLocked
from recordings.manifest import read_recording
from recordings.recorder import SessionRecorder
from server.keys import settings_key
from signaling.commands import CallOn, EndLesson, Hello, Mark, StartLesson
from signaling.exercises import Answer, Exercise, ExercisePushed, PushExercise
from signaling.frames import MSGPACK
from signaling.materials import OpenMaterial, TurnPage
from signaling.messages import Welcome
from signaling.strokes import DrawStroke, ExtendStroke
from tests.county_server import CORE, MEMBER, PUBLIC, SYNC, Caller, CountyServer, person_id, remote_room
from tests.live_server import Panel
from tests.recorded_media import audio_packets, camera, merged, microphone, report, video_packets
from tests.unit.test_photo import PICTURE

HOST, MEMBERS = f"host.{person_id('host_teacher')}", remote_room(MEMBER)


class Held:
    """A rehearsal that the host and one of two member classrooms held."""

    def __init__(self, county: CountyServer, session: str, review: str) -> None:
        self.county = county
        self.session = session
        self.photos: dict[str, str] = {}
        """Of each class's work, where they handed some in."""
        self.path = f"/api/reviews/{review}"
        self.id = review

    async def view(self, name: str) -> dict[str, Any]:
        answer = await (await self.county.person(name)).get(self.path)
        assert answer.status == 200, answer
        view: dict[str, Any] = answer.json
        return view

    async def segment(self, caller: Caller) -> tuple[str, bytes]:
        """The link of the host's picture, and what the file holds."""
        view = (await caller.get(self.path)).json
        [track] = [track for track in view["views"] if track["participant"] == HOST]
        folder = self.county.app[settings_key].recordings_dir / self.session
        [facts] = [facts for facts in read_recording(folder).segments if facts.opened.participant == HOST]
        return track["segments"][0]["url"], (folder / facts.opened.file).read_bytes()


async def hold(county: CountyServer, *, answers: bool = False) -> Held:
    """A rehearsal with a board, ended, its review open; with `answers` both classes write, draw and hand in photos."""
    teacher = await county.person("host_teacher")
    photos: dict[str, str] = {}
    session = (await teacher.post("/api/sessions", {"lesson": SYNC})).json["id"]
    async with ClientSession() as sockets:
        host = await _join(county, sockets, teacher, session)
        classroom = await _join(county, sockets, await county.panel(MEMBER), session)
        await host.ask(StartLesson)
        await classroom.ask(Mark, note="看板书")
        await host.ask(OpenMaterial, version="blank")
        await host.ask(
            DrawStroke, version="blank", page=1, stroke="s1", colour="red", width=16, points=(100, 100, 20, 5)
        )
        if answers:
            photos = await _answer(county, session, host, classroom)
        await host.ask(TurnPage, version="blank", page=2)
        await host.ask(EndLesson)
        async with asyncio.timeout(10):
            while (review := (await teacher.get(f"/api/sessions/{session}")).json["review"]) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        for panel in (host, classroom):
            await panel.close()
    held = Held(county, session, review)
    held.photos = photos
    return held


async def _answer(county: CountyServer, session: str, host: Panel, classroom: Panel) -> dict[str, str]:
    """An exercise that both classes answer in writing and by a photo, and a stroke of the far classroom."""
    await host.ask(PushExercise, exercise=Exercise(kind="text", prompt="什么是法线？"))
    run = next(event.run for event in host.events if isinstance(event, ExercisePushed))
    await classroom.ask(Answer, exercise=run, seat=7, text="垂直于镜面")
    await host.ask(Answer, exercise=run, seat=3, text="垂直的线")
    await host.ask(CallOn, participant=MEMBERS)
    await classroom.ask(
        DrawStroke, version="blank", page=1, stroke="s2", colour="blue", width=16, points=(200, 200, 20, 5)
    )
    await classroom.ask(ExtendStroke, stroke="s2", points=(5, 5))
    photos = {}
    for unit, caller in ((CORE, await county.person("host_teacher")), (MEMBER, await county.panel(MEMBER))):
        sent = await caller.ask(
            "POST",
            f"/api/sessions/{session}/photos?exercise={run}&pupil=7",
            data=PICTURE,
            headers={"Content-Type": "image/jpeg"},
        )
        photos[unit] = sent.json["photo"]
    return photos


async def record(held: Held, seconds: int = 2) -> Held:
    """The same lesson with a picture and the sound of each of the two."""
    folder = held.county.app[settings_key].recordings_dir / held.session
    async with asyncio.timeout(10):
        # a server that has just started looks over the recordings of ended sessions, whenever its thread gets its turn
        while True:
            try:
                await asyncio.to_thread(_record, folder, held.session, seconds)
            except JournalLocked:
                await asyncio.sleep(0.05)
            else:
                return held


async def _join(county: CountyServer, sockets: ClientSession, caller: Caller, session: str) -> Panel:
    reply = (await caller.post(f"/api/sessions/{session}/join")).json
    socket = await sockets.ws_connect(
        f"{county.base}/ws/live", protocols=[MSGPACK.subprotocol], headers={"Origin": PUBLIC}
    )
    panel = Panel(socket, MSGPACK)
    await panel.send(Hello(token=reply["token"], device=caller.headers["Cookie"]))
    await panel.expect(Welcome)
    return panel


def _record(folder: Path, session: str, seconds: int) -> None:
    """Go on with the session's recording: real pictures and sound of both sides, as the media plane hands them on."""
    now = [0.0]
    wall = read_recording(folder).started_at
    recorder = SessionRecorder(session, folder, lambda: now[0], lambda: wall + now[0])
    for participant, side, unit in ((HOST, "host", CORE), (MEMBERS, "member", MEMBER)):
        recorder.start(participant, "host" if side == "host" else "member", unit, participant, consent=True)
        video, audio = recorder.video_tap(participant, "teacher"), recorder.audio_tap(participant)
        packets = merged(
            video_packets(camera(seconds)),
            audio_packets(microphone(seconds)),
            [report("video", 0.2, 0.0), report("audio", 0.3, 0.0)],
        )
        for packet in packets:
            now[0] = max(now[0], packet.arrival)
            tap = video if packet.kind == "video" else audio
            if packet.ntp:
                tap.sender_report(packet.ntp, packet.timestamp, packet.arrival)
            else:
                tap.packet(packet.sequence, packet.timestamp, packet.marker, packet.payload, packet.arrival)
    recorder.stop()
    recorder.join()
