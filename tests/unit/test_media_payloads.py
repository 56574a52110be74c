"""Reading what came from the network: H264 and VP8 payloads, RTP, RTCP."""

from __future__ import annotations

import pytest
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket, RtcpRtpfbPacket, RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from signaling.media.keyframes import Vp8Descriptor, h264_keyframe, vp8_descriptor, vp8_keyframe
from signaling.media.rtp import audio_level, header_extensions, nack_packets, nearest, payload_bounds, read_rtcp

SPS, PPS, IDR = b"\x67\x42\xe0\x1f", b"\x68\xce", b"\x65\x88"


def stap(*units: bytes) -> bytes:
    return b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (SPS, True),
        (stap(SPS, PPS), True),
        (stap(b"\x09\xf0", SPS, PPS, IDR), True),  # access unit delimiter first
        (stap(b"\x09\xf0", b"\x41\x9a"), False),
        (IDR, False),  # without its parameter sets nobody can start here
        (b"\x7c\x85\x88", False),
        (b"\x41\x9a", False),
        (b"", False),
        (b"\x78", False),
        (b"\x78\xff\xff\x41", False),
        (b"\x78\x00", False),
    ],
)
def test_h264_keyframe_begins_with_its_parameter_sets(payload: bytes, expected: bool) -> None:
    assert h264_keyframe(payload) == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"\x10\x10\x02\x00", True),
        (b"\x10\x11\x02\x00", False),  # P bit: an interframe
        (b"\x00\x10\x02\x00", False),  # not the start of a partition
        (b"\x11\x10\x02\x00", False),  # partition 1
        (b"\x90\x80\x81\x23\x10\x02", True),  # 15 bit picture id
        (b"\x90\xe0\x01\x07\x00\x10", True),  # 7 bit picture id, TL0PICIDX, TID
        (b"\x90\xe0\x01", False),
        (b"\x90", False),
        (b"", False),
    ],
)
def test_vp8_keyframe_is_found_behind_the_descriptor(payload: bytes, expected: bool) -> None:
    assert vp8_keyframe(payload) == expected


def test_vp8_descriptor_says_where_its_counters_stand() -> None:
    assert vp8_descriptor(b"\x90\xc0\x81\x23\x07\x10") == Vp8Descriptor(5, 2, 15, 0x123, 4, 7)
    assert vp8_descriptor(b"\x90\x80\x23\x10") == Vp8Descriptor(3, 2, 7, 0x23, 0, 0)
    assert vp8_descriptor(b"\x10\x10") == Vp8Descriptor(1, 0, 0, 0, 0, 0)


@given(st.binary(max_size=40))
def test_payload_readers_take_anything(payload: bytes) -> None:
    assert h264_keyframe(payload) in (True, False)
    assert vp8_keyframe(payload) in (True, False)
    descriptor = vp8_descriptor(payload)
    if descriptor is not None:
        assert max(descriptor.picture_at, descriptor.tl0_at) < len(payload)


@given(st.binary(max_size=50), st.integers(0, 255), st.binary(max_size=20))
def test_payload_is_what_was_packed(payload: bytes, padding: int, before: bytes) -> None:
    packet = RtpPacket(96, 1, 1, 2, 3, payload)
    packet.padding_size = padding
    data = before + packet.serialize()
    found = payload_bounds(data[len(before)], data, len(before), len(data))
    assert found == (0, len(before) + 12, padding)
    assert data[found[1] : len(data) - padding] == payload


@given(st.binary(min_size=12, max_size=100), st.integers(0, 20))
def test_payload_is_found_or_refused(data: bytes, at: int) -> None:
    """What stands before and behind the packet in its buffer is never taken for a part of it."""
    buffer = b"\xbe" * at + data + b"\xbe\xde" * 50
    end = at + len(data)
    try:
        extension, start, padding = payload_bounds(data[0], buffer, at, end)
    except ValueError:
        return
    assert at + 12 <= start <= end - padding
    for number, value in header_extensions(buffer, extension, end):
        assert 0 <= number < 15
        assert 1 <= len(value) <= 16


@given(st.binary(max_size=60), st.integers(0, 60), st.integers(1, 14))
def test_header_extensions_stay_inside_the_packet(data: bytes, at: int, wanted: int) -> None:
    data = b"\xbe\xde".join((data[:at], data[at:]))
    found = [value[0] & 127 for number, value in header_extensions(data, at, len(data)) if number == wanted]
    if at:
        assert audio_level(data, at, len(data), wanted) == (found[0] if found else None)


RTCP_HEADS = st.builds(
    lambda count, kind, length, body: bytes([0x80 | count, kind]) + length.to_bytes(2, "big") + body,
    st.integers(0, 63),
    st.sampled_from([200, 201, 202, 203, 204, 205, 206, 207]),
    st.integers(0, 12),
    st.binary(max_size=52),
)


@given(st.one_of(st.binary(max_size=80), RTCP_HEADS, st.lists(RTCP_HEADS, max_size=3).map(b"".join)))
def test_rtcp_is_read_or_refused(data: bytes) -> None:
    try:
        packets = read_rtcp(data)
    except ValueError:
        return
    assert len(packets) <= len(data) // 4


def test_rtcp_compound_is_read() -> None:
    info = RtcpReceiverInfo(7, 3, 2, 1, 0, 0, 0)
    packets = read_rtcp(bytes(RtcpRrPacket(1, [info])) + nack_packets(1, 2, [70000]))
    assert packets == [RtcpRrPacket(1, [info]), RtcpRtpfbPacket(1, 1, 2, [70000 & 0xFFFF])]


@given(st.sets(st.integers(65536, 65536 * 4), min_size=1, max_size=60))
def test_nacks_name_exactly_the_missing_numbers(numbers: set[int]) -> None:
    named: list[int] = []
    for packet in read_rtcp(nack_packets(1, 2, list(numbers))):
        assert isinstance(packet, RtcpRtpfbPacket)
        assert all(number < 65536 for number in packet.lost)
        named += packet.lost
    assert sorted(named) == sorted(number & 0xFFFF for number in numbers)


@given(st.integers(65536, 2**32), st.integers(-32768, 32767))
def test_nearest_extends_a_number_around_the_reference(reference: int, distance: int) -> None:
    assert nearest((reference + distance) & 0xFFFF, reference) == reference + distance
