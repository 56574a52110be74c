"""Finding out what a line carries without risking the picture: a burst of a tenth of a second, then a ping.

Media that the receiver has already is sent again, at the rate in question. A line that is slower than that still holds
some of it when the ping follows, and the answer comes later by as much. This module owns that experiment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

ROUNDS = 3
CHUNKS, STEP = 5, 0.02
"""A burst is sent in so many parts, so many seconds apart."""
FASTER = 1.25
"""Than the rate in question: a line that is a little too slow would hide."""
SLOW = 0.04
"""Seconds that the ping may be late in the best round: what else the line carries makes single rounds late, too."""
HOPELESS = 0.12
PAUSE = 0.15


class Probe:
    """ping: seconds to the receiver and back, None: no answer; pad: sends again about so many bytes and returns how
    many, 0: there is nothing to send."""

    def __init__(self, ping: Callable[[], Coroutine[Any, Any, float | None]], pad: Callable[[int], int]) -> None:
        self._ping, self._pad = ping, pad
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    def start(self, rate: int, sent: int, done: Callable[[bool], None]) -> None:
        """Does the line carry `rate` bit/s, `sent` of which it carries already?"""

        async def run() -> None:
            done(await self._carries(rate, sent))

        self._task = asyncio.get_running_loop().create_task(run())

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _carries(self, rate: int, sent: int) -> bool:
        octets = int(max(rate * FASTER - sent, rate * 0.1) * STEP / 8)
        best = HOPELESS
        for number in range(ROUNDS):
            if number:
                await asyncio.sleep(PAUSE)
            before = await self._ping()
            if before is None:
                return False
            owed = 0
            for _ in range(CHUNKS):
                owed += octets
                padded = self._pad(owed) if owed > 0 else 0
                if not padded and owed > 0:
                    return True  # nothing was ever shown: only trying tells
                owed -= padded
                await asyncio.sleep(STEP)
            after = await self._ping()
            if after is None or after - before > HOPELESS:
                return False
            best = min(best, after - before)
        return best < SLOW
