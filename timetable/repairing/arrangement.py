"""This module owns a standing table looked up: its lessons by requirement, class and teacher, and where each stands.

It knows nothing of the search: a move of one lesson is judged by looking, in milliseconds.
"""

import copy
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from timetable.bells import Window
from timetable.checker import check
from timetable.commitments import windows_of
from timetable.model import SHARED_KINDS, Finding, Lesson, Table, minutes
from timetable.placement import Placement, Side
from timetable.problem import Problem
from timetable.repairing.stays import Stays
from timetable.titles import short_title


class Arrangement:
    """The table of one community, indexed once. Its requirements must all be known to the problem."""

    def __init__(self, problem: Problem, table: Table) -> None:
        self.problem = problem
        self.table = table
        self.requirements = {requirement.id: requirement for requirement in problem.requirements}
        self.lessons = {lesson.id: lesson for lesson in table.lessons}
        self.stays = Stays(problem, table.lessons)

    @cached_property
    def of_requirement(self) -> Mapping[str, Sequence[Lesson]]:
        found: dict[str, list[Lesson]] = defaultdict(list)
        for lesson in self.table.lessons:
            found[lesson.requirement].append(lesson)
        return found

    @cached_property
    def of_class(self) -> Mapping[str, Sequence[str]]:
        """The lessons of every class, by id."""
        found: dict[str, list[str]] = defaultdict(list)
        for lesson in self.table.lessons:
            for school_class in classes_of(lesson):
                found[school_class].append(lesson.id)
        return found

    @cached_property
    def of_teacher(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for lesson in self.table.lessons:
            for teacher in teachers_of(lesson):
                found[teacher].append(lesson.id)
        return found

    @cached_property
    def conceding(self) -> frozenset[str]:
        """The lessons whose concessions are weighed against each other: all shared ones, where a unit has wishes."""
        shared = (id for id, lesson in self.lessons.items() if lesson.kind in SHARED_KINDS)
        return frozenset(shared) if self.problem.wishes else frozenset()

    @cached_property
    def findings(self) -> Sequence[Finding]:
        """What the independent checker says about the table as it stands."""
        return tuple(check(self.problem.register, self.table))

    def standing(self, lesson: Lesson) -> Placement:
        """Where the lesson stands now."""
        seasons = self.problem.bells.seasons
        sides = []
        block = self.requirements[lesson.requirement].block
        for party, windows in zip(lesson.parties, windows_of(lesson, seasons), strict=True):
            run = self.problem.bells.run(party.unit, lesson.weekday, party.period, block)
            sides.append(Side(run[0] if run else (party.period,), windows))
        dated = (lesson.by_date(first) for first in seasons)
        shares = tuple(Window(minutes(one.start), minutes(one.end)) for one in dated)
        return Placement(lesson.weekday, lesson.host.period, tuple(sides), shares)

    def block(self, lesson: str) -> int:
        """How many consecutive periods the lesson takes."""
        return self.requirements[self.lessons[lesson].requirement].block

    def title(self, lesson: str | Lesson) -> str:
        """Subject and classes: 科学 五(2)班; of what has no class what it is and whose."""
        known = self.lessons[lesson] if isinstance(lesson, str) else lesson
        names = (self.problem.classes[id].name for id in classes_of(known))
        return short_title(known, names, self.problem.units[known.host.unit].short_name)


def narrowed(problem: Problem, classes: set[str]) -> Problem:
    """The same problem, in which only these classes are planned whole and spread their subjects."""
    # What follows from all requirements is looked up in the whole before it is copied.
    problem.most_a_day("", "")
    _ = problem.shared_sides
    part = copy.copy(problem)
    part.full_classes = {id: fewest for id, fewest in problem.full_classes.items() if id in classes}
    part.two_a_week = {pair for pair in problem.two_a_week if pair[0] in classes}
    part.remote_rooms = problem.remote_rooms
    return part


def classes_of(lesson: Lesson) -> tuple[str, ...]:
    return tuple(school_class for party in lesson.parties for school_class in party.classes)


def teachers_of(lesson: Lesson) -> tuple[str, ...]:
    return tuple(dict.fromkeys(teacher for party in lesson.parties for teacher in party.teachers))
