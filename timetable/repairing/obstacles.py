"""This module owns what stands in a lesson's way in another slot, in words, with the lessons that would have to go."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from timetable.bells import Windows, near
from timetable.model import SHARED_KINDS, Finding, Lesson, Party, clock
from timetable.placement import Placement
from timetable.repairing.arrangement import Arrangement, classes_of
from timetable.repairing.stays import Stay, meeting
from timetable.weeks import parted, weeks_of

CODES: Mapping[str, str] = {
    "slot_class_busy": "a class has another lesson then",
    "slot_teacher_busy": "a teacher has another lesson then",
    "slot_teacher_travel": "a teacher has too little time for the way from or to another lesson",
    "slot_teacher_unavailable": "a teacher is unavailable then",
    "slot_teacher_elsewhere": "a teacher has a lesson in another community then, or is on the way",
    "slot_teacher_day": "a teacher would have more lessons that day than allowed",
    "slot_room_busy": "the room has another lesson then",
    "slot_room_taken": "the room is taken by others then",
    "slot_no_remote_room": "every remote room of a school is taken then",
    "slot_link": "a school's line carries no more lessons then",
}
"""Every code that this module can report."""


class Obstacle(NamedTuple):
    """What stands in a lesson's way. At least `must_leave` of the `lessons` would have to go for it; without lessons
    nothing in the table helps."""

    finding: Finding
    lessons: tuple[str, ...] = ()
    must_leave: int = 0


def obstacles(arrangement: Arrangement, lesson: Lesson, placement: Placement) -> list[Obstacle]:
    """What stands in the way of the lesson at that placement, all other lessons standing where they are."""
    found = _Way(arrangement, lesson, placement).obstacles()
    return list({(one.finding.code, repr(one.finding.values)): one for one in found}.values())


class _Way:
    """The way of one lesson into one placement."""

    def __init__(self, arrangement: Arrangement, lesson: Lesson, placement: Placement) -> None:
        self._arrangement = arrangement
        self._problem = arrangement.problem
        self._stays = arrangement.stays
        self._lesson = lesson
        self._weeks = weeks_of(lesson)
        self._sides = placement.sides
        self._weekday = placement.weekday

    def obstacles(self) -> Iterator[Obstacle]:
        requirement = self._arrangement.requirements[self._lesson.requirement]
        rooms: list[str] = []
        for party, side in zip(requirement.parties, self._sides, strict=True):
            for school_class in party.classes:
                yield from self._class_busy(school_class, side.windows)
            for teacher in party.teachers:
                yield from self._teacher_busy(teacher, party.unit, side.windows)
                yield from self._teacher_day(teacher, requirement.block)
            if requirement.kind in SHARED_KINDS:
                yield from self._line_full(party.unit, side.windows)
                room = self._stays.free_remote_room(
                    self._lesson, party.unit, self._weekday, side.windows, taken_by_itself=rooms
                )
                if room is None:
                    yield self._no_remote_room(party.unit, side.windows)
                else:
                    rooms.append(room)
            elif party.classes:
                yield from self._home_busy(party, side.windows)

    def _class_busy(self, school_class: str, windows: Windows) -> Iterator[Obstacle]:
        name = self._problem.classes[school_class].name
        for stay in meeting(self._stays.of_class.get((school_class, self._weekday), ()), self._lesson, windows):
            yield self._held_by(stay, "slot_class_busy", name=name)

    def _teacher_busy(self, teacher: str, unit: str, windows: Windows) -> Iterator[Obstacle]:
        problem, weeks = self._problem, self._weeks
        campus, name = problem.units[unit].campus, problem.teachers[teacher].name
        for stay in self._stays.of_teacher.get((teacher, self._weekday), ()):
            if stay.lesson == self._lesson.id or not stay.weeks & weeks:
                continue
            way = problem.travel.between(campus, stay.campus)
            if near(windows, stay.windows):
                yield self._held_by(stay, "slot_teacher_busy", name=name)
            elif near(windows, stay.windows, way):
                yield self._held_by(stay, "slot_teacher_travel", name=name, minutes=way)
        for held in problem.held_of(teacher):
            way = problem.travel.between(campus, held.campus)
            if held.weekday == self._weekday and held.weeks & weeks and near(windows, held.windows, way):
                code = "slot_teacher_unavailable" if held.campus is None else "slot_teacher_elsewhere"
                times = {"start": clock(held.window.start), "end": clock(held.window.end)}
                yield Obstacle(Finding(code=code, values={"name": name, **times}))

    def _teacher_day(self, teacher: str, block: int) -> Iterator[Obstacle]:
        problem, own = self._problem, self._weeks
        others = {
            stay.lesson: stay.weeks & own
            for stay in self._stays.of_teacher.get((teacher, self._weekday), ())
            if stay.lesson != self._lesson.id and stay.weeks & own
        }
        for weeks in parted(frozenset((own, *others.values()))):
            there = [id for id, other in others.items() if other & weeks]
            periods = block + problem.periods_elsewhere(teacher, self._weekday, weeks)
            periods += sum(self._arrangement.block(id) for id in there)
            most = problem.teachers[teacher].max_per_day
            if periods > most:
                values: dict[str, str | int] = {
                    "name": problem.teachers[teacher].name,
                    "lessons": periods,
                    "most": most,
                }
                yield Obstacle(Finding(code="slot_teacher_day", values=values), tuple(there), 1)
                return

    def _home_busy(self, party: Party, windows: Windows) -> Iterator[Obstacle]:
        problem, lessons = self._problem, self._arrangement.lessons
        room = problem.classes[party.classes[0]].room
        name = next((r.name for r in problem.register.rooms if r.id == room), room)
        for stay in meeting(self._stays.in_room.get((room, self._weekday), ()), self._lesson, windows):
            if not set(party.classes) & set(classes_of(lessons[stay.lesson])):
                yield self._held_by(stay, "slot_room_busy", name=name)
        if not problem.room_free(room, self._weekday, windows, self._weeks):
            values: dict[str, str | int] = {"name": name, "start": clock(windows[0].start)}
            yield Obstacle(Finding(code="slot_room_taken", values=values))

    def _line_full(self, unit: str, windows: Windows) -> Iterator[Obstacle]:
        name, most = self._problem.units[unit].name, self._problem.units[unit].link_capacity
        own = self._weeks
        here = list(meeting(self._stays.on_line.get((unit, self._weekday), ()), self._lesson, windows))
        for season, window in enumerate(windows):
            overlapping = [stay for stay in here if window.overlap(stay.windows[season]) > 0]
            begins = (stay.windows[season].start for stay in overlapping)
            for at in sorted({window.start, *(start for start in begins if start > window.start)}):
                now = [s for s in overlapping if s.windows[season].start <= at < s.windows[season].end]
                for weeks in parted(frozenset((own, *(stay.weeks & own for stay in now)))):
                    together = [stay.lesson for stay in now if stay.weeks & weeks]
                    if len(together) + 1 > most:
                        values: dict[str, str | int] = {"unit": name, "start": clock(at), "most": most}
                        finding = Finding(code="slot_link", values=values)
                        yield Obstacle(finding, tuple(together), min(1, len(together)))
                        return

    def _no_remote_room(self, unit: str, windows: Windows) -> Obstacle:
        usable = self._problem.remote_rooms[unit]
        users = [
            stay.lesson
            for room in usable
            for stay in meeting(self._stays.in_room.get((room.id, self._weekday), ()), self._lesson, windows)
        ]
        values: dict[str, str | int] = {
            "unit": self._problem.units[unit].name,
            "start": clock(windows[0].start),
            "rooms": len(usable),
        }
        finding = Finding(code="slot_no_remote_room", values=values)
        return Obstacle(finding, tuple(dict.fromkeys(users)), min(1, len(users)))

    def _held_by(self, stay: Stay, code: str, **values: str | int) -> Obstacle:
        """The obstacle that one lesson is."""
        of_lesson = {"other": self._arrangement.title(stay.lesson), "start": clock(stay.window.start)}
        return Obstacle(Finding(code=code, values={**values, **of_lesson}), (stay.lesson,), 1)
