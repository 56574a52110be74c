"""This module owns which classes a FET file has: the finest sets of students that its activities tell apart.

FET divides years into groups and subgroups; here a class has no parts. A year whose groups are always taught together
is one class, a class that is divided for one subject becomes as many classes as there are divisions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from timetable.fet.file import FetFile, StudentSet


@dataclass(frozen=True, slots=True)
class FoundClass:
    """Sets of students that are always taught together, by the best name there is for them."""

    name: str
    parts: frozenset[str]
    pupils: int
    comments: str


def classes_of(file: FetFile) -> tuple[FoundClass, ...]:
    """The classes, in the order of the file."""
    taught: dict[str, list[str]] = defaultdict(list)
    for activity in file.activities:
        for part in parts_of(file, activity.students):
            taught[part].append(activity.id)
    together: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    for found in file.students.values():
        for part in sorted(found.parts):
            together.setdefault((found.year, tuple(taught[part])), set()).add(part)
    lively = {year for year, lessons in together if lessons}
    seen: set[str] = set()
    classes = []
    for (year, lessons), parts in together.items():
        # a part that belongs to two years, and one without lessons beside others, is no class of its own
        if (lessons or year not in lively) and not parts & seen:
            seen |= parts
            classes.append(_class(file.students, frozenset(parts)))
    return tuple(classes)


def parts_of(file: FetFile, names: Iterable[str]) -> set[str]:
    """The smallest sets that these sets are made of; an unknown name is none."""
    return {part for name in names if name in file.students for part in file.students[name].parts}


def _class(students: Mapping[str, StudentSet], parts: frozenset[str]) -> FoundClass:
    exact = [found for found in students.values() if found.parts == parts]
    if exact:
        # "5a" rather than its year "5" that has no other group
        best = max(exact, key=lambda found: (bool(found.comments), -abs(found.rank - 1)))
        return FoundClass(best.name, parts, best.students, best.comments)
    members = [students[part] for part in sorted(parts) if part in students]
    name = "+".join(sorted(parts))
    return FoundClass(name, parts, sum(found.students for found in members), "")
