"""This module owns the check of lessons together: nobody and nothing is in two places in one week."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from timetable.checking.calendar import Calendar
from timetable.checking.facts import Facts, finding
from timetable.model import SHARED_KINDS, BusyTime, Finding, Lesson, PlacedParty, Teacher, clock, minutes


class Stay(NamedTuple):
    """A teacher, class or room in one place for a while, in some weeks."""

    lesson: Lesson
    start: int
    end: int
    campus: str
    weeks: frozenset[int]


Stays = Mapping[tuple[str, int], Sequence[Stay]]
"""Of whom or what, and on which weekday."""


def check_together(facts: Facts, calendar: Calendar, lessons: Sequence[Lesson]) -> Iterator[Finding]:
    """The lessons of all tables with the times of one date."""
    yield from _Together(facts, calendar, lessons).findings()


class _Together:
    def __init__(self, facts: Facts, calendar: Calendar, lessons: Sequence[Lesson]) -> None:
        self._facts = facts
        self._calendar = calendar
        self._lessons = lessons

    def findings(self) -> Iterator[Finding]:
        yield from self._classes()
        teachers = self._stays_of_teachers()
        yield from self._teachers(teachers)
        yield from self._supervisors(teachers)
        yield from self._rooms()
        yield from self._links()

    def _stay(self, lesson: Lesson, party: PlacedParty) -> Stay:
        campus = self._facts.units[party.unit].campus
        return Stay(lesson, minutes(party.start), minutes(party.end), campus, self._calendar.of(lesson))

    def _in_the_way(self, busy: BusyTime, weekday: int, stay: Stay) -> bool:
        return (
            busy.weekday == weekday
            and not self._calendar.of_busy(busy).isdisjoint(stay.weeks)
            and stay.start < minutes(busy.end)
            and minutes(busy.start) < stay.end
        )

    # Classes --------------------------------------------------------------------------------------------------------

    def _classes(self) -> Iterator[Finding]:
        stays: dict[tuple[str, int], list[Stay]] = defaultdict(list)
        for lesson in self._lessons:
            for party in lesson.parties:
                for school_class in party.classes:
                    stays[school_class, lesson.weekday].append(self._stay(lesson, party))
        for (school_class, weekday), here in stays.items():
            for a, b in _meeting(here):
                yield _clash("table_class_clash", self._facts.classes[school_class].name, weekday, a, b)

    # Teachers -------------------------------------------------------------------------------------------------------

    def _stays_of_teachers(self) -> Stays:
        stays: dict[tuple[str, int], list[Stay]] = defaultdict(list)
        for lesson in self._lessons:
            for party in lesson.parties:
                for id in party.teachers:
                    stays[id, lesson.weekday].append(self._stay(lesson, party))
        return stays

    def _teachers(self, stays: Stays) -> Iterator[Finding]:
        load: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        """Teacher -> week -> periods."""
        for (id, weekday), here in stays.items():
            teacher = self._facts.teachers[id]
            for a, b in combinations(here, 2):
                if a.weeks.isdisjoint(b.weeks):
                    continue
                first, second = (a, b) if a.start <= b.start else (b, a)
                if second.start < first.end:
                    yield _clash("table_teacher_clash", teacher.name, weekday, first, second)
                elif second.start < first.end + self._facts.way(first.campus, second.campus):
                    yield _clash("table_teacher_travel", teacher.name, weekday, first, second)
            for stay in here:
                for busy in teacher.unavailable:
                    if self._in_the_way(busy, weekday, stay):
                        yield finding(
                            "table_teacher_unavailable",
                            name=teacher.name,
                            weekday=weekday,
                            start=clock(stay.start),
                            lesson=stay.lesson.id,
                        )
            yield from self._day(teacher, weekday, here, load[id])
        for id, weeks in load.items():
            most, fullest = self._facts.teachers[id].max_per_week, max(weeks.values(), default=0)
            if fullest > most:
                yield finding("table_teacher_week", name=self._facts.teachers[id].name, lessons=fullest, most=most)

    def _day(self, teacher: Teacher, weekday: int, here: Sequence[Stay], load: dict[int, int]) -> Iterator[Finding]:
        """A teacher's periods of one weekday, added to what each week has."""
        day: dict[int, int] = defaultdict(int)
        for stay in {stay.lesson.id: stay for stay in here}.values():
            for week in stay.weeks:
                day[week] += self._facts.requirements[stay.lesson.requirement].block
        for week, periods in day.items():
            load[week] += periods
        fullest = max(day.values(), default=0)
        if fullest > teacher.max_per_day:
            values = {"weekday": weekday, "lessons": fullest, "most": teacher.max_per_day}
            yield finding("table_teacher_day", name=teacher.name, **values)

    def _supervisors(self, stays: Stays) -> Iterator[Finding]:
        """Who supervises leftover minutes teaches nowhere then, supervises nowhere else, and is not away."""
        watching: dict[tuple[str, int], list[Stay]] = defaultdict(list)
        for lesson in self._lessons:
            for party in lesson.parties:
                for left in party.leftover:
                    if left.teacher is None or left.teacher in party.teachers:
                        continue
                    teacher = self._facts.teachers.get(left.teacher)
                    if teacher is None:
                        yield finding("table_unknown", noun="teacher", id=left.teacher, lesson=lesson.id)
                        continue
                    here = self._stay(lesson, party)._replace(start=minutes(left.start), end=minutes(left.end))
                    at = (left.teacher, lesson.weekday)
                    for other in (*stays.get(at, ()), *watching[at]):
                        way = self._facts.way(here.campus, other.campus)
                        apart = here.weeks.isdisjoint(other.weeks)
                        if not apart and here.start < other.end + way and other.start - way < here.end:
                            title = other.lesson.id
                            yield finding("table_supervisor", lesson=lesson.id, name=teacher.name, other=title)
                    for busy in teacher.unavailable:
                        if self._in_the_way(busy, lesson.weekday, here):
                            reason = busy.reason or "-"
                            yield finding("table_supervisor", lesson=lesson.id, name=teacher.name, other=reason)
                    watching[at].append(here)

    # Places ---------------------------------------------------------------------------------------------------------

    def _rooms(self) -> Iterator[Finding]:
        facts = self._facts
        stays: dict[tuple[str, int], list[Stay]] = defaultdict(list)
        for lesson in self._lessons:
            for party in lesson.parties:
                taken = [party.room] if party.room in facts.rooms else []
                if lesson.kind == "common_test":
                    # Each class sits in its own room; the party names the first.
                    taken = sorted({facts.classes[school_class].room for school_class in party.classes})
                for room in taken:
                    stays[room, lesson.weekday].append(self._stay(lesson, party))
        for (id, weekday), here in stays.items():
            for a, b in _meeting(here):
                yield _clash("table_room_clash", facts.rooms[id].name, weekday, a, b)
            for room, busy in facts.register.busy_rooms:
                for stay in here if room == id else ():
                    if self._in_the_way(busy, weekday, stay):
                        name = facts.rooms[id].name
                        yield finding("table_room_busy", name=name, weekday=weekday, lesson=stay.lesson.id)

    def _links(self) -> Iterator[Finding]:
        stays: dict[tuple[str, int], list[Stay]] = defaultdict(list)
        for lesson in self._lessons:
            if lesson.kind in SHARED_KINDS:
                for party in lesson.parties:
                    stays[party.unit, lesson.weekday].append(self._stay(lesson, party))
        for (id, weekday), here in stays.items():
            unit = self._facts.units[id]
            for at in sorted({stay.start for stay in here}):
                now = [stay for stay in here if stay.start <= at < stay.end]
                fullest = max(sum(week in stay.weeks for stay in now) for week in self._calendar.weeks)
                if fullest > unit.link_capacity:
                    most, start = unit.link_capacity, clock(at)
                    yield finding(
                        "table_link", unit=unit.name, weekday=weekday, start=start, lessons=fullest, most=most
                    )


def _meeting(stays: Sequence[Stay]) -> Iterator[tuple[Stay, Stay]]:
    """Pairs of stays that overlap in some week."""
    for a, b in combinations(stays, 2):
        if a.start < b.end and b.start < a.end and not a.weeks.isdisjoint(b.weeks):
            yield a, b


def _clash(code: str, name: str, weekday: int, a: Stay, b: Stay) -> Finding:
    start = clock(max(a.start, b.start))
    return finding(code, name=name, weekday=weekday, start=start, lesson=a.lesson.id, other=b.lesson.id)
