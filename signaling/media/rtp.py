"""RTP and RTCP as bytes. This module owns reading what came from the network: whatever is malformed is a ValueError."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from struct import error as struct_error
from typing import NamedTuple

from aiortc.rtp import AnyRtcpPacket, RtcpPacket, RtcpRtpfbPacket

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"

NTP_EPOCH = 2208988800  # seconds from 1900 to 1970
OVERHEAD = 66  # bytes of a packet on the wire beside its payload: IP, UDP, RTP with extensions, the SRTP tag
_HEADER = Struct("!BBHII").unpack_from
Octets = bytes | memoryview
_U16 = Struct("!H").unpack_from


class RtpHeader(NamedTuple):
    marker: int  # 0 or 128
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    extension: int  # where the header extension begins, 0: there is none
    start: int  # of the payload
    padding: int  # bytes at its end


def read_rtp(data: Octets) -> RtpHeader:
    size = len(data)
    if size < 12:
        raise ValueError("RTP packet shorter than its header")
    first, second, sequence, timestamp, ssrc = _HEADER(data)
    if first >> 6 != 2:
        raise ValueError("RTP version is not 2")
    start = 12 + 4 * (first & 15)
    extension = 0
    if first & 16:
        extension = start
        if start + 4 > size:
            raise ValueError("RTP header extension is cut")
        start += 4 + 4 * _U16(data, start + 2)[0]
    if start > size:
        raise ValueError("RTP header is longer than the packet")
    padding = 0
    if first & 32:
        padding = data[-1]
        if not 0 < padding <= size - start:
            raise ValueError("RTP padding does not fit")
    return RtpHeader(second & 128, second & 127, sequence, timestamp, ssrc, extension, start, padding)


def header_extensions(data: Octets, at: int) -> Iterator[tuple[int, Octets]]:
    """(id, value) of the one-byte header extensions which begin at `at` (RFC 8285); 0 is none."""
    if not at or data[at : at + 2] != b"\xbe\xde" or len(data) < at + 4:
        return
    position = at + 4
    end = min(position + 4 * _U16(data, at + 2)[0], len(data))
    while position < end:
        byte = data[position]
        if byte == 0:
            position += 1
            continue
        if byte >> 4 == 15:
            return
        length = (byte & 15) + 1
        if position + 1 + length > end:
            return
        yield byte >> 4, data[position + 1 : position + 1 + length]
        position += 1 + length


def read_rtcp(data: bytes) -> list[AnyRtcpPacket]:
    try:
        return RtcpPacket.parse(data)
    except (ValueError, IndexError, struct_error) as error:
        raise ValueError(f"RTCP: {error}") from error


def nack_packets(sender: int, media: int, numbers: list[int]) -> bytes:
    """Generic NACKs for extended sequence numbers. One never reaches across a wrap: aiortc packs differences."""
    data = b""
    for cycle in sorted({number >> 16 for number in numbers}):
        lost = sorted(number & 0xFFFF for number in numbers if number >> 16 == cycle)
        data += bytes(RtcpRtpfbPacket(fmt=1, ssrc=sender, media_ssrc=media, lost=lost))
    return data


def nearest(number: int, reference: int) -> int:
    """The extended number with the low 16 bits of `number` that is nearest to the extended `reference`."""
    return reference + ((number - reference + 32768) & 0xFFFF) - 32768
