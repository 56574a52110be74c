"""This module owns what time it is in live sessions: the wall clock's, but not where it jumps.

A machine whose clock is set an hour wrong, and put right again, must not end lessons and throw rooms out. A jump is
believed only when it has lasted; until then time goes on as before.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

JUMP = 5.0
"""Seconds by which the wall clock may stray from even time before it counts as a jump."""
BELIEVED_AFTER = 15 * 60.0

log = logging.getLogger(__name__)


class SteadyClock:
    """`wall` gives unix seconds and may jump, `even` any seconds that never do."""

    def __init__(self, wall: Callable[[], float], even: Callable[[], float]) -> None:
        self._wall, self._even = wall, even
        self._offset = wall() - even()
        self._jumped_at: float | None = None

    def __call__(self) -> float:
        """Unix seconds."""
        even = self._even()
        stray = self._wall() - even - self._offset
        if abs(stray) <= JUMP:
            # small corrections are what a clock that is kept in time is about
            self._offset += stray
            self._jumped_at = None
        elif self._jumped_at is None:
            self._jumped_at = even
            log.warning("the clock has jumped by %.0f s; lessons go on by even time", stray)
        elif even - self._jumped_at > BELIEVED_AFTER:
            self._offset += stray
            self._jumped_at = None
            log.warning("the clock's jump has lasted; lessons follow it")
        return even + self._offset
