"""This module owns the register looked up by id, as later changes need it: who, where, how far, in which words."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from timetable.model import BusyTime, Lesson, Register
from timetable.titles import short_title
from timetable.travel import TravelTimes


class Grounds:
    """The register, looked up once."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.term = register.term
        self.units = {unit.id: unit for unit in register.units}
        self.classes = {c.id: c for c in register.classes}
        self.teachers = {teacher.id: teacher for teacher in register.teachers}
        self.rooms = {room.id: room for room in register.rooms}
        self.communities = {community.id: community for community in register.communities}
        self.requirements = {requirement.id: requirement for requirement in register.requirements}
        self.travel = TravelTimes(register)

    @cached_property
    def remote_rooms(self) -> Mapping[str, Sequence[str]]:
        """The remote rooms that a unit may use: its own first, then the others of its campus."""
        remote = [room for room in self.register.rooms if room.kind == "remote"]
        return {
            unit.id: [
                *(room.id for room in remote if room.unit == unit.id),
                *(room.id for room in remote if room.unit != unit.id and room.campus == unit.campus),
            ]
            for unit in self.register.units
        }

    @cached_property
    def busy_rooms(self) -> Mapping[str, Sequence[BusyTime]]:
        found: dict[str, list[BusyTime]] = defaultdict(list)
        for room, busy in self.register.busy_rooms:
            found[room].append(busy)
        return found

    def block(self, lesson: Lesson) -> int:
        """How many consecutive periods a lesson takes."""
        requirement = self.requirements.get(lesson.requirement)
        return requirement.block if requirement else 1

    def slack(self, lesson: Lesson, community: str) -> int:
        """How many minutes less than their length the windows of a lesson may share."""
        known, requirement = self.communities.get(community), self.requirements.get(lesson.requirement)
        return (known.overlap_slack if known else 0) + (requirement.overlap_conceded if requirement else 0)

    def campus(self, unit: str) -> str | None:
        known = self.units.get(unit)
        return known.campus if known else None

    def title(self, lesson: Lesson) -> str:
        """Subject and classes: 科学 五(2)班; of what has no class what it is and whose."""
        classes = next((party.classes for party in lesson.parties if party.classes), ())
        names = (self.classes[id].name for id in classes if id in self.classes)
        return short_title(lesson, names, self.unit_name(lesson.host.unit))

    def unit_name(self, id: str) -> str:
        return self.units[id].short_name if id in self.units else id

    def teacher_name(self, id: str) -> str:
        return self.teachers[id].name if id in self.teachers else id
