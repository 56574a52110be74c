"""Mangled packets at the one port, from strangers and from connected peers, by the thousand: refused and counted.
Nothing escapes into the loop or the log, the lesson of the others goes on without a gap, and memory stays where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from aioice import stun

from signaling.media.ice import MAX_ADDRESSES
from tests.fuzzed_lesson import ROUND, lesson, nothing_escapes, rounds_leave_nothing, throw
from tests.mangling import mangled, rtcp, rtp, strange
from tests.media_clients import until

pytestmark = pytest.mark.usefixtures("short_memory")


@pytest.fixture
def strangers() -> Iterator[list[socket.socket]]:
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    yield sockets
    for each in sockets:
        each.close()


async def test_mangled_datagrams_of_strangers(strangers: list[socket.socket], caplog: pytest.LogCaptureFixture) -> None:
    async with lesson() as running, nothing_escapes(running, caplog):
        hub, turn = running.hub, iter(range(1 << 30))
        before = dict(hub._port.ice.by_address)

        def send(data: bytes) -> None:
            strangers[next(turn) % len(strangers)].sendto(data, hub.address)

        await rounds_leave_nothing(strange, send)
        assert hub._port.ice.by_address == before
        counters = hub.counters()
        assert counters["unknown_address"] > ROUND
        assert counters["bad_stun"] + counters["unknown_ufrag"] > ROUND / 10
        assert counters["not_authentic"] + counters["bad_rtcp"] == 0


async def test_mangled_datagrams_of_a_peer(caplog: pytest.LogCaptureFixture) -> None:
    """What is not sealed with its key. DTLS is left out: breaking that ends the peer that does."""
    async with lesson() as running, nothing_escapes(running, caplog):
        connection = running.receiver.pc.getTransceivers()[0].sender.transport.transport._connection

        def media(chance: random.Random) -> bytes:
            data = mangled(chance.choice((rtp, rtcp))(chance), chance)
            return bytes([0x80 | (data[0] if data else 0) & 63]) + data[1:]

        await rounds_leave_nothing(media, connection.send)
        counters = running.hub.counters()
        assert counters["not_authentic"] + counters["bad_rtcp"] + counters["bad_rtp"] > ROUND
        assert running.hub._peers[running.receiver.resource].connected


ATTRIBUTES: dict[str, tuple[Any, ...]] = {
    "PRIORITY": (0, 0xFFFFFFFF),
    "USE-CANDIDATE": (None,),
    "ICE-CONTROLLED": (0, (1 << 64) - 1),
    "ICE-CONTROLLING": (7,),
    "SOFTWARE": ("x" * 500, "", "\u8bfe"),
    "ERROR-CODE": ((487, "role conflict"), (0, "")),
    "XOR-MAPPED-ADDRESS": (("127.0.0.1", 1), ("::1", 65535)),
    "NONCE": (b"", bytes(900)),
    "LIFETIME": (0,),
}


async def test_mad_checks_that_are_signed_correctly(
    strangers: list[socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    """By a peer, from addresses other than its own: it comes to own a few of them, and nobody else's."""
    async with lesson() as running, nothing_escapes(running, caplog):
        hub, turn = running.hub, iter(range(1 << 30))
        agent = hub._peers[running.receiver.resource].ice
        others = {address for address, owner in hub._port.ice.by_address.items() if owner is not agent}
        mine, theirs = agent.local[0], agent.remote[0]

        def check(chance: random.Random) -> bytes:
            attributes: dict[str, Any] = {"USERNAME": f"{mine.ufrag}:{theirs.ufrag}"}
            for name in chance.sample(sorted(ATTRIBUTES), chance.randrange(4)):
                attributes[name] = chance.choice(ATTRIBUTES[name])
            kind = chance.choice(
                (stun.Class.REQUEST,) * 8 + (stun.Class.RESPONSE, stun.Class.INDICATION, stun.Class.ERROR)
            )
            message = stun.Message(stun.Method.BINDING, kind, attributes=attributes)
            message.add_message_integrity((mine if chance.random() < 0.9 else theirs).password.encode())
            data = bytes(message)
            return data + chance.randbytes(8) if chance.random() < 0.1 else data

        def send(data: bytes) -> None:
            strangers[next(turn) % len(strangers)].sendto(data, hub.address)

        selected = agent.selected
        await rounds_leave_nothing(check, send)
        assert agent.selected == selected  # no stranger has answered a probe
        assert len(agent.addresses) <= MAX_ADDRESSES
        owned = {address for address, owner in hub._port.ice.by_address.items() if owner is not agent}
        assert owned == others


async def test_mangled_frames_over_tcp(caplog: pytest.LogCaptureFixture) -> None:
    async with lesson() as running, nothing_escapes(running, caplog):
        hub = running.hub
        host, port = hub.address[0], next(c.port for c in hub._port.candidates() if c.protocol == "tcp")

        def frames(chance: random.Random) -> bytes:
            found = b""
            for _ in range(chance.choice((1, 5, 30))):
                data = strange(chance)
                size = len(data) if chance.random() < 0.9 else chance.randrange(1 << 16)
                found += size.to_bytes(2, "big") + data
            return found

        async def send(data: bytes) -> None:
            _, writer = await asyncio.open_connection(host, port)
            writer.write(data)
            writer.transport.abort() if len(data) % 2 else writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

        await throw(frames, send, 1, 100)
        await until(lambda: not hub._port.tcp)
        assert hub.counters()["unknown_address"] + hub.counters()["bad_stun"] > 50
