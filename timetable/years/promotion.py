"""This module owns the turn of the school year: classes move up a grade, the oldest leave, new ones begin, and each
learns what its new grade learns.

A class keeps its id for as long as it is at the school, so that calendars and reviews keep its history; a new one is
named by the year in which it begins. What a grade learns is taken from the classes that were in it last year.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from msgspec import Meta, structs

from timetable.model import (
    Finding,
    Id,
    Model,
    Party,
    Register,
    Requirement,
    Room,
    SchoolClass,
    SchoolUnit,
    Stage,
)

CODES: Mapping[str, str] = {
    "rollover_entry_assumed": "nobody said how many classes begin: as many as leave (a warning)",
    "rollover_entry_unknown": "classes were given for a unit that the register does not have",
    "rollover_name_kept": "a class's name does not say its grade, so it stays (a warning)",
    "rollover_template_elsewhere": "no class of the unit was in this grade; another school's plan is taken (a warning)",
    "rollover_no_template": "no class of the stage was in this grade, so nothing says what it learns",
    "rollover_periods": "a class does not get the weekly periods of its grade (a warning)",
    "rollover_shared_ends": "a shared lesson has no class to go on with (a warning)",
    "rollover_party_leaves": "a school has no class for a shared lesson any more (a warning)",
    "rollover_overload": "a teacher gets more lessons a week than agreed (a warning)",
    "rollover_other_subject": "a teacher gets a subject of somebody else (a warning)",
    "rollover_teacher_chosen": "another teacher takes a fixed lesson, because two stand in one slot (a warning)",
    "rollover_no_teacher": "nobody is known to teach a subject to a class",
}
"""Every code that this module can report."""

WEEKLY_PERIODS: Mapping[int, int] = {1: 26, 2: 26, 3: 30, 4: 30, 5: 30, 6: 30, 7: 34, 8: 34, 9: 34}
"""Periods a week by grade, after the 2022 curriculum plan."""
GRADES: Mapping[Stage, tuple[int, int]] = {"primary": (1, 6), "junior": (7, 9)}
LESSONS = frozenset({"local", "sync", "dedicated"})
NUMERALS = "一二三四五六七八九"
CLASS_NAME = re.compile(rf"^([{NUMERALS}])([（(]\d+[)）]班)$")

Teaching = Literal["follow", "stay"]
"""Whether teachers go up with their classes, or stay with the grade."""


class Entry(Model, frozen=True, kw_only=True):
    """The classes that begin at a unit: the pupils of each."""

    unit: Id
    pupils: Annotated[tuple[Annotated[int, Meta(ge=0, le=99)], ...], Meta(max_length=60)]


class Moved(Model, frozen=True, kw_only=True):
    """A class before and after; no `before` of one that begins, no `after` of one that leaves."""

    id: Id
    unit: Id
    before: str = ""
    after: str = ""


class Promotion:
    """The register of the next year, worked out at once; `year` is the one in which the new classes begin."""

    def __init__(self, register: Register, entries: Sequence[Entry], teaching: Teaching, year: int) -> None:
        self._old = register
        self._teaching = teaching
        self._year = year
        self._units = {unit.id: unit for unit in register.units}
        self._entries = {entry.unit: entry for entry in entries}
        self._teachers = {teacher.id: teacher for teacher in register.teachers}
        self.findings: list[Finding] = []
        self._known = {school_class.id: school_class for school_class in register.classes}
        self._by_grade = _by_grade(register.classes)
        self._rooms = {room.id: room for room in register.rooms}
        self.moved: list[Moved] = []
        self._classes: list[SchoolClass] = []
        self._room_names: dict[str, str] = {}
        self._new_rooms: list[Room] = []
        self._turn()
        self._next = _by_grade(self._classes)
        self._found = {school_class.id: school_class for school_class in self._classes}
        self._taught = _taught(register)
        self._slugs = {
            requirement.subject: requirement.id.removeprefix(f"{requirement.parties[0].classes[0]}.")
            for requirement in register.requirements
            if requirement.kind == "local"
            and requirement.parties[0].classes
            and requirement.id.startswith(f"{requirement.parties[0].classes[0]}.")
        }
        self._last_grade: dict[tuple[str, str], int] = {}
        for id, subject in self._taught:
            unit, grade = self._known[id].unit, self._known[id].grade
            self._last_grade[unit, subject] = max(grade, self._last_grade.get((unit, subject), 0))
        self._shared, self._shared_periods = self._shared_requirements()
        self.register = self._register()
        self._judge()

    # Classes --------------------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        for id in self._entries:
            if id not in self._units:
                self._find("rollover_entry_unknown", "error", id=id)
        for unit in self._old.units:
            freed: list[str] = []
            first, last = GRADES[unit.stage]
            for grade in range(last, first - 1, -1):
                for school_class in self._by_grade.get((unit.id, grade), ()):
                    if grade == last:
                        self.moved.append(Moved(id=school_class.id, unit=unit.id, before=school_class.name))
                        freed.append(school_class.room)
                    else:
                        self._classes.append(self._promoted(school_class))
            self._begin(unit, first, freed)

    def _promoted(self, old: SchoolClass) -> SchoolClass:
        parts = CLASS_NAME.match(old.name)
        name = f"{NUMERALS[old.grade]}{parts[2]}" if parts else old.name
        if parts is None:
            self._find("rollover_name_kept", name=old.name, unit=self._units[old.unit].short_name)
        self._rename_room(old.room, old.name, name)
        self.moved.append(Moved(id=old.id, unit=old.unit, before=old.name, after=name))
        return structs.replace(old, grade=old.grade + 1, name=name)

    def _begin(self, unit: SchoolUnit, grade: int, freed: Sequence[str]) -> None:
        leaving = self._by_grade.get((unit.id, GRADES[unit.stage][1]), ())
        entry = self._entries.get(unit.id)
        if entry is None:
            if not leaving:
                return
            self._find("rollover_entry_assumed", unit=unit.short_name, classes=len(leaving))
            entry = Entry(unit=unit.id, pupils=tuple(school_class.pupils for school_class in leaving))
        style = "({})班"
        for number, pupils in enumerate(entry.pupils, 1):
            id, name = f"{unit.id}.e{self._year}-{number}", f"{NUMERALS[grade - 1]}{style.format(number)}"
            if number <= len(freed):
                room = freed[number - 1]
                self._rename_room(room, leaving[number - 1].name, name)
            else:
                room = f"{id}.room"
                self._new_rooms.append(Room(id=room, name=f"{name}教室", unit=unit.id, campus=unit.campus, kind="home"))
            self._classes.append(
                SchoolClass(id=id, name=name, unit=unit.id, grade=grade, number=number, pupils=pupils, room=room)
            )
            self.moved.append(Moved(id=id, unit=unit.id, after=name))

    def _rename_room(self, room: str, old: str, new: str) -> None:
        known = self._rooms.get(room)
        if known is not None and old in known.name:
            self._room_names[room] = known.name.replace(old, new)

    # What must be taught --------------------------------------------------------------------------------------------

    def _successor(self, school_class: str) -> SchoolClass | None:
        """Who is next year what this class was: of the same unit and grade, at the same place."""
        old = self._known[school_class]
        place = [c.id for c in self._by_grade[old.unit, old.grade]].index(old.id)
        following = self._next.get((old.unit, old.grade), ())
        return following[place] if place < len(following) else None

    def _shared_requirements(self) -> tuple[list[Requirement], Mapping[tuple[str, str], float]]:
        """What is not one class's own: the lessons shared by schools, with next year's classes of the same grades, and
        the meetings; and the weekly periods that each class gets from it, by subject."""
        found: list[Requirement] = []
        periods: dict[tuple[str, str], float] = defaultdict(float)
        for requirement in self._old.requirements:
            if requirement.kind == "local":
                continue
            turned = self._turned(requirement)
            if turned is None:
                continue
            found.append(turned)
            for party in turned.parties:
                for school_class in party.classes:
                    periods[school_class, turned.subject] += _periods(turned)
        return _unique(found), periods

    def _turned(self, requirement: Requirement) -> Requirement | None:
        parties: list[Party] = []
        prefix = next((c for p in requirement.parties for c in p.classes if requirement.id.startswith(f"{c}.")), None)
        for index, party in enumerate(requirement.parties):
            classes = tuple(c.id for old in party.classes if (c := self._successor(old)) is not None)
            if party.classes and not classes:
                code = "rollover_shared_ends" if index == 0 else "rollover_party_leaves"
                self._find(
                    code, subject=requirement.subject, unit=self._units[party.unit].short_name, id=requirement.id
                )
                if index == 0:
                    return None
                continue
            teachers = party.teachers
            if classes and index == 0 and self._teaching == "follow":
                teachers = self._followers(classes[0], requirement.subject) or teachers
            parties.append(Party(unit=party.unit, classes=classes, teachers=teachers))
        if requirement.kind in ("sync", "dedicated") and len(parties) < 2:
            unit = self._units[requirement.parties[0].unit].short_name
            self._find("rollover_shared_ends", subject=requirement.subject, unit=unit, id=requirement.id)
            return None
        id = requirement.id
        if prefix is not None and (following := self._successor(prefix)) is not None:
            id = f"{following.id}{id.removeprefix(prefix)}"
        here = {party.unit for party in parties}
        rotation = tuple(unit for unit in requirement.rotation if unit in here)
        return structs.replace(requirement, id=id, parties=tuple(parties), rotation=rotation)

    def _followers(self, school_class: str, subject: str) -> tuple[str, ...]:
        """Who taught the class itself last year. Where it begins the subject, those come back to it whose classes have
        come to the subject's end."""
        known = self._taught.get((school_class, subject))
        if known is None:
            new = self._found[school_class]
            ended = self._by_grade.get((new.unit, self._last_grade.get((new.unit, subject), 0)), ())
            place = [c.id for c in self._next[new.unit, new.grade]].index(new.id)
            known = self._taught.get((ended[place].id, subject)) if place < len(ended) else None
        return known or ()

    def _local(self) -> Iterator[Requirement]:
        local: dict[str, list[Requirement]] = defaultdict(list)
        given: dict[tuple[str, str], float] = defaultdict(float)
        for requirement in self._old.requirements:
            for party in requirement.parties:
                for school_class in party.classes:
                    given[school_class, requirement.subject] += _periods(requirement)
                    if requirement.kind == "local":
                        local[school_class].append(requirement)
        community = {unit: c.id for c in self._old.communities for unit in c.units}
        for new in self._classes:
            template = self._template(new)
            if template is not None and new.unit in community:
                yield from self._own(new, template, local[template.id], given, community[new.unit])

    def _template(self, new: SchoolClass) -> SchoolClass | None:
        """The class that was last year where this one is now."""
        here = self._by_grade.get((new.unit, new.grade), ())
        if here:
            place = [c.id for c in self._next[new.unit, new.grade]].index(new.id)
            return here[min(place, len(here) - 1)]
        unit, stage = self._units[new.unit], self._units[new.unit].stage
        mates = next((c.units for c in self._old.communities if new.unit in c.units), ())
        others = [u for u in self._old.units if u.stage == stage and self._by_grade.get((u.id, new.grade))]
        others.sort(key=lambda other: other.id not in mates)
        if not others:
            self._find("rollover_no_template", "error", name=new.name, unit=unit.short_name)
            return None
        self._find("rollover_template_elsewhere", name=new.name, unit=unit.short_name, other=others[0].short_name)
        return self._by_grade[others[0].id, new.grade][0]

    def _own(
        self,
        new: SchoolClass,
        template: SchoolClass,
        local: Sequence[Requirement],
        given: Mapping[tuple[str, str], float],
        community: str,
    ) -> Iterator[Requirement]:
        """The lessons that the class has by itself: what its grade learns, less what it shares with others."""
        rest = {s: n - self._shared_periods.get((new.id, s), 0.0) for (c, s), n in given.items() if c == template.id}
        for requirement in local:
            weekly, block = requirement.weekly, requirement.block
            simple = requirement.weeks == "all" and not requirement.only_weeks
            if simple:
                weekly = min(20, int(rest[requirement.subject] // block))
                same = [r for r in local if r.subject == requirement.subject and _periods(r) == r.weekly * r.block]
                if len(same) > 1 and requirement is not same[-1]:
                    weekly = min(weekly, requirement.weekly)
            if weekly < 1:
                continue
            rest[requirement.subject] -= _periods(structs.replace(requirement, weekly=weekly))
            slug = requirement.id.removeprefix(f"{template.id}.")
            yield structs.replace(
                requirement,
                id=f"{new.id}.{slug}",
                community=community,
                weekly=weekly,
                locked=requirement.locked[:weekly],
                parties=(
                    Party(unit=new.unit, classes=(new.id,), teachers=self._teachers_of(new, template, requirement)),
                ),
            )
        done = {requirement.subject for requirement in local}
        for subject, periods in rest.items():
            if subject not in done and periods >= 1:
                yield self._extra(new, template, subject, int(periods), community)

    def _teachers_of(self, new: SchoolClass, template: SchoolClass, requirement: Requirement) -> tuple[str, ...]:
        stayed = requirement.parties[0].teachers if template.unit == new.unit else ()
        if self._teaching == "follow":
            return self._followers(new.id, requirement.subject) or stayed
        return stayed

    def _extra(self, new: SchoolClass, template: SchoolClass, subject: str, weekly: int, community: str) -> Requirement:
        """A subject that the grade had with other schools alone, and this class does not share."""
        teachers = self._followers(new.id, subject) or self._taught.get((template.id, subject), ())
        own = tuple(id for id in teachers if new.unit in self._teachers[id].posts)
        return Requirement(
            id=f"{new.id}.{self._slugs.get(subject, 'extra')}",
            kind="local",
            subject=subject,
            parties=(Party(unit=new.unit, classes=(new.id,), teachers=own),),
            weekly=weekly,
            community=community,
        )

    # The whole ------------------------------------------------------------------------------------------------------

    def _register(self) -> Register:
        order = {unit.id: number for number, unit in enumerate(self._old.units)}
        classes = sorted(self._classes, key=lambda c: (order[c.unit], c.grade, c.number))
        rooms = tuple(structs.replace(room, name=self._room_names.get(room.id, room.name)) for room in self._old.rooms)
        requirements = self._untied(_unique([*self._shared, *self._local()]))
        return structs.replace(
            self._old,
            classes=tuple(classes),
            rooms=(*rooms, *self._new_rooms),
            requirements=tuple(requirements),
        )

    def _untied(self, requirements: Sequence[Requirement]) -> list[Requirement]:
        """The same with nobody in two classes at once: where two lessons of a teacher are fixed to one slot, another
        teacher of the class takes one."""
        busy: set[tuple[str, int, int]] = set()
        of_class: dict[str, list[str]] = defaultdict(list)
        for requirement in requirements:
            for party in requirement.parties:
                for school_class in party.classes:
                    of_class[school_class] += [id for id in party.teachers if party.unit in self._teachers[id].posts]
        found = []
        for requirement in requirements:
            slots = _slots(requirement)
            tied = any((id, *slot) in busy for p in requirement.parties for id in p.teachers for slot in slots)
            if tied and requirement.kind == "local":
                host = requirement.parties[0]
                name = self._found[host.classes[0]].name
                unit = self._units[host.unit].short_name
                others = dict.fromkeys(of_class[host.classes[0]])
                free = next((id for id in others if not any((id, *slot) in busy for slot in slots)), None)
                if free is None:
                    self._find("rollover_no_teacher", "error", subject=requirement.subject, name=name, unit=unit)
                else:
                    chosen = self._teachers[free].name
                    values: dict[str, str | int] = {"subject": requirement.subject, "class": name, "unit": unit}
                    self._find("rollover_teacher_chosen", "warning", name=chosen, **values)
                    party = structs.replace(host, teachers=(free,))
                    requirement = structs.replace(requirement, parties=(party,))
            busy |= {(id, *slot) for p in requirement.parties for id in p.teachers for slot in slots}
            found.append(requirement)
        return found

    def _judge(self) -> None:
        """What the new year leaves unclear."""
        periods: dict[str, float] = defaultdict(float)
        loads: dict[str, float] = defaultdict(float)
        foreign: set[tuple[str, str]] = set()
        for requirement in self.register.requirements:
            for party in requirement.parties:
                for id in party.classes:
                    periods[id] += _periods(requirement)
                for id in party.teachers:
                    loads[id] += _periods(requirement)
                if requirement.kind == "local":
                    for id in party.teachers:
                        if requirement.subject not in self._teachers[id].subjects:
                            foreign.add((id, requirement.subject))
                    if not party.teachers:
                        name = self._found[party.classes[0]].name
                        unit = self._units[party.unit].short_name
                        self._find("rollover_no_teacher", "error", subject=requirement.subject, name=name, unit=unit)
        known = {(id, s) for (_, s), ids in self._taught.items() for id in ids}
        for id, subject in sorted(foreign - known):
            self._find("rollover_other_subject", name=self._teachers[id].name, subject=subject)
        for school_class in self._classes:
            expected, has = WEEKLY_PERIODS[school_class.grade], periods[school_class.id]
            if has != expected:
                unit = self._units[school_class.unit].short_name
                counts: dict[str, str | int] = {"periods": _number(has), "expected": expected}
                self._find("rollover_periods", "warning", name=school_class.name, unit=unit, **counts)
        for id, load in sorted(loads.items()):
            teacher = self._teachers[id]
            if load > teacher.max_per_week:
                unit = self._units[teacher.posts[0]].short_name
                counts = {"lessons": _number(load), "most": teacher.max_per_week}
                self._find("rollover_overload", "warning", name=teacher.name, unit=unit, **counts)

    def _find(self, code: str, severity: Literal["error", "warning"] = "warning", **values: str | int) -> None:
        found = Finding(code=code, values=values, severity=severity)
        if found not in self.findings:
            self.findings.append(found)


def _by_grade(classes: Sequence[SchoolClass]) -> dict[tuple[str, int], list[SchoolClass]]:
    found: dict[tuple[str, int], list[SchoolClass]] = defaultdict(list)
    for school_class in sorted(classes, key=lambda c: (c.number, c.id)):
        found[school_class.unit, school_class.grade].append(school_class)
    return dict(found)


def _taught(register: Register) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Who teaches which class what: at home, else as the host of what it shares."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for own in (False, True):
        for requirement in register.requirements:
            if (requirement.kind == "local") is own and requirement.kind in ("local", "sync"):
                host = requirement.parties[0]
                for school_class in host.classes:
                    found[school_class, requirement.subject] = host.teachers
    return found


def _periods(requirement: Requirement) -> float:
    """What it takes of a class's week; tests and series of a few weeks are not part of the weekly plan."""
    if requirement.kind not in LESSONS or requirement.only_weeks:
        return 0.0
    return requirement.weekly * requirement.block * (1.0 if requirement.weeks == "all" else 0.5)


def _slots(requirement: Requirement) -> list[tuple[int, int]]:
    """Weekday and period of every period that is fixed."""
    return [(s.weekday, s.period + n) for s in requirement.locked for n in range(requirement.block)]


def _number(periods: float) -> int | str:
    return int(periods) if periods == int(periods) else str(periods)


def _unique(requirements: Sequence[Requirement]) -> list[Requirement]:
    """The same with every id once."""
    seen: set[str] = set()
    found = []
    for requirement in requirements:
        id, number = requirement.id, 2
        while id in seen:
            id, number = f"{requirement.id}-{number}", number + 1
        seen.add(id)
        found.append(requirement if id == requirement.id else structs.replace(requirement, id=id))
    return found
