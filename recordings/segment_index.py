"""This module owns what is known of a segment's file without reading its media: its start, tracks and fragments."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

Read = Callable[[int, int], bytes]
"""`read(offset, length)`: the bytes there, fewer at the end of the file."""


SUFFIXES = (".mp4", ".webm")
"""Of the files of segments."""


class ByteRange(msgspec.Struct, frozen=True):
    offset: int
    size: int


class Fragment(msgspec.Struct, frozen=True):
    """What can be appended alone, an MP4's `moof` with its `mdat` or a WebM's cluster: seconds from the file's zero,
    bytes, and whether its first picture needs no other."""

    time: float
    duration: float
    offset: int
    size: int
    keyframe: bool


class TrackFacts(msgspec.Struct, frozen=True):
    """A track as the initialization segment declares it; width and height are 0 for sound."""

    number: int
    kind: str
    timescale: int
    codec: str
    width: int
    height: int
    default_duration: int = 0
    default_flags: int = 0


class FragmentIndex(msgspec.Struct, frozen=True):
    """Everything a player needs to fetch a file by byte ranges. `end` is where the last whole fragment ends."""

    init: ByteRange
    tracks: tuple[TrackFacts, ...]
    fragments: tuple[Fragment, ...]
    end: int
    closed: bool
    container: str = "mp4"

    @property
    def codecs(self) -> tuple[str, ...]:
        return tuple(track.codec for track in self.tracks)

    @property
    def mime(self) -> str:
        """The type to open a Media Source buffer with."""
        kind = "video" if any(track.kind == "video" for track in self.tracks) else "audio"
        return f'{kind}/{self.container}; codecs="{", ".join(self.codecs)}"'

    @property
    def duration(self) -> float:
        """Seconds from the file's zero to the end of its last fragment."""
        return max((fragment.time + fragment.duration for fragment in self.fragments), default=0.0)
