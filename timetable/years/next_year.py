"""This module owns the look at next year's register: who gets too much or too little, and who is not yet known."""

from collections import defaultdict
from collections.abc import Mapping

from timetable.model import Register, Requirement
from timetable.years.remarks import Remarks

WEEKLY_PERIODS: Mapping[int, int] = {1: 26, 2: 26, 3: 30, 4: 30, 5: 30, 6: 30, 7: 34, 8: 34, 9: 34}
"""Periods a week by grade, after the 2022 curriculum plan."""
LESSONS = frozenset({"local", "sync", "dedicated"})


def judge(register: Register, taught: Mapping[tuple[str, str], tuple[str, ...]], remarks: Remarks) -> None:
    """What the new year leaves unclear; `taught` is who taught which class what."""
    teachers = {teacher.id: teacher for teacher in register.teachers}
    units = {unit.id: unit for unit in register.units}
    classes = {school_class.id: school_class for school_class in register.classes}
    periods: dict[str, float] = defaultdict(float)
    loads: dict[str, float] = defaultdict(float)
    foreign: set[tuple[str, str]] = set()
    for requirement in register.requirements:
        for party in requirement.parties:
            for id in party.classes:
                periods[id] += periods_of(requirement)
            for id in party.teachers:
                loads[id] += periods_of(requirement)
            if requirement.kind == "local":
                for id in party.teachers:
                    if requirement.subject not in teachers[id].subjects:
                        foreign.add((id, requirement.subject))
                if not party.teachers:
                    name = classes[party.classes[0]].name
                    unit = units[party.unit].short_name
                    remarks.find("rollover_no_teacher", "error", subject=requirement.subject, name=name, unit=unit)
    known = {(id, s) for (_, s), ids in taught.items() for id in ids}
    for id, subject in sorted(foreign - known):
        remarks.find("rollover_other_subject", name=teachers[id].name, subject=subject)
    for school_class in register.classes:
        expected, has = WEEKLY_PERIODS[school_class.grade], periods[school_class.id]
        if has != expected:
            unit = units[school_class.unit].short_name
            counts: dict[str, str | int] = {"periods": _number(has), "expected": expected}
            remarks.find("rollover_periods", "warning", name=school_class.name, unit=unit, **counts)
    for id, load in sorted(loads.items()):
        teacher = teachers[id]
        if load > teacher.max_per_week:
            unit = units[teacher.posts[0]].short_name
            counts = {"lessons": _number(load), "most": teacher.max_per_week}
            remarks.find("rollover_overload", "warning", name=teacher.name, unit=unit, **counts)


def periods_of(requirement: Requirement) -> float:
    """What it takes of a class's week; tests and series of a few weeks are not part of the weekly plan."""
    if requirement.kind not in LESSONS or requirement.only_weeks:
        return 0.0
    return requirement.weekly * requirement.block * (1.0 if requirement.weeks == "all" else 0.5)


def _number(periods: float) -> int | str:
    return int(periods) if periods == int(periods) else str(periods)
