"""This module owns whether the ids inside a register point at something, and point at the right thing.

Each finding's `field` is the place in the document, in the form of the decoder's own messages.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping

from timetable.model import Finding, Register, Requirement

CODES: Mapping[str, str] = {
    "reference_twice": "an id is given to two things of one kind",
    "reference_unknown": "an id is used that nothing has",
    "reference_elsewhere": "a class is listed for a unit that is not its own",
    "reference_outside": "a unit of a requirement is not in its community",
    "periods_overlap": "two periods of a unit overlap, or one ends before it starts",
    "time_backwards": "a busy time ends before it starts",
    "date_backwards": "a last date is before the first",
    "reference_repeated": "a unit, a class or a teacher is named twice in one community or lesson",
}
"""Every code that this module can report."""


def check_references(register: Register) -> list[Finding]:
    """All findings about ids and times, in the order of the document."""
    return _References(register).findings()


class _References:
    def __init__(self, register: Register) -> None:
        self._register = register
        self._found: list[Finding] = []
        self._ids = {
            "community": [x.id for x in register.communities],
            "campus": [x.id for x in register.campuses],
            "unit": [x.id for x in register.units],
            "room": [x.id for x in register.rooms],
            "teacher": [x.id for x in register.teachers],
            "class": [x.id for x in register.classes],
            "requirement": [x.id for x in register.requirements],
        }
        self._known = {noun: frozenset(ids) for noun, ids in self._ids.items()}
        self._unit_of = {x.id: x.unit for x in register.classes}
        self._units_of = {x.id: frozenset(x.units) for x in register.communities}

    def findings(self) -> list[Finding]:
        for noun, ids in self._ids.items():
            for id, times in Counter(ids).items():
                if times > 1:
                    self._find("reference_twice", _LISTS[noun], noun=noun, id=id)
        register = self._register
        self._dates("term.lastDay", register.term.first_day, register.term.last_day)
        for index, closure in enumerate(register.term.closures):
            self._dates(f"term.closures[{index}].last", closure.first, closure.last)
        for index, community in enumerate(register.communities):
            self._refer(f"communities[{index}].core", "unit", (community.core,))
            self._refer(f"communities[{index}].members", "unit", community.members)
            self._once(f"communities[{index}].members", "unit", community.units)
        for index, travel in enumerate(register.travel):
            self._refer(f"travel[{index}].campuses", "campus", travel.campuses)
        for index, unit in enumerate(register.units):
            self._refer(f"units[{index}].campus", "campus", (unit.campus,))
            for number, schedule in enumerate(unit.bells):
                rung = sorted((period.start, period.end) for period in schedule.periods)
                backwards = any(end <= start for start, end in rung)
                if backwards or any(a[1] > b[0] for a, b in itertools.pairwise(rung)):
                    self._find("periods_overlap", f"units[{index}].bells[{number}].periods", unit=unit.name)
                if len({period.number for period in schedule.periods}) < len(schedule.periods):
                    self._find("periods_overlap", f"units[{index}].bells[{number}].periods", unit=unit.name)
                self._dates(f"units[{index}].bells[{number}].validTo", schedule.valid_from, schedule.valid_to)
            for number, wish in enumerate(unit.wishes):
                if wish.end <= wish.start:
                    self._find("time_backwards", f"units[{index}].wishes[{number}]", name=unit.name)
        for index, room in enumerate(register.rooms):
            self._refer(f"rooms[{index}].unit", "unit", (room.unit,))
            self._refer(f"rooms[{index}].campus", "campus", (room.campus,))
        for index, teacher in enumerate(register.teachers):
            self._refer(f"teachers[{index}].posts", "unit", teacher.posts)
            for number, busy in enumerate(teacher.unavailable):
                if busy.end <= busy.start:
                    self._find("time_backwards", f"teachers[{index}].unavailable[{number}]", name=teacher.name)
        for index, school_class in enumerate(register.classes):
            self._refer(f"classes[{index}].unit", "unit", (school_class.unit,))
            self._refer(f"classes[{index}].room", "room", (school_class.room,))
        for index, requirement in enumerate(register.requirements):
            self._requirement(f"requirements[{index}]", requirement)
        self._refer("busyRooms", "room", (id for id, _ in register.busy_rooms))
        for index, (id, busy) in enumerate(register.busy_rooms):
            if busy.end <= busy.start:
                self._find("time_backwards", f"busyRooms[{index}][1]", name=id)
        return self._found

    def _requirement(self, place: str, requirement: Requirement) -> None:
        self._refer(f"{place}.community", "community", (requirement.community,))
        self._once(f"{place}.parties", "unit", (party.unit for party in requirement.parties))
        for number, party in enumerate(requirement.parties):
            here = f"{place}.parties[{number}]"
            self._once(f"{here}.classes", "class", party.classes)
            self._once(f"{here}.teachers", "teacher", party.teachers)
            self._refer(f"{here}.unit", "unit", (party.unit,))
            self._refer(f"{here}.classes", "class", party.classes)
            self._refer(f"{here}.teachers", "teacher", party.teachers)
            turns = requirement.rotation if number == 0 else ()
            if any(unit not in {party.unit for party in requirement.parties} for unit in turns):
                self._find("reference_outside", f"{place}.rotation", id=requirement.id, community=requirement.community)
            inside = self._units_of.get(requirement.community)
            if inside is not None and party.unit in self._known["unit"] and party.unit not in inside:
                self._find("reference_outside", f"{here}.unit", id=party.unit, community=requirement.community)
            for position, school_class in enumerate(party.classes):
                if self._unit_of.get(school_class, party.unit) != party.unit:
                    self._find("reference_elsewhere", f"{here}.classes[{position}]", id=school_class, unit=party.unit)

    def _once(self, place: str, noun: str, ids: Iterable[str]) -> None:
        for id, times in Counter(ids).items():
            if times > 1:
                self._find("reference_repeated", place, noun=noun, id=id)

    def _dates(self, place: str, first: str | None, last: str | None) -> None:
        if first is not None and last is not None and last < first:
            self._find("date_backwards", place, first=first, last=last)

    def _refer(self, place: str, noun: str, ids: Iterable[str]) -> None:
        known = self._known[noun]
        for position, id in enumerate(ids):
            if id not in known:
                several = place.endswith(("members", "campuses", "posts", "classes", "teachers", "busyRooms"))
                field = f"{place}[{position}]" if several else place
                self._find("reference_unknown", field, noun=noun, id=id)

    def _find(self, code: str, place: str, **values: str | int) -> None:
        self._found.append(Finding(code=code, values=values, field=f"$.{place}"))


_LISTS = {
    "community": "communities",
    "campus": "campuses",
    "unit": "units",
    "room": "rooms",
    "teacher": "teachers",
    "class": "classes",
    "requirement": "requirements",
}
