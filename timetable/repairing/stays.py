"""This module owns who and what is where each week: the stays of classes, teachers, rooms and lines, by weekday.

Lessons can be entered one after the other; a free remote room is found among those entered so far.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from timetable.bells import Window, Windows, near
from timetable.commitments import windows_of
from timetable.model import SHARED_KINDS, Lesson
from timetable.problem import Problem
from timetable.weeks import WeekSet, weeks_of


class Stay(NamedTuple):
    """A lesson in one place for a while, in its weeks."""

    lesson: str
    windows: Windows
    weeks: WeekSet
    campus: str

    @property
    def window(self) -> Window:
        """As the term begins."""
        return self.windows[0]


class Stays:
    """The stays of these lessons, by who or what stays and the weekday. Their units must be known to the problem."""

    def __init__(self, problem: Problem, lessons: Iterable[Lesson]) -> None:
        self._problem = problem
        self.of_class: dict[tuple[str, int], list[Stay]] = defaultdict(list)
        self.of_teacher: dict[tuple[str, int], list[Stay]] = defaultdict(list)
        self.in_room: dict[tuple[str, int], list[Stay]] = defaultdict(list)
        self.on_line: dict[tuple[str, int], list[Stay]] = defaultdict(list)
        """Shared lessons alone: those that a unit's line carries."""
        for lesson in lessons:
            self.enter(lesson)

    def enter(self, lesson: Lesson) -> None:
        times = windows_of(lesson, self._problem.bells.seasons)
        weeks = weeks_of(lesson)
        for party, windows in zip(lesson.parties, times, strict=True):
            day = lesson.weekday
            stay = Stay(lesson.id, windows, weeks, self._problem.units[party.unit].campus)
            for school_class in party.classes:
                self.of_class[school_class, day].append(stay)
            for teacher in party.teachers:
                self.of_teacher[teacher, day].append(stay)
            if party.room is not None:
                self.in_room[party.room, day].append(stay)
            if lesson.kind in SHARED_KINDS:
                self.on_line[party.unit, day].append(stay)

    def free_remote_room(
        self,
        lesson: Lesson,
        unit: str,
        weekday: int,
        windows: Windows,
        *,
        wanted: str | None = None,
        taken_by_itself: Collection[str | None] = (),
    ) -> str | None:
        """A remote room of the unit that nothing holds then: the wanted one where that is free."""
        usable = [room.id for room in self._problem.remote_rooms[unit] if room.id not in taken_by_itself]
        for room in sorted(usable, key=lambda room: room != wanted):
            taken = any(True for _ in meeting(self.in_room.get((room, weekday), ()), lesson, windows))
            if not taken and self._problem.room_free(room, weekday, windows, weeks_of(lesson)):
                return room
        return None


def meeting(stays: Iterable[Stay], lesson: Lesson, windows: Windows) -> Iterable[Stay]:
    """Those of the stays, all of one weekday, that other lessons have while the lesson is in these windows."""
    weeks = weeks_of(lesson)
    return (stay for stay in stays if stay.lesson != lesson.id and stay.weeks & weeks and near(windows, stay.windows))
