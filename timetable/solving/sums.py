"""This module owns the rows of a model as flat arrays, and what they settle: which values they leave the variables, and
which rows still hold something back.

Some thousand rows are cut and settled in two milliseconds; one object for each row would take as much as the search.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from timetable.solving.rows import Row

Whole = NDArray[np.int64]

OPEN = 1 << 40
"""Stands for a side of a row that holds nothing back."""

ROUNDS = 3
"""How often what one row settles is carried on to the others; nearly all is settled by then."""


def sums_of(rows: Iterable[Row]) -> Sums:
    """The rows that hold anything back."""
    kept = [row for row in rows if row.holds]
    return Sums(
        np.repeat(np.arange(len(kept)), [len(row.terms) for row in kept]),
        np.array([v for row in kept for v in row.terms], np.int64),
        np.array([k for row in kept for k in row.terms.values()], np.int64),
        np.array([-OPEN if row.low is None else row.low for row in kept], np.int64),
        np.array([OPEN if row.high is None else row.high for row in kept], np.int64),
    )


@dataclass(frozen=True, slots=True)
class Sums:
    """Rows as flat entries, each with the number of its row, ascending, its variable and its factor; and the two sides
    of every row."""

    owner: Whole
    variables: Whole
    factors: Whole
    low: Whole
    high: Whole

    def only(self, rows: Whole, starts: Whole) -> Sums:
        """These rows alone; `starts` says where the entries of each begin."""
        entries, owner = spans(starts, rows)
        return Sums(owner, self.variables[entries], self.factors[entries], self.low[rows], self.high[rows])

    def settled(self, least: Whole, most: Whole) -> Sums:
        """What is left to decide when these are the smallest and largest values of the variables.

        They are narrowed, in place, to what the rows leave of them; variables with one value and rows that no longer
        hold anything back are left out.
        """
        rows = self
        for _ in range(ROUNDS):
            rows, at_least, at_most = rows._binding(least, most)
            if not rows._narrow(at_least, at_most, least, most):
                return rows
        return rows._binding(least, most)[0]

    def kept_by(self, solution: Whole) -> bool:
        """Whether a solution keeps all of these rows."""
        found = _sums(self.owner, self.factors * solution[self.variables], len(self.low))
        return bool(np.all((found >= self.low) & (found <= self.high)))

    def _binding(self, least: Whole, most: Whole) -> tuple[Sums, Whole, Whole]:
        """Without variables of one value and rows that hold nothing back; with the least and the most of each sum."""
        count = len(self.low)
        small, large = self.factors * least[self.variables], self.factors * most[self.variables]
        fixed = small == large
        held = _sums(self.owner[fixed], small[fixed], count)
        owner, small, large = self.owner[~fixed], small[~fixed], large[~fixed]
        at_least = _sums(owner, np.minimum(small, large), count)
        at_most = _sums(owner, np.maximum(small, large), count)
        low, high = self.low - held, self.high - held
        holds = (at_least < low) | (at_most > high)
        kept = holds[owner]
        renumbered = np.cumsum(holds) - 1
        low, high, at_least, at_most = low[holds], high[holds], at_least[holds], at_most[holds]
        rows = Sums(
            renumbered[owner[kept]],
            self.variables[~fixed][kept],
            self.factors[~fixed][kept],
            np.maximum(low, at_least),
            np.minimum(high, at_most),
        )
        return rows, at_least, at_most

    def _narrow(self, at_least: Whole, at_most: Whole, least: Whole, most: Whole) -> bool:
        """Leave each variable only what its rows can bear, wherever the others stand; whether anything changed."""
        size = np.abs(self.factors)
        positive = self.factors > 0
        below = ((self.high - at_least)[self.owner]) // size
        above = ((at_most - self.low)[self.owner]) // size
        smallest, largest = least[self.variables], most[self.variables]
        width = largest - smallest
        narrow = (below < width) | (above < width)
        if not narrow.any():
            return False
        up = smallest + np.where(positive, below, above)
        down = largest - np.where(positive, above, below)
        at = self.variables[narrow]
        np.minimum.at(most, at, up[narrow])
        np.maximum.at(least, at, down[narrow])
        return True


def spans(starts: Whole, items: Whole) -> tuple[Whole, Whole]:
    """The places of all entries of these items, and for each entry the position of its item."""
    first, lengths = starts[items], starts[items + 1] - starts[items]
    owner = np.repeat(np.arange(len(items)), lengths)
    before = np.cumsum(lengths) - lengths
    return np.arange(len(owner)) + (first - before)[owner], owner


def _sums(owner: Whole, amounts: Whole, count: int) -> Whole:
    return np.bincount(owner, amounts, count).astype(np.int64)
