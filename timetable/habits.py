"""This module owns the habits of a good table that are not hard rules: whole days and spread subjects.

A table that breaks one is free of clashes and may be published; whoever makes it should know.
"""

from collections import defaultdict
from collections.abc import Mapping

from timetable.model import Finding, Register, Table
from timetable.problem import Problem
from timetable.weeks import WeekSet, fullest, weeks_of

CODES: Mapping[str, str] = {
    "table_gap": "a class has a gap between two lessons",
    "table_crowded": "a class has too many lessons of one subject on a day",
}
"""Every code that this module can report, all of them warnings."""


def remarks(register: Register, *tables: Table) -> list[Finding]:
    """The habits that the tables break."""
    communities = {community.id: community for community in register.communities}
    found = []
    for table in tables:
        if table.community in communities:
            found += _remarks(Problem(register, communities[table.community]), table)
    return found


def _remarks(problem: Problem, table: Table) -> list[Finding]:
    taken: dict[tuple[str, int], set[int]] = defaultdict(set)
    periods: dict[tuple[str, str, int], dict[WeekSet, int]] = defaultdict(lambda: defaultdict(int))
    for lesson in table.lessons:
        block = problem.blocks.get(lesson.requirement, 1)
        for party in lesson.parties:
            numbers = list(problem.bells.day(party.unit, lesson.weekday))
            if party.period not in numbers:
                continue
            position = numbers.index(party.period)
            for school_class in party.classes:
                taken[school_class, lesson.weekday].update(range(position, position + block))
                periods[school_class, lesson.subject, lesson.weekday][weeks_of(lesson)] += block
    found = []
    for (school_class, weekday), positions in sorted(taken.items()):
        if school_class in problem.full_classes and positions != set(range(len(positions))):
            name = problem.classes[school_class].name
            found.append(_warning("table_gap", name=name, weekday=weekday))
    for (school_class, subject, weekday), loads in sorted(periods.items()):
        most = fullest(loads)
        if most > problem.most_a_day(school_class, subject):
            name = problem.classes[school_class].name
            found.append(_warning("table_crowded", name=name, subject=subject, weekday=weekday, lessons=most))
    return found


def _warning(code: str, **values: str | int) -> Finding:
    return Finding(code=code, values=values, severity="warning")
