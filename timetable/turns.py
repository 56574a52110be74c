"""This module owns whose turn it is in a week of the term.

A lesson that goes round (轮讲, 轮值主席) passes from unit to unit with every week in which the table has it. Weeks are
counted by the calendar alone: a holiday takes a unit's turn and changes nobody else's, so that what a teacher has
prepared stays theirs.
"""

from msgspec import structs

from timetable.model import Id, Lesson, Weeks
from timetable.weeks import held_in


def turn(rotation: tuple[Id, ...], weeks: Weeks, only_weeks: tuple[int, ...], week: int) -> Id | None:
    """The unit whose turn it is in a term week; None where nothing goes round."""
    if not rotation:
        return None
    if only_weeks:
        before = sum(1 for one in set(only_weeks) if one < week and held_in(weeks, (), one))
    else:
        before = week - 1 if weeks == "all" else (week - 1) // 2
    return rotation[before % len(rotation)]


def in_week(lesson: Lesson, week: int) -> Lesson:
    """The lesson as it is in a term week: the unit whose turn it is comes first, as the host or the chair."""
    first = turn(lesson.rotation, lesson.weeks, lesson.only_weeks, week)
    return lesson if first is None else led_by(lesson, first)


def led_by(lesson: Lesson, unit: Id) -> Lesson:
    """The lesson with that unit of its first, the others in their order."""
    if lesson.host.unit == unit:
        return lesson
    order = sorted(range(len(lesson.parties)), key=lambda index: lesson.parties[index].unit != unit)
    later = tuple(
        structs.replace(times, parties=tuple(times.parties[index] for index in order)) for times in lesson.later
    )
    return structs.replace(lesson, parties=tuple(lesson.parties[index] for index in order), later=later)
