"""This module owns the way from FET to us: one school's `.fet` file as a register of one unit.

Activities become requirements, the times of a finished timetable become fixed slots. Constraints without a counterpart
are counted in the findings; of a file that cannot become a register the findings say why.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

import msgspec
from msgspec import Struct, structs

from timetable.fet.file import MORNINGS_AND_AFTERNOONS, OFFICIAL, FetActivity, FetFile, read
from timetable.fet.hours import hours_of
from timetable.fet.limits import MOST_A_DAY, limits_of
from timetable.fet.students import FoundClass, classes_of, parts_of
from timetable.fet.xml import FetUnreadable
from timetable.model import (
    BusyTime,
    Campus,
    Community,
    Finding,
    Id,
    Kind,
    Party,
    Register,
    Requirement,
    Room,
    SchoolClass,
    SchoolUnit,
    Slot,
    Stage,
    Teacher,
    Term,
)
from timetable.register.findings import finding
from timetable.register.rows import Source

ERRORS: Mapping[str, str] = {
    "fet_no_file": "the bytes are no FET file",
    "fet_empty": "the file has no days, hours or activities",
    "fet_too_many_days": "more than seven days: two weeks in one file",
    "fet_too_many_hours": "more than sixteen hours a day",
}
WARNINGS: Mapping[str, str] = {
    "fet_mode": "a mode of FET that is read as if it were the official one",
    "fet_hours_assumed": "the hours have no times, so some were assumed",
    "fet_grade_assumed": "classes whose names tell no grade",
    "fet_teacher_assumed": "activities without a teacher got one of their own",
    "fet_long_block": "activities of more than three hours were divided",
    "fet_inactive": "inactive activities were left out",
    "fet_nobody": "activities with neither students nor teachers were left out",
    "fet_kept_by_us": "constraints whose purpose our own rules serve in their own way",
    "fet_constraint_dropped": "constraints without a counterpart",
}

UNIT: Id = "fet"
TERM_WEEKS = 20
MOST_DAYS, MOST_WEEKLY, MOST_BLOCK, MOST_PUPILS, NAME_LENGTH = 7, 20, 3, 99, 120
MODES = (OFFICIAL, MORNINGS_AND_AFTERNOONS)
GRADE = re.compile(r"[1-9一二三四五六七八九]")
CHINESE_DIGITS = "一二三四五六七八九"


class FetImport(Struct, frozen=True, kw_only=True):
    """What became of a file; no register when it was refused."""

    register: Register | None
    findings: tuple[Finding, ...]


def import_fet(
    name: str,
    document: bytes,
    term: Term,
    *,
    stage: Stage = "primary",
    unit: Id = UNIT,
    beside: Register | None = None,
) -> FetImport:
    """The file `name` as a register of the term with one unit. Whatever is wrong with it is a finding, never an
    exception. Ids of the register `beside` which it is to stand are not given again, but to the same unit."""
    if not document:
        return FetImport(register=None, findings=(finding("file_empty", Source(name, "", 0)),))
    try:
        file = read(document)
    except FetUnreadable as refused:
        return FetImport(register=None, findings=(_finding(name, "fet_no_file", reason=refused.reason),))
    if refusals := tuple(_refusals(name, file)):
        return FetImport(register=None, findings=refusals)
    importing = _Import(name, file, stage, unit, beside)
    register = importing.register(term)
    return FetImport(register=register, findings=tuple(importing.found))


def joined(standing: Register, school: Register) -> Register:
    """The county with an imported school; what an earlier import of the same school left is replaced."""
    unit, community, campus = school.units[0].id, school.communities[0].id, school.campuses[0].id
    rooms = {room.id for room in standing.rooms if room.unit == unit}
    return structs.replace(
        standing,
        communities=(*(c for c in standing.communities if c.id != community), *school.communities),
        campuses=(*(c for c in standing.campuses if c.id != campus), *school.campuses),
        units=(*(u for u in standing.units if u.id != unit), *school.units),
        rooms=(*(r for r in standing.rooms if r.unit != unit), *school.rooms),
        teachers=(*(t for t in standing.teachers if t.posts != (unit,)), *school.teachers),
        classes=(*(c for c in standing.classes if c.unit != unit), *school.classes),
        requirements=(*(r for r in standing.requirements if r.community != community), *school.requirements),
        weekdays=tuple(sorted({*standing.weekdays, *school.weekdays})),
        busy_rooms=(*(b for b in standing.busy_rooms if b[0] not in rooms), *school.busy_rooms),
    )


def term_from(monday: date) -> Term:
    """A term of twenty weeks from its first Monday: FET knows none."""
    last = monday + timedelta(weeks=TERM_WEEKS, days=-1)
    day = monday.isoformat()
    name = f"{day} – {last.isoformat()}"
    return Term(id=f"term-{day}", name=name, first_day=day, last_day=last.isoformat(), week_one=day)


def _finding(file: str, code: str, **values: str | int) -> Finding:
    return Finding(code=code, values=values, file=file, severity="error" if code in ERRORS else "warning")


def _refusals(name: str, file: FetFile) -> Iterator[Finding]:
    halves = 2 if file.mode == MORNINGS_AND_AFTERNOONS else 1
    if not (file.days and file.hours and file.activities):
        yield _finding(name, "fet_empty")
    if len(file.days) > MOST_DAYS * halves:
        yield _finding(name, "fet_too_many_days", days=len(file.days))
    if len(file.hours) * halves > MOST_A_DAY:
        yield _finding(name, "fet_too_many_hours", hours=len(file.hours) * halves)


class _Import:
    def __init__(self, name: str, file: FetFile, stage: Stage, unit: Id, beside: Register | None) -> None:
        self._name = name
        self._unit, self._community, self._campus = unit, f"{unit}-community", f"{unit}-campus"
        self._number = _number(self._community, beside)
        self._file = file
        self._stage = stage
        self._hours = hours_of(file)
        self._limits = limits_of(file, self._hours)
        self._ids = _Ids(unit, beside)
        self._classes = {found: self._ids.give("c", found.comments) for found in classes_of(file)}
        taught_by = {teacher for activity in file.activities for teacher in activity.teachers}
        names = dict.fromkeys([*file.teachers, *sorted(taught_by - set(file.teachers))])
        self._teachers = {teacher: self._ids.give("t", file.teachers.get(teacher, "")) for teacher in names}
        rooms = dict.fromkeys([*file.rooms, *filter(None, self._limits.homes.values())])
        self._rooms = {room: self._ids.give("r", file.rooms.get(room, "")) for room in rooms}
        self._assumed: list[Teacher] = []
        self._homes = {found: self._home(found) for found in self._classes}
        self.found: list[Finding] = []

    def register(self, term: Term) -> Register:
        file, limits = self._file, self._limits
        requirements = tuple(self._requirements())
        self._say(requirements)
        name = _short(file.name) or "FET"
        return Register(
            county=name,
            term=term,
            communities=(
                Community(
                    id=self._community,
                    name=name,
                    number=self._number,
                    stage=self._stage,
                    mode="merged",
                    core=self._unit,
                    members=(),
                ),
            ),
            campuses=(Campus(id=self._campus, name=name),),
            travel=(),
            units=(
                SchoolUnit(
                    id=self._unit,
                    name=name,
                    short_name=name,
                    code=name[:4],
                    campus=self._campus,
                    stage=self._stage,
                    bells=self._hours.bells(limits.breaks),
                    link_capacity=0,
                ),
            ),
            rooms=tuple(self._all_rooms()),
            teachers=(*(self._teacher(teacher) for teacher in self._teachers), *self._assumed),
            classes=tuple(self._class(number, found) for number, found in enumerate(self._classes, 1)),
            requirements=requirements,
            weekdays=tuple(sorted(self._hours.weekdays)),
            busy_rooms=tuple(self._busy_rooms()),
        )

    # People and places ----------------------------------------------------------------------------------------------

    def _teacher(self, name: str) -> Teacher:
        limits = self._limits
        subjects = dict.fromkeys(_short(a.subject) or "-" for a in self._file.activities if name in a.teachers)
        return Teacher(
            id=self._teachers[name],
            name=_short(name),
            posts=(self._unit,),
            subjects=tuple(subjects),
            max_per_day=limits.most_a_day.get(name, limits.most_a_day.get("", MOST_A_DAY)),
            max_per_week=60,
            unavailable=self._hours.busy(limits.teachers_away.get(name, ())),
        )

    def _class(self, number: int, found: FoundClass) -> SchoolClass:
        return SchoolClass(
            id=self._classes[found],
            name=_short(found.name),
            unit=self._unit,
            grade=_grade(found.name) or 1,
            number=min(number, 60),
            pupils=min(found.pupils, MOST_PUPILS),
            room=self._homes[found],
        )

    def _home(self, found: FoundClass) -> str:
        """The home room that FET gives exactly this class; a room of its own where there is none, or others have it."""
        homes = [room for room in self._limits.homes.values() if room]
        for students, room in self._limits.homes.items():
            parts = parts_of(self._file, (students,))
            if room and found.parts <= parts and homes.count(room) == 1 and parts == set(found.parts):
                return self._rooms[room]
        return self._ids.give("h", "")

    def _all_rooms(self) -> Iterator[Room]:
        homes = {id: found.name for found, id in self._homes.items()}
        names = {id: name for name, id in self._rooms.items()}
        for id in dict.fromkeys((*self._rooms.values(), *homes)):
            kind = "home" if id in homes else "special"
            name = _short(names.get(id, homes.get(id, id)))
            yield msgspec.convert(
                {"id": id, "name": name, "unit": self._unit, "campus": self._campus, "kind": kind}, Room
            )

    def _busy_rooms(self) -> Iterator[tuple[Id, BusyTime]]:
        """When rooms cannot be had; a class that is away keeps its home room empty."""
        away: dict[str, set[Slot]] = defaultdict(set)
        for room, slots in self._limits.rooms_away.items():
            if room in self._rooms:
                away[self._rooms[room]] |= slots
        for students, slots in self._limits.students_away.items():
            parts = parts_of(self._file, (students,))
            for found, home in self._homes.items():
                if found.parts & parts:
                    away[home] |= slots
        for room, slots in away.items():
            yield from ((room, busy) for busy in self._hours.busy(slots - self._limits.breaks))

    # Requirements ---------------------------------------------------------------------------------------------------

    def _requirements(self) -> Iterator[Requirement]:
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
        classes = tuple(id for found, id in self._classes.items() if found.parts & parts)
        block, pieces = _divided(sample.duration)
        weekly = min(MOST_WEEKLY, len(activities) * pieces)
        id = self._ids.give("a", sample.comments)
        teachers = tuple(self._teachers[teacher] for teacher in sample.teachers) or (self._stand_in(sample),)
        kind: Kind = "local" if classes else "joint_preparation"
        starts = [self._limits.starts[a.id] for a in activities if a.id in self._limits.starts]
        slots = [Slot(weekday=s.weekday, period=s.period + n * block) for s in starts for n in range(pieces)]
        return Requirement(
            id=id,
            kind=kind,
            subject=_short(sample.subject) or "-",
            parties=(Party(unit=self._unit, classes=classes, teachers=teachers),),
            weekly=weekly,
            community=self._community,
            block=block,
            locked=tuple(slot for slot in dict.fromkeys(slots) if slot.period <= MOST_A_DAY)[:weekly],
        )

    def _stand_in(self, activity: FetActivity) -> str:
        """A teacher for an activity that names none, with nothing else to do."""
        subject = _short(activity.subject) or "-"
        id = self._ids.give("x", "")
        self._assumed.append(
            Teacher(id=id, name=f"? {subject}"[:NAME_LENGTH], posts=(self._unit,), subjects=(subject,))
        )
        return id

    # Telling --------------------------------------------------------------------------------------------------------

    def _say(self, requirements: Iterable[Requirement]) -> None:
        file, limits = self._file, self._limits
        long = sum(activity.duration > MOST_BLOCK for activity in file.activities)
        nobody = sum(not (activity.students or activity.teachers) for activity in file.activities)
        ungraded = sum(_grade(found.name) == 0 for found in self._classes)
        counted: tuple[tuple[str, int, str], ...] = (
            ("fet_grade_assumed", ungraded, "classes"),
            ("fet_teacher_assumed", len(self._assumed), "requirements"),
            ("fet_long_block", long, "activities"),
            ("fet_inactive", file.inactive, "activities"),
            ("fet_nobody", nobody, "activities"),
        )
        if file.mode not in MODES:
            self._find("fet_mode", mode=file.mode)
        if self._hours.assumed:
            windows = self._hours.windows
            self._find("fet_hours_assumed", periods=len(windows))
        for code, count, what in counted:
            if count:
                self._find(code, **{what: count})
        for name, times in sorted(limits.kept.items()):
            self._find("fet_kept_by_us", constraint=name, times=times)
        for name, times in sorted(limits.dropped.items()):
            self._find("fet_constraint_dropped", constraint=name, times=times)

    def _find(self, code: str, **values: str | int) -> None:
        self.found.append(_finding(self._name, code, **values))


class _Ids:
    """Ids for what FET only names, beginning with the unit's where others stand beside it. Our own exports carry the
    id in the comments."""

    def __init__(self, unit: Id, beside: Register | None) -> None:
        self._prefix = "" if beside is None else f"{unit}."
        self._taken = {unit, f"{unit}-community", f"{unit}-campus"}
        if beside is not None:
            lists = (beside.teachers, beside.rooms, beside.classes, beside.requirements)
            ids = (row.id for rows in lists for row in rows)
            self._taken |= {id for id in ids if not id.startswith(self._prefix)}
        self._count = 0

    def give(self, prefix: str, wish: str) -> str:
        wished = wish.strip()
        if wished not in self._taken and _is_id(wished):
            self._taken.add(wished)
            return wished
        while True:
            self._count += 1
            if (id := f"{self._prefix}{prefix}{self._count}") not in self._taken:
                self._taken.add(id)
                return id


def _number(community: Id, beside: Register | None) -> int:
    """The community's number, or the next one."""
    known = {one.id: one.number for one in beside.communities} if beside else {}
    return known.get(community, max(known.values(), default=0) + 1)


def _is_id(text: str) -> bool:
    try:
        msgspec.convert(text, Id)
    except msgspec.ValidationError:
        return False
    return True


def _divided(duration: int) -> tuple[int, int]:
    """Length of a block, and how many of them make up an activity: blocks here have at most three periods."""
    for block in range(MOST_BLOCK, 0, -1):
        if duration % block == 0:
            return block, duration // block
    return 1, duration


def _grade(name: str) -> int:
    found = GRADE.search(name)
    if found is None:
        return 0
    return int(found[0]) if found[0].isdecimal() else CHINESE_DIGITS.index(found[0]) + 1


def _short(text: str) -> str:
    return " ".join(text.split())[:NAME_LENGTH].strip()
