"""This module owns which lessons are taken out of a table together, so that the rest can be held and they find better
places: those around something that costs, by the classes and teachers that they share, on all days or on some."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import zip_longest
from random import Random
from typing import Literal, get_args

import numpy as np

from timetable.solving.formulation import Formulation
from timetable.solving.pricing import Pricing
from timetable.solving.sums import Whole

Kind = Literal["teacher", "partners", "classes", "teacher_days", "three_days"]
"""`teacher`, `partners` and `classes` are free on every day. Between some days only there is room for more classes at
once, and for lessons that change places across them.

Who teaches ten classes moves in none of them while its other lessons stand: whole classes beside him are room for two
or three. `partners` frees in each of his classes the lessons that can most easily change places with his, those of
teachers with few other classes."""

KINDS: tuple[Kind, ...] = get_args(Kind)
CHANCES = [2 if kind == "partners" else 1 for kind in KINDS]
"""`partners` finds twice as much in its time as any other, once no small change is left that pays."""

DAYS: dict[Kind, int] = {"teacher_days": 2, "three_days": 3}
OF_A_TEACHER: tuple[Kind, ...] = ("teacher", "partners", "teacher_days")

LEAST_CHANCE, MOST_CHANCE = 0.7, 1.3
"""By how much chance may shift who counts as having few other classes."""

FIRST_CLASSES = 3
"""Classes that a neighbourhood of classes begins with, where so many share in what costs."""


class Neighbourhoods:
    """Requirements are named by their number in the formulation, placements by their variable."""

    def __init__(self, formulation: Formulation, pricing: Pricing) -> None:
        self.placements = pricing.placements
        self._pricing = pricing
        weights = pricing.weights
        self._priced = np.array(list(weights), np.int64)
        self._weights = np.array(list(weights.values()), np.int64)
        self._requirement_of: dict[int, int] = {}
        self._day_of: dict[int, int] = {}
        self._on_day: list[dict[int, list[int]]] = []
        self._classes: list[tuple[str, ...]] = []
        self._teachers: list[tuple[str, ...]] = []
        self._of_class: dict[str, list[int]] = defaultdict(list)
        self._of_teacher: dict[str, list[int]] = defaultdict(list)
        for number, (demand, variables) in enumerate(formulation.placed):
            days: dict[int, list[int]] = defaultdict(list)
            for variable, placement in zip(variables, demand.placements, strict=True):
                self._requirement_of[variable.index] = number
                self._day_of[variable.index] = placement.weekday
                days[placement.weekday].append(variable.index)
            self._on_day.append(days)
            parties = demand.requirement.parties
            self._classes.append(tuple(dict.fromkeys(c for party in parties for c in party.classes)))
            self._teachers.append(tuple(dict.fromkeys(t for party in parties for t in party.teachers)))
            for school_class in self._classes[-1]:
                self._of_class[school_class].append(number)
            for teacher in self._teachers[-1]:
                self._of_teacher[teacher].append(number)
        self._days = sorted(set(self._day_of.values()))
        spans = {
            teacher: len({school_class for number in own for school_class in self._classes[number]})
            for teacher, own in self._of_teacher.items()
        }
        self._span = [max((spans[teacher] for teacher in teachers), default=0) for teachers in self._teachers]

    def __len__(self) -> int:
        return len(self.placements)

    def pick(self, kind: Kind, solution: Whole, size: int, random: Random) -> list[int]:
        """At least about `size` placements around one of the things that cost; all when there are not more, none when
        nothing costs."""
        if size >= len(self):
            return self.placements
        charges = self._weights * solution[self._priced]
        costly = np.flatnonzero(charges)
        if not len(costly):
            return []
        [charged] = random.choices(self._priced[costly].tolist(), charges[costly].tolist())
        around = sorted(self._pricing.concerned(charged) & self._requirement_of.keys())
        if not around:
            return []
        days = self._days
        if kind in DAYS:
            first = self._day_of[random.choice(around)]
            others = [day for day in days if day != first]
            days = [first, *random.sample(others, min(DAYS[kind] - 1, len(others)))]
        near = list(dict.fromkeys(self._requirement_of[index] for index in around))
        random.shuffle(near)
        own = self._of_busiest(near) if kind in OF_A_TEACHER else []
        picked = _Picked(self._on_day, days, size)
        picked.add(own or near[:1])
        border = list(dict.fromkeys(c for number in own or near for c in self._classes[number]))
        random.shuffle(border)
        if own and kind == "partners":
            self._add_partners(picked, border, random)
        self._widen(picked, border if own else border[:FIRST_CLASSES], random)
        return picked.placements

    def narrowed(self, placements: Sequence[int], moved: Collection[int], size: int) -> list[int]:
        """About `size` of these placements: those of requirements that have one among the moved, then the others in
        their order, each requirement whole."""
        of: dict[int, list[int]] = defaultdict(list)
        for index in placements:
            of[self._requirement_of[index]].append(index)
        first = dict.fromkeys(self._requirement_of[index] for index in moved)
        found: list[int] = []
        for number in first | dict.fromkeys(of):
            if len(found) >= size:
                break
            found += of[number]
        return found

    def _of_busiest(self, near: Sequence[int]) -> list[int]:
        """All requirements of the teacher who has most to do with these."""
        shares: dict[str, int] = defaultdict(int)
        for number in near:
            for teacher in self._teachers[number]:
                shares[teacher] += 1
        return self._of_teacher[max(shares, key=lambda teacher: shares[teacher])] if shares else []

    def _add_partners(self, picked: _Picked, border: Sequence[str], random: Random) -> None:
        """Add of each class one requirement after the other, those of teachers with few other classes first."""

        def span(number: int) -> float:
            return self._span[number] * random.uniform(LEAST_CHANCE, MOST_CHANCE)

        for row in zip_longest(*(sorted(self._of_class[school_class], key=span) for school_class in border)):
            for number in row:
                if picked.enough:
                    return
                if number is not None:
                    picked.add([number])

    def _widen(self, picked: _Picked, border: list[str], random: Random) -> None:
        """Add whole classes, and then others that share a teacher with them, until there is enough."""
        seen = set(border)
        following: list[str] = []
        while (border or following) and not picked.enough:
            if not border:
                random.shuffle(following)
                border, following = following, border
            school_class = border.pop()
            own = self._of_class[school_class]
            picked.add(own)
            beside = {
                c for n in own for t in self._teachers[n] for other in self._of_teacher[t] for c in self._classes[other]
            }
            following += sorted(beside - seen)
            seen |= beside


class _Picked:
    """Requirements' placements on some days, as they come together."""

    def __init__(self, on_day: Sequence[dict[int, list[int]]], days: Sequence[int], size: int) -> None:
        self._on_day = on_day
        self._days = days
        self._size = size
        self._seen: set[int] = set()
        self.placements: list[int] = []

    @property
    def enough(self) -> bool:
        return len(self.placements) >= self._size

    def add(self, requirements: Sequence[int]) -> None:
        for number in requirements:
            if number not in self._seen:
                self._seen.add(number)
                for day in self._days:
                    self.placements += self._on_day[number].get(day, ())
