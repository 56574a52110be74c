"""What a receiver believes its line can carry (REMB). This module owns how that is read and for how long it counts."""

from __future__ import annotations

ESTIMATE_SECONDS = 5.0  # for which an estimate counts


class Estimates:
    """A browser says one for all its streams, other programs one for each."""

    def __init__(self) -> None:
        self._known: dict[frozenset[int], tuple[int, float]] = {}  # streams -> (bit/s, when)

    def read(self, fci: bytes, sent: frozenset[int], now: float) -> None:
        """fci: of application layer feedback, which may be something else; sent: the SSRCs that the receiver gets."""
        if fci[:4] != b"REMB" or len(fci) < 8:
            return
        streams = sent & {int.from_bytes(fci[at : at + 4], "big") for at in range(8, len(fci) - 3, 4)}
        rate = ((fci[5] & 3) << 16 | fci[6] << 8 | fci[7]) << (fci[5] >> 2)
        self._known = {known: found for known, found in self._known.items() if not known & streams}
        if streams:
            self._known[streams] = (rate, now)

    def total(self, now: float) -> int | None:
        """bit/s; None: it has not said lately."""
        fresh = [rate for rate, at in self._known.values() if now - at < ESTIMATE_SECONDS]
        return sum(fresh) if fresh else None
