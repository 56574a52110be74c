"""Datagrams of strangers at the one port while peers connect: none may reach DTLS or SRTP, all peers connect."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aioice import stun
from aiortc.rtp import RtpPacket

from signaling.media.hub import MediaHub
from tests.media_clients import Picture, clients, media_hub, until


def client_hello() -> bytes:
    body = b"\xfe\xfd" + os.urandom(32) + b"\0\0\0\x04\xc0\x2b\0\xff\x01\0\0\0"
    handshake = b"\x01" + len(body).to_bytes(3, "big") + b"\0\0\0\0\0" + len(body).to_bytes(3, "big") + body
    return b"\x16\xfe\xff\0\0" + b"\0" * 6 + struct.pack("!H", len(handshake)) + handshake


def alert() -> bytes:
    return b"\x15\xfe\xfd\0\0\0\0\0\0\0\x07\0\x02\x02\x28"


def media() -> bytes:
    return RtpPacket(payload_type=102, sequence_number=7, ssrc=9, payload=os.urandom(60)).serialize()


def junk() -> bytes:
    return os.urandom(70)


@asynccontextmanager
async def spray(hub: MediaHub, make: Callable[[], bytes]) -> AsyncIterator[None]:
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.bind(("127.0.0.1", 0))

    async def run() -> None:
        while True:
            for _ in range(4):
                sender.sendto(make(), hub.address)
            await asyncio.sleep(0.001)

    attack = asyncio.ensure_future(run())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        attack.cancel()
        await asyncio.wait({attack})
        sender.close()


@pytest.mark.parametrize("make", [client_hello, alert, media, junk])
async def test_strangers_never_reach_a_handshake(make: Callable[[], bytes]) -> None:
    async with media_hub() as hub, spray(hub, make), clients(hub, "lesson", "host", "a", "b") as (host, a, b):
        await host.publish(Picture(60))
        for member in (a, b):
            await member.subscribe(host.track())
        await until(lambda: a.watcher().frames >= 3 and b.watcher().frames >= 3)
        counters = hub.counters()
        assert counters["unknown_address"] + counters["bad_stun"] > 20
        assert counters["handler_failed"] == 0
        assert counters["not_authentic"] == 0


async def test_a_check_with_the_right_name_and_a_wrong_password_opens_nothing() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host") as (host,):

        def bad_check() -> bytes:
            names = list(hub._port.ice.by_ufrag) or ["nobody"]
            remote = [agent.remote[0].ufrag for agent, _ in hub._port.ice.by_ufrag.values()] or ["x"]
            attributes = {"USERNAME": f"{names[0]}:{remote[0]}", "PRIORITY": 1, "USE-CANDIDATE": None}
            message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
            message.add_message_integrity(b"wrong password, wrong")
            return bytes(message)

        async with spray(hub, bad_check):
            await host.publish(Picture(60))
            await until(lambda: hub.links("lesson")["host"].publish_bitrate > 0)
        assert hub.counters()["bad_integrity"] > 0
        assert len(hub._port.ice.by_address) == 1


async def test_malformed_datagrams_of_a_peer_are_counted_and_hurt_nobody() -> None:
    """From the validated address itself: what a broken or hostile client can send once it is connected."""
    async with media_hub() as hub, clients(hub, "lesson", "host", "member") as (host, member):
        await host.publish(Picture(60))
        await member.subscribe(host.track())
        await until(lambda: member.watcher().frames >= 3)
        connection = member.pc.getTransceivers()[0].sender.transport.transport._connection
        dtls = member.pc.getTransceivers()[0].sender.transport
        for size in (1, 2, 3, 11, 12, 13, 40, 500, 1400, 2000):
            for first in (b"\x80\x60", b"\x80\xc9", b"\x16\xfe", b"\x00\x01", b"\xff\xff", b"\x40\x00"):
                await connection.send((first + os.urandom(size))[:size])
        for rtcp in (
            b"\x80\xc9\0\0",
            b"\x81\xcd\0\2" + bytes(8),
            b"\xa0\xce\0\2" + bytes(8),
            b"\x81\xc8\0\1" + bytes(4),
        ):
            await connection.send(dtls._tx_srtp.protect_rtcp(rtcp + bytes(4)))
        for rtp in (
            b"\x90\x66" + bytes(10) + b"\xbe\xde\0\1\xff\xff\xff\xff",
            b"\xa0\x66" + bytes(10) + b"\xff",
            b"\x80\x66" + bytes(10),
        ):
            await connection.send(dtls._tx_srtp.protect(rtp))
        frames = member.watcher().frames
        await until(lambda: member.watcher().frames >= frames + 10)
        hub.release(member.resource)
        counters = hub.counters()
        assert counters["bad_rtcp"] >= 4
        assert counters["not_authentic"] + counters["unknown_stream"] + counters["bad_rtp"] >= 3
        assert counters["handler_failed"] == 0
