"""What a forwarder must read of a video payload without decoding it. This module owns the H264 and VP8 payload formats.

Pure functions of bytes that came from the network: every length is checked, nothing raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

_SPS, _STAP_A = 7, 24


def h264_keyframe(payload: bytes) -> bool:
    """Does a keyframe begin in this packet, with the parameter sets a decoder needs? (RFC 6184)

    An IDR slice alone does not count: whoever starts there, after the packet with the parameter sets was lost, shows
    nothing until the next keyframe.
    """
    if not payload:
        return False
    kind = payload[0] & 31
    if kind == _SPS:
        return len(payload) > 1
    if kind != _STAP_A:
        return False
    at = 1
    while at + 3 <= len(payload):
        if payload[at + 2] & 31 == _SPS:
            return True
        at += 2 + int.from_bytes(payload[at : at + 2], "big")
    return False


class Vp8Descriptor(NamedTuple):
    """Where the counters of a VP8 payload descriptor stand (RFC 7741); offset 0 means that there is none."""

    size: int
    picture_at: int
    picture_bits: int
    picture: int
    tl0_at: int
    tl0: int


def vp8_descriptor(payload: bytes) -> Vp8Descriptor | None:
    if not payload:
        return None
    if not payload[0] & 0x80:
        return Vp8Descriptor(1, 0, 0, 0, 0, 0)
    if len(payload) < 2:
        return None
    flags, at = payload[1], 2
    picture_at = picture_bits = picture = tl0_at = tl0 = 0
    if flags & 0x80:
        if len(payload) < at + 2:
            return None
        picture_at = at
        if payload[at] & 0x80:
            picture_bits, picture = 15, int.from_bytes(payload[at : at + 2], "big") & 0x7FFF
            at += 2
        else:
            picture_bits, picture = 7, payload[at]
            at += 1
    if flags & 0x40:
        if len(payload) <= at:
            return None
        tl0_at, tl0 = at, payload[at]
        at += 1
    if flags & 0x30:
        at += 1
    return Vp8Descriptor(at, picture_at, picture_bits, picture, tl0_at, tl0)


def vp8_keyframe(payload: bytes) -> bool:
    """Is this the first packet of a keyframe? (RFC 7741: start of partition 0, frame header's P bit clear)"""
    if not payload or not payload[0] & 0x10 or payload[0] & 7:
        return False
    descriptor = vp8_descriptor(payload)
    return descriptor is not None and len(payload) > descriptor.size and not payload[descriptor.size] & 1


def any_packet(payload: bytes) -> bool:
    """Audio can be joined at every packet."""
    return True


KEYFRAME: dict[str, Callable[[bytes], bool]] = {"h264": h264_keyframe, "vp8": vp8_keyframe}
