"""This module owns the search for a place on one day: where a lesson could stand, and what stands in its way, in words.

A book holds the lessons of one date, or those of one weekday of the weekly table. It finds a place for a lesson that
moves: the periods that meet by the clock, free rooms, somebody for the leftover minutes. It shares no code with the
checker, which proves it in the tests.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from msgspec import Struct, structs

from timetable import bells
from timetable.bells import Window
from timetable.days.closings import Closings
from timetable.days.day_stays import DayStays, Kept, kept_of, window_of
from timetable.days.grounds import Grounds
from timetable.days.standing import Standing
from timetable.model import (
    SHARED_KINDS,
    Finding,
    Leftover,
    Lesson,
    PlacedParty,
    clock,
)
from timetable.term import teaching_day
from timetable.weeks import one_week

CODES: Mapping[str, str] = {
    "amend_closed": "a school is closed that day",
    "amend_no_period": "a school rings no such period that day",
    "amend_overlap": "the bells of the schools share too few minutes then",
    "amend_class_busy": "a class has another lesson then",
    "amend_teacher_busy": "a teacher has another lesson then",
    "amend_teacher_supervises": "a teacher supervises the leftover minutes of another lesson then",
    "amend_teacher_travel": "a teacher has too little time for the way from or to another lesson",
    "amend_teacher_unavailable": "a teacher is unavailable then",
    "amend_teacher_day": "a teacher would have more lessons that day than allowed",
    "amend_room_busy": "a room is taken then",
    "amend_no_remote_room": "a school has no free remote room then",
    "amend_link": "a school's line carries no more lessons then",
}
"""Every code that this module can report."""


class Seat(Struct, frozen=True):
    """Where a lesson could stand: the parties in their periods and rooms, and the window that all share."""

    parties: tuple[PlacedParty, ...]
    window: Window


class DayBook(DayStays):
    """The lessons of one day, among which a place is looked for."""

    @classmethod
    def of_date(
        cls, grounds: Grounds, day: date, standings: Iterable[Standing], closings: Closings
    ) -> "DayBook | None":
        """The book of a date, or None when there is no school in the whole county."""
        followed = teaching_day(grounds.term, day)
        if followed is None:
            return None
        kept = (kept_of(standing) for standing in standings if not standing.cancelled)
        weekday = closings.bells_of(day) or followed.weekday
        return cls(grounds, on=day, weekday=weekday, weeks=one_week(followed.week), kept=kept, closings=closings)

    # Finding a place ------------------------------------------------------------------------------------------------

    def matching_period(self, lesson: Lesson, into: Lesson) -> int:
        """The period of the lesson's own host that meets the slot in which `into` stands."""
        if into.host.unit != lesson.host.unit:
            match = bells.best_match(window_of(into.host), self.periods(lesson.host.unit))
            if match is not None:
                return match.period
        return into.host.period

    def seat(self, lesson: Lesson, period: int, *, apart: Collection[str] = ()) -> Seat | list[Finding]:
        """Where the lesson would stand in that period of its host, or why it cannot stand there at all. Rooms and
        supervisors are chosen among the free ones, as if the lessons in `apart` were gone."""
        grounds = self._grounds
        slack = grounds.slack(lesson, self._community_of(lesson))
        closed = [party.unit for party in lesson.parties if self._closed(party.unit)]
        if closed:
            return [self.finding("amend_closed", unit=grounds.unit_name(unit)) for unit in closed]
        host_window = self.periods(lesson.host.unit).get(period)
        runs: list[tuple[int, Window]] = []
        for party in lesson.parties:
            day = self.periods(party.unit)
            first: int | None = period
            if host_window is not None and party is not lesson.host:
                first = bells.matching_period(host_window, day, slack)
            numbers = None if first is None or host_window is None else bells.run(day, first, grounds.block(lesson))
            if numbers is None:
                if host_window is not None and party is not lesson.host:
                    return [self.finding("amend_overlap", unit=grounds.unit_name(party.unit), start=host_window.start)]
                return [self.finding("amend_no_period", unit=grounds.unit_name(party.unit), period=period)]
            runs.append((numbers[0], Window(day[numbers[0]].start, day[numbers[-1]].end)))
        windows = [window for _, window in runs]
        shut = [
            party.unit
            for party, window in zip(lesson.parties, windows, strict=True)
            if self._closings.shut(party.unit, self._on, window.start, window.end)
        ]
        if shut:
            return [self.finding("amend_closed", unit=grounds.unit_name(unit)) for unit in shut]
        if not bells.windows_meet(windows, slack):
            unit = grounds.unit_name(lesson.parties[-1].unit)
            return [self.finding("amend_overlap", unit=unit, start=windows[0].start)]
        return self._seated(lesson, runs, bells.shared_window(windows), apart)

    def _seated(
        self, lesson: Lesson, runs: Sequence[tuple[int, Window]], shared: Window, apart: Collection[str]
    ) -> Seat | list[Finding]:
        parties: list[PlacedParty] = []
        for party, (period, window) in zip(lesson.parties, runs, strict=True):
            room = party.room
            if lesson.kind in SHARED_KINDS:
                taken = {p.room for p in parties}
                room = self._free_remote_room(party, window, apart, taken)
                if room is None:
                    unit = self._grounds.unit_name(party.unit)
                    return [self.finding("amend_no_remote_room", unit=unit, start=window.start)]
            spare = bells.leftover(window, shared) if party.classes else ()
            parties.append(
                structs.replace(
                    party,
                    period=period,
                    start=clock(window.start),
                    end=clock(window.end),
                    room=room,
                    leftover=tuple(
                        Leftover(
                            start=clock(part.start), end=clock(part.end), teacher=self._supervisor(party, part, apart)
                        )
                        for part in spare
                    ),
                )
            )
        return Seat(tuple(parties), shared)

    def _free_remote_room(
        self, party: PlacedParty, window: Window, apart: Collection[str], taken: Collection[str | None]
    ) -> str | None:
        usable = self._grounds.remote_rooms.get(party.unit, ())
        ordered = [room for room in usable if room == party.room] + [room for room in usable if room != party.room]
        for room in ordered:
            if room not in taken and not self.room_taken(room, window, apart):
                return room
        return None

    def _supervisor(self, party: PlacedParty, part: Window, apart: Collection[str]) -> str | None:
        """The party's own teacher; else who supervised before, or another teacher of the class, where free."""
        if party.teachers:
            return party.teachers[0]
        known = [left.teacher for left in party.leftover if left.teacher is not None]
        known += [
            id
            for school_class in party.classes
            for stay in self._classes[school_class]
            for other in stay.lesson.parties
            if school_class in other.classes
            for id in other.teachers
        ]
        for id in dict.fromkeys(known):
            if not self.teacher(id, party.unit, part, apart=apart):
                return id
        return None

    # What stands in the way -----------------------------------------------------------------------------------------

    def obstacles(self, kept: Kept) -> list[Finding]:
        """What stands in the way of a lesson as it is placed; it does not stand in its own."""
        found: list[Finding] = []
        apart = (kept.uid,)
        for party in kept.parties:
            window = window_of(party)
            found += self._class_obstacles(party, window, apart)
            others = [one for other in kept.parties if other is not party for one in self.present(kept, other)]
            for id, stay in self.present(kept, party):
                found += self.teacher(id, party.unit, stay.window, apart=apart)
                # Nobody is in two classrooms of one lesson.
                same = [other for teacher, other in others if teacher == id]
                found += self.meetings(id, party.unit, stay.window, same)
                found += [] if stay.supervising else self._teacher_day(id, kept)
            found += self._room_obstacles(party, window, apart)
            if kept.lesson.kind in SHARED_KINDS:
                found += self._link_obstacles(party.unit, window, apart)
        return found

    def _teacher_day(self, id: str, kept: Kept) -> list[Finding]:
        teacher = self._grounds.teachers.get(id)
        periods = self.periods_of(id, apart=(kept.uid,)) + self._grounds.block(kept.lesson)
        if teacher is None or periods <= teacher.max_per_day:
            return []
        return [self.finding("amend_teacher_day", name=teacher.name, lessons=periods, most=teacher.max_per_day)]

    def _class_obstacles(self, party: PlacedParty, window: Window, apart: Collection[str]) -> list[Finding]:
        found = []
        for id in party.classes:
            name = self._grounds.classes[id].name if id in self._grounds.classes else id
            for stay in self._classes.get(id, ()):
                if stay.uid not in apart and window.overlap(stay.window) > 0:
                    other = self._grounds.title(stay.lesson)
                    found.append(self.finding("amend_class_busy", name=name, start=stay.window.start, other=other))
        return found

    def _room_obstacles(self, party: PlacedParty, window: Window, apart: Collection[str]) -> list[Finding]:
        if party.room is None or not self.room_taken(party.room, window, apart):
            return []
        name = self._grounds.rooms[party.room].name if party.room in self._grounds.rooms else party.room
        unit = self._grounds.unit_name(party.unit)
        return [self.finding("amend_room_busy", name=name, unit=unit, start=window.start)]

    def _link_obstacles(self, unit: str, window: Window, apart: Collection[str]) -> list[Finding]:
        known = self._grounds.units.get(unit)
        most = known.link_capacity if known else 0
        others = [s.window for s in self._links.get(unit, ()) if s.uid not in apart and window.overlap(s.window) > 0]
        # The line is fullest at the beginning of some lesson.
        for at in sorted({window.start, *(other.start for other in others if other.start > window.start)}):
            if 1 + sum(other.start <= at < other.end for other in others) > most:
                return [self.finding("amend_link", unit=self._grounds.unit_name(unit), start=at, most=most)]
        return []

    def _closed(self, unit: str) -> bool:
        return self._dated and teaching_day(self._grounds.term, self._on, unit) is None

    def _community_of(self, lesson: Lesson) -> str:
        requirement = self._grounds.requirements.get(lesson.requirement)
        return requirement.community if requirement else ""
