"""How loud one microphone has been. This module owns the last seconds of its levels on the server's clock, so that two
microphones can be laid side by side: one packet says little, they come when they like, and in silence hardly any.
"""

from __future__ import annotations

from collections import deque

BIN = 0.05
"""Seconds of one value: a syllable takes four of them."""
KEPT = 420
"""Values that are kept: twenty-one seconds."""
SILENCE = 127
HELD = 10
"""Values for which the last level stands where no packet comes: a microphone in silence sends one in 0.4 s (DTX)."""


class Loudness:
    """Levels are in -dBov (RFC 6464): 0 is the loudest."""

    def __init__(self) -> None:
        self._levels: deque[int] = deque([SILENCE] * KEPT, maxlen=KEPT)
        self._newest: int | None = None
        self._heard = 0
        self._level = SILENCE

    def hear(self, level: int, now: float) -> None:
        """One packet. `now`: seconds of any steady clock."""
        at = int(now / BIN)
        if self._newest is not None and at <= self._newest:
            self._levels[-1] = min(self._levels[-1], level)
        else:
            self._pass(at - 1)
            self._levels.append(level)
            self._newest = at
        self._heard = self._newest
        self._level = self._levels[-1]

    def past(self, now: float) -> bytes:
        """The last KEPT values before `now`, the newest last, each the loudest of its time."""
        at = int(now / BIN)
        self._pass(at - 1)
        levels = bytes(self._levels)
        # the value of this very moment is not complete
        return bytes([SILENCE]) + levels[:-1] if self._newest == at else levels

    def _pass(self, until: int) -> None:
        """Let time go by without a packet."""
        if self._newest is None:
            return
        for at in range(max(self._newest + 1, until - KEPT), until + 1):
            self._levels.append(self._level if at - self._heard <= HELD else SILENCE)
        self._newest = max(self._newest, until)
