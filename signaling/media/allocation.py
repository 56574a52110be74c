"""Who gets what of one subscriber's line. This module owns that rule: sound first and always, then the large picture,
then the small ones; what does not fit stays a still.

Pure: what is wanted and the budget in, levels out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from signaling.media.layers import Level

LARGE = 270
"""Pixels of height above which the low layer (180 lines) looks coarse."""
UNSEEN_SIZE = 720
"""The height that is assumed of a receiver which has not told any."""
HEADROOM = 1.15
"""An improvement must fit with this to spare, so that a picture does not go up and down with every frame."""


class Wanted(NamedTuple):
    """One slot. rank: 0 matters most; height: of the picture on the receiver's screen, pixels, 0: it is not seen;
    high, low: bit/s on the line, None: there is no such layer; level: what it gets now."""

    slot: str
    audio: bool
    rank: int
    height: int
    high: int | None
    low: int | None
    level: Level


class Allocation(NamedTuple):
    """levels: by slot; missing: bit/s at which the next improvement would fit, None: everybody has what it can use."""

    levels: dict[str, Level]
    missing: int | None


def allocate(budget: int, wanted: Sequence[Wanted]) -> Allocation:
    """What each slot gets of `budget` bit/s."""
    levels: dict[str, Level] = {}
    spent = 0
    for slot in wanted:
        levels[slot.slot] = "high" if slot.audio else "still"
        spent += (slot.high or 0) if slot.audio else 0
    missing: int | None = None
    paid: dict[str, int] = {}
    for slot, level, cost in _steps(wanted):
        more = cost - paid.get(slot.slot, 0)
        kept = slot.level == level or slot.level == "high"
        if level == "high" and slot.low is not None and levels[slot.slot] == "still":
            continue  # not even its low layer fits
        if spent + more <= budget if kept else (spent + more) * HEADROOM <= budget:
            levels[slot.slot] = level
            paid[slot.slot] = cost
            spent += more
        elif missing is None:
            missing = int((spent + more) * HEADROOM) + 1
    return Allocation(levels, missing)


def _steps(wanted: Sequence[Wanted]) -> Iterator[tuple[Wanted, Level, int]]:
    """Improvements in the order in which they matter: large pictures at all, then fine, then the small ones."""
    seen = sorted(
        (slot for slot in wanted if not slot.audio and slot.height > 0),
        key=lambda slot: (slot.rank, -slot.height, slot.slot),
    )
    large = [slot for slot in seen if slot.height > LARGE]
    for slot in large:
        yield from _least(slot)
    for slot in large:
        if slot.low is not None and slot.high is not None:
            yield slot, "high", slot.high
    for slot in seen:
        if slot.height <= LARGE:
            yield from _least(slot)


def _least(slot: Wanted) -> Iterator[tuple[Wanted, Level, int]]:
    if slot.low is not None:
        yield slot, "low", slot.low
    elif slot.high is not None:
        yield slot, "high", slot.high
