"""This module owns the file of one segment: pictures and sound as they came, muxed into a hybrid fragmented MP4, or
into WebM where the pictures are VP8: browsers play that by Media Source from no other.

Nothing is decoded or encoded. Every second a whole fragment (of WebM a cluster) reaches the disk, so a killed process
loses at most that; closing makes an ordinary MP4 of the same bytes. `empty_moov` and `default_base_moof` are what Media
Source buffers want, `frag_keyframe` lets every keyframe begin a fragment, and `max_interleave_delta` keeps one silent
track from holding back the other.
"""

from __future__ import annotations

import functools
import io
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from recordings.errors import MalformedPayload, SegmentUnwritable
from recordings.rtp import AUDIO_RATE, VIDEO_RATE
from recordings.vp8 import size_of

STALL = 2.0
"""Seconds one track of a file may be late; a view's tracks that are later than this go separate ways."""

_VIDEO_BASE = Fraction(1, VIDEO_RATE)
_AUDIO_BASE = Fraction(1, AUDIO_RATE)
_INTERLEAVE = {"flush_packets": "1", "max_interleave_delta": str(int((STALL + 0.5) * 1_000_000))}
_MP4 = {
    "movflags": "hybrid_fragmented+empty_moov+default_base_moof+frag_keyframe",
    "frag_duration": "1000000",
    **_INTERLEAVE,
}
_WEBM = {"cluster_time_limit": "1000", **_INTERLEAVE}


class Template:
    """What a file must know of its pictures before the first: their size and parameter sets, from a keyframe.

    ffmpeg's own parser reads them; it is given the picture twice, so that it sees where the first one ends.
    """

    suffix = ".mp4"

    def __init__(self, keyframe: bytes) -> None:
        """`keyframe` is Annex B with its parameter sets. Raises MalformedPayload when they are unreadable."""
        try:
            self._container = av.open(io.BytesIO(keyframe * 2), "r", format="h264")
        except (FFmpegError, OSError) as error:
            raise MalformedPayload(f"unreadable keyframe: {error}") from error
        if not self._container.streams.video or not self._container.streams.video[0].codec_context.width:
            self._container.close()
            raise MalformedPayload("keyframe without a size")
        self.stream = self._container.streams.video[0]

    def begin(self, file: OutputContainer) -> VideoStream:
        """The stream for such pictures in a new file."""
        return file.add_stream_from_template(self.stream)

    def close(self) -> None:
        self._container.close()


class Vp8Template:
    """The same of VP8, which has no parameter sets."""

    suffix = ".webm"

    def __init__(self, keyframe: bytes) -> None:
        """Raises MalformedPayload when it has no size."""
        self._width, self._height = size_of(keyframe)
        if not self._width:
            raise MalformedPayload("keyframe without a size")

    def begin(self, file: OutputContainer) -> VideoStream:
        """The stream for such pictures in a new file."""
        return cast(VideoStream, file.add_mux_stream("vp8", width=self._width, height=self._height))

    def close(self) -> None:
        """There is nothing to let go."""


def template_of(codec: str, keyframe: bytes) -> Template | Vp8Template:
    """What a file of pictures like this one must know. Raises MalformedPayload."""
    return Vp8Template(keyframe) if codec == "vp8" else Template(keyframe)


@functools.cache
def _opus_in_step() -> bytes:
    """A WebM of one silent packet whose Opus begins with its first sample. An encoder's begins 6.5 ms later, which the
    muxer adds to each sound after it has ordered the packets: a browser takes no block from before the one it follows.
    """
    held = io.BytesIO()
    with av.open(held, "w", format="webm") as container:
        stream = container.add_stream("libopus", rate=AUDIO_RATE, layout="stereo")
        container.start_encoding()
        silence = av.Packet(b"\xfc\xff\xfe")
        silence.stream, silence.time_base, silence.pts, silence.dts = stream, _AUDIO_BASE, 0, 0
        container.mux_one(silence)
    data = bytearray(held.getvalue())
    skip, delay = data.index(b"OpusHead") + 10, data.index(b"\x56\xaa") + 3
    data[skip : skip + 2] = bytes(2)
    length = data[delay - 1] & 0x7F
    data[delay : delay + length] = bytes(length)
    return bytes(data)


class SegmentFile:
    """An open segment. Times are ticks from the file's zero (90 kHz pictures, 48 kHz sound) and only move forward."""

    def __init__(self, path: Path, template: Template | Vp8Template | None, sound: bool) -> None:
        """Create the file, for pictures like `template` and for sound. Raises SegmentUnwritable."""
        self._path = path
        self._video: VideoStream | None = None
        self._audio: AudioStream | None = None
        self._last_picture = self._last_sound = -1
        self.size = 0
        """Bytes of media handed over so far."""
        try:
            webm = isinstance(template, Vp8Template)
            container, options = ("webm", _WEBM) if webm else ("mp4", _MP4)
            self._container = av.open(str(path), "w", format=container, options=options)
            if template is not None:
                self._video = template.begin(self._container)
                self._video.time_base = _VIDEO_BASE
            if sound and webm:
                with av.open(io.BytesIO(_opus_in_step()), "r", format="webm") as empty:
                    self._audio = self._container.add_stream_from_template(empty.streams.audio[0])
                self._audio.time_base = _AUDIO_BASE
            elif sound:
                # An encoder that never encodes: it brings the OpusHead that a bare muxer stream has no place for.
                self._audio = self._container.add_stream("libopus", rate=AUDIO_RATE, layout="stereo")
                self._audio.time_base = _AUDIO_BASE
            self._container.start_encoding()
        except (FFmpegError, OSError) as error:
            raise SegmentUnwritable(path.name, str(error)) from error

    def picture(self, ticks: int, data: bytes, keyframe: bool, duration: int) -> None:
        """Add one picture. Raises SegmentUnwritable."""
        assert self._video is not None
        self._last_picture = ticks = max(ticks, self._last_picture + 1)
        self._mux(self._video, _VIDEO_BASE, ticks, data, keyframe, duration)

    def sound(self, ticks: int, data: bytes, duration: int) -> None:
        """Add one Opus packet. Raises SegmentUnwritable."""
        assert self._audio is not None
        self._last_sound = ticks = max(ticks, self._last_sound + 1)
        self._mux(self._audio, _AUDIO_BASE, ticks, data, True, duration)

    def abandon(self) -> None:
        """Let go of the file as it is, after a write error: its whole fragments stay playable."""
        # Closing is refused for the same reason as the write was; the error has been told already.
        with suppress(FFmpegError, OSError):
            self._container.close()

    def close(self) -> None:
        """Make the file whole. Raises SegmentUnwritable; what had been written stays playable then."""
        try:
            self._container.close()
        except (FFmpegError, OSError) as error:
            raise SegmentUnwritable(self._path.name, str(error)) from error

    def _mux(
        self, stream: VideoStream | AudioStream, base: Fraction, ticks: int, data: bytes, key: bool, duration: int
    ) -> None:
        packet = av.Packet(data)
        packet.stream = stream
        packet.time_base = base
        packet.pts = packet.dts = ticks
        packet.duration = duration
        packet.is_keyframe = key
        self.size += len(data)
        try:
            self._container.mux_one(packet)
        except (FFmpegError, OSError) as error:
            raise SegmentUnwritable(self._path.name, str(error)) from error
