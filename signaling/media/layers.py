"""The layers of a camera: the same picture twice, high and low. This module owns their names, their size on the line,
and how much of them a publisher is asked to send.

The two bitrates are those of classroom vendors: a host's picture with the board, a member room's tile. Pure.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Layer = Literal["high", "low"]
Level = Literal["high", "low", "still"]
"""What a slot is to show: one of the layers, or the last picture it got, because the line carries no other."""
Seen = Literal["high", "low", "still", "unsent"]
"""What a receiver gets of a picture: the same, or nothing, because nothing comes from its sender."""

HIGH_RATE = 850_000
LOW_RATE = 150_000
RECORDED_RATE = 250_000
"""Of the high layer when only a recorder listens: an uplink is not spent on what no room sees."""
NOMINAL: dict[Layer, int] = {"high": HIGH_RATE, "low": LOW_RATE}
"""bit/s a layer is taken for before it was measured."""
ONE_LAYER_BELOW = 450_000
"""bit/s of uplink that cannot carry both layers, and sound, in a quality worth having."""
REST_AFTER = 4.0
"""Seconds for which nobody must have looked before a layer rests: a glance at another camera is not worth a restart."""

GROWN_AFTER = 3.0
"""Seconds that a publisher takes from the bitrate of a recording to that of a picture that is looked at."""


class Limits(msgspec.Struct, frozen=True):
    """What a publisher should send of one camera, bit/s by layer; 0: the layer may rest."""

    high: int
    low: int


def carries_one(uplink: int | None) -> bool:
    """Does a line up of so many bit/s carry but one layer of a camera? None: no limit was met."""
    return uplink is not None and uplink < ONE_LAYER_BELOW


def limits(
    *, layered: bool, high_watched: bool, low_watched: bool, recorded: bool, uplink: int | None, still: bool = False
) -> Limits:
    """layered: the camera has a low layer; uplink: bit/s that the publisher's line carries, None: no limit was met.

    Whoever watches high may need low at once when its line gets worse, so both run. A weak uplink carries one layer,
    the high one, as fine as the line allows: it is what recordings hold. still: it carries no picture at all.
    """
    if still:
        return Limits(0, 0)
    high = HIGH_RATE if high_watched else RECORDED_RATE if recorded else 0
    if not layered:
        return Limits(HIGH_RATE if low_watched else high, 0)
    low = LOW_RATE if high_watched or low_watched else 0
    if carries_one(uplink) and high:
        low = 0
    return Limits(high, low)
