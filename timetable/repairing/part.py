"""This module owns a part of a problem: some lessons of a standing table may move, all others hold their places.

The ladder of repairs and the proofs of concessions search such parts. Only what the free lessons can touch is in it:
all lessons of their classes and teachers, and the shared lessons of their campuses.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from msgspec import structs
from ortools.sat.python import cp_model

from timetable.model import SHARED_KINDS, Lesson, Requirement
from timetable.placement import Demand, Placement
from timetable.problem import Problem
from timetable.repairing.arrangement import Arrangement, narrowed
from timetable.solving.formulation import HABITS, Choice, Family, Formulation
from timetable.solving.pricing import UNLIMITED, Pricing
from timetable.weeks import WeekSet, fullest, weeks_of

PER_MOVE = 100_000
"""What one more moved lesson weighs against the soft rules: more than all of them together."""


@dataclass(frozen=True, slots=True)
class Part:
    """The formulation in which the `free` lessons, by id, may stand anywhere; `moving` are their requirements."""

    arrangement: Arrangement
    formulation: Formulation
    free: frozenset[str]
    moving: frozenset[str]
    variables: Mapping[str, Mapping[tuple[int, int], cp_model.IntVar]]
    """Requirement that moves -> (weekday, period) -> the variable of that placement."""

    def standing(self) -> list[int]:
        """The value of every variable as the lessons stand now, for a hint."""
        arrangement, formulation = self.arrangement, self.formulation
        values = [0] * len(formulation.cp.proto.variables)
        for demand, variables in formulation.placed:
            slots = {slot_of(lesson) for lesson in arrangement.of_requirement.get(demand.requirement.id, ())}
            for variable, placement in zip(variables, demand.placements, strict=True):
                values[variable.index] = int((placement.weekday, placement.period) in slots)
        for cell, taken in formulation.taken.items():
            values[taken.index] = int(any(values[use.variable.index] for use in formulation.class_cells.get(cell, ())))
        return values

    def minimise_moves(self, new: Collection[str] = ()) -> None:
        """Look for the fewest moves, then for the cheapest table with so few. Lessons in `new`, by id, never stood
        anywhere."""
        pricing = Pricing(self.formulation, self.standing())
        pricing.minimise(UNLIMITED, pricing.complete)
        objective = self.formulation.cp.proto.objective
        for id in self.moving:
            for lesson in self.arrangement.of_requirement[id]:
                kept = self.variables[id].get(slot_of(lesson))
                if kept is not None and lesson.id not in new:
                    objective.vars.append(kept.index)
                    objective.coeffs.append(-PER_MOVE)

    def moves(self, solution: Sequence[int], first: Mapping[str, Placement]) -> dict[str, Placement]:
        """The lessons that a solution moves, each with its new placement; `first` says where some must go.

        Lessons of one requirement are alike, so whichever stands in a slot that is still used stays there.
        """
        chosen: dict[str, dict[tuple[int, int], Placement]] = {id: {} for id in self.moving}
        for choice in self._choices(solution):
            placement = choice.placement
            chosen[choice.requirement.id][placement.weekday, placement.period] = placement
        moved = dict(first)
        for id, placements in chosen.items():
            lessons = [x for x in self.arrangement.of_requirement.get(id, ()) if x.id not in first]
            for lesson in self.arrangement.of_requirement.get(id, ()):
                if lesson.id in first:
                    del placements[first[lesson.id].weekday, first[lesson.id].period]
            leaving = [lesson for lesson in lessons if placements.pop(slot_of(lesson), None) is None]
            moved |= {lesson.id: place for lesson, (_, place) in zip(leaving, sorted(placements.items()), strict=False)}
        return moved

    def _choices(self, solution: Sequence[int]) -> list[Choice]:
        return [c for c in self.formulation.choices(solution) if c.requirement.id in self.moving]


def part_of(
    arrangement: Arrangement,
    free: Collection[str],
    *,
    also: Collection[str] = (),
    problem: Problem | None = None,
    habits: bool = True,
) -> Part:
    """The part in which the lessons of these ids move, and all lessons of the requirements in `also`.

    `problem` is one with a rule given up, where it is not the arrangement's. With `habits` those are kept strictly
    that the classes keep now.
    """
    rules = problem or arrangement.problem
    requirements = {requirement.id: requirement for requirement in rules.requirements}
    moving = {arrangement.lessons[id].requirement for id in free} | set(also)
    touched = [requirements[id] for id in moving]
    classes = {c for requirement in touched for party in requirement.parties for c in party.classes}
    near = {requirement.id for requirement in _near(rules, touched)}
    demands = []
    for demand in rules.demands:
        id = demand.requirement.id
        standing = arrangement.of_requirement.get(id, ())
        if id in moving:
            demands.append(_with(arrangement, demand, [x for x in standing if x.id not in free and id not in also]))
        elif id in near and standing:
            held = tuple(arrangement.standing(lesson) for lesson in standing)
            # A table that lacks lessons holds what it has.
            requirement = structs.replace(demand.requirement, weekly=len(held), locked=())
            demands.append(Demand(requirement, held, demand.by_clock))
    part = narrowed(rules, classes)
    part.requirements = tuple(demand.requirement for demand in demands)
    part.demands = tuple(demands)
    without = _broken(part, arrangement) if habits else frozenset(HABITS)
    formulation = Formulation(part, without)
    variables = {
        demand.requirement.id: {(p.weekday, p.period): v for p, v in zip(demand.placements, found, strict=True)}
        for demand, found in formulation.placed
        if demand.requirement.id in moving
    }
    for id in moving - set(also):
        for lesson in arrangement.of_requirement[id]:
            if lesson.id not in free:
                formulation.cp.add(variables[id][slot_of(lesson)] == 1)
    return Part(arrangement, formulation, frozenset(free), frozenset(moving), variables)


def slot_of(lesson: Lesson) -> tuple[int, int]:
    return lesson.weekday, lesson.host.period


def _near(problem: Problem, touched: Sequence[Requirement]) -> list[Requirement]:
    """The requirements whose lessons can be in the way of these ones."""
    classes = {c for requirement in touched for party in requirement.parties for c in party.classes}
    teachers = {t for requirement in touched for party in requirement.parties for t in party.teachers}
    rooms = {problem.classes[c].room for c in classes}
    shared = [requirement for requirement in touched if requirement.kind in SHARED_KINDS]
    campuses = {problem.units[party.unit].campus for requirement in shared for party in requirement.parties}
    # A class that stays in a remote room of its own takes it from the shared lessons.
    rooms |= {room.id for room in problem.register.rooms if room.kind == "remote" and room.campus in campuses}
    remote = {room.id for room in problem.register.rooms if room.kind == "remote" and room.id in rooms}
    campuses |= {room.campus for room in problem.register.rooms if room.id in remote}

    def near(requirement: Requirement) -> bool:
        for party in requirement.parties:
            if not teachers.isdisjoint(party.teachers) or not classes.isdisjoint(party.classes):
                return True
            if requirement.kind in SHARED_KINDS and problem.units[party.unit].campus in campuses:
                return True
            if any(problem.classes[c].room in rooms for c in party.classes):
                return True
        return False

    return [requirement for requirement in problem.requirements if near(requirement)]


def _with(arrangement: Arrangement, demand: Demand, staying: Sequence[Lesson]) -> Demand:
    """The demand with the places of the lessons that stay, wherever they are."""
    known = {(placement.weekday, placement.period) for placement in demand.placements}
    more = tuple(arrangement.standing(lesson) for lesson in staying if slot_of(lesson) not in known)
    return Demand(demand.requirement, (*demand.placements, *more), demand.by_clock) if more else demand


def _broken(part: Problem, arrangement: Arrangement) -> frozenset[Family]:
    """The habits that the lessons of the part do not keep as they stand."""
    found: set[Family] = set()
    here = {requirement.id for requirement in part.requirements}
    cells: dict[tuple[str, int], set[int]] = {}
    subjects: dict[tuple[str, str, int], dict[WeekSet, int]] = defaultdict(lambda: defaultdict(int))
    for lesson in arrangement.table.lessons:
        if lesson.requirement not in here:
            continue
        block = part.blocks[lesson.requirement]
        for party in lesson.parties:
            numbers = list(part.bells.day(party.unit, lesson.weekday))
            if party.period not in numbers:
                # it rings no more, and the lesson stays until somebody moves it
                found.add("day_without_gaps")
                continue
            for school_class in party.classes:
                position = numbers.index(party.period)
                cells.setdefault((school_class, lesson.weekday), set()).update(range(position, position + block))
                subjects[school_class, lesson.subject, lesson.weekday][weeks_of(lesson)] += block
    for school_class, fewest in part.full_classes.items():
        for weekday in part.weekdays:
            taken = cells.get((school_class, weekday), set())
            if taken != set(range(len(taken))) or len(taken) < fewest:
                found.add("day_without_gaps")
    if any(fullest(loads) > part.most_a_day(c, subject) for (c, subject, _), loads in subjects.items()):
        found.add("subject_spread")
    return frozenset(found)
