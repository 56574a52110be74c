"""The private names of aiortc, aioice and pylibsrtp that the media plane leans on: a new release that changes one fails
here, and not in a lesson."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import inspect
import socket
from collections.abc import Iterator

import pytest
from aioice import stun
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport
from aiortc.rtp import RtcpRtpfbPacket, RtpPacket
from cryptography.hazmat.primitives.asymmetric import ec
from pylibsrtp import Policy, Session

from signaling.media.dtls import CertificateStore
from signaling.media.outbox import Outbox, Target
from signaling.media.packet_slots import SLOT, PacketSlots, srtp_ffi, srtp_lib
from tests.media_clients import until


class Pipe:
    """The whole of what RTCDtlsTransport asks of its ICE transport."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.inbox: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.other: Pipe

    async def _recv(self) -> bytes:
        data = await self.inbox.get()
        if data is None:
            raise ConnectionError
        return data

    async def _send(self, data: bytes) -> None:
        self.other.inbox.put_nowait(data)


async def test_dtls_needs_only_recv_send_and_role_and_gives_srtp_sessions() -> None:
    pipes = Pipe("controlled"), Pipe("controlling")
    pipes[0].other, pipes[1].other = pipes[1], pipes[0]
    a, b = (RTCDtlsTransport(pipe, [RTCCertificate.generateCertificate()]) for pipe in pipes)  # type: ignore[arg-type]
    a._set_role("server")
    b._set_role("client")
    changes: list[str] = []
    a.on("statechange", lambda: changes.append(a.state))
    await asyncio.gather(a.start(b.getLocalParameters()), b.start(a.getLocalParameters()))
    assert changes == ["connecting", "connected"]
    packet = RtpPacket(payload_type=96, sequence_number=1, ssrc=5, payload=b"hello").serialize()
    sealed = a._tx_srtp.protect(packet)
    buffer = srtp_ffi.new("char[]", sealed + bytes(32))
    length = srtp_ffi.new("int *", len(sealed))
    assert srtp_lib.srtp_unprotect(b._rx_srtp._srtp[0], buffer, length) == 0
    assert srtp_ffi.buffer(buffer)[: length[0]] == packet
    assert srtp_lib.srtp_unprotect(b._rx_srtp._srtp[0], buffer, length) != 0
    rtcp = bytes(RtcpRtpfbPacket(1, 1, 2, [3]))
    assert b._rx_srtp.unprotect_rtcp(a._tx_srtp.protect_rtcp(rtcp)) == rtcp
    await a.stop()
    await until(lambda: (a.state, b.state) == ("closed", "closed"))


def test_srtp_protects_and_unprotects_in_place() -> None:
    key = bytes(30)
    sender = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND))
    receiver = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND))
    slots = PacketSlots(2, socket.AF_INET)
    packet = RtpPacket(payload_type=96, sequence_number=1, ssrc=5, payload=b"hello").serialize()
    slots.view[SLOT : SLOT + len(packet)] = packet
    length = srtp_ffi.new("int *", len(packet))
    assert srtp_lib.srtp_protect(sender._srtp[0], slots.pointers[1], length) == 0
    assert length[0] == len(packet) + 10
    assert receiver.unprotect(slots.view[SLOT : SLOT + length[0]]) == packet


def _address(of: socket.socket) -> bytes:
    return b"\2\0" + of.getsockname()[1].to_bytes(2, "big") + socket.inet_aton("127.0.0.1") + bytes(8)


