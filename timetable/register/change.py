"""This module owns a change of the register as the few rows that differ: small to send, exact to repeat."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from msgspec import Struct, structs

from timetable.model import BusyTime, Id, Register, Requirement, Room, SchoolUnit, Teacher


class _Row(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=_Row)


class RegisterChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Rows as they become, new ones among them; `dropped` are the requirements that go. `busy_rooms` are all of them,
    None where they stay."""

    units: tuple[SchoolUnit, ...] = ()
    rooms: tuple[Room, ...] = ()
    teachers: tuple[Teacher, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    dropped: tuple[Id, ...] = ()
    busy_rooms: tuple[tuple[Id, BusyTime], ...] | None = None

    def made(self, register: Register) -> Register:
        """The register with the change made."""
        kept = (one for one in register.requirements if one.id not in self.dropped)
        return structs.replace(
            register,
            units=_over(register.units, self.units),
            rooms=_over(register.rooms, self.rooms),
            teachers=_over(register.teachers, self.teachers),
            requirements=_over(kept, self.requirements),
            busy_rooms=register.busy_rooms if self.busy_rooms is None else self.busy_rooms,
        )


def difference(before: Register, after: Register) -> RegisterChange:
    """What to change in `before`; only the lists that a RegisterChange has are looked at."""
    left = {one.id for one in after.requirements}
    return RegisterChange(
        units=_changed(before.units, after.units),
        rooms=_changed(before.rooms, after.rooms),
        teachers=_changed(before.teachers, after.teachers),
        requirements=_changed(before.requirements, after.requirements),
        dropped=tuple(one.id for one in before.requirements if one.id not in left),
        busy_rooms=None if before.busy_rooms == after.busy_rooms else after.busy_rooms,
    )


def _changed(before: Iterable[R], after: Iterable[R]) -> tuple[R, ...]:
    known = {row.id: row for row in before}
    return tuple(row for row in after if known.get(row.id) != row)


def _over(standing: Iterable[R], rows: Iterable[R]) -> tuple[R, ...]:
    """In the order of the standing ones, then what is new."""
    changed = {row.id: row for row in rows}
    kept = tuple(changed.pop(row.id, row) for row in standing)
    return (*kept, *changed.values())
