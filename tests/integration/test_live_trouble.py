"""What clients must not be able to do to a room: random bytes, random messages, not reading, all coming at once."""

from __future__ import annotations

import asyncio
import socket
from typing import get_args

import msgspec
import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signaling import connection
from signaling.commands import Mark, RaiseHand, Spotlight, StartLesson
from signaling.events import Left
from signaling.frames import MSGPACK
from signaling.messages import Ack, ClientMessage, Event, Links
from tests.live_lessons import HOST_UNIT, MEMBERS, classroom, plan, researcher, teacher
from tests.live_server import ORIGIN, LiveServer
from tests.media_clients import until

PLAN = plan()
HOST = teacher(HOST_UNIT)
YANLI, GULONG, DONGYE = (classroom(unit) for unit in MEMBERS)


@pytest.fixture
async def server(server: LiveServer) -> LiveServer:
    await server.service.open(PLAN)
    return server


def any_of(kind: type[msgspec.Struct]) -> st.SearchStrategy[object]:
    """A message of one kind, its fields of the right types and of any length and size."""
    fields = {field.name: st.from_type(field.type) for field in msgspec.structs.fields(kind)}
    return st.builds(kind, **fields)


def packed(message: object) -> bytes:
    try:
        return message if isinstance(message, bytes) else msgspec.msgpack.encode(message)
    except OverflowError:
        return b"\xc1"  # MessagePack has no integers that large, and never uses this byte


MESSAGES = st.lists(
    st.one_of(
        st.binary(max_size=400),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
            max_leaves=12,
        ),
        *(any_of(kind) for kind in get_args(ClientMessage)),
    ).map(packed),
    min_size=1,
    max_size=25,
)


async def test_random_messages_never_break_a_room(server: LiveServer) -> None:
    host = await server.join(HOST, PLAN)
    await host.ask(StartLesson)
    loop = asyncio.get_running_loop()

    async def send_all(asker: int, messages: list[bytes]) -> None:
        panel = await server.join((YANLI, GULONG, DONGYE, researcher(), teacher(MEMBERS[0]))[asker], PLAN)
        for message in messages:
            if panel.socket.closed:
                break
            await panel.send_bytes(message)
        await panel.close()
        server.clock.now += 0.2
        assert isinstance(await host.ask(Spotlight), Ack)
        # the room is what its journal says, whoever sent what
        session = server.service.running("s1")
        session.room.snapshot()
        assert session.room.state in ("live", "overrun")

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 4), MESSAGES)
    def fuzz(asker: int, messages: list[bytes]) -> None:
        asyncio.run_coroutine_threadsafe(send_all(asker, messages), loop).result(20)

    await asyncio.to_thread(fuzz)
    await server.restart()
    assert server.room().state == "live"


async def test_socket_that_never_reads_is_closed_and_holds_nobody_up(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BURST", 1e9)
    host, room = await server.join(HOST, PLAN), await server.join(YANLI, PLAN)
    await host.ask(StartLesson)
    deaf = await server.join(GULONG, PLAN)
    assert deaf.socket._conn is not None
    transport = deaf.socket._conn.transport
    assert transport is not None
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    transport.pause_reading()
    gone = Left(participant="room-gulong", reason="lost")
    sent = 0
    while server.service.running("s1").room.participants["room-gulong"].presence == "connected":
        answers = await asyncio.gather(*(host.ask(Mark, note="慢" * 120) for _ in range(200)))
        sent += len(answers)
        assert all(isinstance(answer, Ack) for answer in answers)
        server.pass_time(0.25)
        assert sent < 100_000
    assert len([e for e in room.told if isinstance(e, Event)]) > sent - 250
    server.pass_time(60)
    await room.hears(gone)


async def test_everybody_may_come_at_the_bell(server: LiveServer) -> None:
    host = await server.join(HOST, PLAN)
    watchers = [
        type(researcher())(kind="person", id=f"p-{n}", name=f"n{n}", unit=None, grants=researcher().grants)
        for n in range(80)
    ]
    panels = await asyncio.gather(*(server.join(who, PLAN) for who in (*watchers, YANLI, GULONG, DONGYE)))
    assert len(server.service.running("s1").room.participants) == 84
    await until(lambda: len([m for m in host.told if isinstance(m, Event)]) == 83)
    assert isinstance(await host.ask(StartLesson), Ack)
    await until(lambda: all(any(isinstance(m, Event) for m in panel.told) for panel in panels))


async def test_two_panels_of_one_room_end_with_one(server: LiveServer) -> None:
    host = await server.join(HOST, PLAN)
    panels = [await server.join(YANLI, PLAN, device=f"panel {number}") for number in range(6)]
    for panel in panels[:-1]:
        assert await panel.closed() == "replaced"
    await host.ask(StartLesson)
    assert isinstance(await panels[-1].ask(RaiseHand), Ack)
    assert len([who for who in server.room().participants.values() if who.role == "endpoint"]) == 1


async def test_silent_room_still_beats(server: LiveServer) -> None:
    room = await server.join(YANLI, PLAN)
    await until(lambda: server.pass_time(1.0) or len([m for m in room.told if m == Links(links={})]) >= 2)


async def test_handshake_without_an_origin_is_a_program(server: LiveServer) -> None:
    async with ClientSession() as http:
        url = server.web.make_url("/ws/live")
        async with http.ws_connect(url, protocols=[MSGPACK.subprotocol]) as program:
            assert program.protocol == MSGPACK.subprotocol
        async with http.ws_connect(url, protocols=["x", MSGPACK.subprotocol], headers={"Origin": ORIGIN}) as page:
            assert page.protocol == MSGPACK.subprotocol
