"""This module owns what teachers could concede: a time at which they are not available, and more lessons than they give
on a day or in a week."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from msgspec import structs

from timetable.explaining.candidate import PRICES, Candidate, priced
from timetable.model import Register, Requirement, Teacher
from timetable.problem import Problem
from timetable.weeks import WeekSet, parted, sum_in, weeks_of

MOST_PER_DAY, MOST_PER_WEEK = 16, 60
"""What a register allows."""


def unavailable(problem: Problem, culprits: Sequence[Requirement], near: Sequence[Requirement]) -> Iterator[Candidate]:
    """Each time at which a teacher of theirs is not available."""
    for id in _teachers(near):
        teacher = problem.teachers[id]
        for busy in teacher.unavailable:
            free = structs.replace(teacher, unavailable=tuple(b for b in teacher.unavailable if b != busy))
            concession = priced("unavailable", name=teacher.name, weekday=busy.weekday, start=busy.start, end=busy.end)
            yield Candidate(concession, _with_teacher(problem, free))


def more_a_day(problem: Problem, culprits: Sequence[Requirement], near: Sequence[Requirement]) -> Iterator[Candidate]:
    """As many lessons more a day as the teacher's lessons need by counting, at least one."""
    for id in _teachers(culprits):
        teacher = problem.teachers[id]
        limits = range(teacher.max_per_day + 1, MOST_PER_DAY + 1)
        loads = list(_loads(problem, id))
        most = next((m for m in limits if all(_fits(load, elsewhere, m) for load, elsewhere in loads)), None)
        if most is not None:
            price = PRICES["teacher_day"] * (most - teacher.max_per_day)
            concession = priced("teacher_day", price=price, name=teacher.name, most=most)
            yield Candidate(concession, _with_teacher(problem, structs.replace(teacher, max_per_day=most)))


def more_a_week(problem: Problem, culprits: Sequence[Requirement], near: Sequence[Requirement]) -> Iterator[Candidate]:
    """As many lessons more a week as the teacher's lessons are too many."""
    for id in _teachers(culprits):
        teacher = problem.teachers[id]
        most = max((load + sum(elsewhere) for load, elsewhere in _loads(problem, id)), default=0)
        if teacher.max_per_week < most <= MOST_PER_WEEK:
            price = PRICES["teacher_week"] * (most - teacher.max_per_week)
            concession = priced("teacher_week", price=price, name=teacher.name, most=most)
            yield Candidate(concession, _with_teacher(problem, structs.replace(teacher, max_per_week=most)))


def _teachers(requirements: Sequence[Requirement]) -> list[str]:
    return list(dict.fromkeys(t for r in requirements for party in r.parties for t in party.teachers))


def _loads(problem: Problem, teacher: str) -> Iterator[tuple[int, list[int]]]:
    """The teacher's periods here, and on each day in other communities, in every part of the weeks."""
    here: dict[WeekSet, int] = defaultdict(int)
    for requirement in problem.requirements:
        if any(teacher in party.teachers for party in requirement.parties):
            here[weeks_of(requirement)] += requirement.weekly * requirement.block
    for weeks in parted(problem.weeks_elsewhere(teacher) | frozenset(here)):
        elsewhere = [problem.periods_elsewhere(teacher, weekday, weeks) for weekday in problem.weekdays]
        yield sum_in(here.items(), weeks), elsewhere


def _fits(load: int, elsewhere: Sequence[int], most: int) -> bool:
    return load <= sum(max(0, most - taken) for taken in elsewhere)


def _with_teacher(problem: Problem, changed: Teacher) -> Callable[[], Register]:
    def change() -> Register:
        teachers = tuple(changed if teacher.id == changed.id else teacher for teacher in problem.register.teachers)
        return structs.replace(problem.register, teachers=teachers)

    return change
