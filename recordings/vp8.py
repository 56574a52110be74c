"""This module owns reading VP8 out of RTP (RFC 7741) and the size of its pictures (RFC 6386, section 9.1). Pure;
decodes nothing, is bounded in memory whatever arrives, and raises only MalformedPayload.
"""

from __future__ import annotations

from recordings.errors import MalformedPayload
from recordings.rtp import MAX_ACCESS_UNIT, AccessUnit

_START_CODE = b"\x9d\x01\x2a"


class Vp8Depacketizer:
    """Turns ordered RTP payloads into pictures. After a hole nothing comes out until a keyframe; `waiting` tells that
    this is so, and that one should be asked for. A keyframe's `parameters` are the bytes of its size."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._timestamp: int | None = None
        self.waiting = True

    def hole(self) -> None:
        """A packet is missing for good: the picture it belonged to, and those that build on it, are given up."""
        self._parts, self._size, self._timestamp = [], 0, None
        self.waiting = True

    def push(self, timestamp: int, marker: bool, payload: bytes) -> list[AccessUnit]:
        """The pictures which this payload completes: none or one, two when the one before had no marker.

        Raises MalformedPayload; the picture is given up then, as after a hole.
        """
        done: list[AccessUnit] = []
        if self._timestamp is not None and timestamp != self._timestamp:
            done += self._finish()
        if not payload:
            return done  # padding only
        try:
            begins, content = _content(payload)
            if begins:
                self._parts, self._size = [], 0
            elif not self._parts:
                return done  # its beginning is missing
            self._size += len(content)
            if self._size > MAX_ACCESS_UNIT:
                raise MalformedPayload("picture too large")
        except MalformedPayload:
            self.hole()
            raise
        self._parts.append(content)
        self._timestamp = timestamp
        if marker:
            done += self._finish()
        return done

    def _finish(self) -> list[AccessUnit]:
        data, timestamp = b"".join(self._parts), self._timestamp
        self._parts, self._size, self._timestamp = [], 0, None
        if not data or timestamp is None:
            return []
        key = not data[0] & 1
        if self.waiting and not key:
            return []
        if key and not any(size_of(data)):
            self.waiting = True
            return []
        self.waiting = False
        return [AccessUnit(timestamp, data, key, data[6:10] if key else b"")]


def size_of(keyframe: bytes) -> tuple[int, int]:
    """Width and height of a keyframe; (0, 0) when it is none that can be read."""
    if len(keyframe) < 10 or keyframe[0] & 1 or keyframe[3:6] != _START_CODE:
        return 0, 0
    width, height = (int.from_bytes(keyframe[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    return (width, height) if width and height else (0, 0)


def _content(payload: bytes) -> tuple[bool, bytes]:
    """Whether a picture begins here, and what follows the payload descriptor."""
    first, at = payload[0], 1
    if first & 0x80:
        if len(payload) < 3:
            raise MalformedPayload("descriptor is cut short")
        more, at = payload[1], 2
        if more & 0x80:
            at += 2 if payload[2] & 0x80 else 1
        at += (more & 0x40 != 0) + (more & 0x30 != 0)
    if len(payload) <= at:
        raise MalformedPayload("descriptor without content")
    return first & 0x10 != 0 and not first & 7, payload[at:]
