"""RTP and RTCP as bytes. This module owns reading what came from the network: whatever is malformed is a ValueError."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from struct import error as struct_error

from aiortc.rtp import AnyRtcpPacket, RtcpPacket, RtcpRtpfbPacket

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"

NTP_EPOCH = 2208988800  # seconds from 1900 to 1970
OVERHEAD = 66  # bytes of a packet on the wire beside its payload: IP, UDP, RTP with extensions, the SRTP tag
Octets = bytes | memoryview
_U16 = Struct("!H").unpack_from
_ONE_BYTE = 0xBEDE  # header extensions of RFC 8285 with one byte before each


def payload_bounds(first: int, octets: Octets, at: int, end: int) -> tuple[int, int, int]:
    """(where the header extension begins, 0: there is none; where the payload begins; bytes of padding at its end) of a
    packet that stands in octets[at:end]. first: its first byte. Raises ValueError."""
    if first >> 6 != 2:
        raise ValueError("RTP version is not 2")
    start = at + 12 + 4 * (first & 15)
    extension = padding = 0
    if first & 16:
        extension = start
        if start + 4 > end:
            raise ValueError("RTP header extension is cut")
        start += 4 + 4 * _U16(octets, start + 2)[0]
    if start > end:
        raise ValueError("RTP header is longer than the packet")
    if first & 32:
        padding = octets[end - 1]
        if not 0 < padding <= end - start:
            raise ValueError("RTP padding does not fit")
    return extension, start, padding


def header_extensions(octets: Octets, at: int, end: int) -> Iterator[tuple[int, Octets]]:
    """(id, value) of the one-byte header extensions (RFC 8285) which begin at `at`, 0 is none, of a packet that ends at
    `end`."""
    if not at or at + 4 > end or _U16(octets, at)[0] != _ONE_BYTE:
        return
    position = at + 4
    end = min(position + 4 * _U16(octets, at + 2)[0], end)
    while position < end:
        byte = octets[position]
        if byte == 0:
            position += 1
            continue
        if byte >> 4 == 15:
            return
        length = (byte & 15) + 1
        if position + 1 + length > end:
            return
        yield byte >> 4, octets[position + 1 : position + 1 + length]
        position += 1 + length


def audio_level(octets: Octets, at: int, end: int, wanted: int) -> int | None:
    """The level (RFC 6464, without the flag for speech) among the header extensions at `at`, where `wanted` is its
    id."""
    # every packet of sound comes here: a generator would cost as much again
    if at + 4 > end or _U16(octets, at)[0] != _ONE_BYTE:
        return None
    position = at + 4
    end = min(position + 4 * _U16(octets, at + 2)[0], end)
    while position < end:
        byte = octets[position]
        after = position + (byte & 15) + 2 if byte else position + 1
        if after > end or byte >> 4 == 15:
            return None
        if byte >> 4 == wanted:
            return octets[position + 1] & 127
        position = after
    return None


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
