"""This module owns the paper of a wall: how large a sheet is, how small its type may be, what room words take on it.

All lengths are points. What a text takes is reckoned, not measured: the widths are those of the widest of the typefaces
that a print may come out in, so that what fits here fits on paper.
"""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

PaperName = Literal["A3", "A4"]
Fit = Literal["readable", "one"]
"""As many sheets as it takes for type that can be read from where people stand, or one sheet at any cost."""

LINE = 1.32
"""Height of a line by the size of its type."""
INSET = 3.6
"""What the lines around a box and the air beside them take of its width, and half as much of its height."""
SMALLEST, LARGEST = 2.0, 14.0
WIDE_SIGNS = frozenset("…、")
FULL_SIGNS = frozenset("◆▲■★–·×")
"""Which Chinese typefaces draw as wide as their own signs, and in which no line is broken."""
NARROW_SIGNS = frozenset("()[]{}.,:;'!|/iljtfI- ")
NARROW, ORDINARY, CAPITAL, BOLD = 0.37, 0.58, 0.72, 1.04
"""Widths by the size of the type."""


class Paper(NamedTuple):
    """In landscape, what the margins leave; `least` is the type that a readable print does not go below."""

    name: PaperName
    width: float
    height: float
    least: float


PAPERS: dict[PaperName, Paper] = {"A3": Paper("A3", 1144.0, 780.0, 9.0), "A4": Paper("A4", 795.0, 535.0, 7.0)}


class Printing(NamedTuple):
    """How people want it printed; without a paper each page has the one that suits it."""

    fit: Fit = "readable"
    paper: PaperName | Literal[""] = ""

    def on(self, usual: PaperName) -> Paper:
        return PAPERS[self.paper or usual]


@lru_cache(maxsize=50_000)
def height_of(text: str, width: float, size: float) -> float:
    """What a box of that width needs for the text in type of that size."""
    ems = max(width - INSET, size) / size
    return sum(_lines(line, ems) for line in text.split("\n")) * LINE * size + INSET / 2 if text else 0.0


def width_of(text: str, size: float) -> float:
    """The narrowest box in which no line of the text is broken."""
    return max(sum(width for width, _ in _tokens(line)) for line in text.split("\n")) * size + INSET


def longest_word(text: str) -> float:
    """The width, by the size of the type, of the longest of what is broken only where there is no other way."""
    return max((width for line in text.split("\n") for width, _ in _tokens(line)), default=0.0)


def _lines(text: str, ems: float) -> int:
    """The lines that a text without line ends is broken into: between words, and beside any wide sign."""
    lines, at = 1, 0.0
    for width, space in _tokens(text):
        if at + width > ems and at > 0:
            lines, at = lines + 1, 0.0
            if space:
                continue
        if width > ems:
            more = math.ceil(width / ems) - 1
            lines, at = lines + more, width - more * ems
        else:
            at += width
    return lines


@lru_cache(maxsize=20_000)
def _tokens(text: str) -> tuple[tuple[float, bool], ...]:
    """What is never broken, by its width and whether it is a space."""
    found: list[tuple[float, bool]] = []
    word = 0.0
    for sign in text:
        if sign == " " or _is_wide(sign):
            if word:
                found.append((word, False))
                word = 0.0
            found.append((NARROW if sign == " " else 1.0, sign == " "))
        else:
            word += BOLD * _width(sign)
    if word:
        found.append((word, False))
    return tuple(found)


def _width(sign: str) -> float:
    if sign in FULL_SIGNS:
        return 1.0
    return NARROW if sign in NARROW_SIGNS else CAPITAL if sign.isupper() else ORDINARY


def _is_wide(sign: str) -> bool:
    return sign in WIDE_SIGNS or unicodedata.east_asian_width(sign) in "WF"


def largest_size(least: float, fits: Callable[[float], bool]) -> float:
    """The largest type of half points from `least` up with which it fits; `least` where none does."""
    low, high = 0, round((LARGEST - least) * 2)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(least + middle / 2):
            low = middle
        else:
            high = middle - 1
    return least + low / 2


def filled(needs: Sequence[float], room: float, most: float) -> list[float]:
    """Heights of at least what each needs, as equal as that allows, that fill the room; none is drawn out beyond
    `most`."""
    level, left = room / max(1, len(needs)), list(needs)
    while left:
        kept = [need for need in left if need <= level]
        if len(kept) == len(left):
            break
        room -= sum(need for need in left if need > level)
        left, level = kept, room / max(1, len(kept))
    return [max(need, min(level, most)) for need in needs]


def parts_of(groups: Sequence[float], count: int) -> list[range]:
    """A row of groups in so many consecutive parts (at most as many as there are groups), of which the widest is as
    narrow as can be, the wider ones first; `groups` are their widths."""
    if not groups:
        return [range(0)]
    many, count = len(groups), min(count, len(groups))
    widths = {(a, b): sum(groups[a:b]) for a in range(many) for b in range(a + 1, many + 1)}

    def reach(first: int, widest: float) -> int:
        """The end of the widest part that begins there; of one group at least."""
        return next((end for end in range(many, first + 1, -1) if widths[first, end] <= widest), first + 1)

    def is_enough(widest: float) -> bool:
        first = parts = 0
        while first < many and parts < count:
            first, parts = reach(first, widest), parts + 1
        return first == many

    # no part is narrower than a single group, so what is enough for one is enough for whatever is wider
    tried = sorted({width for width in widths.values() if width >= max(groups)})
    widest = tried[bisect_left(tried, True, key=is_enough)]
    found, first = [], 0
    for left in range(count - 1, -1, -1):
        found.append(range(first, min(reach(first, widest), many - left)))
        first = found[-1].stop
    return found
