"""This module owns noticing that a room's loudspeakers come back through its microphone, from audio levels alone.

Two signs, both known to every classroom: a howl, loud and steady as no speech is; and an echo, a room whose loudness
follows somebody else's, always as much later. Pure: the last seconds of levels in -dBov (RFC 6464, 0 is the loudest)
go in, warnings come out. What an echo looks like was measured on speech that went through browsers and came back:
alike by 0.7 to 0.9, 0.25 to 0.6 s later, 13 to 21 dB fainter; speech of others is alike by less than 0.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate, pairwise
from math import sqrt
from operator import mul

from signaling.media.loudness import BIN, KEPT
from signaling.wire import Echo

LOOKS_EVERY = 1.0
"""Seconds between two looks: an echo is no matter of milliseconds, and comparing all with all costs time."""
HOWL_LEVEL = 22
"""-dBov: a howl is at the limit of what the microphone takes; browsers' gain control keeps it below full scale."""
HOWL_RANGE = 4
"""dB within which a howl stays; speech, even read in chorus, moves by 10 and more within a second."""
HOWL_VALUES = round(3 / BIN)
ECHO_VALUES = round(6 / BIN)
"""Shorter stretches of two people's speech are alike too often, longer ones warn too late."""
ECHO_LAGS = range(round(0.1 / BIN), round(0.8 / BIN) + 1)
"""Values by which an echo is late: the way to the room, its jitter buffer, its loudspeaker, and the way back."""
ECHO_LIKENESS = 0.6
"""Correlation above which one room says what another said."""
ECHO_DEPTH = 20
"""dB below its loudest values to which a room counts: farther down there are pauses, and pauses fall together often."""
ECHO_LIVELY = 2.0
"""dB of standard deviation: two rooms in silence, or with a machine running, are alike, too."""
FAINTEST = 60
"""-dBov at the loudest of an echo that anybody hears."""
LOOKS = 2
"""Looks in a row that find it, at the same lag: a chance likeness wanders."""
STAYS = 5.0
"""Seconds for which a warning is shown after its sign was last seen."""


class FeedbackWatch:
    """The open microphones of one session."""

    def __init__(self) -> None:
        self._looked_at = -LOOKS_EVERY
        self._opened: dict[str, float] = {}
        self._suspects: dict[tuple[str, str], tuple[int, int]] = {}
        """By room and whom it follows: the lag, and the looks that found it."""
        self._seen: dict[str, tuple[Echo, float]] = {}

    def hear(self, sounds: Mapping[str, bytes], now: float) -> dict[str, Echo]:
        """Look at the last levels of every open microphone, KEPT values each; the rooms to warn of."""
        self._opened = {who: self._opened.get(who, now) for who in sounds}
        if now - self._looked_at >= LOOKS_EVERY:
            self._looked_at = now
            self._look({who: sound for who, sound in sounds.items() if len(sound) == KEPT}, now)
        self._seen = {who: seen for who, seen in self._seen.items() if who in sounds and now - seen[1] < STAYS}
        return {who: sign for who, (sign, _) in self._seen.items()}

    def _look(self, sounds: Mapping[str, bytes], now: float) -> None:
        # two microphones that were opened one after the other are alike in just that
        shapes = {who: _Shape(sound) for who, sound in sounds.items() if now - self._opened[who] >= KEPT * BIN}
        suspects: dict[tuple[str, str], tuple[int, int]] = {}
        for who, sound in sounds.items():
            if _howls(sound):
                self._seen[who] = ("howl", now)
                continue
            for other, shape in shapes.items():
                if who == other or who not in shapes or (lag := shapes[who].follows(shape)) is None:
                    continue
                before, looks = self._suspects.get((who, other), (lag, 0))
                looks = looks + 1 if abs(before - lag) <= 1 else 1
                suspects[who, other] = lag, looks
                if looks >= LOOKS:
                    self._seen[who] = ("echo", now)
        self._suspects = suspects


def _howls(sound: bytes) -> bool:
    last = sound[-HOWL_VALUES:]
    return max(last) <= HOWL_LEVEL and max(last) - min(last) <= HOWL_RANGE


class _Shape:
    """How a room's loudness went up and down."""

    def __init__(self, sound: bytes) -> None:
        quietest = sorted(sound)[KEPT // 10] + ECHO_DEPTH
        levels = [min(level, quietest) for level in sound]
        # the mean of two: a packet falls in one value here and in its neighbour there
        self._values = [(one + other) / 2 for one, other in pairwise(levels)]
        self._sums = [0.0, *accumulate(self._values)]
        self._squares = [0.0, *accumulate(map(mul, self._values, self._values))]
        self._loudest = min(sound)
        newest = self._values[-ECHO_VALUES:]
        self._mean, self._spread = self._measure(len(self._values) - ECHO_VALUES)
        self._centred = [value - self._mean for value in newest]

    def follows(self, other: _Shape) -> int | None:
        """By how many values this room comes after the other, as an echo would; None: it is none."""
        if self._loudest > FAINTEST or self._spread < ECHO_LIVELY:
            return None
        best, found = ECHO_LIKENESS, None
        for lag in ECHO_LAGS:
            start = len(other._values) - ECHO_VALUES - lag
            mean, spread = other._measure(start)
            if spread < ECHO_LIVELY or mean >= self._mean:
                continue
            product = sum(map(mul, self._centred, other._values[start : start + ECHO_VALUES]))
            likeness = product / (ECHO_VALUES * self._spread * spread)
            if likeness > best:
                best, found = likeness, lag
        return found

    def _measure(self, start: int) -> tuple[float, float]:
        """Mean and standard deviation of ECHO_VALUES from there."""
        end = start + ECHO_VALUES
        mean = (self._sums[end] - self._sums[start]) / ECHO_VALUES
        return mean, sqrt(max(0.0, (self._squares[end] - self._squares[start]) / ECHO_VALUES - mean * mean))
