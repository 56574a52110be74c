"""This module owns one open segment: its zero on every track's clock, and what stands in for media that is missing.

A short hole in the picture leaves the last one standing; holes in the sound are filled with silent Opus packets. Media
is never stretched.
"""

from __future__ import annotations

from collections.abc import Iterable

from recordings.rtp import AUDIO_RATE, VIDEO_RATE, AccessUnit
from recordings.segment_file import SegmentFile
from recordings.track import Sound

NOTABLE_GAP = 0.5
"""Seconds without a new picture from which on it is told as a gap."""

SILENCE_LAG = 0.8
"""Seconds which the sound may trail the picture before silence takes its place."""

_SILENCE = bytes((0xFC, 0xFF, 0xFE))  # 20 ms of nothing, in CELT, for both channels
_SILENCE_SAMPLES = 960


class Segment:
    """An open segment. `video_zero` and `audio_zero` are the ticks of the file's zero, None for a track it lacks."""

    def __init__(
        self,
        id: str,
        file: SegmentFile,
        zero: float,
        video_zero: int | None,
        audio_zero: int | None,
        parameters: bytes,
    ) -> None:
        """`zero` is the file's zero in seconds of the recorder's clock."""
        self.id = id
        self.zero = zero
        self.video_zero = video_zero
        self.audio_zero = audio_zero
        self.parameters = parameters
        self.gaps: list[tuple[float, float]] = []
        """Stretches without a new picture, in seconds from the file's zero."""
        self._file = file
        self._held: AccessUnit | None = None
        self._interval = VIDEO_RATE // 15
        self._video_end = 0
        self._audio_end = 0

    @property
    def size(self) -> int:
        return self._file.size

    @property
    def duration(self) -> float:
        """Seconds written so far."""
        return max(self._video_end / VIDEO_RATE, self._audio_end / AUDIO_RATE)

    def audio_ticks(self, video_ticks: int) -> int | None:
        """The sound's ticks at the moment of these ticks of the picture, when there are both."""
        if self.video_zero is None or self.audio_zero is None:
            return None
        return round((video_ticks - self.video_zero) / VIDEO_RATE * AUDIO_RATE) + self.audio_zero

    def picture(self, unit: AccessUnit) -> None:
        """Write the picture before this one, which lasts until this one, and hold this one."""
        self._release(unit.timestamp)
        self._held = unit
        if self.audio_zero is not None:
            self._silence(round((self._video_end / VIDEO_RATE - SILENCE_LAG) * AUDIO_RATE))

    def sounds(self, sounds: Iterable[Sound]) -> None:
        """Write sounds; what comes too late for its place is passed over."""
        assert self.audio_zero is not None
        for sound in sounds:
            ticks = sound.ticks - self.audio_zero
            if ticks + sound.samples // 2 < self._audio_end:
                continue
            self._silence(ticks)
            self._sound(max(ticks, self._audio_end), sound.payload, sound.samples)

    def close(self, until: int | None = None) -> None:
        """End the file. The held picture lasts until these ticks, or as long as the one before. SegmentUnwritable."""
        self._release(until)
        if self.audio_zero is not None:
            self._silence(self._video_end * AUDIO_RATE // VIDEO_RATE)
        self._file.close()

    def abandon(self) -> None:
        """Let go of the file after a write error."""
        self._file.abandon()

    def _release(self, until: int | None) -> None:
        unit, self._held = self._held, None
        if unit is None:
            return
        assert self.video_zero is not None
        ticks = unit.timestamp - self.video_zero
        lasts = self._interval if until is None or until <= unit.timestamp else until - unit.timestamp
        if lasts > NOTABLE_GAP * VIDEO_RATE:
            self.gaps.append(((ticks + self._interval) / VIDEO_RATE, (ticks + lasts) / VIDEO_RATE))
        else:
            self._interval = lasts
        if ticks >= 0:
            self._file.picture(ticks, unit.data, unit.keyframe, lasts)
            self._video_end = ticks + lasts

    def _silence(self, until: int) -> None:
        while self._audio_end + _SILENCE_SAMPLES <= until:
            self._sound(self._audio_end, _SILENCE, _SILENCE_SAMPLES)

    def _sound(self, ticks: int, payload: bytes, samples: int) -> None:
        self._file.sound(ticks, payload, samples)
        self._audio_end = ticks + samples
