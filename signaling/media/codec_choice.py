"""The codec of a lesson's pictures: of those that its browsers can send, the one in which most of what they show each
other can be played. This module owns that choice; nothing is ever transcoded. Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

BEST_FIRST = ("h264", "vp8")
"""H.264 has encoders in the hardware of school panels, and every recording player knows it."""

RETURN_AFTER = 60.0
"""Seconds for which the better codec must do again before it is taken: a place is kept as long for a room whose line
failed, and every change costs each sender a keyframe and each recording a new segment."""

LEAST_APART = 10.0
"""Seconds between two changes: whoever comes again and again as another browser must not keep all senders busy."""


class Ability(NamedTuple):
    """What one participant can do. sends: the codecs it can be asked for, empty: it sends no picture; receives: those
    it can play, empty: it watches none."""

    sends: frozenset[str] = frozenset()
    receives: frozenset[str] = frozenset()


def sent_by(sends: Collection[str], codec: str) -> str:
    """What somebody with these codecs sends in a lesson of `codec`; empty: nothing that we forward."""
    return codec if codec in sends else next((other for other in BEST_FIRST if other in sends), "")


def seen(abilities: Collection[Ability], codec: str) -> int:
    """How many pictures of others all participants together can play, where the lesson's codec is this one."""
    players = {other: sum(other in ability.receives for ability in abilities) for other in BEST_FIRST}
    count = 0
    for ability in abilities:
        sent = sent_by(ability.sends, codec)
        if sent:
            count += players[sent] - (sent in ability.receives)
    return count


def common(abilities: Collection[Ability]) -> str:
    """The codec in which most pictures are seen, of equals the better one."""
    return max(BEST_FIRST, key=lambda codec: seen(abilities, codec))


class CodecChoice:
    """One lesson's codec through the coming and going of its rooms."""

    def __init__(self) -> None:
        self.codec = BEST_FIRST[0]
        self._better_since: float | None = None
        self._changed_at = float("-inf")

    def settle(self, abilities: Collection[Ability], now: float) -> bool:
        """Choose anew: at once where somebody sees more by it and the last change is not of this moment, after a while
        where it is only the better codec. True: the choice is another one."""
        found = common(abilities)
        if found == self.codec:
            self._better_since = None
            return False
        if seen(abilities, found) == seen(abilities, self.codec):
            self._better_since = now if self._better_since is None else self._better_since
            if now - self._better_since < RETURN_AFTER:
                return False
        if now - self._changed_at < LEAST_APART:
            return False
        self.codec, self._better_since, self._changed_at = found, None, now
        return True
