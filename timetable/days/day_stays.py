"""This module owns who and what is where on one day: classes, teachers, rooms and lines, and when everybody is free."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import NamedTuple

from msgspec import Struct

from timetable import bells
from timetable.bells import Window
from timetable.days.closings import Closings
from timetable.days.grounds import Grounds
from timetable.days.standing import Standing
from timetable.model import SHARED_KINDS, BusyTime, Finding, Lesson, PlacedParty, clock, minutes
from timetable.weeks import WeekSet, week_set


class Kept(Struct, frozen=True):
    """A lesson in the book, under an identity by which it can be left out."""

    uid: str
    lesson: Lesson
    parties: tuple[PlacedParty, ...]


class Stay(NamedTuple):
    uid: str
    lesson: Lesson
    window: Window
    campus: str | None
    supervising: bool = False


class DayStays:
    """The lessons of one day. `weekday` and `weeks` say what the day follows, `on` which bells ring."""

    def __init__(
        self,
        grounds: Grounds,
        *,
        on: date,
        weekday: int,
        weeks: WeekSet,
        kept: Iterable[Kept],
        dated: bool = True,
        closings: Closings | None = None,
    ) -> None:
        self._grounds = grounds
        self._on = on
        self._weekday = weekday
        self._weeks = weeks
        self._dated = dated
        self._closings = closings or Closings()
        self._classes: dict[str, list[Stay]] = defaultdict(list)
        self._teachers: dict[str, list[Stay]] = defaultdict(list)
        self._rooms: dict[str, list[Stay]] = defaultdict(list)
        self._links: dict[str, list[Stay]] = defaultdict(list)
        self._bells: dict[str, bells.Day] = {}
        for one in kept:
            self.enter(one)

    def enter(self, kept: Kept) -> None:
        """One more lesson stands that day."""
        shared = kept.lesson.kind in SHARED_KINDS
        for party in kept.parties:
            for teacher, there in self.present(kept, party):
                self._teachers[teacher].append(there)
            stay = Stay(kept.uid, kept.lesson, window_of(party), self._grounds.campus(party.unit))
            for school_class in party.classes:
                self._classes[school_class].append(stay)
            if party.room is not None:
                self._rooms[party.room].append(stay)
            if shared:
                self._links[party.unit].append(stay)

    def present(self, kept: Kept, party: PlacedParty) -> Iterator[tuple[str, Stay]]:
        """Who is in the party's classroom when: its teachers, and those who supervise its leftover minutes."""
        stay = Stay(kept.uid, kept.lesson, window_of(party), self._grounds.campus(party.unit))
        for teacher in party.teachers:
            yield teacher, stay
        for left in party.leftover:
            if left.teacher is not None and left.teacher not in party.teachers:
                window = Window(minutes(left.start), minutes(left.end))
                yield left.teacher, stay._replace(window=window, supervising=True)

    # Looking up -----------------------------------------------------------------------------------------------------

    def periods(self, unit: str) -> bells.Day:
        """The unit's periods of the day."""
        known = self._bells.get(unit)
        if known is None:
            found = self._grounds.units.get(unit)
            known = bells.periods(found, self._weekday, self._on.isoformat()) if found else {}
            self._bells[unit] = known
        return known

    def lessons_of(self, school_class: str) -> list[tuple[Lesson, Window]]:
        """What a class has that day."""
        return [(stay.lesson, stay.window) for stay in self._classes.get(school_class, ())]

    def class_free(self, classes: Collection[str], window: Window) -> bool:
        """Whether none of the classes has a lesson then."""
        return not any(window.overlap(stay.window) > 0 for id in classes for stay in self._classes.get(id, ()))

    def periods_of(self, teacher: str, *, apart: Collection[str] = ()) -> int:
        """How many periods the teacher teaches that day."""
        lessons = {
            stay.uid: self._grounds.block(stay.lesson)
            for stay in self._teachers.get(teacher, ())
            if not stay.supervising and stay.uid not in apart
        }
        return sum(lessons.values())

    def campuses_of(self, teacher: str) -> set[str | None]:
        """Where the teacher is that day."""
        return {stay.campus for stay in self._teachers.get(teacher, ())}

    def teacher(self, id: str, unit: str, window: Window, *, apart: Collection[str] = ()) -> list[Finding]:
        """What keeps a teacher from being at the unit then: lessons, the way from and to them, unavailable times."""
        grounds = self._grounds
        found = self.meetings(id, unit, window, [s for s in self._teachers.get(id, ()) if s.uid not in apart])
        name = grounds.teacher_name(id)
        teacher = grounds.teachers.get(id)
        for busy in teacher.unavailable if teacher else ():
            if self._meets(busy, window):
                found.append(
                    self.finding("amend_teacher_unavailable", name=name, start=window.start, reason=busy.reason or "—")
                )
        return found

    def meetings(self, id: str, unit: str, window: Window, stays: Iterable[Stay]) -> list[Finding]:
        """The stays of a teacher that leave no time to be at the unit then."""
        grounds, found = self._grounds, []
        campus, name = grounds.campus(unit), grounds.teacher_name(id)
        for stay in stays:
            way = grounds.travel.between(campus, stay.campus)
            start, other = stay.window.start, grounds.title(stay.lesson)
            if window.overlap(stay.window) > 0:
                code = "amend_teacher_supervises" if stay.supervising else "amend_teacher_busy"
                found.append(self.finding(code, start=start, name=name, other=other))
            elif window.start < stay.window.end + way and stay.window.start - way < window.end:
                found.append(self.finding("amend_teacher_travel", start=start, name=name, other=other, minutes=way))
        return found

    def room_taken(self, room: str, window: Window, apart: Collection[str]) -> bool:
        return any(
            stay.uid not in apart and window.overlap(stay.window) > 0 for stay in self._rooms.get(room, ())
        ) or any(self._meets(busy, window) for busy in self._grounds.busy_rooms.get(room, ()))

    def _meets(self, busy: BusyTime, window: Window) -> bool:
        return (
            busy.weekday == self._weekday
            and bool(week_set(busy.weeks) & self._weeks)
            and window.overlap(Window(minutes(busy.start), minutes(busy.end))) > 0
        )

    def finding(self, code: str, *, start: int | None = None, **values: str | int) -> Finding:
        at: dict[str, str | int] = {} if start is None else {"start": clock(start)}
        return Finding(code=code, values={"date": self._on.isoformat(), **at, **values})


def kept_of(standing: Standing) -> Kept:
    return Kept(standing.uid, standing.occurrence.lesson, standing.occurrence.parties)


def window_of(party: PlacedParty) -> Window:
    return Window(minutes(party.start), minutes(party.end))
