"""This module owns what is told of a view's segments: that one begins, what became of it, and why none is written."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

from recordings.errors import SegmentUnwritable


class NewSegment(NamedTuple):
    """A segment about to begin; `zero` is in seconds of the recorder's clock, `suffix` that of its file."""

    zero: float
    video: bool
    audio: bool
    synchronised: bool
    suffix: str = ".mp4"


class EndedSegment(NamedTuple):
    """What became of a segment. Not `whole`: its file could not be finished, and is playable to its last fragment."""

    id: str
    duration: float
    gaps: tuple[tuple[float, float], ...]
    whole: bool


class SegmentLog(Protocol):
    """Where a view's segments are announced before their file is made, and accounted for when they end."""

    def opened(self, new: NewSegment) -> tuple[str, Path]:
        """The new segment's id and file. Raises SegmentUnwritable when it cannot be announced."""

    def ended(self, segment: EndedSegment) -> None: ...

    def paused(self, error: SegmentUnwritable) -> None:
        """Nothing can be written just now; it will be tried again after a while."""

    def unreadable(self) -> None:
        """The picture's packets are not of the codec that was announced."""
