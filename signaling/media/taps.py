"""The recorders that listen to one stream. This module owns that they never disturb it, and that a stream with pictures
brings keyframes while one of them listens.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

logger = logging.getLogger(__name__)


class PacketTap(Protocol):
    """A recorder's ear at one stream. Called on the event loop: it must return at once. The first exception it raises
    is logged and ends it; forwarding never notices."""

    def packet(self, sequence: int, timestamp: int, marker: bool, payload: bytes, arrival: float) -> None:
        """sequence: extended, may come out of order or leave holes; timestamp: RTP, 32 bits; payload: without padding,
        empty when the packet was nothing else; arrival: seconds of the hub's clock."""

    def sender_report(self, ntp: int, rtp: int, arrival: float) -> None:
        """ntp: 64 bits, the publisher's clock; rtp: the timestamp of the same instant, 32 bits."""

    def closed(self) -> None:
        """The track has ended."""


class Taps:
    """interval: seconds between the keyframes asked for while one listens; None: the stream has none."""

    def __init__(self, request_keyframe: Callable[[], None], interval: float | None) -> None:
        self.listening: list[PacketTap] = []
        self._request_keyframe, self._interval = request_keyframe, interval
        self._timer: asyncio.TimerHandle | None = None

    def add(self, tap: PacketTap) -> None:
        self.listening = [*self.listening, tap]
        if self._timer is None:
            self._keyframe()

    def remove(self, tap: PacketTap) -> None:
        self.listening = [other for other in self.listening if other is not tap]

    def _keyframe(self) -> None:
        """A recording can be cut, and joined after a hole, only at keyframes."""
        self._timer = None
        if self.listening and self._interval is not None:
            self._request_keyframe()
            self._timer = asyncio.get_running_loop().call_later(self._interval, self._keyframe)

    def packet(self, number: int, timestamp: int, marker: int, payload: bytes, now: float) -> None:
        for tap in self.listening:
            try:
                tap.packet(number, timestamp, marker != 0, payload, now)
            except Exception:  # a recorder's trouble is not the lesson's
                self._drop(tap)

    def sender_report(self, ntp: int, rtp: int, now: float) -> None:
        for tap in self.listening:
            try:
                tap.sender_report(ntp, rtp, now)
            except Exception:  # a recorder's trouble is not the lesson's
                self._drop(tap)

    def _drop(self, tap: PacketTap) -> None:
        logger.exception("a tap failed and is removed")
        self.remove(tap)

    def close(self) -> None:
        """The stream has ended."""
        if self._timer is not None:
            self._timer.cancel()
        taps, self.listening = self.listening, []
        for tap in taps:
            try:
                tap.closed()
            except Exception:  # a recorder's trouble is not the lesson's
                logger.exception("a tap failed at the end of its track")
