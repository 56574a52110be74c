"""This module owns noticing that a room's loudspeakers come back through its microphone, from audio levels alone.

Two signs, both known to every classroom: a howl, loud and steady as no speech is; and an echo, a room whose loudness
follows somebody else's, always as much later. Pure: the last seconds of levels in -dBov (RFC 6464, 0 is the loudest)
go in, warnings come out. What an echo looks like was measured on speech that went through browsers and came back:
alike by 0.7 to 0.9, 0.25 to 0.6 s later, 13 to 21 dB fainter; speech of others is alike by less than 0.5.

Where the class itself talks over the echo, its own voice covers most of it: within six seconds it is no more alike than
two strangers may be by chance. So a second, patient look takes twenty seconds, in which chance comes to less than 0.3.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
PATIENT_VALUES = round(20 / BIN)
ECHO_LAGS = range(1, round(0.8 / BIN) + 1)
"""Values by which an echo is late: the way to the room, its jitter buffer, its loudspeaker, and the way back."""
ECHO_LIKENESS = 0.6
"""Correlation above which one room says what another said."""
PATIENT_LIKENESS = 0.34
"""The same over the patient look's time, when its class may talk as well, and be louder than who comes back."""
ECHO_DEPTH = 20
"""dB below its loudest values to which a room counts: farther down there are pauses, and pauses fall together often."""
ECHO_LIVELY = 2.0
"""dB of standard deviation: two rooms in silence, or with a machine running, are alike, too."""
FAINTEST = 60
"""-dBov at the loudest of an echo that anybody hears."""
LOOKS = 2
"""Looks in a row that find it, at the same lag: a chance likeness wanders."""
PATIENT_LOOKS = 3
STAYS = 5.0
"""Seconds for which a warning is shown after its sign was last seen."""


class FeedbackWatch:
    """The open microphones of one session."""

    def __init__(self) -> None:
        self._looked_at = -LOOKS_EVERY
        self._opened: dict[str, float] = {}
        self._quick = _Suspects(LOOKS)
        self._patient = _Suspects(PATIENT_LOOKS)
        self._turn = 0
        """Whose turn the patient look is: one microphone a second, for each costs as much as many quick ones."""
        self._seen: dict[str, tuple[Echo, float]] = {}

    def hear(self, sounds: Mapping[str, bytes], now: float) -> dict[str, Echo]:
        """Look at the last levels of every open microphone, KEPT values each; the rooms to warn of."""
        self._opened = {who: self._opened.get(who, now) for who in sounds}
        if now - self._looked_at >= LOOKS_EVERY:
            self._looked_at = now
            for suspects in (self._quick, self._patient):
                suspects.keep(sounds)
            self._look({who: sound for who, sound in sounds.items() if len(sound) == KEPT}, now)
        self._seen = {who: seen for who, seen in self._seen.items() if who in sounds and now - seen[1] < STAYS}
        return {who: sign for who, (sign, _) in self._seen.items()}

    def _look(self, sounds: Mapping[str, bytes], now: float) -> None:
        howling = {who for who, sound in sounds.items() if _howls(sound)}
        self._seen |= dict.fromkeys(howling, ("howl", now))
        quick = self._shapes(sounds, ECHO_VALUES, now)
        for who in quick.keys() - howling:
            if self._quick.follows(who, quick, ECHO_LIKENESS, fainter=True):
                self._seen[who] = ("echo", now)
        self._look_patiently(sounds, howling, now)

    def _look_patiently(self, sounds: Mapping[str, bytes], howling: Collection[str], now: float) -> None:
        patient = self._shapes(sounds, PATIENT_VALUES, now)
        self._turn += 1
        names = sorted(patient)
        who = names[self._turn % len(names)] if len(names) > 1 else None
        if who is None or who in howling:
            return
        if self._patient.follows(who, patient, PATIENT_LIKENESS, fainter=False):
            # it stays until its turn comes again
            self._seen[who] = ("echo", now + len(names) * LOOKS_EVERY)

    def _shapes(self, sounds: Mapping[str, bytes], values: int, now: float) -> dict[str, _Shape]:
        """Of the microphones that have been open long enough: two that were opened one after the other are alike in
        just that."""
        needed = values + len(ECHO_LAGS) + 2
        return {
            who: _Shape(sound[-needed:], values)
            for who, sound in sounds.items()
            if now - self._opened[who] >= needed * BIN
        }


class _Suspects:
    """By room and whom it follows: the lag, and the looks in a row that found it there."""

    def __init__(self, looks: int) -> None:
        self._needed = looks
        self._found: dict[tuple[str, str], tuple[int, int]] = {}

    def keep(self, open: Collection[str]) -> None:
        """Forget whose microphone is open no more."""
        self._found = {pair: found for pair, found in self._found.items() if pair[0] in open and pair[1] in open}

    def follows(self, who: str, shapes: Mapping[str, _Shape], likeness: float, *, fainter: bool) -> bool:
        """Whether one of the others has come out of this room often enough."""
        echoes = False
        for other, shape in shapes.items():
            if who == other:
                continue
            lag = shapes[who].follows(shape, likeness, fainter=fainter)
            before = self._found.pop((who, other), None)
            if lag is None:
                continue
            looks = before[1] + 1 if before is not None and abs(before[0] - lag) <= 1 else 1
            self._found[who, other] = lag, looks
            echoes = echoes or looks >= self._needed
        return echoes


def _howls(sound: bytes) -> bool:
    last = sound[-HOWL_VALUES:]
    return max(last) <= HOWL_LEVEL and max(last) - min(last) <= HOWL_RANGE


class _Shape:
    """How a room's loudness went up and down, in the newest `values` and those before them."""

    def __init__(self, sound: bytes, values: int) -> None:
        self._count = values
        quietest = sorted(sound)[len(sound) // 10] + ECHO_DEPTH
        levels = [min(level, quietest) for level in sound]
        # the mean of two: a packet falls in one value here and in its neighbour there
        self._values = [(one + other) / 2 for one, other in pairwise(levels)]
        self._sums = [0.0, *accumulate(self._values)]
        self._squares = [0.0, *accumulate(map(mul, self._values, self._values))]
        self._loudest = min(sound)
        newest = self._values[-values:]
        self._mean, self._spread = self._measure(len(self._values) - values)
        self._centred = [value - self._mean for value in newest]

    def follows(self, other: _Shape, likeness: float, *, fainter: bool) -> int | None:
        """By how many values this room comes after the other, as an echo would; None: it is none. `fainter`: only
        where the other is the louder one."""
        if self._loudest > FAINTEST or self._spread < ECHO_LIVELY:
            return None
        best, found = likeness, None
        for lag in ECHO_LAGS:
            start = len(other._values) - self._count - lag
            mean, spread = other._measure(start)
            if spread < ECHO_LIVELY or (fainter and mean >= self._mean):
                continue
            product = sum(map(mul, self._centred, other._values[start : start + self._count]))
            alike = product / (self._count * self._spread * spread)
            if alike > best:
                best, found = alike, lag
        return found

    def _measure(self, start: int) -> tuple[float, float]:
        """Mean and standard deviation of as many values from there."""
        end = start + self._count
        mean = (self._sums[end] - self._sums[start]) / self._count
        return mean, sqrt(max(0.0, (self._squares[end] - self._squares[start]) / self._count - mean * mean))
