"""The server is killed in mid-lesson: the table, the journal and the recording are there, and the rooms come back."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import pytest
from aiohttp import ClientSession, DummyCookieJar
from av.container import InputContainer
from playwright.async_api import Browser, BrowserContext, Page

from recordings.fragments import index_file
from recordings.journal import read_journal
from recordings.manifest import read_recording
from recordings.repair import verify
from signaling.commands import Hello
from signaling.frames import MSGPACK
from signaling.messages import Welcome
from tests.county_process import CountyProcess
from tests.county_server import CORE, MEMBER, SYNC, Caller, person_id, remote_room
from tests.live_server import Panel

pytestmark = pytest.mark.slow

LOST_SECONDS = 1.5
"""Of the recording, this much before the kill may be gone; of the journal nothing."""
WAIT = 60_000
ROOM = remote_room(MEMBER)
HOST = f"host.{person_id('host_teacher')}"
MOVING = """count => {
    const moving = [...document.querySelectorAll('video[data-participant]')].filter(video => {
        const frames = Number(video.dataset.frames || 0);
        // a picture that begins anew counts from there
        video.seen = Math.min(video.seen ?? frames, frames);
        return frames > video.seen + 5;
    });
    return new Set(moving.map(video => video.dataset.participant)).size >= count;
}"""


class Lesson:
    """A rehearsal on a server of its own, with the pages of its host and of one member classroom."""

    def __init__(self, server: CountyProcess, browser: Browser, http: ClientSession) -> None:
        self.server = server
        self.http = http
        self.session = ""
        self.errors: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    def caller(self, name: str) -> Caller:
        return Caller(self.http, self.server.said.base, self.server.said.cookies[name])

    async def table(self) -> dict[str, Any]:
        """The published table, whatever the day: a midnight may pass while the server is down."""
        found: dict[str, Any] = (await self.caller("host_teacher").get("/api/communities/A/timetable")).json
        return {name: value for name, value in found.items() if name != "term"}

    async def open(self) -> tuple[Page, Page]:
        """The host's page and the classroom's panel, both in the open rehearsal."""
        self.session = (await self.caller("host_teacher").post("/api/sessions", {"lesson": SYNC})).json["id"]
        host = await self._page("host_teacher", f"/classroom/{self.session}?as=host")
        room = await self._page(ROOM, "/room")
        return host, room

    async def _page(self, name: str, path: str) -> Page:
        context = await self._browser.new_context(viewport={"width": 1366, "height": 768})
        self._contexts.append(context)
        key, _, value = self.server.said.cookies[name].partition("=")
        await context.add_cookies([{"name": key, "value": value, "url": self.server.said.base}])
        page = await context.new_page()
        page.on("pageerror", lambda error: self.errors.append(f"{name}: {error}"))
        await page.goto(f"{self.server.said.base}{path}")
        return page

    async def close(self) -> None:
        for context in self._contexts:
            await context.close()

    @property
    def folder(self) -> Path:
        return self.server.folder / "recordings" / self.session

    def events(self) -> list[dict[str, Any]]:
        """The journal as it is on the disk."""
        found = read_journal(self.server.folder / "journals" / f"{self.session}.journal")
        return [record.event for _, record in found.records if record is not None]

    async def recorded(self, seconds: float) -> None:
        """Wait until both sides can be played up to so many seconds from now."""
        until = time.time() + seconds
        async with asyncio.timeout(60):
            while len(ends := self.recorded_until()) < 2 or min(ends.values()) < until:  # noqa: ASYNC110 - files
                await asyncio.sleep(0.2)

    def recorded_until(self) -> dict[str, float]:
        """Up to which unix second each side can be played, from the files alone."""
        recording = read_recording(self.folder)
        ends: dict[str, float] = {}
        for facts in recording.segments:
            until = (
                recording.started_at + facts.opened.started_at + index_file(self.folder / facts.opened.file).duration
            )
            side = facts.opened.participant
            ends[side] = max(ends.get(side, 0.0), until)
        return ends


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[CountyProcess]:
    server = CountyProcess(tmp_path / "data")
    server.folder.mkdir()
    await asyncio.to_thread(server.start)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.stop)


@pytest.fixture
async def lesson(server: CountyProcess, chromium: Browser) -> AsyncIterator[Lesson]:
    async with ClientSession(cookie_jar=DummyCookieJar()) as http:
        lesson = Lesson(server, chromium, http)
        yield lesson
        await lesson.close()


async def in_state(page: Page, state: str) -> None:
    await page.wait_for_selector(f'[data-session][data-state="{state}"]', timeout=WAIT)


async def moving(page: Page, participants: int) -> None:
    """Wait until the pictures of so many participants go on from here."""
    await page.evaluate("document.querySelectorAll('video').forEach(video => delete video.seen)")
    await page.wait_for_function(MOVING, arg=participants, timeout=WAIT)


async def test_a_killed_server_loses_nothing_and_everybody_comes_back_alone(lesson: Lesson) -> None:
    host, room = await lesson.open()
    await in_state(host, "open")
    await host.wait_for_selector(f'[data-room="{ROOM}"][data-state="connected"]', timeout=WAIT)
    await host.click('[data-action="start-lesson"]')
    await asyncio.gather(in_state(host, "live"), in_state(room, "live"))
    await asyncio.gather(moving(host, 2), moving(room, 2))
    await host.click('[data-action="mark-point"]')
    table = await lesson.table()
    await lesson.recorded(seconds=4)
    await room.click('[data-action="raise-hand"]')
    await host.wait_for_selector(f'[data-room="{ROOM}"][data-hands="1"]', timeout=WAIT)

    killed = await asyncio.to_thread(lesson.server.kill)
    before = lesson.events()
    assert [event["type"] for event in before][-1:] == ["hand_raised"]
    assert "marked" in [event["type"] for event in before]
    for side, until in lesson.recorded_until().items():
        assert killed - until <= LOST_SECONDS, side
    assert set(lesson.recorded_until()) == {HOST, ROOM}

    # the host is told that the line is down
    await host.wait_for_selector(f'[data-room="{remote_room(CORE)}"][data-state="reconnecting"]', timeout=WAIT)
    await asyncio.to_thread(lesson.server.start)

    # nobody touches anything
    await asyncio.gather(in_state(host, "live"), in_state(room, "live"))
    await host.wait_for_selector(f'[data-room="{ROOM}"][data-state="connected"]', timeout=WAIT)
    await asyncio.gather(moving(host, 2), moving(room, 2))
    assert await host.locator(f'[data-room="{ROOM}"]').count() == 1
    assert await host.locator(f'[data-room="{ROOM}"][data-hands="1"]').count() == 1
    assert lesson.events()[: len(before)] == before
    assert await lesson.table() == table
    await lesson.recorded(seconds=3)

    await host.click('[data-action="end-lesson"]')
    await host.click('[data-action="end-lesson"][data-confirm="true"]')
    await host.wait_for_selector('[data-action="open-review"]', timeout=WAIT)
    await the_review_plays_both_parts_of_both_sides(lesson, killed)
    assert lesson.errors == []


async def the_review_plays_both_parts_of_both_sides(lesson: Lesson, killed: float) -> None:
    teacher = lesson.caller("member_teacher")
    row = (await teacher.get(f"/api/sessions/{lesson.session}")).json
    assert row["state"] == "ended"
    view = (await teacher.get(f"/api/reviews/{row['review']}")).json
    recording = read_recording(lesson.folder)
    cut = killed - recording.started_at
    for participant, unit in ((HOST, CORE), (ROOM, MEMBER)):
        [track] = [track for track in view["views"] if track["participant"] == participant]
        assert track["unit"] == unit
        pictures = [segment for segment in track["segments"] if segment["hasVideo"]]
        assert min(s["start"] for s in pictures) < cut < max(s["start"] for s in pictures), (participant, cut, pictures)
        played = {"before": 0, "after": 0}
        for segment in pictures:
            content = (await teacher.get(segment["url"])).body
            with av.open(io.BytesIO(content)) as container:
                assert isinstance(container, InputContainer)
                frames = len(list(container.decode(video=0)))
            # a page that returns may publish twice within a second: each piece plays, however short
            assert frames > 0, (participant, segment["start"])
            played["before" if segment["start"] < cut else "after"] += frames
        assert min(played.values()) > 20, (participant, played)
        # what is missing around the kill is shown as missing
        assert [gap for gap in track["gaps"] if cut - LOST_SECONDS <= gap[0] <= cut + 1], (participant, track["gaps"])
    kinds = [mark["kind"] for mark in view["marks"]]
    assert "mark" in kinds
    assert "hand" in kinds
    assert verify(lesson.folder) == []


async def test_a_build_of_a_killed_server_is_told_of_and_started_again(server: CountyProcess) -> None:
    async with ClientSession(cookie_jar=DummyCookieJar()) as http:
        director = Caller(http, server.said.base, server.said.cookies["core_director"])
        revision = (await director.get("/api/communities/A/timetable?version=draft")).json["revision"]
        wanted = {"revision": revision, "seconds": 600}
        started = (await director.post("/api/communities/A/builds", wanted)).json
        claim = server.folder / "builds" / started["id"] / "solver.pid"
        async with asyncio.timeout(60):
            while not claim.exists() or not claim.read_text():  # noqa: ASYNC110 - a file of another process
                await asyncio.sleep(0.01)
        solver = int(claim.read_text())
        # as it is, the small county would be solved before the blow
        os.kill(solver, signal.SIGSTOP)
        await asyncio.to_thread(server.kill)
        os.kill(solver, signal.SIGCONT)
        await asyncio.to_thread(server.start)
        director = Caller(http, server.said.base, server.said.cookies["core_director"])
        [build] = (await director.get("/api/communities/A/builds")).json
        assert (build["id"], build["state"]) == (started["id"], "interrupted")
        needs = (await director.get("/api/today?community=A")).json["needs"]
        assert "build_interrupted" in [need["code"] for need in needs]
        member = Caller(http, server.said.base, server.said.cookies["member_director"])
        needs = (await member.get("/api/today?community=A")).json["needs"]
        assert "build_interrupted" not in [need["code"] for need in needs]
        async with asyncio.timeout(30):
            while Path(f"/proc/{solver}").exists():  # noqa: ASYNC110 - nobody's child any more
                await asyncio.sleep(0.05)
        again = (await director.post("/api/communities/A/builds", {"revision": revision, "seconds": 3})).json
        async with asyncio.timeout(60):
            events = await director.get(f"/api/builds/{again['id']}/events")
        assert '"state":"done"' in events.body.decode().split("\n\n")[-2]
        states = {one["id"]: one["state"] for one in (await director.get("/api/communities/A/builds")).json}
        assert states == {started["id"]: "cancelled", again["id"]: "done"}
        assert list((server.folder / "builds").iterdir()) == []


async def test_a_server_that_is_asked_to_stop_says_goodbye_and_goes_at_once(server: CountyProcess) -> None:
    async with ClientSession(cookie_jar=DummyCookieJar()) as http:
        teacher = Caller(http, server.said.base, server.said.cookies["host_teacher"])
        session = (await teacher.post("/api/sessions", {"lesson": SYNC})).json["id"]
        token = (await teacher.post(f"/api/sessions/{session}/join")).json["token"]
        socket = await http.ws_connect(f"{server.said.base}/ws/live", protocols=[MSGPACK.subprotocol])
        panel = Panel(socket, MSGPACK)
        await panel.send(Hello(token=token, device="d"))
        await panel.expect(Welcome)
        director = Caller(http, server.said.base, server.said.cookies["core_director"])
        revision = (await director.get("/api/communities/A/timetable")).json["revision"]
        build = await director.post("/api/communities/A/builds", {"revision": revision, "seconds": 600})
        watching = asyncio.create_task(director.get(f"/api/builds/{build.json['id']}/events"))
        began = time.monotonic()
        stopped = asyncio.create_task(asyncio.to_thread(server.stop))
        assert await panel.closed() == "drain"
        assert socket.close_code == 1012
        last = (await watching).body.decode().split("\n\n")[-2]
        assert '"running"' not in last
        assert await stopped == 0
        assert time.monotonic() - began < 12
        await panel.close()
