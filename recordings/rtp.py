"""This module owns reading media out of RTP: order, 32-bit time, H.264 access units (RFC 6184) and Opus durations.

Everything here is pure, decodes nothing, is bounded in memory whatever arrives, and raises only MalformedPayload.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from recordings.errors import MalformedPayload

T = TypeVar("T")

VIDEO_RATE = 90_000
AUDIO_RATE = 48_000
MAX_ACCESS_UNIT = 4 << 20
"""Bytes of one picture; a bigger one is given up as malformed."""

_LEAP = 1024
_START_CODE = b"\0\0\0\1"
_IDR, _SPS, _PPS, _DELIMITER, _FILLER, _STAP_A, _FU_A = 5, 7, 8, 9, 12, 24, 28
_MAX_PARAMETERS = 4096


class Unwrap:
    """Turns numbers that wrap at `bits` bits into ones that never do, each read as the nearest to the one before."""

    def __init__(self, bits: int) -> None:
        self._span = 1 << bits
        self._last: int | None = None

    def __call__(self, value: int) -> int:
        value %= self._span
        if self._last is None:
            self._last = value
        else:
            half = self._span >> 1
            self._last += (value - self._last + half) % self._span - half
        return self._last

    def near(self, value: int) -> int:
        """The same reading, without moving on: for a time stamp mentioned beside the stream."""
        before = self._last
        read = self(value)
        if before is not None:
            self._last = before
        return read


class Reorder(Generic[T]):
    """Puts packets into the order of their extended sequence numbers; None stands for a hole that was given up.

    A missing packet is waited for until `window` later ones are held, or one was held for `patience` seconds; numbers
    that leap ahead are followed at once, and numbers that fall back after `window` packets.
    """

    def __init__(self, window: int = 128, patience: float = 0.6) -> None:
        self._window = window
        self._patience = patience
        self._next: int | None = None
        self._held: dict[int, tuple[float, T]] = {}
        self._late = 0

    def __len__(self) -> int:
        """Packets held back."""
        return len(self._held)

    def push(self, sequence: int, arrival: float, packet: T) -> list[T | None]:
        """The packets that are due now that this one is here."""
        if self._next is None:
            self._next = sequence
        if sequence == self._next and not self._held:
            self._next, self._late = sequence + 1, 0
            return [packet]
        if sequence < self._next:
            self._late += 1
            if self._late <= self._window:
                return []
        if sequence < self._next or sequence > self._next + _LEAP:
            due = [*self.drain(), None]
            self._next, self._late = sequence + 1, 0
            return [*due, packet]
        self._late = 0
        self._held.setdefault(sequence, (arrival, packet))
        return [*self._ready(), *self.overdue(arrival)]

    def overdue(self, now: float) -> list[T | None]:
        """The packets whose patience has run out although nothing new came."""
        due: list[T | None] = []
        while self._held:
            oldest = min(arrival for arrival, _ in self._held.values())
            if len(self._held) < self._window and now - oldest < self._patience:
                break
            self._next = min(self._held)
            due.append(None)
            due.extend(self._ready())
        return due

    def drain(self) -> list[T | None]:
        """Everything held, at the end of the stream."""
        due: list[T | None] = []
        while self._held:
            self._next = min(self._held)
            due.append(None)
            due.extend(self._ready())
        return due

    def _ready(self) -> Iterator[T | None]:
        while self._held and self._next is not None:
            found = self._held.pop(self._next, None)
            if found is None:
                return
            self._next += 1
            yield found[1]


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One picture (of H.264 as Annex B), its RTP time (unwrapped, 90 kHz), and what of a picture to start from must not
    change within a file: the parameter sets in Annex B, or of VP8 the size."""

    timestamp: int
    data: bytes
    keyframe: bool
    parameters: bytes
    """Empty unless `keyframe`."""


