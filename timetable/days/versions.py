"""Published versions of a community's table, and what differs between two of them."""

from msgspec import Struct

from timetable.model import IsoDate, Lesson, Table


class Diff(Struct, frozen=True, kw_only=True):
    """Lesson ids by what happened to them; `units` are all whose day changes."""

    added: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()
    units: tuple[str, ...] = ()


class Yielded(Struct, frozen=True, kw_only=True):
    """A lesson that stands elsewhere because the unit `to` objected: those in `by` gave way (让步)."""

    lesson: str
    to: str
    by: tuple[str, ...]


class Version(Struct, frozen=True, kw_only=True):
    """An immutable published table. `at` is unix seconds; numbers count from 1 without holes."""

    community: str
    number: int
    author: str
    at: float
    table: Table
    diff: Diff
    valid_from: IsoDate | None = None
    """The first date it counts for; where absent the day it was published on."""
    yielded: tuple[Yielded, ...] = ()
    """The objections that were met on the way to it."""


def diff(old: Table | None, new: Table) -> Diff:
    """What `new` changes against `old`. A lesson is moved when anything that somebody must know differs: its day,
    its clock, a period, a room, a class or a teacher."""
    before = {lesson.id: lesson for lesson in old.lessons} if old else {}
    after = {lesson.id: lesson for lesson in new.lessons}
    added = [id for id in after if id not in before]
    cancelled = [id for id in before if id not in after]
    moved = [id for id, lesson in after.items() if id in before and lesson != before[id]]
    touched = [after[id] for id in added + moved] + [before[id] for id in cancelled + moved]
    return Diff(added=tuple(added), moved=tuple(moved), cancelled=tuple(cancelled), units=_units(touched))


def _units(lessons: list[Lesson]) -> tuple[str, ...]:
    return tuple(sorted({party.unit for lesson in lessons for party in lesson.parties}))
