"""A host classroom's own camera in its lessons: pulled by RTSP, published like an encoder, and back after a cut."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from server.cameras.address import CameraRefused, checked, reachable, redirected, shown
from server.cameras.certificate import kept_pair
from server.cameras.pull import OPEN_SECONDS, Task
from server.cameras.pulls import CameraPulls, _start
from server.cameras.store import Camera, CameraStore
from signaling.cameras import RoomCamera
from signaling.commands import Mute
from tests.full_disk import full_disk
from tests.live_lessons import HOST_UNIT, classroom, plan, teacher
from tests.live_server import LiveServer
from tests.media_clients import Tone, clients, until
from tests.rtsp_camera import rtsp_camera

PLAN = plan()
ROOM = PLAN.host.room
LOOPBACK = ["127.0.0.0/8"]
PASSWORD = "geheim-4711"


@pytest.fixture
async def server(server: LiveServer) -> LiveServer:
    await server.service.open(PLAN)
    return server


@pytest.fixture
def store(tmp_path: Path) -> CameraStore:
    return CameraStore(tmp_path / "cameras")


@pytest.fixture
async def pulls(server: LiveServer, store: CameraStore, tmp_path: Path) -> AsyncIterator[CameraPulls]:
    base = str(server.web.make_url("/")).rstrip("/")
    found = CameraPulls(server.service, store, kept_pair(tmp_path / "pair"), whip_base=lambda: base, networks=LOOPBACK)
    task = asyncio.create_task(found.run())
    yield found
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.slow
@pytest.mark.parametrize(("sound", "preset"), [("pcma", "ultrafast"), ("opus", "veryfast")])
async def test_camera_is_seen_and_heard_and_comes_back_after_a_cut(
    server: LiveServer,
    store: CameraStore,
    pulls: CameraPulls,
    sound: str,
    preset: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In the baseline profile, and in the high one, as most cameras come."""
    async with rtsp_camera("pcma" if sound == "pcma" else "opus", PASSWORD, preset) as camera:
        store.put(Camera(ROOM, camera.url, "p-1", 0.0))
        await until(lambda: len(server.hub.tracks("s1")) == 2, 30)
        state, seen = pulls.state(ROOM)
        assert (state, seen.video, seen.transcoded, seen.problem) == ("live", "h264", sound == "pcma", None)
        who = server.room().participants["encoder.core.camera"]
        assert (who.role, who.presence, who.room) == ("encoder", "connected", ROOM)
        async with clients(server.hub, "s1", "watcher") as (watcher,):
            await watcher.subscribe(*(track.id for track in server.hub.tracks("s1")))
            await until(lambda: all(found.frames > 10 for found in watcher.watchers.values()), 30)
        camera.cut()
        await until(lambda: camera.played == 2, 30)
        await until(lambda: server.pass_time(0.0) or pulls.state(ROOM)[0] == "live", 30)
        store.remove(ROOM)
        await until(lambda: server.pass_time(0.25) or not server.hub.tracks("s1"), 30)
        await until(lambda: pulls.state(ROOM)[0] == "idle")
        assert PASSWORD not in caplog.text


@pytest.mark.slow
async def test_member_room_is_filmed_by_its_own_camera_and_one_microphone_of_it_is_heard(
    server: LiveServer, store: CameraStore, pulls: CameraPulls
) -> None:
    part = PLAN.members[0]
    teaching = await server.join(teacher(HOST_UNIT), PLAN)
    await server.join(classroom(part.unit), PLAN)
    async with rtsp_camera("pcma") as camera, clients(server.hub, "s1", part.room, "watcher") as (panel, watcher):
        await panel.publish(Tone())
        store.put(Camera(part.room, camera.url, "p-1", 0.0))
        await pulls.tend()
        assert pulls.state(part.room)[0] == "idle"  # wanted only in lessons that are taught from its room
        wanted = Camera(part.room, camera.url, "p-1", 0.0, lessons="all")
        store.put(wanted)
        await until(lambda: len(server.hub.tracks("s1")) == 3, 30)
        own = {track.source: track.id for track in server.hub.tracks("s1") if track.participant == part.camera}
        assert own.keys() == {"mic", "room"}
        who = server.room().participants[part.camera]
        assert (who.role, who.muted, who.unit) == ("encoder", True, part.unit)
        (told,) = server.room().snapshot().cameras
        assert (told.room, told.state, told.audio, told.transcoded) == (part.room, "live", "pcm_alaw", True)
        await watcher.subscribe(own["mic"], panel.track(), own["room"])
        by_camera, by_panel, picture = (watcher.watcher(number) for number in range(3))
        await until(lambda: picture.frames > 5, 30)
        assert (by_camera.frames, by_panel.frames) == (0, 0)
        await teaching.ask(Mute, participant=part.room, muted=False)
        await until(lambda: by_camera.frames > 20)
        assert by_panel.frames == 0
        store.put(replace(wanted, sound=False))
        await until(lambda: by_panel.frames > 20, 30)
        store.remove(part.room)
        await until(lambda: server.room().snapshot().cameras == ())


async def test_what_a_full_disk_kept_from_the_rooms_is_told_once_there_is_space(
    server: LiveServer, store: CameraStore, tmp_path: Path
) -> None:
    pulls = CameraPulls(server.service, store, kept_pair(tmp_path / "pair"), whip_base=lambda: "", networks=LOOPBACK)
    failed, live = (RoomCamera(room=ROOM, state=state, video="h264") for state in ("failed", "live"))
    with full_disk(server.service.running("s1")):
        for camera in (failed, live):
            pulls._tell("s1", camera)
        await pulls.tend()
        assert server.room().cameras == {}
    await pulls.tend()
    assert server.room().cameras == {ROOM: live}
    await pulls.tend()  # no camera is wanted in this room
    assert server.room().cameras == {}


