"""How long a stream's packets take on their way, as far as its receiver can tell without the sender's clock. This
module owns that reckoning: by how much it varies (RFC 3550), and for how long they stood in line.
"""

from __future__ import annotations

from collections import deque

TRANSITS = 30  # seconds among which the quickest packet is taken for the empty line's


class Transit:
    """jitter: in ticks of the RTP clock; queue: seconds that packets stood in line, None: nothing came."""

    __slots__ = ("_clock_rate", "_last", "_quickest", "_transits", "jitter", "queue")

    def __init__(self, clock_rate: int) -> None:
        self.jitter = 0.0
        self.queue: float | None = None
        self._clock_rate = clock_rate
        self._last: int | None = None
        self._quickest: int | None = None  # since the last report
        self._transits: deque[int | None] = deque(maxlen=TRANSITS)

    def packet(self, now: float, timestamp: int) -> None:
        """One that came in its turn and was not sent again."""
        transit = int(now * self._clock_rate) - timestamp
        if self._last is not None:
            self.jitter += (abs(((transit - self._last + 2**31) & 0xFFFFFFFF) - 2**31) - self.jitter) / 16
        self._last = transit
        if self._quickest is None or transit < self._quickest:
            self._quickest = transit

    def settle(self) -> None:
        """Once a second. The quickest packet of the last second against the quickest of half a minute: a keyframe's own
        length says nothing of the line. Clocks that differ by 50 ppm move it by 1.5 ms."""
        quickest, self._quickest = self._quickest, None
        last = next((one for one in reversed(self._transits) if one is not None), None)
        if quickest is not None and last is not None and abs(quickest - last) > 2**31:
            self._transits.clear()  # the timestamp has wrapped
        self._transits.append(quickest)  # none, too: what was before a rest is as old as it is
        known = [one for one in self._transits if one is not None]
        self.queue = (quickest - min(known)) / self._clock_rate if quickest is not None else None

    def restart(self) -> None:
        """The sender goes on by another clock."""
        self._last = self._quickest = None
        self._transits.clear()
