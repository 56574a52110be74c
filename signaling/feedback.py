"""This module owns noticing that a room's loudspeakers come back through its microphone, from audio levels alone.

Two signs, both known to every classroom: a howl, loud and steady as no speech is; and an echo, a room whose level
follows somebody else's a moment later. Pure: levels in -dBov (RFC 6464, 0 is the loudest) go in, warnings come out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from math import sqrt

from signaling.wire import Echo

SAMPLES_A_SECOND = 4
HOWL_LEVEL = 22
"""-dBov: a howl is at the limit of what the microphone takes; browsers' gain control keeps it below full scale."""
HOWL_RANGE = 4
"""dB within which a howl stays; speech, even read in chorus, moves by 10 and more within a second."""
HOWL_SAMPLES = 3 * SAMPLES_A_SECOND
ECHO_SAMPLES = 6 * SAMPLES_A_SECOND
ECHO_LAGS = (1, 2, 3)
"""Samples by which an echo is late: the way to the room and back."""
ECHO_LIKENESS = 0.85
"""Correlation above which two rooms say the same."""
ECHO_LIVELY = 8.0
"""dB of standard deviation: two rooms in silence are alike, too."""
FAINTEST = 60
"""-dBov at the loudest of an echo that anybody hears."""
STAYS = 5.0
"""Seconds for which a warning is shown after its sign was last seen."""


class FeedbackWatch:
    """The open microphones of one session."""

    def __init__(self) -> None:
        self._levels: dict[str, deque[int]] = {}
        self._seen: dict[str, tuple[Echo, float]] = {}

    def hear(self, levels: Mapping[str, int], now: float) -> dict[str, Echo]:
        """Take one sample of every open microphone, SAMPLES_A_SECOND times a second; the rooms to warn of."""
        self._levels = {who: self._levels.get(who, deque(maxlen=ECHO_SAMPLES + max(ECHO_LAGS))) for who in levels}
        for who, level in levels.items():
            self._levels[who].append(level)
        for who, heard in self._levels.items():
            if _howls(heard):
                self._seen[who] = ("howl", now)
            elif any(_echoes(heard, other) for name, other in self._levels.items() if name != who):
                self._seen[who] = ("echo", now)
        self._seen = {who: seen for who, seen in self._seen.items() if who in levels and now - seen[1] < STAYS}
        return {who: sign for who, (sign, _) in self._seen.items()}


def _howls(heard: Sequence[int]) -> bool:
    last = list(heard)[-HOWL_SAMPLES:]
    return len(last) == HOWL_SAMPLES and max(last) <= HOWL_LEVEL and max(last) - min(last) <= HOWL_RANGE


def _echoes(heard: Sequence[int], other: Sequence[int]) -> bool:
    """Does the first follow the second, fainter and later?"""
    mine = list(heard)[-ECHO_SAMPLES:]
    if len(mine) < ECHO_SAMPLES or min(mine) > FAINTEST or _deviation(mine) < ECHO_LIVELY:
        return False
    theirs = list(other)
    for lag in ECHO_LAGS:
        before = theirs[-ECHO_SAMPLES - lag : -lag]
        if len(before) == ECHO_SAMPLES and sum(mine) > sum(before) and _likeness(mine, before) > ECHO_LIKENESS:
            return True
    return False


def _deviation(values: Sequence[int]) -> float:
    mean = sum(values) / len(values)
    return sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def _likeness(one: Sequence[int], other: Sequence[int]) -> float:
    """Pearson's correlation."""
    spread = _deviation(one) * _deviation(other)
    if spread == 0:
        return 0.0
    mean, mean_other = sum(one) / len(one), sum(other) / len(other)
    return sum((a - mean) * (b - mean_other) for a, b in zip(one, other, strict=True)) / len(one) / spread
