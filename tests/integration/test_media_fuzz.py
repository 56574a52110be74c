"""Mangled packets at the one port, from strangers and from connected peers, by the thousand: refused and counted.
Nothing escapes into the loop or the log, the lesson of the others goes on without a gap, and memory stays where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import random
import re
import socket
import struct
import traceback
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from aioice import stun
from aiortc.rtp import RtcpPsfbPacket, RtcpReceiverInfo, RtcpRrPacket, RtcpRtpfbPacket, RtcpSenderInfo, RtcpSrPacket
from pylibsrtp import Error as SrtpError

from signaling.media.arrivals import MOST_SSRCS
from signaling.media.errors import MediaError
from signaling.media.hub import MediaHub
from signaling.media.ice import MAX_ADDRESSES
from signaling.media.trickle import read_fragment
from tests.integration.test_media_forwarding import Wire
from tests.media_clients import Client, Coded, Tone, clients, media_hub, until

BURST = 40
"""Datagrams between two turns of the loop: fewer than a socket's buffer holds."""
ROUND = 250
ROUNDS = 4
GROWTH = 32 << 10
"""Bytes that a round may leave behind: counters that became longer, tables that Python made larger."""

SERVER = re.compile(r"/signaling/|/aioice/stun\.py|/aiortc/(sdp|rtcdtlstransport)\.py")

Make = Callable[[random.Random], bytes]


class Lesson(NamedTuple):
    """A lesson under way, and somebody in it who means harm: both of its peers are connected."""

    hub: MediaHub
    host: Client
    member: Client
    wire: Wire
    sender: Client
    receiver: Client


@asynccontextmanager
async def lesson() -> AsyncIterator[Lesson]:
    async with (
        media_hub(tcp_port=0) as hub,
        clients(hub, "lesson", "host", "member") as (host, member),
        clients(hub, "lesson", "mallory", "mallory") as (sender, receiver),
    ):
        await host.publish(Tone(), Coded(160, 96, 100_000, 60))
        await sender.publish(Tone(), Coded(160, 96, 100_000, 90))
        await member.subscribe(host.track(0), host.track(1))
        await receiver.subscribe(host.track(0), host.track(1))
        wire = Wire(member)
        await until(lambda: member.watcher(1).frames >= 3 and receiver.watcher(1).frames >= 3)
        yield Lesson(hub, host, member, wire, sender, receiver)


