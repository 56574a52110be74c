"""Packets that did not arrive from a publisher. This module owns when each one is asked for again, and when no more."""

from __future__ import annotations

TRIES = 10
RETRY_MIN, RETRY_MAX = 0.03, 0.25
RETRY_WITHOUT_RTT = 0.05


def retry_after(rtt: float | None) -> float:
    """Seconds between two requests for the same packet: a little more than it takes to come back."""
    if rtt is None:
        return RETRY_WITHOUT_RTT
    return min(max(rtt * 1.2 + 0.01, RETRY_MIN), RETRY_MAX)


class MissingPackets:
    """Extended sequence numbers of the holes in one stream."""

    def __init__(self) -> None:
        self._due: dict[int, tuple[float, int]] = {}  # number -> (time of the next request, requests so far)

    def __len__(self) -> int:
        return len(self._due)

    def add(self, first: int, end: int, now: float) -> None:
        for number in range(first, end):
            self._due[number] = (now, 0)

    def arrived(self, number: int) -> bool:
        """Was it missing?"""
        return self._due.pop(number, None) is not None

    def clear(self) -> None:
        self._due.clear()

    def request(self, now: float, oldest: int, retry: float) -> tuple[list[int], int]:
        """(numbers to ask for now, how many were given up: asked for often enough, or older than `oldest`)."""
        wanted: list[int] = []
        given_up = 0
        for number, (at, tries) in list(self._due.items()):
            if tries >= TRIES or number < oldest:
                del self._due[number]
                given_up += 1
            elif at <= now:
                self._due[number] = (now + retry, tries + 1)
                wanted.append(number)
        return wanted, given_up
