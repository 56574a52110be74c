"""This module owns next year's classes: who moves up, who leaves, who begins, and where they sit.

A class keeps its id for as long as it is at the school, so that calendars and reviews keep its history; a new one is
named by the year in which it begins.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta, structs

from timetable.model import Id, Model, Register, Room, SchoolClass, SchoolUnit, Stage
from timetable.years.remarks import Remarks

GRADES: Mapping[Stage, tuple[int, int]] = {"primary": (1, 6), "junior": (7, 9)}
NUMERALS = "一二三四五六七八九"
CLASS_NAME = re.compile(rf"^([{NUMERALS}])([（(]\d+[)）]班)$")


class Entry(Model, frozen=True, kw_only=True):
    """The classes that begin at a unit: the pupils of each."""

    unit: Id
    pupils: Annotated[tuple[Annotated[int, Meta(ge=0, le=99)], ...], Meta(max_length=60)]


class Moved(Model, frozen=True, kw_only=True):
    """A class before and after; no `before` of one that begins, no `after` of one that leaves."""

    id: Id
    unit: Id
    before: str = ""
    after: str = ""


class NextClasses:
    """Worked out at once; `year` is the one in which the new classes begin."""

    def __init__(self, register: Register, entries: Sequence[Entry], year: int, remarks: Remarks) -> None:
        self._year = year
        self._remarks = remarks
        self._units = {unit.id: unit for unit in register.units}
        self._entries = {entry.unit: entry for entry in entries}
        self._by_grade = by_grade(register.classes)
        self._rooms = {room.id: room for room in register.rooms}
        self.classes: list[SchoolClass] = []
        self.moved: list[Moved] = []
        self.room_names: dict[str, str] = {}
        """Home rooms that are called by their class, with their new names."""
        self.new_rooms: list[Room] = []
        self._turn()

    def _turn(self) -> None:
        for id in self._entries:
            if id not in self._units:
                self._remarks.find("rollover_entry_unknown", "error", id=id)
        for unit in self._units.values():
            freed: list[str] = []
            first, last = GRADES[unit.stage]
            for grade in range(last, first - 1, -1):
                for school_class in self._by_grade.get((unit.id, grade), ()):
                    if grade == last:
                        self.moved.append(Moved(id=school_class.id, unit=unit.id, before=school_class.name))
                        freed.append(school_class.room)
                    else:
                        self.classes.append(self._promoted(school_class))
            self._begin(unit, first, freed)

    def _promoted(self, old: SchoolClass) -> SchoolClass:
        parts = CLASS_NAME.match(old.name)
        name = f"{NUMERALS[old.grade]}{parts[2]}" if parts else old.name
        if parts is None:
            self._remarks.find("rollover_name_kept", name=old.name, unit=self._units[old.unit].short_name)
        self._rename_room(old.room, old.name, name)
        self.moved.append(Moved(id=old.id, unit=old.unit, before=old.name, after=name))
        return structs.replace(old, grade=old.grade + 1, name=name)

    def _begin(self, unit: SchoolUnit, grade: int, freed: Sequence[str]) -> None:
        leaving = self._by_grade.get((unit.id, GRADES[unit.stage][1]), ())
        entry = self._entries.get(unit.id)
        if entry is None:
            if not leaving:
                return
            self._remarks.find("rollover_entry_assumed", unit=unit.short_name, classes=len(leaving))
            entry = Entry(unit=unit.id, pupils=tuple(school_class.pupils for school_class in leaving))
        style = "({})班"
        for number, pupils in enumerate(entry.pupils, 1):
            id, name = f"{unit.id}.e{self._year}-{number}", f"{NUMERALS[grade - 1]}{style.format(number)}"
            if number <= len(freed):
                room = freed[number - 1]
                self._rename_room(room, leaving[number - 1].name, name)
            else:
                room = f"{id}.room"
                self.new_rooms.append(Room(id=room, name=f"{name}教室", unit=unit.id, campus=unit.campus, kind="home"))
            self.classes.append(
                SchoolClass(id=id, name=name, unit=unit.id, grade=grade, number=number, pupils=pupils, room=room)
            )
            self.moved.append(Moved(id=id, unit=unit.id, after=name))

    def _rename_room(self, room: str, old: str, new: str) -> None:
        known = self._rooms.get(room)
        if known is not None and old in known.name:
            self.room_names[room] = known.name.replace(old, new)


def by_grade(classes: Sequence[SchoolClass]) -> dict[tuple[str, int], list[SchoolClass]]:
    found: dict[tuple[str, int], list[SchoolClass]] = defaultdict(list)
    for school_class in sorted(classes, key=lambda c: (c.number, c.id)):
        found[school_class.unit, school_class.grade].append(school_class)
    return dict(found)
