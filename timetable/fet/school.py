"""This module owns who and what a FET file has: its teachers, classes and rooms, and when they cannot be had."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from timetable.fet.file import FetFile
from timetable.fet.hours import Hours
from timetable.fet.limits import MOST_A_DAY, Limits
from timetable.fet.naming import Ids, grade_in, short
from timetable.fet.students import FoundClass, classes_of, parts_of
from timetable.model import BusyTime, Id, Room, SchoolClass, Slot, Teacher

MOST_PUPILS = 99


class School:
    """The teachers, classes and rooms of a file as rows of the register, in its one unit on its one campus."""

    def __init__(self, file: FetFile, hours: Hours, limits: Limits, ids: Ids, unit: Id, campus: Id) -> None:
        self._file = file
        self._hours = hours
        self._limits = limits
        self._unit = unit
        self._campus = campus
        self.class_ids = {found: ids.give("c", found.comments) for found in classes_of(file)}
        taught_by = {teacher for activity in file.activities for teacher in activity.teachers}
        names = dict.fromkeys([*file.teachers, *sorted(taught_by - set(file.teachers))])
        self.teacher_ids = {teacher: ids.give("t", file.teachers.get(teacher, "")) for teacher in names}
        rooms = dict.fromkeys([*file.rooms, *filter(None, limits.homes.values())])
        self._room_ids = {room: ids.give("r", file.rooms.get(room, "")) for room in rooms}
        self._homes = {found: self._home(found) or ids.give("h", "") for found in self.class_ids}

    def teachers(self) -> Iterator[Teacher]:
        return (self._teacher(name) for name in self.teacher_ids)

    def classes(self) -> Iterator[SchoolClass]:
        return (self._class(number, found) for number, found in enumerate(self.class_ids, 1))

    def _teacher(self, name: str) -> Teacher:
        limits = self._limits
        subjects = dict.fromkeys(short(a.subject) or "-" for a in self._file.activities if name in a.teachers)
        return Teacher(
            id=self.teacher_ids[name],
            name=short(name),
            posts=(self._unit,),
            subjects=tuple(subjects),
            max_per_day=limits.most_a_day.get(name, limits.most_a_day.get("", MOST_A_DAY)),
            max_per_week=60,
            unavailable=self._hours.busy(limits.teachers_away.get(name, ())),
        )

    def _class(self, number: int, found: FoundClass) -> SchoolClass:
        return SchoolClass(
            id=self.class_ids[found],
            name=short(found.name),
            unit=self._unit,
            grade=grade_in(found.name) or 1,
            number=min(number, 60),
            pupils=min(found.pupils, MOST_PUPILS),
            room=self._homes[found],
        )

    def _home(self, found: FoundClass) -> str | None:
        """The home room that FET gives exactly this class; none where others have it too."""
        homes = [room for room in self._limits.homes.values() if room]
        for students, room in self._limits.homes.items():
            parts = parts_of(self._file, (students,))
            if room and found.parts <= parts and homes.count(room) == 1 and parts == set(found.parts):
                return self._room_ids[room]
        return None

    def rooms(self) -> Iterator[Room]:
        homes = {id: found.name for found, id in self._homes.items()}
        names = {id: name for name, id in self._room_ids.items()}
        for id in dict.fromkeys((*self._room_ids.values(), *homes)):
            kind = "home" if id in homes else "special"
            name = short(names.get(id, homes.get(id, id)))
            yield msgspec.convert(
                {"id": id, "name": name, "unit": self._unit, "campus": self._campus, "kind": kind}, Room
            )

    def busy_rooms(self) -> Iterator[tuple[Id, BusyTime]]:
        """When rooms cannot be had; a class that is away keeps its home room empty."""
        away: dict[str, set[Slot]] = defaultdict(set)
        for room, slots in self._limits.rooms_away.items():
            if room in self._room_ids:
                away[self._room_ids[room]] |= slots
        for students, slots in self._limits.students_away.items():
            parts = parts_of(self._file, (students,))
            for found, home in self._homes.items():
                if found.parts & parts:
                    away[home] |= slots
        for room, slots in away.items():
            yield from ((room, busy) for busy in self._hours.busy(slots - self._limits.breaks))
