"""This module owns excerpts of a priced model: some lessons free, all others held, and only what they touch is left.

A search of the whole model spends its time on reading 40,000 variables of which a few hundred may move. An excerpt is
written anew for each search in a few milliseconds, holds what is held as numbers, leaves out what that settles, and is
searched in a blink. It asks only for what is cheaper: mostly there is nothing, and that is sooner proven than that what
stands is one of the cheapest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from ortools.sat.python import cp_model

from timetable.solving.rows import Row
from timetable.solving.sums import Sums, Whole, spans, sums_of

BOOLEAN = "variables { domain: 0 domain: 1 }"
"""Read as text, a thousand variables take a third of the time that adding each takes."""


class Excerpt:
    """What is free and what it is held by; its solutions are all cheaper than the standing one. It is `hopeless` where
    none can be."""

    def __init__(
        self,
        rows: Sums,
        free: Whole,
        least: Whole,
        most: Whole,
        weights: Whole,
        values: Whole,
        settled: tuple[Whole, Whole],
        between: tuple[int, int],
    ) -> None:
        """`free` are variables of the model, ascending, the others are by their places in it: the smallest and the
        largest value of each, what a step costs, and how it stands; `rows` name them by these places, too. `settled`
        are variables that can have one value only, with these. The cost lies between two numbers."""
        self.rows = rows
        self.free = free
        self.least = least
        self.most = most
        self.weights = weights
        self.values = values
        self._settled = settled
        self._between = between

    @property
    def hopeless(self) -> bool:
        return self._between[1] < self._between[0]

    def model(self) -> cp_model.CpModel:
        """A model of its own. It is hinted at the standing solution, which it does not hold, but near which the cheaper
        ones are."""
        cp = cp_model.CpModel()
        self._write(cp)
        if not self.hopeless:
            self._price(cp)
        return cp

    def put_back(self, solution: Whole, values: Sequence[int]) -> Whole:
        """The standing solution with these values of the excerpt in it."""
        found = solution.copy()
        settled, of_settled = self._settled
        found[settled] = of_settled
        found[self.free] = values
        return found

    def _write(self, cp: cp_model.CpModel) -> None:
        proto = cp.proto
        proto.parse_text_format(BOOLEAN * len(self.free))
        other = (self.least != 0) | (self.most != 1)
        for index in np.flatnonzero(other).tolist():
            domain = proto.variables[index].domain
            domain[0], domain[1] = int(self.least[index]), int(self.most[index])
        rows = self.rows
        literals = (rows.low >= 0) & (rows.low <= 1) & (rows.high == 1)
        literals[rows.owner[(rows.factors != 1) | other[rows.variables]]] = False
        numbers, times = rows.variables.tolist(), rows.factors.tolist()
        ends = np.searchsorted(rows.owner, np.arange(1, len(literals) + 1)).tolist()
        start = 0
        for end, of_literals, low, high in zip(
            ends, literals.tolist(), rows.low.tolist(), rows.high.tolist(), strict=True
        ):
            constraint = proto.constraints.add()
            if of_literals:
                (constraint.exactly_one if low else constraint.at_most_one).literals.extend(numbers[start:end])
            else:
                linear = constraint.linear
                linear.vars.extend(numbers[start:end])
                linear.coeffs.extend(times[start:end])
                linear.domain.extend((low, high))
            start = end

    def _price(self, cp: cp_model.CpModel) -> None:
        proto = cp.proto
        priced = np.flatnonzero(self.weights)
        proto.objective.vars.extend(priced.tolist())
        proto.objective.coeffs.extend(self.weights[priced].tolist())
        proto.objective.domain.extend(self._between)
        proto.solution_hint.vars.extend(range(len(self.values)))
        proto.solution_hint.values.extend(self.values.tolist())


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
        self._least = np.array([low for low, _ in ranges], np.int64)
        self._most = np.array([high for _, high in ranges], np.int64)
        self._rows = sums_of(rows).settled(self._least, self._most)
        self._weights = np.zeros(len(ranges), np.int64)
        for index, weight in weights.items():
            self._weights[index] = weight
        self._follows = self._least != self._most
        self._follows[np.fromiter(placements, np.int64, len(placements))] = False
        count = len(self._rows.low)
        self._starts = np.searchsorted(self._rows.owner, np.arange(count + 1))
        by_variable = np.argsort(self._rows.variables, kind="stable")
        self._rows_of = self._rows.owner[by_variable]
        self._rows_from = np.searchsorted(self._rows.variables[by_variable], np.arange(len(ranges) + 1))

    def cut(self, placements: Sequence[int], solution: Whole) -> Excerpt:
        """The excerpt of `solution` in which these placements are free, and what follows from them."""
        reached, touched = self._reached(placements)
        least, most = solution.copy(), solution.copy()
        least[reached], most[reached] = self._least[reached], self._most[reached]
        rows = self._rows.only(touched, self._starts).settled(least, most)
        one = least[reached] == most[reached]
        free, settled = reached[~one], reached[one]
        values = least[settled]
        weights = self._weights[free]
        cheapest = int(np.minimum(weights * least[free], weights * most[free]).sum())
        cost = int(weights @ solution[free] + self._weights[settled] @ (solution[settled] - values))
        return Excerpt(
            replace(rows, variables=np.searchsorted(free, rows.variables)),
            free,
            least[free],
            most[free],
            weights,
            solution[free],
            (settled, values),
            (cheapest, cost - 1),
        )

    def cost(self, solution: Whole) -> int:
        return int(self._weights @ solution)

    def sound(self, solution: Whole, changed: Whole) -> bool:
        """Whether a solution keeps all rows in which something was changed."""
        at, _ = spans(self._rows_from, changed)
        return self._rows.only(np.unique(self._rows_of[at]), self._starts).kept_by(solution)

    def _reached(self, placements: Sequence[int]) -> tuple[Whole, Whole]:
        """These placements with everything that follows from them, and all rows that any of it stands in."""
        inside = np.zeros(len(self._least), np.bool_)
        touched = np.zeros(len(self._rows.low), np.bool_)
        new = np.asarray(placements, np.int64)
        inside[new] = True
        while len(new):
            at, _ = spans(self._rows_from, new)
            reached = np.zeros(len(touched), np.bool_)
            reached[self._rows_of[at]] = True
            reached &= ~touched
            touched |= reached
            entries, _ = spans(self._starts, np.flatnonzero(reached))
            near = np.zeros(len(self._least), np.bool_)
            near[self._rows.variables[entries]] = True
            near &= self._follows & ~inside
            inside |= near
            new = np.flatnonzero(near)
        return np.flatnonzero(inside), np.flatnonzero(touched)
