"""This module owns the way from FET to us: one school's `.fet` file as a register of one unit.

Activities become requirements, the times of a finished timetable become fixed slots. Constraints without a counterpart
are counted in the findings; of a file that cannot become a register the findings say why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from msgspec import Struct, structs

from timetable.fet.file import MORNINGS_AND_AFTERNOONS, OFFICIAL, FetFile, read
from timetable.fet.hours import hours_of
from timetable.fet.limits import MOST_A_DAY, limits_of
from timetable.fet.naming import Ids, grade_in, short
from timetable.fet.school import School
from timetable.fet.teaching import MOST_BLOCK, Teaching
from timetable.fet.xml import FetUnreadable
from timetable.model import (
    Campus,
    Community,
    Finding,
    Id,
    Register,
    SchoolUnit,
    Stage,
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
MOST_DAYS = 7
MODES = (OFFICIAL, MORNINGS_AND_AFTERNOONS)


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
        ids = Ids(unit, beside)
        self._school = School(file, self._hours, self._limits, ids, unit, self._campus)
        self._teaching = Teaching(file, self._limits, ids, self._school, unit, self._community)
        self.found: list[Finding] = []

    def register(self, term: Term) -> Register:
        file, limits = self._file, self._limits
        requirements = tuple(self._teaching.requirements())
        self._say()
        name = short(file.name) or "FET"
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
            rooms=tuple(self._school.rooms()),
            teachers=(*self._school.teachers(), *self._teaching.assumed),
            classes=tuple(self._school.classes()),
            requirements=requirements,
            weekdays=tuple(sorted(self._hours.weekdays)),
            busy_rooms=tuple(self._school.busy_rooms()),
        )

    # Telling --------------------------------------------------------------------------------------------------------

    def _say(self) -> None:
        file, limits = self._file, self._limits
        long = sum(activity.duration > MOST_BLOCK for activity in file.activities)
        nobody = sum(not (activity.students or activity.teachers) for activity in file.activities)
        ungraded = sum(grade_in(found.name) == 0 for found in self._school.class_ids)
        counted: tuple[tuple[str, int, str], ...] = (
            ("fet_grade_assumed", ungraded, "classes"),
            ("fet_teacher_assumed", len(self._teaching.assumed), "requirements"),
            ("fet_long_block", long, "activities"),
            ("fet_inactive", file.inactive, "activities"),
            ("fet_nobody", nobody, "activities"),
        )
        if file.mode not in MODES:
            self._find("fet_mode", mode=file.mode)
        if self._hours.assumed:
            self._find("fet_hours_assumed", periods=len(self._hours.windows))
        for code, count, what in counted:
            if count:
                self._find(code, **{what: count})
        for name, times in sorted(limits.kept.items()):
            self._find("fet_kept_by_us", constraint=name, times=times)
        for name, times in sorted(limits.dropped.items()):
            self._find("fet_constraint_dropped", constraint=name, times=times)

    def _find(self, code: str, **values: str | int) -> None:
        self.found.append(_finding(self._name, code, **values))


def _number(community: Id, beside: Register | None) -> int:
    """The community's number, or the next one."""
    known = {one.id: one.number for one in beside.communities} if beside else {}
    return known.get(community, max(known.values(), default=0) + 1)
