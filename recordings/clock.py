"""This module owns the time of one participant's tracks: from RTP ticks to seconds of the recorder's own clock.

With sender reports (RFC 3550, 6.4.1) on every track, the tracks of a participant are placed against each other by the
sender's clock, and that clock against ours by the packet that travelled fastest. Without them each track is placed by
its own fastest packet, which leaves the difference of the two journeys as an error between sound and picture.
"""

from __future__ import annotations

from collections import deque

_BUCKET = 5.0
_BUCKETS = 6
_DISTRUST = 1.0
"""Seconds by which reports may contradict arrival before they are taken for wrong."""
_JUMP = 5.0
"""Seconds by which a time stamp may contradict arrival before it is taken for another clock's."""
_AGREED = 8
"""Packets in a row that must agree before another clock is believed."""


class TrackClock:
    """What is known of one track: the last report, and the fastest packet of the last half minute."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._fastest: deque[tuple[float, float]] = deque(maxlen=_BUCKETS)
        self._strange: list[float] = []
        self.lag: float | None = None
        """Our time at tick 0, by the fastest packet; None before the first one."""
        self.line: float | None = None
        """The sender's time at tick 0, by its last report."""
        self.restarts = 0
        """How often the sender's ticks were found to count from elsewhere."""

    def packet(self, ticks: int, arrival: float) -> bool:
        """A packet with this (unwrapped) time stamp came at `arrival`, in seconds of our clock.

        False: the time stamp fits nothing known so far, and the packet should be ignored.
        """
        lag = arrival - ticks / self.rate
        known = self.lag
        if known is not None and abs(lag - known) > _JUMP:
            if self._strange and abs(lag - self._strange[-1]) > _JUMP:
                self._strange = []
            self._strange.append(lag)
            if len(self._strange) < _AGREED:
                return False
            self._fastest.clear()
            self.line = None
            self.restarts += 1
        self._strange = []
        if not self._fastest or arrival - self._fastest[-1][0] >= _BUCKET:
            self._fastest.append((arrival, lag))
        elif lag < self._fastest[-1][1]:
            self._fastest[-1] = (self._fastest[-1][0], lag)
        else:
            return True
        self.lag = min(lag for _, lag in self._fastest)
        return True

    def report(self, ntp: int, ticks: int) -> None:
        """A sender report: its 64-bit NTP time, and the (unwrapped) time stamp of the same moment."""
        if ntp:
            self.line = ntp / 2**32 - ticks / self.rate


class ParticipantClock:
    """The clocks of one participant's tracks, which share the sender's clock."""

    def __init__(self) -> None:
        self._tracks: dict[str, TrackClock] = {}

    def begin(self, name: str, rate: int) -> TrackClock:
        """A fresh clock for a track that begins, or begins anew."""
        self._tracks[name] = clock = TrackClock(rate)
        return clock

    def reported(self, *names: str) -> bool:
        """Whether every named track has been placed by a sender report that arrival does not contradict."""
        return self._offset(names) is not None

    def anchor(self, name: str, *together: str) -> float | None:
        """Our time at tick 0 of a track that is to be heard or seen with `together`; None before its first packet."""
        track = self._tracks.get(name)
        if track is None or track.lag is None:
            return None
        offset = self._offset((name, *together))
        return track.lag if offset is None or track.line is None else track.line + offset

    def _offset(self, names: tuple[str, ...]) -> float | None:
        """Our clock less the sender's; None unless every named track has a believable report."""
        behind: list[float] = []
        for name in names:
            track = self._tracks.get(name)
            if track is None or track.line is None or track.lag is None:
                return None
            behind.append(track.lag - track.line)
        return None if not behind or max(behind) - min(behind) > _DISTRUST else min(behind)
