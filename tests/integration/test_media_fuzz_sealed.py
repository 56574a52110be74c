"""Mad media and feedback, sealed as they should be by a peer who means harm: they change nothing for the others."""

from __future__ import annotations

import contextlib
import random
import struct

import pytest
from pylibsrtp import Error as SrtpError

from signaling.media.arrivals import MOST_SSRCS
from tests.fuzzed_lesson import ROUND, lesson, nothing_escapes, rounds_leave_nothing
from tests.mangling import mangled, rtcp, rtp, ssrcs_of

pytestmark = pytest.mark.usefixtures("short_memory")


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
