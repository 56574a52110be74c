"""Whose numbers a slot's packets carry. This module owns how a slot's one numbering maps to those of the streams
that it has shown one after another.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any, NamedTuple

from signaling.media.forwarding import Source
from signaling.media.keyframes import Vp8Descriptor

_SEQUENCE = Struct("!H").pack_into


class Epoch(NamedTuple):
    """From number `first` on, the slot shows `source`: its numbers plus `shift`, its timestamps plus `time_shift`."""

    first: int
    source: Source
    shift: int
    time_shift: int
    picture_shift: int
    tl0_shift: int


class Paused(NamedTuple):
    """Where the numbering goes on from."""

    number: int
    timestamp: int
    at: float
    picture: int
    tl0: int


def rewriter(epoch: Epoch) -> Callable[[Any, int, Vp8Descriptor], None] | None:
    """VP8 counters go on across a switch, or a decoder takes the new pictures for old ones."""
    pictures, layers = epoch.picture_shift, epoch.tl0_shift
    if not pictures and not layers:
        return None

    def rewrite(view: Any, at: int, descriptor: Vp8Descriptor) -> None:
        if descriptor.picture_at:
            place = at + descriptor.picture_at
            picture = descriptor.picture + pictures
            if descriptor.picture_bits == 15:
                _SEQUENCE(view, place, 0x8000 | picture & 0x7FFF)
            else:
                view[place] = bytes([picture & 0x7F])
        if descriptor.tl0_at:
            view[at + descriptor.tl0_at] = bytes([(descriptor.tl0 + layers) & 0xFF])

    return rewrite
