"""This module owns whose rows an import touches: a school may change what is its own, and nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from timetable.errors import TimetableError
from timetable.model import Register


class Reach(Struct, frozen=True):
    """What differs between two registers. `county`: something that belongs to no school, such as the term."""

    units: frozenset[str]
    county: bool


class OutsideReach(TimetableError):
    """The import would change what belongs to others: these units, or (none named) the county."""

    code = "outside_reach"

    def __init__(self, units: Iterable[str]) -> None:
        self.units = tuple(sorted(units))
        super().__init__(", ".join(self.units) or "county")


_OWNERS: dict[str, Callable[[Any], tuple[str, ...]]] = {
    "units": lambda unit: (unit.id,),
    "rooms": lambda room: (room.unit,),
    "teachers": lambda teacher: teacher.posts,
    "classes": lambda school_class: (school_class.unit,),
    "requirements": lambda requirement: tuple(party.unit for party in requirement.parties),
    "shortages": lambda shortage: (shortage.unit,),
}
"""Whose each row is. A teacher with posts at two schools, or a lesson of three, is everybody's of them; the times that
a room is taken are its unit's."""

_COUNTY = ("county", "term", "communities", "campuses", "travel", "main_subjects", "weekdays")


def reach(before: Register | None, after: Register) -> Reach:
    """The units whose rows were added, changed or removed, and whether the county's own were."""
    if before is None:
        return Reach(frozenset(unit.id for unit in after.units), county=True)
    touched: set[str] = set()
    for name, owners in _OWNERS.items():
        standing, proposed = getattr(before, name), getattr(after, name)
        # rows have no common key and may be unhashable: what is equal on both sides is taken out by its encoding
        for row in _only(standing, proposed) + _only(proposed, standing):
            touched.update(owners(row))
    units = {room.id: room.unit for room in (*before.rooms, *after.rooms)}
    for room in {room for room, _ in set(before.busy_rooms) ^ set(after.busy_rooms)}:
        touched.add(units[room])
    county = any(getattr(before, name) != getattr(after, name) for name in _COUNTY)
    return Reach(frozenset(touched), county)


def _only(rows: tuple[Any, ...], others: tuple[Any, ...]) -> list[Any]:
    same = {id(row) for row in others}
    rows = tuple(row for row in rows if id(row) not in same)
    if not rows:
        return []
    known = {repr(row) for row in others}
    return [row for row in rows if repr(row) not in known]
