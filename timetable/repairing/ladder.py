"""This module owns the ladder that a repair climbs: with each rung more of the table's lessons may move."""

from collections.abc import Collection
from typing import Literal

from timetable.repairing.arrangement import Arrangement, classes_of, teachers_of

Rung = Literal["alone", "lessons", "classes", "teachers", "all"]
LADDER: tuple[Rung, ...] = ("lessons", "classes", "teachers", "all")


def free_on(rung: Rung, arrangement: Arrangement, touched: Collection[str]) -> frozenset[str]:
    """The lessons that may move on a rung: the touched ones; with all of their classes; with all of the teachers of
    those too; all. By id."""
    if rung == "all":
        return frozenset(arrangement.lessons)
    if rung == "lessons":
        return frozenset(touched)
    classes = {c for id in touched for c in classes_of(arrangement.lessons[id])}
    ids = {id for school_class in classes for id in arrangement.of_class[school_class]} | set(touched)
    if rung == "teachers":
        teachers = {t for id in ids for t in teachers_of(arrangement.lessons[id])}
        ids |= {id for teacher in teachers for id in arrangement.of_teacher[teacher]}
    return frozenset(ids)
