"""This module owns the turn of the school year: classes move up a grade, the oldest leave, new ones begin, and each
learns what its new grade learns.

What a grade learns is taken from the classes that were in it last year.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from msgspec import structs

from timetable.model import (
    Party,
    Register,
    Requirement,
    SchoolClass,
)
from timetable.titles import parties_named
from timetable.weeks import WeekSet, weeks_of
from timetable.years.next_classes import Entry, NextClasses, by_grade
from timetable.years.next_year import judge, periods_of
from timetable.years.remarks import Remarks

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

Teaching = Literal["follow", "stay"]
"""Whether teachers go up with their classes, or stay with the grade."""


class Promotion:
    """The register of the next year, worked out at once; `year` is the one in which the new classes begin."""

    def __init__(self, register: Register, entries: Sequence[Entry], teaching: Teaching, year: int) -> None:
        self._old = register
        self._teaching = teaching
        self._remarks = Remarks()
        self._find = self._remarks.find
        self._units = {unit.id: unit for unit in register.units}
        self._teachers = {teacher.id: teacher for teacher in register.teachers}
        self._known = {school_class.id: school_class for school_class in register.classes}
        self._by_grade = by_grade(register.classes)
        self._classes = NextClasses(register, entries, year, self._remarks)
        self._next = by_grade(self._classes.classes)
        self._found = {school_class.id: school_class for school_class in self._classes.classes}
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
        judge(self.register, self._taught, self._remarks)
        self.findings = self._remarks.findings
        self.moved = self._classes.moved

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
                    periods[school_class, turned.subject] += periods_of(turned)
        return _unique(found), periods

    def _turned(self, requirement: Requirement) -> Requirement | None:
        parties: list[Party] = []
        prefix = next((c for p in requirement.parties for c in p.classes if requirement.id.startswith(f"{c}.")), None)
        for index, party in enumerate(requirement.parties):
            classes = tuple(c.id for old in party.classes if (c := self._successor(old)) is not None)
            if party.classes and not classes:
                code = "rollover_shared_ends" if index == 0 else "rollover_party_leaves"
                self._find(
                    code,
                    subject=requirement.subject,
                    unit=self._units[party.unit].short_name,
                    parties=parties_named(self._old, requirement),
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
            named = parties_named(self._old, requirement)
            self._find("rollover_shared_ends", subject=requirement.subject, unit=unit, parties=named)
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
                    given[school_class, requirement.subject] += periods_of(requirement)
                    if requirement.kind == "local":
                        local[school_class].append(requirement)
        community = {unit: c.id for c in self._old.communities for unit in c.units}
        for new in self._classes.classes:
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
                same = [r for r in local if r.subject == requirement.subject and periods_of(r) == r.weekly * r.block]
                if len(same) > 1 and requirement is not same[-1]:
                    weekly = min(weekly, requirement.weekly)
            if weekly < 1:
                continue
            rest[requirement.subject] -= periods_of(structs.replace(requirement, weekly=weekly))
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
        classes = sorted(self._classes.classes, key=lambda c: (order[c.unit], c.grade, c.number))
        rooms = tuple(
            structs.replace(room, name=self._classes.room_names.get(room.id, room.name)) for room in self._old.rooms
        )
        requirements = self._untied(_unique([*self._shared, *self._local()]))
        return structs.replace(
            self._old,
            classes=tuple(classes),
            rooms=(*rooms, *self._classes.new_rooms),
            requirements=tuple(requirements),
        )

    def _untied(self, requirements: Sequence[Requirement]) -> list[Requirement]:
        """The same with nobody in two classes at once: where two lessons of a teacher are fixed to one slot, another
        teacher of the class takes one."""
        busy: dict[tuple[str, int, int], WeekSet] = defaultdict(int)
        of_class: dict[str, list[str]] = defaultdict(list)
        for requirement in requirements:
            for party in requirement.parties:
                for school_class in party.classes:
                    of_class[school_class] += [id for id in party.teachers if party.unit in self._teachers[id].posts]
        found = []
        for requirement in requirements:
            slots, weeks = _slots(requirement), weeks_of(requirement)
            tied = any(busy[id, *slot] & weeks for p in requirement.parties for id in p.teachers for slot in slots)
            if tied and requirement.kind == "local":
                host = requirement.parties[0]
                name = self._found[host.classes[0]].name
                unit = self._units[host.unit].short_name
                others = dict.fromkeys(of_class[host.classes[0]])
                free = next((id for id in others if not any(busy[id, *slot] & weeks for slot in slots)), None)
                if free is None:
                    self._find("rollover_no_teacher", "error", subject=requirement.subject, name=name, unit=unit)
                else:
                    chosen = self._teachers[free].name
                    values: dict[str, str | int] = {"subject": requirement.subject, "class": name, "unit": unit}
                    self._find("rollover_teacher_chosen", "warning", name=chosen, **values)
                    party = structs.replace(host, teachers=(free,))
                    requirement = structs.replace(requirement, parties=(party,))
            for id, slot in {(id, slot) for p in requirement.parties for id in p.teachers for slot in slots}:
                busy[id, *slot] |= weeks
            found.append(requirement)
        return found


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


def _slots(requirement: Requirement) -> list[tuple[int, int]]:
    """Weekday and period of every period that is fixed."""
    return [(s.weekday, s.period + n) for s in requirement.locked for n in range(requirement.block)]


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
