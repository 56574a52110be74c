"""This module owns how one view (a participant's camera, with the microphone on the first) becomes segments.

A segment holds the same tracks from end to end, so a new one begins whenever that changes: the picture stalls or
returns, sound joins, the picture's codec or size changes, a clock is found to have moved, a write failed.

Not thread-safe: everything happens on the recorder's own thread, and time is what the packets and `tick` say it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from recordings.clock import ParticipantClock
from recordings.errors import MalformedPayload, SegmentUnwritable
from recordings.segment import Segment
from recordings.segment_file import STALL, SegmentFile, Template, Vp8Template, template_of
from recordings.segment_log import EndedSegment, NewSegment, SegmentLog
from recordings.track import AudioTrack, Picture, Sound, VideoTrack

PATIENCE = 1.2
"""Seconds the first segment waits for the other track and for sender reports. What waits is in memory alone, and a
killed server must not lose more than a second and a half; reports that come later begin a new segment if they must."""

RETRY = 10.0
"""Seconds after a write error until a new segment is tried."""

MAX_SEGMENT = 2 << 30
"""Bytes of media after which the next keyframe begins a new segment: closing must keep to 32-bit sizes."""

UNREADABLE = 6.0
"""Seconds of packets without a single picture after which the track is told not to be of its codec."""

_LIPS = 0.045
_TIMELINE = 0.2
_SETTLED = 10.0
_HELD_BYTES = 16 << 20
_KEYFRAME_INTERVAL = 2.0
_KEYFRAME_RETRY = 0.5


class ViewWriter:
    """Turns the packets of one view into segment files."""

    def __init__(
        self,
        source: str,
        clocks: ParticipantClock,
        log: SegmentLog,
        request_keyframe: Callable[[], None],
        patience: float = PATIENCE,
    ) -> None:
        self.source = source
        self._clocks = clocks
        self._log = log
        self._request_keyframe = request_keyframe
        self._patience = patience
        self._video: VideoTrack | None = None
        self._audio: AudioTrack | None = None
        self._pictures: deque[Picture] = deque()
        self._sounds: deque[Sound] = deque()
        self._segment: Segment | None = None
        self._renew = False
        self._asked = float("-inf")
        self._retry_at = float("-inf")
        self._tapped = float("-inf")
        self._settled = False
        self._unreadable = False

    def begin(self, kind: str, now: float, codec: str = "h264") -> None:
        """A track of this kind, "video" or "audio", begins (or begins anew); a picture is in `codec`."""
        self._tapped = now
        self._settled = False
        segment = self._segment
        if kind == "video":
            if segment is not None and segment.video_zero is not None:
                self._end(now)
            self._pictures.clear()
            self._unreadable = False
            self._video = VideoTrack(f"video {self.source}", self._clocks, codec)
        else:
            if segment is not None and segment.audio_zero is not None:
                self._end(now)
            self._sounds.clear()
            self._audio = AudioTrack(self._clocks)

    def finish(self, kind: str, now: float) -> None:
        """The track of this kind has ended."""
        if kind == "video" and self._video is not None:
            self._take(self._video.drain(now), [])
            self._advance(now)
            self._end(now)
            self._video = None
        elif kind == "audio" and self._audio is not None:
            self._take([], self._audio.drain())
            self._advance(now)
            self._audio = None

    def video(self, sequence: int, timestamp: int, marker: bool, payload: bytes, arrival: float) -> None:
        """A packet of the picture, in any order."""
        if self._video is None:
            return
        restarts = self._video.clock.restarts
        pictures = self._video.packet(sequence, timestamp, marker, payload, arrival)
        if self._video.clock.restarts != restarts:
            self._end(arrival)
        self._take(pictures, [])
        self._advance(arrival)

    def audio(self, sequence: int, timestamp: int, payload: bytes, arrival: float) -> None:
        """A packet of the sound, in any order."""
        if self._audio is None:
            return
        restarts = self._audio.clock.restarts
        sounds = self._audio.packet(sequence, timestamp, payload, arrival)
        if self._audio.clock.restarts != restarts:
            self._end(arrival)
        self._take([], sounds)
        self._advance(arrival)

    def report(self, kind: str, ntp: int, rtp: int, now: float) -> None:
        """A sender report of one of the tracks."""
        track = self._video if kind == "video" else self._audio
        if track is not None:
            track.report(ntp, rtp)
            self._check_clocks(now)
            self._advance(now)

    def tick(self, now: float) -> None:
        """Do what is due although nothing arrived: give up holes, end stalled tracks, ask for keyframes."""
        self._take(
            [] if self._video is None else self._video.overdue(now),
            [] if self._audio is None else self._audio.overdue(now),
        )
        self._advance(now)

    def pause(self, error: SegmentUnwritable, now: float) -> None:
        """End the open segment while there is room to, and write nothing until RETRY has passed."""
        self._end(now)
        self._fail(error, now)

    def close(self, now: float) -> None:
        """Write what is held and end the open segment."""
        self._take(
            [] if self._video is None else self._video.drain(now),
            [] if self._audio is None else self._audio.drain(),
        )
        self._patience = 0.0
        self._advance(now)
        self._end(now)
        self._drop()

    def _take(self, pictures: list[Picture], sounds: list[Sound]) -> None:
        self._pictures.extend(pictures)
        self._sounds.extend(sounds)
        if sum(len(picture.unit.data) for picture in self._pictures) > _HELD_BYTES:
            self._drop()

    def _drop(self) -> None:
        if self._pictures and self._video is not None:
            self._video.spoil()
        self._pictures.clear()
        self._sounds.clear()

    def _advance(self, now: float) -> None:
        if now < self._retry_at:
            self._drop()
            return
        self._ask_for_keyframe(now)
        try:
            while self._segment is not None or self._open(now):
                if not self._write(now):
                    break
        except SegmentUnwritable as error:
            self._fail(error, now)

    def _ask_for_keyframe(self, now: float) -> None:
        video = self._video
        if video is None or video.first_packet is None or video.last_packet is None or now - video.last_packet > STALL:
            return
        if video.last_picture is None and now - video.first_packet > UNREADABLE and not self._unreadable:
            self._unreadable = True
            self._log.unreadable()
        old = video.last_keyframe is None or now - video.last_keyframe >= _KEYFRAME_INTERVAL
        unseen = not self._pictures and (self._segment is None or self._segment.video_zero is None)
        if (old or unseen or video.waiting or self._renew) and now - self._asked >= _KEYFRAME_RETRY:
            self._asked = now
            self._request_keyframe()

    def _open(self, now: float) -> bool:
        """Begin a segment when it is known what it will hold; False while there is something to wait for."""
        while self._pictures and not self._pictures[0].unit.keyframe:
            self._pictures.popleft()
        picture = self._pictures[0] if self._pictures else None
        sound = self._sounds[0] if self._sounds else None
        together = self._together(picture is not None, sound is not None)
        if not together:
            return False
        synchronised = self._clocks.reported(*together)
        waited = now - min(first.arrival for first in (picture, sound) if first is not None)
        if waited < self._patience:
            missing = (picture is None and self._may_come(self._video, now)) or (
                sound is None and self._may_come(self._audio, now)
            )
            if missing or (len(together) == 2 and not synchronised and not self._settled):
                return False
        template = None
        if picture is not None and self._video is not None:
            try:
                template = template_of(self._video.codec, picture.unit.data)
            except MalformedPayload:
                self._drop()
                return False
        try:
            self._begin(picture, sound, together, template, synchronised)
        finally:
            if template is not None:
                template.close()
        return True

    def _together(self, video: bool, audio: bool) -> tuple[str, ...]:
        names = [self._video.name] if video and self._video is not None else []
        return (*names, self._audio.name) if audio and self._audio is not None else tuple(names)

    def _may_come(self, track: VideoTrack | AudioTrack | None, now: float) -> bool:
        if track is None:
            return False
        last = self._tapped if track.last_packet is None else max(self._tapped, track.last_packet)
        return now - last < self._patience

    def _begin(
        self,
        picture: Picture | None,
        sound: Sound | None,
        together: tuple[str, ...],
        template: Template | Vp8Template | None,
        synchronised: bool,
    ) -> None:
        video = audio = None
        if picture is not None and self._video is not None:
            anchor = self._clocks.anchor(self._video.name, *together)
            video = None if anchor is None else (anchor, picture.ticks, self._video.rate)
        if sound is not None and self._audio is not None:
            anchor = self._clocks.anchor(self._audio.name, *together)
            audio = None if anchor is None else (anchor, sound.ticks, self._audio.rate)
        zero = min(anchor + ticks / rate for anchor, ticks, rate in filter(None, (video, audio)))
        new = NewSegment(zero, video is not None, audio is not None, synchronised)
        id, path = self._log.opened(new if template is None else new._replace(suffix=template.suffix))
        try:
            file = SegmentFile(path, template, audio is not None)
        except SegmentUnwritable:
            self._log.ended(EndedSegment(id, 0.0, (), whole=False))
            raise
        zeros = [None if track is None else round((zero - track[0]) * track[2]) for track in (video, audio)]
        parameters = b"" if picture is None else picture.unit.parameters
        self._segment = Segment(id, file, zero, zeros[0], zeros[1], parameters)
        self._renew = False
        self._settled = self._settled or len(together) == 2

    def _write(self, now: float) -> bool:
        """Write what is pending into the open segment; True when it ended and another may begin at once."""
        segment = self._segment
        assert segment is not None
        while self._pictures:
            picture = self._pictures[0]
            if picture.unit.keyframe and self._outgrown(segment, picture):
                self._end(now, before=picture)
                return True
            self._pictures.popleft()
            if segment.video_zero is not None:
                segment.picture(picture.unit)
        if segment.audio_zero is not None:
            segment.sounds(self._sounds)
            self._sounds.clear()
        elif self._sounds:
            self._renew = True  # sound has joined: both go into a new segment at the next keyframe
            while self._sounds and now - self._sounds[0].arrival > STALL:
                self._sounds.popleft()
        if self._stalled(segment, now):
            self._end(now)
            return True
        return False

    def _outgrown(self, segment: Segment, keyframe: Picture) -> bool:
        return (
            segment.video_zero is None
            or self._renew
            or keyframe.unit.parameters != segment.parameters
            or segment.size > MAX_SEGMENT
        )

    def _stalled(self, segment: Segment, now: float) -> bool:
        if segment.video_zero is not None:
            last = None if self._video is None else self._video.last_picture
            return last is None or now - last > STALL
        last = None if self._audio is None else self._audio.last_packet
        outgrown = self._renew or segment.size > MAX_SEGMENT
        return last is None or now - last > STALL or (outgrown and not self._may_come(self._video, now))

    def _end(self, now: float, before: Picture | None = None) -> None:
        """End the open segment; sounds from the picture on which begins the next one are left for that."""
        segment, self._segment = self._segment, None
        if segment is None:
            return
        try:
            if segment.audio_zero is not None:
                limit = None if before is None else segment.audio_ticks(before.ticks)
                segment.sounds(sound for sound in self._sounds if limit is None or sound.ticks < limit)
                self._sounds = deque(sound for sound in self._sounds if limit is not None and sound.ticks >= limit)
            segment.close(None if before is None else before.ticks)
        except SegmentUnwritable as error:
            self._segment = segment
            self._fail(error, now)
            return
        self._log.ended(EndedSegment(segment.id, segment.duration, tuple(segment.gaps), whole=True))

    def _fail(self, error: SegmentUnwritable, now: float) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.abandon()
            self._log.ended(EndedSegment(segment.id, segment.duration, tuple(segment.gaps), whole=False))
        self._drop()
        self._retry_at = now + RETRY
        self._log.paused(error)

    def _check_clocks(self, now: float) -> None:
        """Begin a new segment when the clocks have moved away from where they were when this one began."""
        segment = self._segment
        if segment is None:
            return
        together = self._together(segment.video_zero is not None, segment.audio_zero is not None)
        zeros: list[float] = []
        for track, ticks in ((self._video, segment.video_zero), (self._audio, segment.audio_zero)):
            if track is None or ticks is None:
                continue
            anchor = self._clocks.anchor(track.name, *together)
            if anchor is None:
                return
            zeros.append(anchor + ticks / track.rate)
        if not zeros:
            return
        apart = self._clocks.reported(*together) and max(zeros) - min(zeros) > _LIPS
        moved = max(abs(zero - segment.zero) for zero in zeros) > _TIMELINE and now - segment.zero > _SETTLED
        self._renew = self._renew or apart or moved
