"""This module owns excerpts of a priced model: some lessons free, all others held, and only what they touch is left.

A search of the whole model spends its time on reading 40,000 variables of which a few hundred may move. An excerpt is
written anew for each search in a few milliseconds, holds what is held as numbers, and is searched in a blink.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from timetable.solving.rows import Row

Whole = NDArray[np.int64]

BOOLEAN = "variables { domain: 0 domain: 1 }"
"""Read as text, a thousand variables take a third of the time that adding each takes."""

OPEN = 1 << 40
"""Stands for a side of a row that holds nothing back."""


class Excerpt:
    """A model of its own. `cost` is what its part of the standing solution costs."""

    def __init__(self, cp: cp_model.CpModel, free: Whole, held: Whole, cost: int, weights: Whole) -> None:
        self.cp = cp
        self.cost = cost
        self._free = free
        self._held = held
        self._weights = weights

    def put_back(self, solution: Whole, values: Sequence[int]) -> tuple[Whole, int]:
        """The standing solution with these values of the excerpt in it, and by how much its cost changes."""
        found = solution.copy()
        found[self._held] = 0
        found[self._free] = values
        return found, int(self._weights @ found[self._free]) - self.cost


class Excerpts:
    """Cuts excerpts out of one model, given as its rows; `placements` are the variables that may be held, all others
    follow from them. `ranges` and `weights` are those of the variables."""

    def __init__(
        self,
        rows: Iterable[Row],
        ranges: Sequence[tuple[int, int]],
        weights: Mapping[int, int],
        placements: Collection[int],
    ) -> None:
        kept = [row for row in rows if row.terms and (row.low is not None or row.high is not None)]
        lengths = [len(row.terms) for row in kept]
        self._starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        self._variables = np.fromiter((v for row in kept for v in row.terms), np.int64, int(self._starts[-1]))
        self._factors = np.fromiter((k for row in kept for k in row.terms.values()), np.int64, int(self._starts[-1]))
        self._low = np.array([-OPEN if row.low is None else row.low for row in kept], np.int64)
        self._high = np.array([OPEN if row.high is None else row.high for row in kept], np.int64)
        self._least = np.array([low for low, _ in ranges], np.int64)
        self._most = np.array([high for _, high in ranges], np.int64)
        self._weights = np.zeros(len(ranges), np.int64)
        for index, weight in weights.items():
            self._weights[index] = weight
        self._follows = np.ones(len(ranges), np.bool_)
        self._follows[np.fromiter(placements, np.int64, len(placements))] = False
        self._empty = cp_model.CpModel()
        by_variable = np.argsort(self._variables, kind="stable")
        self._rows_of = np.repeat(np.arange(len(kept)), lengths)[by_variable]
        self._rows_from = np.searchsorted(self._variables[by_variable], np.arange(len(ranges) + 1))

    def cut(self, placements: Sequence[int], solution: Whole) -> Excerpt:
        """The excerpt in which these placements are free, and what follows from them; it is hinted at `solution`."""
        free, rows = self._reached(placements)
        inside = np.zeros(len(solution), np.bool_)
        inside[free] = True
        entries, owner = _spans(self._starts, rows)
        variables, factors = self._variables[entries], self._factors[entries]
        mine = inside[variables]
        held = _sums(owner[~mine], factors[~mine] * solution[variables[~mine]], len(rows))
        low, high = self._low[rows] - held, self._high[rows] - held
        owner, variables, factors = owner[mine], variables[mine], factors[mine]
        # What one held lesson already excludes is not worth a variable.
        shut = (self._least[variables] == 0) & (factors > high[owner]) & _all_positive(owner, factors, len(rows))[owner]
        inside[variables[shut]] = False
        none = free[~inside[free]]
        left = inside[variables]
        owner, variables, factors = owner[left], variables[left], factors[left]
        free = free[inside[free]]
        at_least = _sums(
            owner, np.minimum(factors * self._least[variables], factors * self._most[variables]), len(rows)
        )
        at_most = _sums(owner, np.maximum(factors * self._least[variables], factors * self._most[variables]), len(rows))
        binding = (at_least < low) | (at_most > high)
        kept = binding[owner]
        cp = self._written(
            free, owner[kept], variables[kept], factors[kept], np.maximum(low, at_least), np.minimum(high, at_most)
        )
        weights = self._weights[free]
        here = int(weights @ solution[free]) + int(self._weights[none] @ solution[none])
        _price(cp, weights, solution[free])
        return Excerpt(cp, free, none, here, weights)

    def cost(self, solution: Whole) -> int:
        return int(self._weights @ solution)

    def sound(self, solution: Whole, changed: Whole) -> bool:
        """Whether a solution keeps all rows in which something was changed."""
        at, _ = _spans(self._rows_from, changed)
        rows = np.unique(self._rows_of[at])
        entries, owner = _spans(self._starts, rows)
        sums = _sums(owner, self._factors[entries] * solution[self._variables[entries]], len(rows))
        return bool(np.all((sums >= self._low[rows]) & (sums <= self._high[rows])))

    def _reached(self, placements: Sequence[int]) -> tuple[Whole, Whole]:
        """These placements with everything that follows from them, and all rows that any of it stands in."""
        inside = np.zeros(len(self._least), np.bool_)
        touched = np.zeros(len(self._low), np.bool_)
        new = np.asarray(placements, np.int64)
        inside[new] = True
        while len(new):
            at, _ = _spans(self._rows_from, new)
            reached = np.zeros(len(self._low), np.bool_)
            reached[self._rows_of[at]] = True
            reached &= ~touched
            touched |= reached
            entries, _ = _spans(self._starts, np.flatnonzero(reached))
            near = np.zeros(len(self._least), np.bool_)
            near[self._variables[entries]] = True
            near &= self._follows & ~inside
            inside |= near
            new = np.flatnonzero(near)
        return np.flatnonzero(inside), np.flatnonzero(touched)

    def _written(
        self, free: Whole, owner: Whole, variables: Whole, factors: Whole, low: Whole, high: Whole
    ) -> cp_model.CpModel:
        cp = self._empty.clone()
        proto = cp.proto
        proto.parse_text_format(BOOLEAN * len(free))
        for index in np.flatnonzero((self._least[free] != 0) | (self._most[free] != 1)).tolist():
            domain = proto.variables[index].domain
            domain[0], domain[1] = int(self._least[free[index]]), int(self._most[free[index]])
        numbers = np.searchsorted(free, variables).tolist()
        times = factors.tolist()
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        present = owner[starts]
        units = np.ones(len(low), np.bool_)
        units[owner[factors != 1]] = False
        ends = [*starts.tolist()[1:], len(numbers)][: len(starts)]
        for start, end, only_ones, least, most in zip(
            starts.tolist(), ends, units[present].tolist(), low[present].tolist(), high[present].tolist(), strict=True
        ):
            constraint = proto.constraints.add()
            if only_ones and most == 1 and least <= 1 and least >= 0:
                literals = (constraint.exactly_one if least else constraint.at_most_one).literals
                literals.extend(numbers[start:end])
            else:
                linear = constraint.linear
                linear.vars.extend(numbers[start:end])
                linear.coeffs.extend(times[start:end])
                linear.domain.extend((least, most))
        return cp


def _price(cp: cp_model.CpModel, weights: Whole, values: Whole) -> None:
    proto = cp.proto
    priced = np.flatnonzero(weights)
    proto.objective.vars.extend(priced.tolist())
    proto.objective.coeffs.extend(weights[priced].tolist())
    proto.solution_hint.vars.extend(range(len(values)))
    proto.solution_hint.values.extend(values.tolist())


def _spans(starts: Whole, items: Whole) -> tuple[Whole, Whole]:
    """The places of all entries of these items, and for each entry the position of its item."""
    first, lengths = starts[items], starts[items + 1] - starts[items]
    owner = np.repeat(np.arange(len(items)), lengths)
    before = np.cumsum(lengths) - lengths
    return np.arange(len(owner)) + (first - before)[owner], owner


def _sums(owner: Whole, amounts: Whole, count: int) -> Whole:
    return np.bincount(owner, amounts, count).astype(np.int64)


def _all_positive(owner: Whole, factors: Whole, count: int) -> NDArray[np.bool_]:
    found = np.ones(count, np.bool_)
    found[owner[factors <= 0]] = False
    return found
