"""This module owns the check of a finished table, independent of the search: plain loops over register and table.

It shares no code with the problem or the formulation, so that a mistake there cannot hide here. Every finding is a
breach of a hard rule; habits that a good table keeps are told by `habits`. Where bells change in the term, everything
that depends on the clock is checked again as of each change; a finding that only arises then names it (`since`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from itertools import combinations
from typing import NamedTuple

from timetable.model import SHARED_KINDS, Finding, Lesson, PlacedParty, Register, Table, clock, minutes

UNKNOWN_TRAVEL = 30
"""Minutes assumed between campuses for which the register names none."""

CODES: Mapping[str, str] = {
    "table_missing": "a community with requirements has no table",
    "table_unknown": "the table names a community, requirement, unit or period that the register does not have",
    "table_lesson_differs": "a lesson's kind, subject, weeks, parties, classes or teachers differ from its requirement",
    "table_count": "a requirement has more or fewer lessons than it needs",
    "table_twice": "two lessons have the same id",
    "table_bell": "a party's start or end is not what its unit rings",
    "table_window": "the shared window is not the intersection of the parties' periods",
    "table_overlap": "the parties share fewer minutes than required",
    "table_class_clash": "a class has two lessons at one time",
    "table_teacher_clash": "a teacher has two lessons at one time",
    "table_teacher_travel": "a teacher has too little time for the way between two campuses",
    "table_teacher_unavailable": "a teacher is unavailable then",
    "table_teacher_day": "a teacher has more lessons on a day than allowed",
    "table_teacher_week": "a teacher has more lessons a week than allowed",
    "table_room_clash": "a room holds two lessons at one time",
    "table_room_busy": "a room is taken by others then",
    "table_room_kind": "a lesson is in a room of the wrong kind, place or owner, or in none",
    "table_link": "a unit has more shared lessons at one time than its line carries",
    "table_lock": "a locked slot of a requirement is not kept",
    "table_leftover": "the leftover minutes of a party are not what its bells leave over",
    "table_supervisor": "the teacher named for leftover minutes is elsewhere then",
    "table_turns": "a lesson goes round units that cannot host it, or one of them twice, or in weeks it has not",
}
"""Every code that this module can report."""


class _Stay(NamedTuple):
    """A teacher, class or room in one place for a while."""

    lesson: Lesson
    start: int
    end: int
    campus: str
    place: tuple[str, int] | None = None


def check(register: Register, *tables: Table) -> list[Finding]:
    """Everything wrong with the tables, taken together (teachers and rooms may serve several communities)."""
    return _Check(register, tables).findings()


def missing(register: Register, *tables: Table) -> list[Finding]:
    """The communities that have requirements and no table."""
    have = {table.community for table in tables}
    needed = {requirement.community for requirement in register.requirements} - have
    return [
        Finding(code="table_missing", values={"community": community.name})
        for community in register.communities
        if community.id in needed
    ]


class _Check:
    def __init__(self, register: Register, tables: tuple[Table, ...]) -> None:
        self.register = register
        self.tables = tables
        self.found: list[Finding] = []
        self.units = {unit.id: unit for unit in register.units}
        self.classes = {school_class.id: school_class for school_class in register.classes}
        self.teachers = {teacher.id: teacher for teacher in register.teachers}
        self.rooms = {room.id: room for room in register.rooms}
        self.communities = {community.id: community for community in register.communities}
        self.requirements = {requirement.id: requirement for requirement in register.requirements}
        self.dates = self._dates_of_change()
        self.days = {day: {unit.id: self._rung(unit.id, day) for unit in register.units} for day in self.dates}
        self.date = self.dates[0]
        """The date as of which the clock is looked at."""

    def findings(self) -> list[Finding]:
        lessons = []
        seen: set[str] = set()
        for table in self.tables:
            if table.community not in self.communities:
                self._find("table_unknown", noun="community", id=table.community)
                continue
            for lesson in table.lessons:
                if lesson.id in seen:
                    self._find("table_twice", lesson=lesson.id)
                seen.add(lesson.id)
                if self._known(lesson, table):
                    lessons.append(lesson)
            self._check_counts(table)
        for lesson in lessons:
            self._check_turns(lesson)
        for day in self.dates:
            self._check_as_of(day, lessons)
        return self.found

    def _check_as_of(self, day: str, lessons: list[Lesson]) -> None:
        """Everything that depends on the clock, by the bells of a date."""
        before = {(finding.code, repr(finding.values)) for finding in self.found}
        told = len(self.found)
        self.date = day
        dated = [self._on(lesson, day) for lesson in lessons]
        for lesson in dated:
            self._check_lesson(lesson)
        self._check_classes(dated)
        self._check_teachers(dated)
        self._check_rooms(dated)
        self._check_links(dated)
        if day != self.dates[0]:
            later = [f for f in self.found[told:] if (f.code, repr(f.values)) not in before]
            self.found[told:] = [Finding(code=f.code, values={**f.values, "since": day}) for f in later]

    def _find(self, code: str, **values: str | int) -> None:
        self.found.append(Finding(code=code, values=values))

    def _on(self, lesson: Lesson, day: str) -> Lesson:
        """The lesson with the times that it has on a date."""
        parties = list(lesson.parties)
        start, end = lesson.start, lesson.end
        for times in lesson.later:
            if times.first > day:
                continue
            start, end = times.start, times.end
            for index, own in enumerate(times.parties):
                party = lesson.parties[index]
                parties[index] = PlacedParty(
                    unit=party.unit,
                    period=party.period,
                    start=own.start,
                    end=own.end,
                    room=party.room,
                    classes=party.classes,
                    teachers=party.teachers,
                    leftover=own.leftover,
                )
        return Lesson(
            id=lesson.id,
            requirement=lesson.requirement,
            kind=lesson.kind,
            subject=lesson.subject,
            weekday=lesson.weekday,
            start=start,
            end=end,
            parties=tuple(parties),
            weeks=lesson.weeks,
        )

    # What the register says -----------------------------------------------------------------------------------------

    def _dates_of_change(self) -> list[str]:
        """The term's first day, and every day of it on which a bell schedule begins or has just ended."""
        term = self.register.term
        found = {term.first_day}
        for unit in self.register.units:
            for bells in unit.bells:
                ended = bells.valid_to and str(date.fromisoformat(bells.valid_to) + timedelta(days=1))
                for day in (bells.valid_from, ended):
                    if day and term.first_day < day <= term.last_day:
                        found.add(day)
        return sorted(found)

    def _rung(self, unit: str, on: str) -> dict[int, dict[int, tuple[int, int]]]:
        """weekday -> period -> (start, end) of the unit, by the bells in force on a date."""
        days: dict[int, dict[int, tuple[int, int]]] = {}
        for weekday in range(1, 8):
            best = None
            for bells in self.units[unit].bells:
                if weekday not in bells.weekdays:
                    continue
                begins, ends = bells.valid_from or "", bells.valid_to or "9999"
                # The latest that has begun wins; while none has begun, the next to begin; when all have ended, the
                # last to end.
                if ends < on:
                    rank = (0, ends)
                elif begins > on:
                    rank = (1, "".join(chr(0x7F - ord(c)) for c in begins))
                else:
                    rank = (2, begins)
                if best is None or rank > best[0]:
                    best = (rank, bells)
            if best is not None:
                days[weekday] = {p.number: (minutes(p.start), minutes(p.end)) for p in best[1].periods}
        return days

    def _span(self, unit: str, weekday: int, period: int, block: int, on: str) -> tuple[int, int] | None:
        """Start and end of a block of periods on a date, or None when the unit does not ring them."""
        day = self.days[on][unit].get(weekday, {})
        ordered = sorted(day, key=lambda number: day[number])
        if period not in ordered:
            return None
        numbers = ordered[ordered.index(period) :][:block]
        return (day[numbers[0]][0], day[numbers[-1]][1]) if len(numbers) == block else None

    def _travel(self, a: str, b: str) -> int:
        if a == b:
            return 0
        for travel in self.register.travel:
            if set(travel.campuses) == {a, b}:
                return travel.minutes
        return UNKNOWN_TRAVEL

    def _known(self, lesson: Lesson, table: Table) -> bool:
        requirement = self.requirements.get(lesson.requirement)
        if requirement is None or requirement.community != table.community:
            self._find("table_unknown", noun="requirement", id=lesson.requirement)
            return False
        same = (
            (lesson.kind, lesson.subject, lesson.weeks) == (requirement.kind, requirement.subject, requirement.weeks)
            and (lesson.only_weeks, lesson.rotation) == (requirement.only_weeks, requirement.rotation)
            and all(len(times.parties) == len(lesson.parties) for times in lesson.later)
            and [p.unit for p in lesson.parties] == [p.unit for p in requirement.parties]
            and [sorted(p.classes) for p in lesson.parties] == [sorted(p.classes) for p in requirement.parties]
            and [sorted(p.teachers) for p in lesson.parties] == [sorted(p.teachers) for p in requirement.parties]
        )
        if not same:
            self._find("table_lesson_differs", lesson=lesson.id)
            return False
        for party in lesson.parties:
            for day in self.dates:
                if self._span(party.unit, lesson.weekday, party.period, requirement.block, day) is None:
                    place = f"{party.unit} {lesson.weekday}/{party.period}"
                    since = {} if day == self.dates[0] else {"since": day}
                    self._find("table_unknown", noun="period", id=place, lesson=lesson.id, **since)
                    return False
        return True

    # One lesson by itself -------------------------------------------------------------------------------------------

    def _check_counts(self, table: Table) -> None:
        have: dict[str, int] = defaultdict(int)
        at: dict[str, set[tuple[int, int]]] = defaultdict(set)
        for lesson in table.lessons:
            have[lesson.requirement] += 1
            at[lesson.requirement].add((lesson.weekday, lesson.host.period))
        for requirement in self.register.requirements:
            if requirement.community != table.community:
                continue
            if have[requirement.id] != requirement.weekly:
                self._find(
                    "table_count",
                    requirement=requirement.id,
                    subject=requirement.subject,
                    lessons=have[requirement.id],
                    needed=requirement.weekly,
                )
            for slot in requirement.locked:
                if (slot.weekday, slot.period) not in at[requirement.id]:
                    self._find("table_lock", requirement=requirement.id, weekday=slot.weekday, period=slot.period)

    def _check_turns(self, lesson: Lesson) -> None:
        """A turn needs a unit of the lesson with somebody who leads it, and a week in which it takes place."""
        leading = [party.unit for party in lesson.parties if party.teachers]
        units = [unit for unit in lesson.rotation if unit in leading]
        goes_round = not lesson.rotation or lesson.kind in ("sync", "joint_preparation", "joint_meeting", "research")
        parity = {"odd": 1, "even": 0}.get(lesson.weeks)
        weeks = [week for week in lesson.only_weeks if parity is None or week % 2 == parity]
        if len(set(units)) < len(lesson.rotation) or not goes_round or len(weeks) < len(lesson.only_weeks):
            self._find("table_turns", lesson=lesson.id)

    def _check_lesson(self, lesson: Lesson) -> None:
        requirement = self.requirements[lesson.requirement]
        windows = []
        for party in lesson.parties:
            window = (minutes(party.start), minutes(party.end))
            if window != self._span(party.unit, lesson.weekday, party.period, requirement.block, self.date):
                self._find("table_bell", lesson=lesson.id, unit=self.units[party.unit].name, period=party.period)
            windows.append(window)
        start, end = max(start for start, _ in windows), min(end for _, end in windows)
        if (lesson.start, lesson.end) != (clock(start), clock(end)):
            self._find("table_window", lesson=lesson.id, start=lesson.start, end=lesson.end)
        slack = self.communities[requirement.community].overlap_slack + requirement.overlap_conceded
        required = max(1, min(end - start for start, end in windows) - slack)
        if end - start < required:
            self._find("table_overlap", lesson=lesson.id, minutes=max(0, end - start), required=required)
        for party in lesson.parties:
            self._check_leftover(lesson, party, start, end)
            self._check_room(lesson, party)

    def _check_leftover(self, lesson: Lesson, party: PlacedParty, start: int, end: int) -> None:
        own = []
        if party.classes and minutes(party.start) < start:
            own.append((party.start, clock(start)))
        if party.classes and minutes(party.end) > end:
            own.append((clock(end), party.end))
        if [(left.start, left.end) for left in party.leftover] != own:
            self._find("table_leftover", lesson=lesson.id, unit=self.units[party.unit].name)

    def _check_room(self, lesson: Lesson, party: PlacedParty) -> None:
        room = None if party.room is None else self.rooms.get(party.room)
        if lesson.kind in SHARED_KINDS:
            unit = self.units[party.unit]
            fits = room is not None and room.kind == "remote" and (room.unit == unit.id or room.campus == unit.campus)
        elif party.classes:
            fits = room is not None and room.id in {self.classes[c].room for c in party.classes}
        else:
            fits = party.room is None
        if not fits:
            self._find("table_room_kind", lesson=lesson.id, unit=self.units[party.unit].name, room=party.room or "-")

    # Who and what is where ------------------------------------------------------------------------------------------

    def _stay(self, lesson: Lesson, party: PlacedParty) -> _Stay:
        campus = self.units[party.unit].campus
        return _Stay(lesson, minutes(party.start), minutes(party.end), campus)

    def _check_classes(self, lessons: list[Lesson]) -> None:
        stays: dict[tuple[str, int], list[_Stay]] = defaultdict(list)
        for lesson in lessons:
            for party in lesson.parties:
                for school_class in party.classes:
                    stays[school_class, lesson.weekday].append(self._stay(lesson, party))
        for (school_class, weekday), here in stays.items():
            for a, b in _meeting(here, 0):
                self._clash("table_class_clash", self.classes[school_class].name, weekday, a, b)

    def _check_teachers(self, lessons: list[Lesson]) -> None:
        stays: dict[tuple[str, int], list[_Stay]] = defaultdict(list)
        for lesson in lessons:
            for party in lesson.parties:
                for id in party.teachers:
                    stays[id, lesson.weekday].append(self._stay(lesson, party))
        week: dict[tuple[str, str], int] = defaultdict(int)
        for (id, weekday), here in stays.items():
            teacher = self.teachers[id]
            for a, b in combinations(here, 2):
                if not _same_weeks(a.lesson.weeks, b.lesson.weeks):
                    continue
                first, second = (a, b) if a.start <= b.start else (b, a)
                if second.start < first.end:
                    self._clash("table_teacher_clash", teacher.name, weekday, first, second)
                elif second.start < first.end + self._travel(first.campus, second.campus):
                    self._clash("table_teacher_travel", teacher.name, weekday, first, second)
            for stay in here:
                for busy in teacher.unavailable:
                    if (
                        busy.weekday == weekday
                        and _same_weeks(busy.weeks, stay.lesson.weeks)
                        and stay.start < minutes(busy.end)
                        and minutes(busy.start) < stay.end
                    ):
                        self._find(
                            "table_teacher_unavailable",
                            name=teacher.name,
                            weekday=weekday,
                            start=clock(stay.start),
                            lesson=stay.lesson.id,
                        )
            for parity in ("odd", "even"):
                periods = sum(
                    self.requirements[lesson.requirement].block
                    for lesson in {s.lesson.id: s.lesson for s in here}.values()
                    if lesson.weeks in ("all", parity)
                )
                week[id, parity] += periods
                if periods > teacher.max_per_day:
                    self._find(
                        "table_teacher_day",
                        name=teacher.name,
                        weekday=weekday,
                        lessons=periods,
                        most=teacher.max_per_day,
                    )
                    break
        for id in {id for id, _ in week}:
            most, load = self.teachers[id].max_per_week, max(week[id, "odd"], week[id, "even"])
            if load > most:
                self._find("table_teacher_week", name=self.teachers[id].name, lessons=load, most=most)
        self._check_supervisors(lessons, stays)

    def _check_supervisors(self, lessons: list[Lesson], stays: Mapping[tuple[str, int], list[_Stay]]) -> None:
        """Who supervises leftover minutes teaches nowhere then, supervises nowhere else, and is not away."""
        watching: dict[tuple[str, int], list[_Stay]] = defaultdict(list)
        for lesson in lessons:
            for party in lesson.parties:
                for left in party.leftover:
                    if left.teacher is None or left.teacher in party.teachers:
                        continue
                    teacher = self.teachers.get(left.teacher)
                    if teacher is None:
                        self._find("table_unknown", noun="teacher", id=left.teacher, lesson=lesson.id)
                        continue
                    here = _Stay(lesson, minutes(left.start), minutes(left.end), self.units[party.unit].campus)
                    at = (left.teacher, lesson.weekday)
                    for other in (*stays.get(at, ()), *watching[at]):
                        way = self._travel(here.campus, other.campus)
                        if (
                            _same_weeks(lesson.weeks, other.lesson.weeks)
                            and here.start < other.end + way
                            and other.start - way < here.end
                        ):
                            self._find("table_supervisor", lesson=lesson.id, name=teacher.name, other=other.lesson.id)
                    for busy in teacher.unavailable:
                        if (
                            busy.weekday == lesson.weekday
                            and _same_weeks(busy.weeks, lesson.weeks)
                            and here.start < minutes(busy.end)
                            and minutes(busy.start) < here.end
                        ):
                            self._find(
                                "table_supervisor", lesson=lesson.id, name=teacher.name, other=busy.reason or "-"
                            )
                    watching[at].append(here)

    def _check_rooms(self, lessons: list[Lesson]) -> None:
        stays: dict[tuple[str, int], list[_Stay]] = defaultdict(list)
        for lesson in lessons:
            for party in lesson.parties:
                taken = [party.room] if party.room in self.rooms else []
                if lesson.kind == "common_test":
                    # Each class sits in its own room; the party names the first.
                    taken = sorted({self.classes[school_class].room for school_class in party.classes})
                for room in taken:
                    stays[room, lesson.weekday].append(self._stay(lesson, party))
        for (id, weekday), here in stays.items():
            for a, b in _meeting(here, 0):
                self._clash("table_room_clash", self.rooms[id].name, weekday, a, b)
            for room, busy in self.register.busy_rooms:
                if room != id or busy.weekday != weekday:
                    continue
                for stay in here:
                    if (
                        _same_weeks(busy.weeks, stay.lesson.weeks)
                        and stay.start < minutes(busy.end)
                        and minutes(busy.start) < stay.end
                    ):
                        self._find("table_room_busy", name=self.rooms[id].name, weekday=weekday, lesson=stay.lesson.id)

    def _check_links(self, lessons: list[Lesson]) -> None:
        stays: dict[tuple[str, int], list[_Stay]] = defaultdict(list)
        for lesson in lessons:
            if lesson.kind in SHARED_KINDS:
                for party in lesson.parties:
                    stays[party.unit, lesson.weekday].append(self._stay(lesson, party))
        for (unit, weekday), here in stays.items():
            capacity = self.units[unit].link_capacity
            for at in sorted({stay.start for stay in here}):
                for parity in ("odd", "even"):
                    now = [s for s in here if s.start <= at < s.end and s.lesson.weeks in ("all", parity)]
                    if len(now) > capacity:
                        name = self.units[unit].name
                        self._find(
                            "table_link", unit=name, weekday=weekday, start=clock(at), lessons=len(now), most=capacity
                        )
                        break

    def _clash(self, code: str, name: str, weekday: int, a: _Stay, b: _Stay) -> None:
        self._find(
            code,
            name=name,
            weekday=weekday,
            start=clock(max(a.start, b.start)),
            lesson=a.lesson.id,
            other=b.lesson.id,
        )


def _same_weeks(a: str, b: str) -> bool:
    return a == "all" or b == "all" or a == b


def _meeting(stays: list[_Stay], way: int) -> Iterable[tuple[_Stay, _Stay]]:
    """Pairs of stays that overlap in some week."""
    for a, b in combinations(stays, 2):
        if _same_weeks(a.lesson.weeks, b.lesson.weeks) and a.start < b.end + way and b.start < a.end + way:
            yield a, b