@contextlib.contextmanager
def _sockets(count: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        yield found


def _fill(out: Outbox, targets: list[Target], texts: list[tuple[int, bytes]]) -> None:
    for target, text in texts:
        slot = out.used
        out.view[slot * SLOT : slot * SLOT + len(text)] = text
        out.add(len(text), targets[target])


def _received(into: PacketSlots, fd: int) -> list[bytes]:
    return [bytes(into.view[slot * SLOT : slot * SLOT + into.sizes[slot]]) for slot in range(into.receive(fd))]


TEXTS = [b"one", b"two", b"three", b"four", b"five", b"six", b"", b"seven", b"eight"]


@pytest.mark.parametrize("segments", [True, False])
def test_batches_are_sent_and_received(segments: bool) -> None:
    """Every datagram arrives as it was, in its order, whether the kernel cuts some apart or not."""
    with _sockets(3) as (sender, a, b):
        targets = [Target(), Target()]
        for target, receiver in zip(targets, (a, b), strict=True):
            target.set(_address(receiver))
        out, into = Outbox(20, socket.AF_INET), PacketSlots(20, socket.AF_INET)
        out.most = out.most if segments else 1
        assert into.receive(a.fileno()) == 0
        texts = [text for text in TEXTS if text]
        for _ in range(2):  # nothing of a batch is left in the next
            _fill(out, targets, [(number, text) for text in texts for number in (0, 1)])
            sent, refused, _ = out.send(sender.fileno())
            assert (sent, refused) == (2 * len(texts), 0)
            assert _received(into, a.fileno()) == texts
            assert into.address(2) == _address(sender)
            assert _received(into, b.fileno()) == texts


def test_equal_sizes_go_in_one_message_and_come_apart() -> None:
    with _sockets(2) as (sender, receiver):
        target = Target()
        target.set(_address(receiver))
        out, into = Outbox(80, socket.AF_INET), PacketSlots(80, socket.AF_INET)
        packets = [bytes([number]) * 900 for number in range(60)] + [b"short"]
        _fill(out, [target], [(0, packet) for packet in packets])
        assert len(out._targets) == (2 if out.most > 1 else 61)
        assert out.send(sender.fileno()) == (61, 0, 1)
        assert _received(into, receiver.fileno()) == packets


def test_a_message_that_cannot_be_cut_apart_goes_one_by_one() -> None:
    with _sockets(2) as (sender, receiver):
        target = Target()
        target.set(_address(receiver))
        out, into = Outbox(160, socket.AF_INET), PacketSlots(160, socket.AF_INET)
        out.most = 160  # more than any kernel takes
        packets = [bytes([number]) * 9 for number in range(150)]
        _fill(out, [target], [(0, packet) for packet in packets])
        assert len(out._targets) == 1
        assert out.send(sender.fileno()) == (150, 0, 2)
        assert _received(into, receiver.fileno()) == packets


def test_a_refused_datagram_does_not_keep_the_others() -> None:
    with _sockets(2) as (sender, receiver):
        nowhere, target = Target(), Target()
        nowhere.set(b"\2\0\0\0" + bytes(12))  # port 0
        target.set(_address(receiver))
        out, into = Outbox(8, socket.AF_INET), PacketSlots(8, socket.AF_INET)
        _fill(out, [nowhere, target], [(0, b"lost"), (1, b"kept"), (0, b"lost"), (1, b"kept, too")])
        assert out.send(sender.fileno())[:2] == (2, 2)
        assert _received(into, receiver.fileno()) == [b"kept", b"kept, too"]


def test_stun_integrity_does_not_cover_what_follows_it() -> None:
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes={"USERNAME": "a:b"})
    message.add_message_integrity(b"secret")
    message.attributes.pop("FINGERPRINT")
    data = bytes(message) + b"\0\x25\0\0"  # USE-CANDIDATE, unsigned
    data = stun.set_body_length(data, len(data) - 20)
    parsed = stun.parse_message(data)
    assert parsed.check_message_integrity(b"secret")
    assert not parsed.check_message_integrity(b"other")
    assert "USE-CANDIDATE" not in parsed.attributes


def test_a_certificate_is_p256_and_lasts_thirty_days() -> None:
    certificate = CertificateStore().current()
    key = certificate._cert.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    left = certificate.expires - datetime.datetime.now(tz=datetime.UTC)
    assert datetime.timedelta(days=29) < left <= datetime.timedelta(days=30)


def test_certificates_are_renewed_before_they_expire() -> None:
    now = datetime.datetime.now(tz=datetime.UTC)
    store = CertificateStore(lambda: now)
    first = store.current()
    now += datetime.timedelta(days=20)
    assert store.current() is first
    now += datetime.timedelta(days=5)
    assert store.current() is not first


@pytest.mark.parametrize("name", ["_set_role", "start", "stop"])
def test_dtls_methods_are_there(name: str) -> None:
    assert inspect.isfunction(getattr(RTCDtlsTransport, name))
