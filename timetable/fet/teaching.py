"""This module owns what a FET file teaches: its activities as requirements, their times as fixed slots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from timetable.fet.file import FetActivity, FetFile
from timetable.fet.limits import MOST_A_DAY, Limits
from timetable.fet.naming import NAME_LENGTH, Ids, short
from timetable.fet.school import School
from timetable.fet.students import parts_of
from timetable.model import Id, Kind, Party, Requirement, Slot, Teacher

MOST_WEEKLY, MOST_BLOCK = 20, 3


class Teaching:
    """The activities of a file as requirements of the unit in the community."""

    def __init__(self, file: FetFile, limits: Limits, ids: Ids, school: School, unit: Id, community: Id) -> None:
        self._file = file
        self._limits = limits
        self._ids = ids
        self._school = school
        self._unit = unit
        self._community = community
        self.assumed: list[Teacher] = []
        """Teachers who stand in for activities that name none."""

    def requirements(self) -> Iterator[Requirement]:
        alike: dict[tuple[object, ...], list[FetActivity]] = defaultdict(list)
        for activity in self._file.activities:
            if activity.students or activity.teachers:
                key = (activity.group, activity.duration, activity.teachers, activity.students, activity.subject)
                alike[key].append(activity)
        for activities in alike.values():
            for first in range(0, len(activities), MOST_WEEKLY):
                yield self._requirement(activities[first : first + MOST_WEEKLY])

    def _requirement(self, activities: list[FetActivity]) -> Requirement:
        sample = activities[0]
        parts = parts_of(self._file, sample.students)
        classes = tuple(id for found, id in self._school.class_ids.items() if found.parts & parts)
        block, pieces = _divided(sample.duration)
        weekly = min(MOST_WEEKLY, len(activities) * pieces)
        id = self._ids.give("a", sample.comments)
        teachers = tuple(self._school.teacher_ids[teacher] for teacher in sample.teachers) or (self._stand_in(sample),)
        kind: Kind = "local" if classes else "joint_preparation"
        starts = [self._limits.starts[a.id] for a in activities if a.id in self._limits.starts]
        slots = [Slot(weekday=s.weekday, period=s.period + n * block) for s in starts for n in range(pieces)]
        return Requirement(
            id=id,
            kind=kind,
            subject=short(sample.subject) or "-",
            parties=(Party(unit=self._unit, classes=classes, teachers=teachers),),
            weekly=weekly,
            community=self._community,
            block=block,
            locked=tuple(slot for slot in dict.fromkeys(slots) if slot.period <= MOST_A_DAY)[:weekly],
        )

    def _stand_in(self, activity: FetActivity) -> str:
        """A teacher for an activity that names none, with nothing else to do."""
        subject = short(activity.subject) or "-"
        id = self._ids.give("x", "")
        self.assumed.append(Teacher(id=id, name=f"? {subject}"[:NAME_LENGTH], posts=(self._unit,), subjects=(subject,)))
        return id


def _divided(duration: int) -> tuple[int, int]:
    """Length of a block, and how many of them make up an activity: blocks here have at most three periods."""
    for block in range(MOST_BLOCK, 0, -1):
        if duration % block == 0:
            return block, duration // block
    return 1, duration
