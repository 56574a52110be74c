"""This module owns when the teachers and rooms that communities share cannot be had: what other tables hold of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from timetable.bells import Window, Windows, seasons
from timetable.model import Lesson, Register, Table, minutes
from timetable.weeks import WeekSet, weeks_of

DAY = 24 * 60
NEVER = Window(-DAY, -DAY)
"""A window that is near no other."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """A time that a teacher or a room cannot give. `periods` of it count towards the teacher's day."""

    weekday: int
    windows: Windows
    weeks: WeekSet
    campus: str | None = None
    periods: int = 0

    @property
    def window(self) -> Window:
        """As the term begins."""
        return self.windows[0]


@dataclass(frozen=True, slots=True)
class Commitments:
    """What other communities' tables already hold of teachers and rooms that this community shares with them."""

    teachers: Mapping[str, Sequence[Commitment]] = field(default_factory=dict)
    rooms: Mapping[str, Sequence[Commitment]] = field(default_factory=dict)


def commitments_of(register: Register, tables: Iterable[Table]) -> Commitments:
    """The times that these tables hold, for building another community's table around them."""
    campus = {unit.id: unit.campus for unit in register.units}
    first_dates = seasons(register.units, register.term.first_day, register.term.last_day)
    blocks = {requirement.id: requirement.block for requirement in register.requirements}
    teachers: dict[str, list[Commitment]] = defaultdict(list)
    rooms: dict[str, list[Commitment]] = defaultdict(list)
    for table in tables:
        for lesson in table.lessons:
            weeks = weeks_of(lesson)
            for party, windows in zip(lesson.parties, windows_of(lesson, first_dates), strict=True):
                held = Commitment(lesson.weekday, windows, weeks, campus[party.unit], blocks.get(lesson.requirement, 1))
                for teacher in party.teachers:
                    teachers[teacher].append(held)
                if party.room is not None:
                    rooms[party.room].append(held)
            for teacher, unit, windows in _supervised(lesson, first_dates):
                teachers[teacher].append(Commitment(lesson.weekday, windows, weeks, campus[unit]))
    return Commitments(teachers, rooms)


def windows_of(lesson: Lesson, first_dates: Sequence[str]) -> list[Windows]:
    """The windows of a placed lesson's parties in the seasons that begin on these dates."""
    if not lesson.later:
        own = (Window(minutes(party.start), minutes(party.end)) for party in lesson.parties)
        return [(window,) * len(first_dates) for window in own]
    dated = [lesson.by_date(first).parties for first in first_dates]
    return [
        tuple(Window(minutes(parties[index].start), minutes(parties[index].end)) for parties in dated)
        for index in range(len(lesson.parties))
    ]


def _supervised(lesson: Lesson, first_dates: Sequence[str]) -> Iterable[tuple[str, str, Windows]]:
    """Who supervises leftover minutes of the lesson and teaches nowhere in it, at which unit, and when: in a season
    without, never."""
    found: dict[tuple[str, str], list[Window]] = {}
    for season, first in enumerate(first_dates):
        for party in lesson.by_date(first).parties:
            for left in party.leftover:
                if left.teacher is not None and left.teacher not in party.teachers:
                    windows = found.setdefault((left.teacher, party.unit), [NEVER] * len(first_dates))
                    known = windows[season]
                    start, end = minutes(left.start), minutes(left.end)
                    together = Window(min(start, known.start), max(end, known.end))
                    windows[season] = Window(start, end) if known == NEVER else together
    for (teacher, unit), windows in found.items():
        yield teacher, unit, tuple(windows)
