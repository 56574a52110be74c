"""This module owns what a school's own table means for the register: lessons fixed to their slots, or time taken.

`locked` is for a school whose whole week is planned here: its lessons keep their places. `busy` is for a school that
keeps its table to itself: its teachers and home rooms are not there at those times. Taking the same table twice
changes nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct, structs

from timetable.bells import Bells
from timetable.model import (
    BusyTime,
    Community,
    Finding,
    Id,
    Party,
    Register,
    Requirement,
    Slot,
    Weeks,
    clock,
)
from timetable.own.table import WARNINGS as READING_WARNINGS
from timetable.own.table import OwnLesson, place, read_own_table
from timetable.weeks import week_set

Into = Literal["locked", "busy"]

ERRORS: Mapping[str, str] = {
    "own_teacher_unknown": "a name that no teacher of the unit has",
    "own_teacher_ambiguous": "a name that several teachers of the unit have",
    "own_teacher_missing": "a lesson whose teacher neither the cell nor a requirement names",
    "own_teacher_differs": "a requirement says that somebody else teaches the subject in the class",
    "own_teacher_twice": "a teacher in two classes at one time",
    "own_class_twice": "a class with two lessons at one time",
    "own_more_than_weekly": "more lessons than the requirement has in a week",
    "own_block_broken": "lessons of a block that do not stand next to each other",
}
WARNINGS: Mapping[str, str] = {
    "own_shared": "a lesson that the community plans; its place here counts for nothing",
    "own_planned_here": "a lesson that is planned here is no time that is taken",
    "own_requirement_new": "a lesson without a requirement, so that one was made",
}

REASON = "本校课表"
"""How the reason of a time begins that was taken from a school's own table: taken again, it is replaced."""
MOST_WEEKLY = 20
NOT_IN_IDS = re.compile(r"[^A-Za-z0-9._-]")


class OwnImport(Struct, frozen=True, kw_only=True):
    """What a school's own table makes of the register. `register` holds what could be taken, also beside errors."""

    register: Register
    findings: tuple[Finding, ...]
    lessons: int
    """Cells that were understood."""
    locked: int = 0
    """Slots that are fixed now and were not before."""
    requirements: int = 0
    """Requirements that were made."""
    busy: int = 0
    """Times that teachers and rooms are not to be had."""

    @property
    def has_errors(self) -> bool:
        return any(finding.severity == "error" for finding in self.findings)


def take_own_table(files: Mapping[str, bytes], register: Register, unit: str, into: Into) -> OwnImport:
    """The files as the table of the unit. Nothing raises: whatever is wrong is a finding that names the cell."""
    table = read_own_table(files, register, unit)
    taking = _Taking(register, unit, table.findings)
    lessons = [lesson for lesson in map(taking.resolve, table.lessons) if lesson is not None]
    lessons = taking.apart(lessons)
    result = taking.lock(lessons) if into == "locked" else taking.keep_free(lessons)
    return structs.replace(result, findings=tuple(taking.findings), lessons=len(lessons))


class _Resolved(Struct, frozen=True, kw_only=True):
    """A lesson with the ids of its teachers; none where the cell names nobody."""

    lesson: OwnLesson
    teachers: tuple[Id, ...]

    @property
    def slot(self) -> Slot:
        return Slot(weekday=self.lesson.weekday, period=self.lesson.period)