@pytest.mark.slow
async def test_redirection_is_followed_within_the_networks_only(pulls: CameraPulls) -> None:
    reached: list[str] = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append("connected")
        writer.close()

    outside = await asyncio.start_server(elsewhere, "::1", 0)
    port = outside.sockets[0].getsockname()[1]
    async with outside, rtsp_camera("pcma", PASSWORD) as first, rtsp_camera("opus", PASSWORD) as second:
        for method in ("OPTIONS", "DESCRIBE"):
            first.elsewhere = (method, f"rtsp://[::1]:{port}/stream")
            assert (await pulls.look(first.url)).problem == "redirected"
        assert reached == []
        first.elsewhere = ("DESCRIBE", second.url.replace(f"admin:{PASSWORD}@", ""))
        seen = await pulls.look(first.url)
        assert (seen.problem, seen.audio) == (None, "opus")
        second.elsewhere = ("DESCRIBE", first.url)
        assert (await pulls.look(first.url)).problem == "redirected"


def test_password_goes_along_to_the_same_host_only() -> None:
    source = "rtsp://admin:x@10.0.0.9:554/live"
    assert redirected(source, "rtsp://10.0.0.9:8554/main") == "rtsp://admin:x@10.0.0.9:8554/main"
    assert redirected(source, "rtsp://10.0.0.10/main") == "rtsp://10.0.0.10/main"
    with pytest.raises(CameraRefused):
        redirected(source, "http://10.0.0.9/main")


@pytest.mark.slow
async def test_a_pull_whose_server_is_gone_ends_whatever_its_camera_does() -> None:
    """It asks a camera that never answers; a server that was killed cannot end it."""
    asked = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        asked.set()
        await reader.read()
        writer.close()

    camera = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = camera.sockets[0].getsockname()[1]
    process = await _start(Task(f"rtsp://127.0.0.1:{port}/stream"))
    assert process.stdin is not None
    assert process.stdout is not None
    await asyncio.wait_for(asked.wait(), 30)
    process.stdin.close()
    assert await asyncio.wait_for(process.stdout.read(), OPEN_SECONDS - 2) == b""
    assert await process.wait() == 1
    camera.close()
    await camera.wait_closed()


@pytest.mark.slow
async def test_a_look_says_what_a_camera_sends_or_why_not(pulls: CameraPulls) -> None:
    async with rtsp_camera("pcma", PASSWORD) as camera:
        seen = await pulls.look(camera.url)
        assert (seen.video, seen.width, seen.height, seen.audio, seen.transcoded, seen.problem) == (
            *("h264", 320, 192, "pcm_alaw", True),
            None,
        )
        assert seen.still
        assert (await pulls.look(camera.url.replace(PASSWORD, "wrong"))).problem == "refused"
        gone = camera.url
    assert (await pulls.look(gone)).problem == "unreachable"


OK = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n"
ANSWERS = [
    b"",
    bytes(1000),
    b"HTTP/1.1 200 OK\r\n\r\n",
    OK + b"Content-Length: 99999999999\r\n\r\n",
    OK + b"Content-Length: -5\r\n\r\n",
    (OK + b"\r\n") * 2 + OK + b"Content-Type: application/sdp\r\nContent-Length: 8\r\n\r\nm=video\xff",
    b"$\0\xff\xff" * 400,
]


@pytest.mark.slow
async def test_answers_of_no_camera_are_a_problem_and_nothing_else(pulls: CameraPulls) -> None:
    async def look(answer: bytes) -> str | None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(4096)
            writer.write(answer)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            host, port = server.sockets[0].getsockname()
            return (await pulls.look(f"rtsp://{host}:{port}/x")).problem

    found = [await look(answer) for answer in ANSWERS]
    assert {problem in ("unreachable", "no_video") for problem in found} == {True}, found


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://10.0.0.1/x",
        "file:///etc/passwd",
        "rtsp://",
        "rtsp:///x",
        "rtsp://h:99999/",
        "rtsp://h:0/",
        "rtsp://a b/",
    ],
)
def test_address_of_no_camera_is_refused(url: str) -> None:
    with pytest.raises(CameraRefused) as refused:
        checked(url)
    assert refused.value.reason == "address"


async def test_server_goes_only_where_cameras_are() -> None:
    with pytest.raises(CameraRefused) as refused:
        await reachable("rtsp://admin:x@127.0.0.1/live", ["10.0.0.0/8"])
    assert refused.value.reason == "network"
    assert await reachable("rtsp://admin:x@127.0.0.1/live?a=b", LOOPBACK) == "rtsp://admin:x@127.0.0.1:554/live?a=b"


def test_password_is_kept_where_only_the_server_reads(store: CameraStore, tmp_path: Path) -> None:
    camera = Camera("../room", "rtsp://admin:x@10.0.0.9/live", "p-1", 1.0)
    store.put(camera)
    assert store.all() == {"../room": camera}
    (file,) = (tmp_path / "cameras").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert "room" not in file.name
    assert json.loads(file.read_text())["url"] == camera.url
    assert shown(camera.url) == "rtsp://10.0.0.9/live"
    assert (store.remove("../room"), store.remove("../room"), store.all()) == (True, False, {})
