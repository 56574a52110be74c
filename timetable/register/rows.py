"""This module owns the rows that a register is written in: flat, one thing each, and each knowing where it stands.

Things that are flat already (a campus, a class, a community) are their own rows. A unit's bells, a teacher's
unavailable times, and the parties of a requirement beside its host are rows of sheets of their own. A row just read may
name what it refers to instead of giving the id; `names` puts that right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Struct

from timetable.model import (
    ClockTime,
    Id,
    IsoDate,
    Kind,
    Name,
    Slot,
    Stage,
    TermWeek,
    Weekday,
    Weeks,
)

R = TypeVar("R", bound=Struct)


class TermRow(Struct, frozen=True, kw_only=True):
    """The county and its term; there is one such row."""

    county: Name
    id: Id
    name: Name
    first_day: IsoDate
    last_day: IsoDate
    week_one: IsoDate
    provisional_from: IsoDate | None = None
    weekdays: tuple[Weekday, ...] = (1, 2, 3, 4, 5)
    main_subjects: tuple[Name, ...] = ("语文", "数学", "英语")


class TravelRow(Struct, frozen=True, kw_only=True):
    campus_a: Id
    campus_b: Id
    minutes: Annotated[int, Meta(ge=0, le=600)]


class UnitRow(Struct, frozen=True, kw_only=True):
    id: Id
    name: Name
    short_name: Name
    code: Annotated[str, Meta(min_length=1, max_length=4)]
    campus: Id
    stage: Stage
    link_capacity: Annotated[int, Meta(ge=0, le=64)] = 1
    phone: str = ""


class BellRow(Struct, frozen=True, kw_only=True):
    unit: Id
    weekdays: tuple[Weekday, ...]
    period: Annotated[int, Meta(ge=1, le=16)]
    start: ClockTime
    end: ClockTime
    valid_from: IsoDate | None = None
    valid_to: IsoDate | None = None

    @property
    def schedule(self) -> tuple[tuple[int, ...], str | None, str | None]:
        """What the periods of one bell schedule have in common."""
        return self.weekdays, self.valid_from, self.valid_to


class TeacherRow(Struct, frozen=True, kw_only=True):
    id: Id
    name: Name
    posts: tuple[Id, ...]
    subjects: tuple[Name, ...]
    max_per_day: Annotated[int, Meta(ge=1, le=16)] = 6
    max_per_week: Annotated[int, Meta(ge=1, le=60)] = 24


class UnavailableRow(Struct, frozen=True, kw_only=True):
    teacher: Id
    weekday: Weekday
    start: ClockTime
    end: ClockTime
    weeks: Weeks = "all"
    reason: str = ""


class BusyRoomRow(Struct, frozen=True, kw_only=True):
    room: Id
    weekday: Weekday
    start: ClockTime
    end: ClockTime
    weeks: Weeks = "all"
    reason: str = ""


class WishRow(Struct, frozen=True, kw_only=True):
    """A time that a unit asks to keep free of shared lessons."""

    unit: Id
    weekday: Weekday
    start: ClockTime
    end: ClockTime
    weeks: Weeks = "all"
    reason: str = ""


class RequirementRow(Struct, frozen=True, kw_only=True):
    """A requirement with its first party, the host."""

    id: Id
    kind: Kind
    subject: Name
    unit: Id
    community: Id
    weekly: Annotated[int, Meta(ge=1, le=20)]
    classes: tuple[Id, ...] = ()
    teachers: tuple[Id, ...] = ()
    weeks: Weeks = "all"
    block: Annotated[int, Meta(ge=1, le=3)] = 1
    only_weeks: tuple[TermWeek, ...] = ()
    rotation: tuple[Id, ...] = ()
    locked: tuple[Slot, ...] = ()
    overlap_conceded: Annotated[int, Meta(ge=0, le=20)] = 0
    topic: str = ""


class PartyRow(Struct, frozen=True, kw_only=True):
    """A further party of a requirement: a member of a shared lesson, or another unit's side of a meeting."""

    requirement: Id
    unit: Id
    classes: tuple[Id, ...] = ()
    teachers: tuple[Id, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a row stands: the file, the sheet, and the row as the spreadsheet counts it, from 1. What the county has
    already has no file."""

    file: str
    sheet: str
    row: int


STANDING = Source("", "", 0)


@dataclass(frozen=True, slots=True)
class Sourced:
    """A row and where it stands; `sheet` is the key of the sheet's format, whatever the file calls it."""

    sheet: str
    row: Any
    source: Source


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that could not be read, as far as it says whose it is: `owner` is the id in its first column."""

    sheet: str
    owner: str
    code: str
    source: Source


Rows = dict[str, list[Sourced]]
"""Rows by the key of their sheet; a sheet that was not given at all is absent."""


def of(rows: Rows, sheet: str, type: type[R]) -> Iterator[tuple[R, Source]]:
    """The rows of one sheet with their sources."""
    for sourced in rows.get(sheet, ()):
        if not isinstance(sourced.row, type):
            raise TypeError(f"a {type.__name__} was expected on sheet {sheet}")
        yield sourced.row, sourced.source


def plain(rows: Rows, sheet: str, type: type[R]) -> tuple[R, ...]:
    """The rows of one sheet."""
    return tuple(row for row, _ in of(rows, sheet, type))
