"""This module owns which lessons are taken out of a table together, so that the rest can be held and they find better
places: those around something that costs, by the classes and teachers that they share."""

from collections import defaultdict
from collections.abc import Sequence
from random import Random
from typing import Literal, get_args

from timetable.solving.formulation import Formulation
from timetable.solving.pricing import Pricing

Kind = Literal["teacher", "classes"]
KINDS: tuple[Kind, ...] = get_args(Kind)

FIRST_CLASSES = 3
"""Classes that a neighbourhood of classes begins with, where so many share in what costs."""


class Neighbourhoods:
    """Requirements are named by their number in the formulation."""

    def __init__(self, formulation: Formulation, pricing: Pricing) -> None:
        self.placements = [[variable.index for variable in variables] for _, variables in formulation.placed]
        """Requirement -> its placements, by variable."""
        self._pricing = pricing
        self._weights = pricing.weights
        self._requirement_of = {v: number for number, own in enumerate(self.placements) for v in own}
        self._classes: list[tuple[str, ...]] = []
        self._teachers: list[tuple[str, ...]] = []
        self._of_class: dict[str, list[int]] = defaultdict(list)
        self._of_teacher: dict[str, list[int]] = defaultdict(list)
        for number, (demand, _) in enumerate(formulation.placed):
            parties = demand.requirement.parties
            self._classes.append(tuple(dict.fromkeys(c for party in parties for c in party.classes)))
            self._teachers.append(tuple(dict.fromkeys(t for party in parties for t in party.teachers)))
            for school_class in self._classes[-1]:
                self._of_class[school_class].append(number)
            for teacher in self._teachers[-1]:
                self._of_teacher[teacher].append(number)

    def __len__(self) -> int:
        return len(self.placements)

    def pick(self, kind: Kind, solution: Sequence[int], size: int, random: Random) -> set[int]:
        """About `size` requirements around one of the things that cost; all when they are not more."""
        if size >= len(self):
            return set(range(len(self)))
        charged = [(index, weight) for index, weight in self._weights.items() if solution[index]]
        if not charged:
            return set()
        [index] = random.choices([i for i, _ in charged], [weight for _, weight in charged])
        around = sorted({self._requirement_of[v] for v in self._pricing.concerned(index) if v in self._requirement_of})
        random.shuffle(around)
        return self._with_teacher(around, size, random) if kind == "teacher" else self._spread(around, size, random)

    def _with_teacher(self, around: Sequence[int], size: int, random: Random) -> set[int]:
        """All of the teacher who has most to do with it, and as many of the teacher's classes as fit."""
        shares: dict[str, int] = defaultdict(int)
        for number in around:
            for teacher in self._teachers[number]:
                shares[teacher] += 1
        if not shares:
            return self._spread(around, size, random)
        own = self._of_teacher[max(shares, key=lambda teacher: shares[teacher])]
        picked = set(own)
        classes = list(dict.fromkeys(c for number in own for c in self._classes[number]))
        random.shuffle(classes)
        for school_class in classes:
            if len(picked) >= size:
                break
            picked |= set(self._of_class[school_class])
        return picked

    def _spread(self, around: Sequence[int], size: int, random: Random) -> set[int]:
        """Whole classes, from those concerned on to others that share a teacher with them."""
        border = list(dict.fromkeys(c for number in around for c in self._classes[number]))[:FIRST_CLASSES]
        picked, seen = set(around[:1]), set(border)
        while border and len(picked) < size:
            school_class = border.pop(random.randrange(len(border)))
            own = self._of_class[school_class]
            picked |= set(own)
            near = {
                c for n in own for t in self._teachers[n] for other in self._of_teacher[t] for c in self._classes[other]
            }
            border += sorted(near - seen)
            seen |= near
        return picked