class H264Depacketizer:
    """Turns ordered RTP payloads (RFC 6184: single NAL units, STAP-A, FU-A) into access units.

    After a hole nothing comes out until a picture that needs no other (IDR with SPS and PPS, sent with it or before).
    `waiting` tells that this is so, and that a keyframe should be asked for.
    """

    def __init__(self) -> None:
        self._units: list[bytes] = []
        self._size = 0
        self._fragments: list[bytes] | None = None
        self._timestamp: int | None = None
        self._sps = b""
        self._pps: dict[bytes, bytes] = {}
        self._spoilt = False
        self.waiting = True

    def hole(self) -> None:
        """A packet is missing for good: the picture it belonged to, and those that build on it, are given up."""
        self._reset()
        self._spoilt = True
        self.waiting = True

    def push(self, timestamp: int, marker: bool, payload: bytes) -> list[AccessUnit]:
        """The pictures which this payload completes: none or one, two when the one before had no marker.

        Raises MalformedPayload; the picture is given up then, as after a hole.
        """
        done: list[AccessUnit] = []
        if self._timestamp is not None and timestamp != self._timestamp:
            done += self._finish()
        self._timestamp = timestamp
        try:
            self._take(payload)
        except MalformedPayload:
            self.hole()
            raise
        if marker:
            done += self._finish()
        return done

    def _take(self, payload: bytes) -> None:
        if not payload:
            return  # padding only
        kind = payload[0] & 31
        if 1 <= kind <= 23:
            self._unit(payload)
        elif kind == _STAP_A:
            position = 1
            while position < len(payload):
                size = int.from_bytes(payload[position : position + 2], "big")
                unit = payload[position + 2 : position + 2 + size]
                if not size or len(unit) != size:
                    raise MalformedPayload("aggregation packet is cut short")
                self._unit(unit)
                position += 2 + size
        elif kind == _FU_A:
            self._fragment(payload)
        else:
            raise MalformedPayload(f"payload of type {kind}")

    def _fragment(self, payload: bytes) -> None:
        if len(payload) < 3:
            raise MalformedPayload("fragment without content")
        indicator, header = payload[0], payload[1]
        if header & 0x80:
            if self._fragments is not None or header & 0x40:
                raise MalformedPayload("fragment starts inside another, or is whole")
            self._fragments = [bytes((indicator & 0xE0 | header & 0x1F,))]
        elif self._fragments is None:
            raise MalformedPayload("fragment without a start")
        self._count(len(payload))
        self._fragments.append(payload[2:])
        if header & 0x40:
            unit, self._fragments = b"".join(self._fragments), None
            self._unit(unit, counted=True)

    def _unit(self, unit: bytes, counted: bool = False) -> None:
        if self._fragments is not None:
            raise MalformedPayload("unit inside a fragmented one")
        kind = unit[0] & 31
        if kind == 0 or kind > 23 or len(unit) < 2:
            raise MalformedPayload(f"unit of type {kind}")
        if kind in (_DELIMITER, _FILLER):
            return
        if kind in (_SPS, _PPS):
            if kind == _SPS and not self._units:
                self._spoilt = False  # senders begin a picture with it: whatever is missing came before
            self._parameter(kind, unit)
            return
        if not counted:
            self._count(len(unit))
        self._units.append(unit)

    def _parameter(self, kind: int, unit: bytes) -> None:
        if len(unit) > _MAX_PARAMETERS or (len(self._pps) > 16 and kind == _PPS):
            raise MalformedPayload("parameter set too large")
        if kind == _SPS:
            if unit != self._sps:
                self._sps = unit
                self._pps = {}
            return
        # A picture parameter set replaces the one with its id. The id is an Exp-Golomb number in the first bits: ids
        # up to 6 (all that WebRTC senders use) are told apart by the first byte's leading bits.
        self._pps[_identity(unit)] = unit

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > MAX_ACCESS_UNIT or len(self._units) > 4096:
            raise MalformedPayload("picture too large")

    def _finish(self) -> list[AccessUnit]:
        units, spoilt, timestamp = self._units, self._spoilt or self._fragments is not None, self._timestamp
        self._reset()
        self._spoilt = False
        if spoilt:
            self.waiting = True
            return []
        if not units or timestamp is None:
            return []
        key = any(unit[0] & 31 == _IDR for unit in units) and bool(self._sps) and bool(self._pps)
        if self.waiting and not key:
            return []
        self.waiting = False
        parameters = _annex_b([self._sps, *self._pps.values()]) if key else b""
        return [AccessUnit(timestamp, parameters + _annex_b(units), key, parameters)]

    def _reset(self) -> None:
        self._units, self._size, self._fragments, self._timestamp = [], 0, None, None


def opus_samples(payload: bytes) -> int:
    """How long an Opus packet lasts, in samples at 48 kHz, from its first bytes (RFC 6716, section 3.1)."""
    if not payload:
        raise MalformedPayload("empty Opus packet")
    config, code = payload[0] >> 3, payload[0] & 3
    if config < 12:
        frame = (480, 960, 1920, 2880)[config & 3]
    elif config < 16:
        frame = (480, 960)[config & 1]
    else:
        frame = (120, 240, 480, 960)[config & 3]
    if code == 3:
        if len(payload) < 2 or not payload[1] & 63:
            raise MalformedPayload("Opus packet without a frame count")
        count = payload[1] & 63
    else:
        count = 1 if code == 0 else 2
    if frame * count > 5760:
        raise MalformedPayload("Opus packet of more than 120 ms")
    return frame * count


def _identity(unit: bytes) -> bytes:
    bits = unit[1]
    zeros = 8 - bits.bit_length()
    return bytes((bits >> max(0, 7 - 2 * zeros),))


def _annex_b(units: list[bytes]) -> bytes:
    return b"".join(part for unit in units for part in (_START_CODE, unit))
