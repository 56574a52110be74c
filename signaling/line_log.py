"""This module owns what the journal keeps of each line: once a minute what it carried, lost and froze.

Presence shows the lines from second to second and is forgotten; a lesson's report needs to know them afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from signaling.commands import LinkReport
from signaling.events import LineMeasured
from signaling.room_state import Link

EVERY = 60.0
"""Seconds of one measurement, the last one of a lesson excepted."""


class _Sum(Struct):
    since: float
    looks: int = 0
    loss: float = 0.0
    worst_loss: float = 0.0
    rtt_ms: float = 0.0
    kbps: float = 0.0
    weak: int = 0
    freezes: int = 0
    down_kbps: float = 0.0
    low: int = 0
    still: int = 0


class LineLog:
    """The lines of one session. `look` is called at steady intervals."""

    def __init__(self) -> None:
        self._sums: dict[str, _Sum] = {}

    def reported(self, participant: str, report: LinkReport) -> None:
        """Take what a receiver saw since its last report."""
        found = self._sums.get(participant)
        if found is not None:
            found.freezes += max(0, report.freezes)

    def look(self, links: Mapping[str, Link], now: float) -> list[LineMeasured]:
        """Take one sample of every line that stands; the measurements whose minute is over."""
        for participant, link in links.items():
            if link.state in ("reconnecting", "offline"):
                continue
            found = self._sums.setdefault(participant, _Sum(since=now))
            found.looks += 1
            found.loss += link.loss
            found.worst_loss = max(found.worst_loss, link.loss)
            found.rtt_ms += link.rtt_ms
            found.kbps += link.kbps
            found.down_kbps += link.down_kbps
            found.low += link.sees == "low"
            found.still += link.sees == "still"
            found.weak += link.state == "weak" or link.up_still
        return self._finish((who for who, found in self._sums.items() if now - found.since >= EVERY), now)

    def rest(self, now: float) -> list[LineMeasured]:
        """The measurements that the end of the lesson cuts short."""
        return self._finish(self._sums, now)

    def _finish(self, participants: Iterable[str], now: float) -> list[LineMeasured]:
        found = [(who, self._sums.pop(who)) for who in list(participants)]
        return [
            LineMeasured(
                participant=who,
                since=one.since,
                seconds=round(now - one.since, 1),
                loss=round(one.loss / one.looks, 4),
                worst_loss=round(one.worst_loss, 4),
                rtt_ms=round(one.rtt_ms / one.looks, 1),
                kbps=round(one.kbps / one.looks, 1),
                weak=round(one.weak / one.looks, 3),
                freezes=one.freezes,
                down_kbps=round(one.down_kbps / one.looks, 1),
                low=round(one.low / one.looks, 3),
                still=round(one.still / one.looks, 3),
            )
            for who, one in found
            if one.looks
        ]
