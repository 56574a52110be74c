"""Packets and texts as nobody should send them: mangled, made up, or right in form and mad in content."""

from __future__ import annotations

import random
import re
import struct

from aioice import stun
from aiortc.rtp import RtcpPsfbPacket, RtcpReceiverInfo, RtcpRrPacket, RtcpRtpfbPacket, RtcpSenderInfo, RtcpSrPacket

from tests.media_clients import Client


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