@asynccontextmanager
async def nothing_escapes(running: Lesson, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Nothing reaches the loop's exception handler or is logged as an error, and the others' lesson has no gap."""
    escaped: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: escaped.append(context))
    caplog.set_level(logging.WARNING)
    heard = {mid: len(headers) for mid, headers in running.wire.headers.items()}
    yield
    seen = running.member.watcher(1).frames
    await until(lambda: running.member.watcher(1).frames >= seen + 3)
    assert [context for context in escaped if ours(context.get("exception"))] == []
    assert [record.getMessage() for record in caplog.records if record.name.startswith("signaling")] == []
    assert running.hub.counters()["handler_failed"] == 0
    for mid, headers in running.wire.headers.items():
        numbers = sorted(number for number, _ in headers[heard[mid] :])
        assert all(after - before == 1 for before, after in pairwise(numbers))


def ours(error: BaseException | None) -> bool:
    """Has it passed through the server? The clients that are shown such media have troubles of their own."""
    return error is None or any("/signaling/" in frame.filename for frame in traceback.extract_tb(error.__traceback__))


async def throw(make: Make, send: Callable[[bytes], Any], seed: int, count: int = ROUND) -> None:
    chance = random.Random(seed)
    for number in range(count):
        found = send(make(chance))
        if found is not None:
            await found
        if number % BURST == 0:
            await asyncio.sleep(0.002)


async def rounds_leave_nothing(make: Make, send: Callable[[bytes], Any], count: int = ROUND) -> None:
    """The first rounds fill what may be filled; of those after it, one at least must add nothing."""
    await throw(make, send, 0, count)
    tracemalloc.start()
    try:
        kept: list[int] = []
        for seed in range(1, ROUNDS):
            await throw(make, send, seed, count)
            gc.collect()
            taken = tracemalloc.take_snapshot().traces
            kept.append(sum(trace.size for trace in taken if SERVER.search(trace.traceback[0].filename)))
    finally:
        tracemalloc.stop()
    grown = [after - before for before, after in pairwise(kept)]
    assert min(grown) < GROWTH, kept


def mangled(data: bytes, chance: random.Random) -> bytes:
    """What a bad line or a bad program makes of a packet."""
    packet = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        how, at = chance.randrange(7), chance.randrange(len(packet)) if packet else 0
        if not packet or how == 0:
            packet[at:at] = chance.randbytes(chance.choice((1, 2, 4, 40, 1000)))
        elif how == 1:
            packet[at] ^= 1 << chance.randrange(8)
        elif how == 2:
            packet[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif how == 3:
            del packet[at:]
        elif how == 4:
            del packet[at : at + chance.randint(1, 8)]
        elif how == 5 and len(packet) >= 2:
            at = min(at, len(packet) - 2)
            packet[at : at + 2] = struct.pack("!H", chance.choice((0, 1, 0x7FFF, 0x8000, 0xFFFF, len(packet))))
        else:
            packet += packet[at : at + 64]
    return bytes(packet[:2000])


def kinds(chance: random.Random) -> bytes:
    """One sound packet of each protocol that meets at the port."""
    check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes={"USERNAME": "abcd:efgh", "PRIORITY": 7})
    check.add_message_integrity(b"wrong password, wrong")
    hello = (
        b"\x16\xfe\xff" + bytes(8) + b"\0\x2d\1" + b"\0\0\x21" + bytes(5) + b"\0\0\x21\xfe\xfd" + chance.randbytes(31)
    )
    return chance.choice((bytes(check), hello, rtp(chance), rtcp(chance) + chance.randbytes(14), chance.randbytes(50)))


def strange(chance: random.Random) -> bytes:
    return mangled(kinds(chance), chance)


SSRCS = (1, 0x7FFFFFFF, 0xFFFFFFFF)


def rtp(
    chance: random.Random, types: tuple[int, ...] = (96, 97, 102, 103, 0, 127), ssrcs: tuple[int, ...] = SSRCS
) -> bytes:
    """A packet as the format allows it, in its corners: contributors, extensions, padding, wraps and leaps."""
    contributors, extended, padded = chance.choice((0, 0, 0, 1, 15)), chance.random() < 0.4, chance.random() < 0.3
    first = 0x80 | padded << 5 | extended << 4 | contributors
    second = chance.choice(types) | chance.choice((0, 128))
    if chance.random() < 0.2:
        ssrcs = (chance.randrange(1 << 32),)
    number = chance.choice((0, 1, 0x7FFF, 0x8000, 0xFFFF, chance.randrange(1 << 16)))
    stamp, ssrc = chance.choice((0, 1, 0xFFFFFFFF, chance.randrange(1 << 32))), chance.choice(ssrcs)
    data = struct.pack("!BBHII", first, second, number, stamp, ssrc) + chance.randbytes(4 * contributors)
    if extended:
        words = chance.choice((0, 1, 2, 30))
        data += (
            chance.choice((b"\xbe\xde", b"\x10\0", b"\0\0")) + struct.pack("!H", words) + chance.randbytes(4 * words)
        )
    data += chance.choice((b"", b"\x7c", b"\x18\0\0", b"\x90\x80\x80", b"\x67\x42\xe0\x1f")) + chance.randbytes(
        chance.choice((0, 1, 20, 400, 1100))
    )
    if padded:
        data += chance.choice((b"\1", b"\0", b"\xff", b"\0\0\3"))
    return data


def rtcp(chance: random.Random, ssrcs: tuple[int, ...] = SSRCS) -> bytes:
    """A compound of feedback and reports, true in form and mad in content."""

    def word() -> int:
        return chance.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, chance.randrange(1 << 32)))

    def about() -> int:
        return chance.choice((*ssrcs, word()))

    def report() -> RtcpReceiverInfo:
        lost = chance.choice((0, -1, -0x800000, 0x7FFFFF))
        return RtcpReceiverInfo(about(), chance.randrange(256), lost, word(), word(), word(), word())

    def one() -> bytes:
        kind = chance.randrange(9)
        reports = [report() for _ in range(chance.choice((0, 1, 3)))]
        if kind == 0:
            times = RtcpSenderInfo(word() << 32 | word(), word(), word(), word())
            return bytes(RtcpSrPacket(about(), times, reports))
        if kind == 1:
            return bytes(RtcpRrPacket(about(), reports))
        if kind == 2:
            lost = sorted(chance.sample(range(1 << 16), chance.choice((1, 17, 100))))
            return bytes(RtcpRtpfbPacket(fmt=chance.choice((1, 15)), ssrc=1, media_ssrc=about(), lost=lost))
        if kind == 3:
            fci = b"".join(
                struct.pack("!IBBH", about(), chance.randrange(256), 0, 0) for _ in range(chance.choice((0, 1, 20)))
            )
            return bytes(RtcpPsfbPacket(fmt=4, ssrc=1, media_ssrc=0, fci=fci))
        if kind == 4:
            named = [about() for _ in range(chance.choice((0, 1, 30)))]
            head = b"REMB" + bytes([chance.choice((len(named), 255, 0))]) + chance.randbytes(3)
            return bytes(
                RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=head + b"".join(struct.pack("!I", s) for s in named))
            )
        if kind == 5:
            return bytes(RtcpPsfbPacket(fmt=chance.randrange(32), ssrc=1, media_ssrc=about(), fci=chance.randbytes(8)))
        if kind == 6:  # BYE and SDES with counts that lie
            body = chance.randbytes(4 * chance.choice((0, 1, 5)))
            return struct.pack("!BBH", 0x80 | chance.randrange(32), chance.choice((202, 203)), len(body) // 4) + body
        body = chance.randbytes(4 * chance.choice((0, 1, 7)))
        return (
            struct.pack(
                "!BBH", chance.choice((0x80, 0xA0)) | chance.randrange(32), chance.randrange(192, 224), len(body) // 4
            )
            + body
        )

    return b"".join(one() for _ in range(chance.choice((1, 1, 2, 4))))[:1200]


def ssrcs_of(client: Client) -> tuple[int, ...]:
    """Those that the hub named to a subscriber, or was named by a publisher."""
    assert client.answer is not None
    peer = client.hub._peers[client.resource]
    found = [(stream.ssrc, stream.media.remote_rtx_ssrc) for stream in peer.inbound]
    found += [(out.ssrc, out.media.rtx_ssrc) for out in peer.outbound]
    return tuple(ssrc for pair in found for ssrc in pair if ssrc)


@pytest.fixture(autouse=True)
def short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packets kept to be sent again are memory, too: here they are so few that the first round has them all."""
    monkeypatch.setattr("signaling.media.inbound.RING", 16)


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


async def test_mad_media_that_is_sealed_correctly(caplog: pytest.LogCaptureFixture) -> None:
    async with lesson() as running, nothing_escapes(running, caplog):
        hub, sender = running.hub, running.sender
        await running.receiver.subscribe(sender.track(0), sender.track(1))  # so that it is forwarded, too
        dtls = sender.pc.getTransceivers()[0].sender.transport
        for transceiver in sender.pc.getTransceivers():
            transceiver.sender.replaceTrack(None)  # its numbers are ours from now on
        known, number = ssrcs_of(sender), 1000
        types = tuple(
            codec.payloadType or 0
            for stream in hub._peers[sender.resource].inbound
            for form in stream.media.formats
            for codec in (form.codec, form.rtx)
            if codec is not None
        )

        def media(chance: random.Random) -> bytes:
            nonlocal number
            if chance.random() < 0.2:
                return mangled(rtp(chance), chance)
            number += chance.choice((1, 1, 1, 1, 2, 30, -1, -7, 400, 600, 20000))
            data = rtp(chance, types, known)
            return data[:2] + struct.pack("!H", number & 0xFFFF) + data[4:]

        async def send(data: bytes) -> None:
            with contextlib.suppress(SrtpError):  # the sender's own library will not seal everything
                await dtls.transport._send(dtls._tx_srtp.protect(data[:1300]))

        await rounds_leave_nothing(media, send)
        assert hub._peers[sender.resource].connected
        assert len(hub._peers[sender.resource]._arrivals.strangers) <= MOST_SSRCS
        assert hub.counters()["unknown_stream"] > 0


@pytest.mark.parametrize("role", ["sender", "receiver"])
async def test_mad_feedback_that_is_sealed_correctly(role: str, caplog: pytest.LogCaptureFixture) -> None:
    async with lesson() as running, nothing_escapes(running, caplog):
        client = running.sender if role == "sender" else running.receiver
        dtls = client.pc.getTransceivers()[0].sender.transport
        known = ssrcs_of(client)

        def feedback(chance: random.Random) -> bytes:
            data = rtcp(chance, known)
            if chance.random() < 0.2:
                data = mangled(data, chance) + bytes(8)
            return bytes([0x80 | data[0] & 63, 192 + data[1] % 32]) + data[2:1200]

        async def send(data: bytes) -> None:
            with contextlib.suppress(SrtpError):
                await dtls.transport._send(dtls._tx_srtp.protect_rtcp(data))

        await rounds_leave_nothing(feedback, send)
        assert running.hub._peers[client.resource].connected
        assert running.hub.counters()["bad_rtcp"] > ROUND / 20


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


WORDS = (
    "",
    "0",
    "-1",
    "9" * 30,
    "\u0663",
    "\0",
    "x" * 3000,
    "a=",
    "m=",
    "%s",
    "1/0",
    "\r",
    "\ud800",
    "inf",
    "1e9",
    "111",
)


def mangled_text(text: str, chance: random.Random) -> str:
    lines = text.splitlines()
    for _ in range(chance.choice((1, 2, 5, 20))):
        at, how = chance.randrange(len(lines)), chance.randrange(7)
        line = lines[at]
        if how == 0:
            lines[at] = ""
        elif how == 1:
            lines.insert(chance.randrange(len(lines)), line)
        elif how == 2:
            lines[at] = line[: chance.randrange(len(line) + 1)]
        elif how == 3:
            cut = chance.randrange(len(line) + 1)
            lines[at] = line[:cut] + chance.choice(WORDS) + line[cut:]
        elif how == 4:
            words = re.split(r"([ :;=/])", line)
            words[chance.randrange(len(words))] = chance.choice(WORDS)
            lines[at] = "".join(words)
        elif how == 5:
            other = chance.randrange(len(lines))
            lines[at], lines[other] = lines[other], line
        else:
            lines[at:at] = lines[chance.randrange(len(lines)) :][:20]
    return "\r\n".join(lines) + "\r\n"


async def test_mangled_offers_and_fragments(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with media_hub() as hub, clients(hub, "lesson", "host", "member") as (host, member):
        await host.publish(Tone(), Coded(160, 96, 100_000, 60))
        await member.subscribe(host.track(0), host.track(1))
        offers = [host.pc.localDescription.sdp, member.pc.localDescription.sdp]
        fragment = hub.restart(host.resource, "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n")
        hub.close_session("lesson")
        await until(lambda: not hub._peers.closing)
        taken, refused = 0, set[str]()

        def ask(data: bytes) -> None:
            nonlocal taken
            chance = random.Random(data)
            text, other = mangled_text(chance.choice(offers), chance), mangled_text(fragment, chance)
            try:
                if chance.random() < 0.5:
                    hub.publish("other", "mallory", text)
                else:
                    hub.subscribe("other", "mallory", text, {"0": "none"} if chance.random() < 0.1 else {})
                taken += 1
            except MediaError as error:
                refused.add(error.code)
            with contextlib.suppress(MediaError):
                hub.demand_whole(text)
            with contextlib.suppress(MediaError):
                read_fragment(other)
            hub.close_session("other")

        await rounds_leave_nothing(lambda chance: chance.randbytes(8), ask, ROUND // 4)
        assert taken > ROUND / 10
        assert refused == {"bad_offer", "nothing_acceptable", "unknown_track"}
        await until(lambda: not hub._peers.closing)
        assert (hub._peers, hub._port.ice.by_ufrag, hub._port.ice.by_address) == ({}, {}, {})
        assert [record.getMessage() for record in caplog.records if record.name.startswith("signaling")] == []
