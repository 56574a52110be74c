"""This module owns one incoming track: from RTP packets in any order to pictures or sounds on an unwrapped clock."""

from __future__ import annotations

from typing import NamedTuple

from recordings.clock import ParticipantClock, TrackClock
from recordings.errors import MalformedPayload
from recordings.rtp import AUDIO_RATE, VIDEO_RATE, AccessUnit, H264Depacketizer, Reorder, Unwrap, opus_samples
from recordings.vp8 import Vp8Depacketizer

VIDEO_PATIENCE = 0.6
AUDIO_PATIENCE = 0.4
"""Seconds a missing packet is waited for: retransmissions take one or two round trips."""


class Picture(NamedTuple):
    unit: AccessUnit
    arrival: float

    @property
    def ticks(self) -> int:
        return self.unit.timestamp


class Sound(NamedTuple):
    ticks: int
    payload: bytes
    samples: int
    arrival: float


class VideoTrack:
    """A camera's H.264 or VP8. `first_packet`, `last_packet`, `last_picture` and `last_keyframe` are times of
    arrival."""

    rate = VIDEO_RATE

    def __init__(self, name: str, clocks: ParticipantClock, codec: str = "h264") -> None:
        self.name = name
        self.codec = codec
        self.clock: TrackClock = clocks.begin(name, VIDEO_RATE)
        self.first_packet: float | None = None
        self.last_packet: float | None = None
        self.last_picture: float | None = None
        self.last_keyframe: float | None = None
        self._time = Unwrap(32)
        self._packets: Reorder[tuple[int, bool, bytes]] = Reorder(patience=VIDEO_PATIENCE)
        self._depacketizer = Vp8Depacketizer() if codec == "vp8" else H264Depacketizer()

    @property
    def waiting(self) -> bool:
        """Whether only a keyframe can continue the picture."""
        return self._depacketizer.waiting

    def packet(self, sequence: int, timestamp: int, marker: bool, payload: bytes, arrival: float) -> list[Picture]:
        """The pictures that are complete now."""
        ticks = self._time(timestamp)
        restarts = self.clock.restarts
        if not self.clock.packet(ticks, arrival):
            return []
        if self.clock.restarts != restarts:
            self._depacketizer.hole()
        self.last_packet = arrival
        self.first_packet = arrival if self.first_packet is None else self.first_packet
        return self._pictures(self._packets.push(sequence, arrival, (ticks, marker, payload)), arrival)

    def overdue(self, now: float) -> list[Picture]:
        """The pictures held back by a packet that is now given up."""
        return self._pictures(self._packets.overdue(now), now)

    def drain(self, now: float) -> list[Picture]:
        """The pictures held back, at the end of the track."""
        return self._pictures(self._packets.drain(), now)

    def report(self, ntp: int, rtp: int) -> None:
        self.clock.report(ntp, self._time.near(rtp))

    def spoil(self) -> None:
        """What was handed out is lost: go on with a keyframe."""
        self._depacketizer.hole()

    def _pictures(self, packets: list[tuple[int, bool, bytes] | None], now: float) -> list[Picture]:
        pictures = []
        for packet in packets:
            if packet is None:
                self._depacketizer.hole()
                continue
            try:
                units = self._depacketizer.push(*packet)
            except MalformedPayload:
                continue  # the depacketizer has given the picture up, as after a hole
            pictures += [Picture(unit, now) for unit in units]
        if pictures:
            self.last_picture = now
        if any(picture.unit.keyframe for picture in pictures):
            self.last_keyframe = now
        return pictures


class AudioTrack:
    """A microphone's Opus. Holes show in the time stamps alone."""

    name = "audio"
    rate = AUDIO_RATE

    def __init__(self, clocks: ParticipantClock) -> None:
        self.clock: TrackClock = clocks.begin(self.name, AUDIO_RATE)
        self.last_packet: float | None = None
        self._time = Unwrap(32)
        self._packets: Reorder[Sound] = Reorder(patience=AUDIO_PATIENCE)

    def packet(self, sequence: int, timestamp: int, payload: bytes, arrival: float) -> list[Sound]:
        """The sounds whose turn it is now."""
        ticks = self._time(timestamp)
        if not self.clock.packet(ticks, arrival):
            return []
        self.last_packet = arrival
        try:
            samples = opus_samples(payload)
        except MalformedPayload:
            samples = 0  # takes its turn, and is passed over
        sounds = self._packets.push(sequence, arrival, Sound(ticks, payload, samples, arrival))
        return [sound for sound in sounds if sound is not None and sound.samples]

    def overdue(self, now: float) -> list[Sound]:
        return [sound for sound in self._packets.overdue(now) if sound is not None and sound.samples]

    def drain(self) -> list[Sound]:
        return [sound for sound in self._packets.drain() if sound is not None and sound.samples]

    def report(self, ntp: int, rtp: int) -> None:
        self.clock.report(ntp, self._time.near(rtp))
