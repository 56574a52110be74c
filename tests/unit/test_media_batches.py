"""What comes in one batch goes to whoever was there when it came, although it is handed on at the batch's end."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from struct import unpack_from
from typing import NamedTuple

import pytest
from aiortc.rtp import RtpPacket
from pylibsrtp import Policy, Session

from signaling.media.ice import Credentials, IceLite
from signaling.media.inbound import Inbound
from signaling.media.negotiation import CODECS, Format, Media
from signaling.media.outbound import Outbound
from signaling.media.udp_port import UdpPort

KEYFRAME, DELTA = b"\x67sets", b"\x41delta"
KEY = bytes(30)


class Sender:
    rtt: float | None = None
    ntp_offset = 0

    def send_rtcp(self, data: bytes) -> None:
        pass


class Watching(NamedTuple):
    ice: IceLite


class Receiver(NamedTuple):
    ice: IceLite
    socket: socket.socket
    sealing: Session
    out: Outbound

    def received(self) -> list[tuple[int, bytes]]:
        """(sequence number, the part of the payload that tells packets apart) of each packet since the last time."""
        opened = Session(Policy(key=KEY, ssrc_type=Policy.SSRC_ANY_INBOUND))
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = opened.unprotect(self.socket.recv(2000))
                found.append((unpack_from("!H", packet, 2)[0], packet[12:]))
        return found


class Scene(NamedTuple):
    port: UdpPort
    stream: Inbound
    receivers: list[Receiver]

    def come(self, *payloads: bytes) -> None:
        """Packets of a batch that is not over."""
        for payload in payloads:
            number = 1 if self.stream.highest is None else self.stream.highest + 1
            self.stream.receive(False, number & 0xFFFF, 3000 * number, 0, 0, payload)


@asynccontextmanager
async def scene(receivers: int) -> AsyncIterator[Scene]:
    async with contextlib.AsyncExitStack() as stack:
        port = UdpPort(time.monotonic)
        await port.open("127.0.0.1", 0)
        stack.push_async_callback(port.close)
        codec = copy.deepcopy(CODECS["video"][0])
        codec.payloadType = 102
        media = Media("video", "0", (Format(codec, None),), {}, remote_ssrc=7)
        stream = Inbound(
            Sender(), port, media, clock=time.monotonic, tap_keyframe_interval=2.0, on_first_packet=lambda: None
        )
        stack.callback(stream.close)
        yield Scene(port, stream, [_receiver(stack, port, media) for _ in range(receivers)])


def _receiver(stack: contextlib.AsyncExitStack, port: UdpPort, media: Media) -> Receiver:
    here = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    here.bind(("127.0.0.1", 0))
    here.setblocking(False)
    ice = IceLite(port.ice, Credentials("abcd", "p" * 24))
    ice.select(b"\2\0" + here.getsockname()[1].to_bytes(2, "big") + socket.inet_aton("127.0.0.1") + bytes(8))
    sealing = Session(Policy(key=KEY, ssrc_type=Policy.SSRC_ANY_OUTBOUND))

    out = Outbound(Watching(ice), port, Media("video", "0", media.formats, {}), "name")
    out.attach(sealing._srtp[0])
    return Receiver(ice, here, sealing, out)


async def test_who_starts_in_the_middle_of_a_batch_gets_what_comes_from_there() -> None:
    async with scene(2) as on:
        first, second = on.receivers
        first.out.show(on.stream)
        on.come(KEYFRAME, DELTA)
        second.out.show(on.stream)
        on.come(DELTA, KEYFRAME, DELTA)
        on.port._end()
        told = first.received()
        numbers = [number for number, _ in told]
        assert numbers == list(range(numbers[0], numbers[0] + 5))
        assert [payload for _, payload in told] == [KEYFRAME, DELTA, DELTA, KEYFRAME, DELTA]
        assert [payload for _, payload in second.received()] == [KEYFRAME, DELTA]


async def test_who_leaves_in_the_middle_of_a_batch_has_what_came_before() -> None:
    async with scene(2) as on:
        first, second = on.receivers
        for receiver in on.receivers:
            receiver.out.show(on.stream)
        on.come(KEYFRAME, DELTA)
        first.out.show(None)
        on.come(DELTA)
        on.port._end()
        assert [payload for _, payload in first.received()] == [KEYFRAME, DELTA]
        assert [payload for _, payload in second.received()] == [KEYFRAME, DELTA, DELTA]


async def test_nothing_of_a_muted_batch_is_kept_back_or_added() -> None:
    async with scene(1) as on:
        (only,) = on.receivers
        only.out.show(on.stream)
        on.come(KEYFRAME, DELTA)
        on.stream.mute(True)
        on.come(DELTA)
        on.port._end()
        assert [payload for _, payload in only.received()] == [KEYFRAME, DELTA]


async def test_more_than_the_outbox_holds_goes_all_the_same() -> None:
    async with scene(1) as on:
        (only,) = on.receivers
        only.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        only.out.show(on.stream)
        on.come(KEYFRAME, *[DELTA] * (on.port.outbox.count + 10))
        on.port._end()
        assert len(only.received()) == on.port.outbox.count + 11


async def test_a_datagram_that_waited_for_us_says_for_how_long() -> None:
    """A busy server must not lay its own lateness to a line."""
    async with scene(1) as on:
        (only,) = on.receivers
        found: list[float] = []
        on.port.ice.by_address[only.ice.selected] = only.ice
        only.ice.on_rtp = lambda slot, size: found.append(on.port.waited())
        only.socket.sendto(b"\x80" * 20, on.port.local)
        sent = time.monotonic()
        time.sleep(0.2)  # noqa: ASYNC251 - what a busy loop does: nothing is read meanwhile
        async with asyncio.timeout(5):
            while not found:  # noqa: ASYNC110 - the port's own reader
                await asyncio.sleep(0)
        assert 0.2 <= found[0] <= time.monotonic() - sent + 0.01
        assert on.port.waited() == 0.0  # nothing is in hand


async def test_a_clock_that_is_put_right_is_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A datagram that came just before would seem to have been on its way for less than no time."""
    async with scene(1) as on:
        (only,) = on.receivers
        found: list[float] = []
        on.port.ice.by_address[only.ice.selected] = only.ice
        only.ice.on_rtp = lambda slot, size: found.append(on.port.waited())
        right, sent = time.time_ns, time.monotonic()
        async with asyncio.timeout(5):
            for ahead in (0, 3):
                monkeypatch.setattr(time, "time_ns", lambda ahead=ahead: right() + ahead * 1_000_000_000)
                before = len(found)
                only.socket.sendto(b"\x80" * 20, on.port.local)
                while len(found) == before:  # noqa: ASYNC110 - the port's own reader
                    await asyncio.sleep(0)
        assert found[1] <= time.monotonic() - sent


async def test_who_was_shown_nothing_yet_is_sent_padding_that_changes_nothing() -> None:
    async with scene(1) as on:
        (only,) = on.receivers
        bare = only.out
        assert bare.pad(1000) == 0  # nothing can be sent again here
        again = copy.deepcopy(CODECS["video"][0])
        again.payloadType = 103
        media = Media("video", "0", (Format(bare.media.formats[0].codec, again),), {})
        out = Outbound(Watching(only.ice), on.port, media, "name")
        out.attach(only.sealing._srtp[0])
        sent = out.pad(2000)
        assert 2000 <= sent < 2400
        assert (out.packets, out.octets, out.extra_octets) == (0, 0, sent)
        opened, packets = Session(Policy(key=KEY, ssrc_type=Policy.SSRC_ANY_INBOUND)), list[RtpPacket]()
        with contextlib.suppress(BlockingIOError):
            while True:
                packets.append(RtpPacket.parse(opened.unprotect(only.socket.recv(2000))))
        assert {(packet.payload_type, packet.ssrc, packet.payload) for packet in packets} == {
            (103, media.rtx_ssrc, b"")
        }
        assert [packet.sequence_number for packet in packets] == list(range(1, len(packets) + 1))