class _Taking:
    def __init__(self, register: Register, unit: str, findings: list[Finding]) -> None:
        self._register = register
        self._unit = unit
        self.findings = findings
        self._ids: dict[str, list[str]] = defaultdict(list)
        for teacher in register.teachers:
            if unit in teacher.posts:
                self._ids["".join(teacher.name.split())].append(teacher.id)
                self._ids[teacher.id].append(teacher.id)
        self._subjects = {teacher.id: teacher.subjects for teacher in register.teachers}
        self._bells = Bells([u for u in register.units if u.id == unit], range(1, 8), register.term.first_day)
        self._names = {c.id: c.name for c in register.classes}

    def _report(self, code: str, lesson: OwnLesson, **values: str | int) -> None:
        warning = code in WARNINGS or code in READING_WARNINGS
        self.findings.append(place(code, lesson.source, lesson.cell, warning=warning, **values))

    def resolve(self, lesson: OwnLesson) -> _Resolved | None:
        found = []
        expected = self._expected(lesson)
        for name in lesson.teachers:
            ids = list(dict.fromkeys(self._ids.get(name, ())))
            # of two people with one name it is who teaches the class anyway
            ids = [id for id in ids if id in expected] or ids
            if len(ids) > 1:
                # or the only one of them who teaches the subject
                ids = [id for id in ids if lesson.subject in self._subjects[id]] or ids
            if len(ids) != 1:
                self._report("own_teacher_ambiguous" if ids else "own_teacher_unknown", lesson, name=name)
                return None
            found += ids
        teachers = tuple(dict.fromkeys(found)) or expected
        return _Resolved(lesson=lesson, teachers=teachers)

    def _expected(self, lesson: OwnLesson) -> tuple[Id, ...]:
        """Who teaches the subject in the class by its own requirements, where that is one answer."""
        answers = {requirement.parties[0].teachers for requirement in self._of_subject(lesson)} - {()}
        return next(iter(answers)) if len(answers) == 1 else ()

    def apart(self, lessons: Iterable[_Resolved]) -> list[_Resolved]:
        """The lessons without those that put a class or a teacher in two places."""
        taken: dict[tuple[str, int, int], list[_Resolved]] = defaultdict(list)
        kept = []
        for one in lessons:
            lesson = one.lesson
            at = (lesson.weekday, lesson.period)
            same_class = self._clash(taken[lesson.school_class, *at], lesson.weeks)
            if same_class is not None:
                self._report("own_class_twice", lesson, other=_where(same_class), **self._when(lesson))
                continue
            clashing = [
                (teacher, other)
                for teacher in one.teachers
                if (other := self._clash(taken[teacher, *at], lesson.weeks)) is not None
                # one lesson for two classes together is taught once
                and (other.lesson.subject, other.teachers) != (lesson.subject, one.teachers)
            ]
            if clashing:
                teacher, other = clashing[0]
                name = next(t.name for t in self._register.teachers if t.id == teacher)
                self._report("own_teacher_twice", lesson, name=name, other=_where(other), **self._when(lesson))
                continue
            kept.append(one)
            for who in (lesson.school_class, *one.teachers):
                taken[who, *at].append(one)
        return kept

    def _clash(self, there: Sequence[_Resolved], weeks: Weeks) -> _Resolved | None:
        return next((other for other in there if week_set(other.lesson.weeks) & week_set(weeks)), None)

    def _when(self, lesson: OwnLesson) -> dict[str, int]:
        return {"weekday": lesson.weekday, "period": lesson.period}

    # Locked ---------------------------------------------------------------------------------------------------------

    def lock(self, lessons: Sequence[_Resolved]) -> OwnImport:
        """Fix the lessons of requirements that stand already, and make requirements of the others."""
        standing = {requirement.id: requirement for requirement in self._register.requirements}
        places: dict[str, list[_Resolved]] = defaultdict(list)
        new: dict[tuple[object, ...], list[_Resolved]] = defaultdict(list)
        for one in self._not_shared(lessons):
            lesson = one.lesson
            of_subject = self._local(lesson)
            fitting = [r for r in of_subject if not one.teachers or set(one.teachers) & set(r.parties[0].teachers)]
            if fitting:
                self._place(one, fitting, places)
            elif of_subject:
                self._report("own_teacher_differs", lesson, subject=lesson.subject, requirement=of_subject[0].id)
            elif not one.teachers:
                self._report("own_teacher_missing", lesson, subject=lesson.subject)
            else:
                new[lesson.school_class, lesson.subject, lesson.weeks, one.teachers].append(one)
        taken = set(standing)
        made = [requirement for found in new.values() for requirement in self._made(found, taken)]
        changed = {id: self._with_locks(standing[id], found) for id, found in places.items()}
        fixed = sum(len(requirement.locked) for requirement in made)
        fixed += sum(len(set(requirement.locked) - set(standing[id].locked)) for id, requirement in changed.items())
        requirements = (*(changed.get(r.id, r) for r in self._register.requirements), *made)
        register = structs.replace(self._register, requirements=requirements)
        return OwnImport(register=register, findings=(), lessons=0, locked=fixed, requirements=len(made))

    def _not_shared(self, lessons: Iterable[_Resolved]) -> Iterator[_Resolved]:
        """The lessons less those that the community plans."""
        shared = {
            (school_class, requirement.subject)
            for requirement in self._register.requirements
            if requirement.kind != "local"
            for party in requirement.parties
            for school_class in party.classes
        }
        for one in lessons:
            lesson = one.lesson
            if (lesson.school_class, lesson.subject) in shared and not self._local(lesson):
                self._report("own_shared", lesson, subject=lesson.subject)
            else:
                yield one

    def _local(self, lesson: OwnLesson) -> list[Requirement]:
        """The class's own requirements of the subject for these weeks."""
        return [requirement for requirement in self._of_subject(lesson) if requirement.weeks == lesson.weeks]

    def _of_subject(self, lesson: OwnLesson) -> list[Requirement]:
        return [
            requirement
            for requirement in self._register.requirements
            if requirement.kind == "local"
            and requirement.subject == lesson.subject
            and lesson.school_class in requirement.parties[0].classes
        ]

    def _place(self, one: _Resolved, fitting: Sequence[Requirement], places: dict[str, list[_Resolved]]) -> None:
        for requirement in fitting:
            there = places[requirement.id]
            if any(other.slot == one.slot for other in there):
                return
            if len(there) < requirement.weekly * requirement.block:
                there.append(one)
                return
        self._report("own_more_than_weekly", one.lesson, requirement=fitting[0].id, weekly=fitting[0].weekly)

    def _with_locks(self, requirement: Requirement, there: Sequence[_Resolved]) -> Requirement:
        """The requirement with the slots that this table gives it; those of before fill up what it leaves open."""
        left = sorted(there, key=lambda one: (one.slot.weekday, one.slot.period))
        begins: list[Slot] = []
        while left:
            first = left.pop(0)
            wanted = {(first.slot.weekday, first.slot.period + n) for n in range(1, requirement.block)}
            rest = [one for one in left if (one.slot.weekday, one.slot.period) in wanted]
            if len(rest) < len(wanted):
                lesson, block = first.lesson, requirement.block
                self._report("own_block_broken", lesson, requirement=requirement.id, block=block)
                continue
            left = [one for one in left if one not in rest]
            begins.append(first.slot)
        kept = [slot for slot in requirement.locked if slot not in begins]
        return structs.replace(requirement, locked=tuple([*begins, *kept][: requirement.weekly]))

    def _made(self, lessons: Sequence[_Resolved], taken: set[str]) -> Iterable[Requirement]:
        first = lessons[0].lesson
        community = self._community()
        if community is None:
            return
        slots = list(dict.fromkeys(one.slot for one in lessons))[:MOST_WEEKLY]
        number, stem = 1, NOT_IN_IDS.sub("-", f"own.{first.school_class}")[:80]
        while (id := f"{stem}.{number}") in taken:
            number += 1
        taken.add(id)
        self._report(
            "own_requirement_new",
            first,
            subject=first.subject,
            name=self._names[first.school_class],
            lessons=len(slots),
        )
        yield Requirement(
            id=id,
            kind="local",
            subject=first.subject,
            parties=(Party(unit=self._unit, classes=(first.school_class,), teachers=lessons[0].teachers),),
            weekly=len(slots),
            community=community.id,
            weeks=first.weeks,
            locked=tuple(slots),
        )

    def _community(self) -> Community | None:
        return next((c for c in self._register.communities if self._unit in c.units), None)

    # Busy -----------------------------------------------------------------------------------------------------------

    def keep_free(self, lessons: Sequence[_Resolved]) -> OwnImport:
        """Take the times from the teachers and home rooms of the unit, in place of those of an earlier table."""
        homes = {c.id: c.room for c in self._register.classes}
        of_teachers: dict[str, list[BusyTime]] = defaultdict(list)
        of_rooms: dict[str, list[BusyTime]] = defaultdict(list)
        for one in self._not_shared(lessons):
            if self._local(one.lesson):
                self._report("own_planned_here", one.lesson, subject=one.lesson.subject)
                continue
            busy = self._busy(one.lesson)
            for teacher in one.teachers:
                of_teachers[teacher].append(busy)
            of_rooms[homes[one.lesson.school_class]].append(busy)
        own_teachers = {t.id for t in self._register.teachers if t.posts[0] == self._unit} | of_teachers.keys()
        own_rooms = {c.room for c in self._register.classes if c.unit == self._unit}
        teachers = tuple(
            structs.replace(teacher, unavailable=(*_others(teacher.unavailable), *_merged(of_teachers[teacher.id])))
            if teacher.id in own_teachers
            else teacher
            for teacher in self._register.teachers
        )
        rooms = [
            (room, busy)
            for room, busy in self._register.busy_rooms
            if room not in own_rooms or not busy.reason.startswith(REASON)
        ]
        rooms += [(room, busy) for room, times in of_rooms.items() for busy in _merged(times)]
        count = sum(len(_merged(times)) for times in (*of_teachers.values(), *of_rooms.values()))
        register = structs.replace(self._register, teachers=teachers, busy_rooms=tuple(rooms))
        return OwnImport(register=register, findings=(), lessons=0, busy=count)

    def _busy(self, lesson: OwnLesson) -> BusyTime:
        window = self._bells.window(self._unit, lesson.weekday, lesson.period)
        assert window is not None, "a lesson without a period was refused when it was read"
        reason = f"{REASON}：{self._names[lesson.school_class]} {lesson.subject}"
        return BusyTime(
            weekday=lesson.weekday,
            start=clock(window.start),
            end=clock(window.end),
            weeks=lesson.weeks,
            reason=reason,
        )


def _where(other: _Resolved) -> str:
    """The place of a lesson in words."""
    source = other.lesson.source
    return " ".join(part for part in (source.file, source.sheet, other.lesson.cell) if part)


def _others(times: Iterable[BusyTime]) -> list[BusyTime]:
    return [busy for busy in times if not busy.reason.startswith(REASON)]


def _merged(times: Iterable[BusyTime]) -> list[BusyTime]:
    """Each time once; two classes taught together are one time."""
    found: dict[tuple[object, ...], BusyTime] = {}
    for busy in times:
        found.setdefault((busy.weekday, busy.start, busy.end, busy.weeks), busy)
    return list(found.values())
