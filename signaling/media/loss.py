"""Packets that did not arrive. This module owns when each one is asked for again and when no more, and how much loss a
sender should prepare for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

TRIES = 10
RETRY_MIN, RETRY_MAX = 0.03, 0.25
RETRY_WITHOUT_RTT = 0.05
RISE, FALL = 0.5, 0.08
"""Of the way to a higher or a lower loss, a report."""
MOST_FORECAST = 0.25
FEWEST = 20  # packets of which a share lost means anything
FRESH = 3  # seconds for which what was lost of a stream says how its line is


def retry_after(rtt: float | None) -> float:
    """Seconds between two requests for the same packet: a little more than it takes to come back."""
    if rtt is None:
        return RETRY_WITHOUT_RTT
    return min(max(rtt * 1.2 + 0.01, RETRY_MIN), RETRY_MAX)


class LossForecast:
    """The share of a stream that may be lost in the next seconds. It falls slowly: whoever protects a stream by it
    would otherwise stop in every lucky second."""

    def __init__(self) -> None:
        self.loss = 0.0

    def sample(self, loss: float) -> None:
        """The share that was lost in the last second."""
        self.loss += (min(loss, MOST_FORECAST) - self.loss) * (RISE if loss > self.loss else FALL)


class ReportedLoss:
    """What one receiver reports of one stream. packets, lost: of all reports so far, before repair; loss: the share of
    the last second, or of longer where it was told of too few."""

    def __init__(self) -> None:
        self.packets = self.lost = 0
        self.loss = 0.0
        self._last = (0, 0)
        self._age = 0
        self._highest: int | None = None
        self._packets = self._lost = 0
        self._asked: set[int] = set()

    @property
    def lately(self) -> tuple[int, int]:
        """(packets, lost) of what `loss` is the share of; none where that is long ago, as of a picture that rests."""
        return self._last if self._age < FRESH else (0, 0)

    def report(self, highest: int, loss: float) -> None:
        """highest: the extended number it got last; loss: the share lost since its last report.

        What it asked for tells the loss of a stream that is repaired under its own numbers, the report that of others.
        Both are of the same packets: the higher of two counts of different ones would mostly be too high."""
        before, self._highest = self._highest, highest
        asked = {number for number in self._asked if (highest - number) & 0xFFFF < 0x8000}
        self._asked -= asked
        packets = highest - before if before is not None else 0
        if 0 < packets < 0x8000:
            self._packets += packets
            self._lost += min(packets, max(round(loss * packets), len(asked)))

    def asked(self, number: int) -> None:
        """It asks for a packet for the first time. What is then sent under its own number, as sound is, counts for it
        as received. number: its sequence number, 16 bits."""
        self._asked.add(number)

    def settle(self) -> None:
        """Once a second."""
        self._age += 1
        if self._packets < FEWEST:
            return
        self.packets += self._packets
        self.lost += self._lost
        self.loss = self._lost / self._packets
        self._last, self._age = (self._packets, self._lost), 0
        self._packets = self._lost = 0


class MissingPackets:
    """Extended sequence numbers of the holes in one stream. patience: seconds after which a packet is of no use."""

    def __init__(self, patience: float = math.inf) -> None:
        self._patience = patience
        self._due: dict[int, tuple[float, int, float]] = {}  # number -> next request, requests so far, of no use after

    def __len__(self) -> int:
        return len(self._due)

    def add(self, first: int, end: int, now: float) -> None:
        for number in range(first, end):
            self._due[number] = (now, 0, now + self._patience)

    def arrived(self, number: int) -> bool:
        """Was it missing?"""
        return self._due.pop(number, None) is not None

    def clear(self) -> None:
        self._due.clear()

    def request(self, now: float, oldest: int, retry: float) -> tuple[list[int], int]:
        """(numbers to ask for now, how many were given up: asked for often enough, too late or older than `oldest`)."""
        wanted: list[int] = []
        given_up = 0
        for number, (at, tries, until) in list(self._due.items()):
            if tries >= TRIES or number < oldest or now > until:
                del self._due[number]
                given_up += 1
            elif at <= now:
                self._due[number] = (now + retry, tries + 1, until)
                wanted.append(number)
        return wanted, given_up


def share(streams: Iterable[tuple[int, int]]) -> float:
    """The share lost of streams of one line, each given as (packets, lost); 0 where too few say anything."""
    packets = lost = 0
    for own_packets, own_lost in streams:
        packets += own_packets
        lost += own_lost
    return lost / packets if packets >= FEWEST else 0.0
