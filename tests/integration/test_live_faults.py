"""Lines and machines that fail during a lesson: half-open sockets, sockets that overlap, clocks that jump, garbage.

What must hold: nothing acknowledged is lost, doubled or reordered; the roster is who has a live socket, within two
heartbeats; nobody else notices.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.logs import tell_malformed_shortly
from server.sockets import line as live_line
from server.storage.database import Database
from signaling.commands import Mark, StartLesson
from signaling.events import Marked
from signaling.messages import Ack, Event, Links, Resumed
from tests.fault_proxy import TcpProxy, tcp_proxy
from tests.live_lessons import HOST_UNIT, MEMBERS, classroom, plan, teacher
from tests.live_server import LiveServer, Panel, live_server
from tests.media_clients import until

PLAN = plan()
HOST = teacher(HOST_UNIT)
YANLI, GULONG, _ = (classroom(unit) for unit in MEMBERS)


@pytest.fixture
async def server(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LiveServer]:
    monkeypatch.setattr(live_line, "PING_SECONDS", 0.6)
    database = Database.open(sqlite_url)
    async with live_server(database, tmp_path / "journals") as server:
        await server.service.open(PLAN)
        yield server
    await database.close()


@pytest.fixture
async def line(server: LiveServer) -> AsyncIterator[TcpProxy]:
    async with tcp_proxy(("127.0.0.1", server.web.port or 0)) as line:
        yield line


async def behind(server: LiveServer, line: TcpProxy, **options: object) -> Panel:
    """A classroom whose socket goes through the line."""
    direct, server.web = server.web, Detour(line)  # type: ignore[assignment]
    try:
        return await server.join(YANLI, PLAN, **options)
    finally:
        server.web = direct


class Detour:
    def __init__(self, line: TcpProxy) -> None:
        self._line = line

    def make_url(self, path: str) -> str:
        host, port = self._line.address
        return f"http://{host}:{port}{path}"


def presence(server: LiveServer, participant: str = "room-yanli") -> str:
    return server.room().participants[participant].presence


def numbered(panel: Panel) -> list[int]:
    return [message.seq for message in panel.told if isinstance(message, Event)]


async def test_half_open_socket_is_noticed_and_its_place_kept(server: LiveServer, line: TcpProxy) -> None:
    host = await server.join(HOST, PLAN)
    room = await behind(server, line)
    line.up.cut()
    line.down.cut()
    await until(lambda: presence(server) == "reconnecting", 2 * 2 * live_line.PING_SECONDS + 2)
    assert server.service.running("s1").roster == {host.welcome.participant}
    await host.ask(StartLesson)
    back = await server.connect(YANLI, PLAN, seen=room.seen, device="device of room-yanli")
    resumed = await back.expect(Resumed)
    await until(lambda: len(numbered(back)) == resumed.seq - room.welcome.seq)
    assert numbered(back) == list(range(room.welcome.seq + 1, resumed.seq + 1))
    assert presence(server) == "connected"


async def test_old_socket_that_wakes_after_the_new_one_changes_nothing(server: LiveServer, line: TcpProxy) -> None:
    host = await server.join(HOST, PLAN)
    old = await behind(server, line)
    line.up.cut()
    line.down.cut()
    new = await server.connect(YANLI, PLAN, seen=old.seen, device="device of room-yanli")
    await new.expect(Resumed)
    line.up.mend()
    line.down.mend()
    assert await old.closed() == "replaced"
    await host.ask(StartLesson)
    assert isinstance(await new.ask(Mark, note="here"), Ack)
    assert presence(server) == "connected"
    assert server.service.running("s1").roster == {host.welcome.participant, "room-yanli"}


async def test_commands_cut_off_half_way_are_done_once(server: LiveServer, line: TcpProxy) -> None:
    host = await server.join(HOST, PLAN)
    await host.ask(StartLesson)
    panel = await behind(server, line)
    for number in range(6):
        # the answer never comes: only the way down is cut, then the line breaks
        line.down.cut()
        await panel.send(Mark(msg_id=f"mark-{number}", note=str(number)))
        marks = number + 1
        await until(lambda: len([e for e in host.events if isinstance(e, Marked)]) == marks)  # noqa: B023
        line.abort()
        line.down.mend()
        seen = panel.seen
        direct, server.web = server.web, Detour(line)  # type: ignore[assignment]
        panel = await server.connect(YANLI, PLAN, seen=seen, device="device of room-yanli")
        server.web = direct
        await panel.expect(Resumed)
        assert isinstance(await panel.ask(Mark, msg_id=f"mark-{number}", note=str(number)), Ack)
    notes = [event.note for event in host.events if isinstance(event, Marked)]
    assert notes == [str(number) for number in range(6)]
    assert numbered(host) == sorted(set(numbered(host)))


@pytest.mark.parametrize("jump", [-3600.0, 600.0])
async def test_a_jump_of_the_clock_silences_and_stops_nobody(server: LiveServer, jump: float) -> None:
    host, room = await server.join(HOST, PLAN), await server.join(GULONG, PLAN)
    await host.ask(StartLesson)
    server.clock.now += jump
    before = len(room.told)
    server.pass_time(0.25)
    await room.expect(Links, after=before)
    assert isinstance(await room.ask(Mark, note="after"), Ack)
    assert (server.room().state, presence(server, "room-gulong")) == ("live", "connected")


GARBAGE = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GARBAGE\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /ws/live HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /whip/s1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
    b"GET /ws/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
]
FRAMES = [
    b"\x82\x05hello",
    b"\xf2\x80\x00\x00\x00\x00",
    b"\x8b\x80\x00\x00\x00\x00",
    b"\x88\xff" + b"\xff" * 8,
    b"\x81\x81\0\0\0\0\xff",
]


@pytest.mark.parametrize("garbage", [*GARBAGE, *FRAMES], ids=lambda garbage: garbage[:16].hex())
async def test_garbage_leaves_no_traceback_and_no_socket(
    server: LiveServer, garbage: bytes, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> None:
    web_log = logging.getLogger("aiohttp.server")
    web_log.addFilter(tell_malformed_shortly)
    request.addfinalizer(lambda: web_log.removeFilter(tell_malformed_shortly))
    host = await server.join(HOST, PLAN)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.web.port)
    if garbage in FRAMES:
        writer.write(
            b"GET /ws/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"Sec-WebSocket-Protocol: tongke.live.1+msgpack\r\n\r\n"
        )
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    with caplog.at_level(logging.INFO):
        writer.write(garbage)
        writer.write_eof()
        async with asyncio.timeout(5):
            while await reader.read(65536):
                pass
    writer.close()
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    assert isinstance(await host.ask(StartLesson), Ack)
    assert server.service.running("s1").roster == {host.welcome.participant}
