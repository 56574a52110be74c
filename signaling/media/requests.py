"""What a stream asks of its publisher: packets that did not arrive, and keyframes. This module owns both, each asked
for no more often than it helps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from aiortc.rtp import RtcpPsfbPacket

from signaling.media.loss import MissingPackets, retry_after
from signaling.media.rtp import nack_packets

KEYFRAME_INTERVAL = 0.5  # at most one request in this time
SOUND_LASTS = 0.5  # seconds: sound that comes later is heard by nobody


class Publisher(Protocol):
    """What a stream needs of the peer that sends it."""

    @property
    def rtt(self) -> float | None: ...
    @property
    def ntp_offset(self) -> int: ...
    def send_rtcp(self, data: bytes) -> None: ...


class Requests:
    """ssrc: of the stream, None until it is known; paused: nothing is asked for, because nothing is forwarded."""

    def __init__(
        self,
        publisher: Publisher,
        own_ssrc: int,
        ssrc: int | None,
        *,
        clock: Callable[[], float],
        oldest: Callable[[], int],
        pictures: bool,
        resends: bool,
    ) -> None:
        """own_ssrc: that asks; oldest: the first number that is still of use; resends: does the publisher send lost
        packets again?"""
        self.ssrc = ssrc
        self.paused = False
        self.nacks = self.plis = self.given_up = 0
        self._publisher, self._own_ssrc, self._clock, self._oldest = publisher, own_ssrc, clock, oldest
        self._pictures, self._resends = pictures, resends
        self._missing = MissingPackets() if pictures else MissingPackets(SOUND_LASTS)
        self._nack_timer: asyncio.TimerHandle | None = None
        self._keyframe_timer: asyncio.TimerHandle | None = None
        self._keyframe_at = -KEYFRAME_INTERVAL
        self._closed = False

    def missing(self, first: int, end: int, now: float) -> None:
        """A gap in the numbers."""
        if self._resends and not self.paused:
            self._missing.add(first, end, now)
            self._send_nack()

    def arrived(self, number: int) -> bool:
        """Was it missing?"""
        return self._missing.arrived(number)

    def forget(self) -> None:
        """What is missing is of no use any more."""
        self._missing.clear()

    def keyframe(self) -> None:
        if not self._pictures or self.paused or self._closed or self._keyframe_timer is not None or self.ssrc is None:
            return
        wait = self._keyframe_at + KEYFRAME_INTERVAL - self._clock()
        self._keyframe_timer = asyncio.get_running_loop().call_later(max(0.0, wait), self._send_pli)

    def close(self) -> None:
        self._closed = True
        for timer in (self._nack_timer, self._keyframe_timer):
            if timer is not None:
                timer.cancel()

    def _send_nack(self) -> None:
        if self._nack_timer is not None:
            self._nack_timer.cancel()
            self._nack_timer = None
        if self.ssrc is None or self._closed:
            return
        retry = retry_after(self._publisher.rtt)
        wanted, given_up = self._missing.request(self._clock(), self._oldest(), retry)
        if given_up:
            self.given_up += given_up
            self.keyframe()
        if wanted:
            self.nacks += len(wanted)
            self._publisher.send_rtcp(nack_packets(self._own_ssrc, self.ssrc, wanted))
        if self._missing:
            self._nack_timer = asyncio.get_running_loop().call_later(retry / 2, self._send_nack)

    def _send_pli(self) -> None:
        self._keyframe_timer = None
        if self.ssrc is None or self.paused:
            return
        self._keyframe_at = self._clock()
        self.plis += 1
        self._publisher.send_rtcp(bytes(RtcpPsfbPacket(fmt=1, ssrc=self._own_ssrc, media_ssrc=self.ssrc)))
