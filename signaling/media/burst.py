"""What a burst of packets, with pings among them, shows of the line that carried it, and what pings show of the seconds
after it. This module owns that judgement.

Each ping comes back when the line has carried everything that was sent before it. So the pings tell when how much had
arrived: the line's rate is what arrived by the time that it took, however much of it the line's queue holds. A queue
that stood there before the burst hides that, so the line must be empty when a burst begins. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

FASTER = 1.25
"""Than the rate in question: a line that is a little too slow would hide."""
CHUNKS, STEP = 6, 0.02
"""A burst is sent in so many parts, so many seconds apart."""
EMPTY = 0.025
"""Seconds above the shortest round trip that a ping of an empty line may take: other machines are busy, too."""
CARRIED = 0.9
"""Of the rate in question, which has something to spare."""
ENOUGH = 1.05
"""Of the rate in question must have been sent at least: otherwise the sender was too slow to try the line."""
HOPELESS = 0.6
"""Of the rate in question: a line of less is not burdened again to make sure."""
AGREEING = 2
"""Bursts that must say the same."""
MOST_BURSTS = 6
LATE, VERY_LATE = 0.1, 0.4
"""Seconds of queue after a rise that are too many when they grow, or when they stay."""
GROWN, STAYED, UNANSWERED = 3, 2, 3
"""Pings that say so one after the other."""

Finding = Literal["carries", "queues", "unclear"]


class Mark(NamedTuple):
    """A ping in a burst: one in the beginning and one after each part, where it meets the queue at its longest. octets:
    sent to the receiver since the beginning, before this ping, whatever it was, as the line saw it; sent, answered:
    seconds, None: no answer came."""

    octets: int
    sent: float
    answered: float | None


class Experiment:
    """Does a line carry `rate` bit/s? Bursts in, one after the other, until enough of them agree."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._findings: list[Finding] = []
        self._marks = self._lost = 0

    def owed(self, seconds: float, octets: int) -> int:
        """Bytes of the next part of a burst, so many seconds after it began and with so many sent since. What a late
        sender has missed is not made up for: that would be a burst of another rate."""
        whole = self.rate * FASTER / 8
        return max(0, min(int(whole * (seconds + STEP)) - octets, int(whole * STEP * 2)))

    def add(self, marks: Sequence[Mark], shortest: float) -> Finding | None:
        """One burst; shortest: seconds of the empty line's round trip. What the line turned out to be, None: another
        burst is needed."""
        self._marks += len(marks)
        self._lost += sum(mark.answered is None for mark in marks)
        carried, offered = _rates(marks, shortest)
        carried *= 1 - self._lost / self._marks
        finding: Finding = "carries" if carried >= self.rate * CARRIED else "queues"
        if not _began_empty(marks, shortest) or (finding == "queues" and offered < self.rate * ENOUGH):
            finding = "unclear"
        self._findings.append(finding)
        if finding == "queues" and carried < self.rate * HOPELESS:
            return "queues"
        if finding != "unclear" and self._findings.count(finding) == AGREEING:
            return finding
        return "unclear" if len(self._findings) == MOST_BURSTS else None


def is_empty(trip: float, shortest: float) -> bool:
    """Does nothing stand in line before a ping that took `trip` seconds?"""
    return trip - shortest <= EMPTY


def _began_empty(marks: Sequence[Mark], shortest: float) -> bool:
    """The second ping tells, too: one alone may have been answered late, and the burst has hardly begun."""
    trips = [mark.answered - mark.sent for mark in marks[:2] if mark.answered is not None]
    return not trips or is_empty(min(trips), shortest)


def _rates(marks: Sequence[Mark], shortest: float) -> tuple[float, float]:
    """bit/s that the line carried, and that were sent. Whatever else makes an answer late, the receiver's own work
    among it, only makes the line look slower: so the best of the later pings counts."""
    begun, carried, offered = marks[0].sent, 0.0, 0.0
    for mark in marks[len(marks) // 2 :]:
        if mark.answered is None:
            continue
        bits, seconds = mark.octets * 8, mark.sent - begun
        queue = max(STEP, mark.answered - mark.sent - shortest)  # the part before a ping was sent at once
        if bits / (seconds + queue) > carried:
            carried, offered = bits / (seconds + queue), bits / (seconds + STEP)
    return carried, offered


class Rise:
    """The first seconds in which a line carries more than before. A large picture stands in line and then less and
    less of it; what is too much for the line stands there more and more."""

    def __init__(self) -> None:
        self._last = 0.0
        self._grown = self._stayed = self._unanswered = 0

    def fails(self, queue: float | None) -> bool:
        """queue: seconds that a ping stood in line; None: no answer came."""
        if queue is None:
            self._unanswered += 1
            return self._unanswered == UNANSWERED
        self._unanswered = 0
        self._grown = self._grown + 1 if queue > max(LATE, self._last) else 0
        self._stayed = self._stayed + 1 if queue > VERY_LATE else 0
        self._last = queue
        return self._grown == GROWN or self._stayed == STAYED
