"""This module owns a community's published versions on the days of the term, before any amendment of a day."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import TypeVar

from msgspec import structs

from timetable.days.versions import Version
from timetable.identity import days_of, uid_of
from timetable.model import SHARED_KINDS, Lesson, Term
from timetable.term import Occurrence, local_date, occurrences_on, teaching_day

Hold = tuple[str, str]
"""One thing that a lesson needs for itself: `teacher`, `class`, `room` or `line` (of a unit), and its id."""

DAYS_KEPT = 64
"""Days that are held ready."""

T = TypeVar("T")


class Published:
    """One community's versions on the days of the term, without any amendment of a day."""

    def __init__(self, term: Term, versions: Sequence[Version]) -> None:
        self._term = term
        self.versions = tuple(sorted(versions, key=lambda version: version.number))
        self._begins = [first_date(term, version) for version in self.versions]
        self._weekdays: list[Mapping[int, Sequence[Lesson]] | None] = [None] * len(self.versions)
        self._lessons: list[Mapping[str, Lesson] | None] = [None] * len(self.versions)
        self._days: dict[date, tuple[tuple[str, Occurrence], ...]] = {}

    @cached_property
    def holds(self) -> Sequence[tuple[str, frozenset[Hold]]]:
        return [(lesson.id, frozenset(holds_of(lesson))) for v in self.versions for lesson in v.table.lessons]

    def only(self, lessons: Collection[str]) -> "Published":
        return Published(self._term, [only_lessons(version, lessons) for version in self.versions])

    def lesson(self, id: str, on: date) -> Lesson | None:
        index = self._in_force(on)
        known = self._lessons[index]
        if known is None:
            known = self._lessons[index] = {lesson.id: lesson for lesson in self.versions[index].table.lessons}
        return known.get(id)

    def on(self, day: date) -> tuple[tuple[str, Occurrence], ...]:
        known = self._days.get(day)
        if known is None:
            index = self._in_force(day)
            held, tail = self._held_already(index, day), uid_of(self._term, "", day)
            found = ((f"{o.lesson.id}{tail}", o) for o in self._table_on(index, day))
            known = kept_day(self._days, day, tuple(pair for pair in found if pair[0] not in held))
        return known

    def planned(self, uid: str) -> Occurrence | None:
        days = days_of(self._term, uid)
        return next((found for day in days for other, found in self.on(day) if other == uid), None)

    def _in_force(self, day: date) -> int:
        """The newest version that counts for the day; before all of them the first."""
        return max((index for index, begins in enumerate(self._begins) if begins <= day), default=0)

    def _table_on(self, index: int, day: date) -> list[Occurrence]:
        followed = teaching_day(self._term, day)
        if followed is None:
            return []
        known = self._weekdays[index]
        if known is None:
            by_weekday: dict[int, list[Lesson]] = defaultdict(list)
            for lesson in self.versions[index].table.lessons:
                by_weekday[lesson.weekday].append(lesson)
            known = self._weekdays[index] = by_weekday
        return occurrences_on(self._term, known.get(followed.weekday, ()), day)

    def _held_already(self, index: int, day: date) -> set[str]:
        """What took place earlier in the same week by an older version: a lesson is not held twice in the week in
        which a new version moves it to a later day."""
        begins, monday = self._begins[index], day - timedelta(days=day.weekday())
        if index == 0 or begins <= monday:
            return set()
        earlier = (monday + timedelta(days=n) for n in range((begins - monday).days))
        return {uid for before in earlier for uid, _ in self.on(before)}


def holds_of(lesson: Lesson) -> set[Hold]:
    """What a lesson needs for itself: its people, classes and rooms, and of the lines of its units a part."""
    found: set[Hold] = set()
    for party in lesson.parties:
        found |= {("teacher", id) for id in party.teachers}
        found |= {("teacher", left.teacher) for left in party.leftover if left.teacher is not None}
        found |= {("class", id) for id in party.classes}
        if party.room is not None:
            found.add(("room", party.room))
        if lesson.kind in SHARED_KINDS:
            found.add(("line", party.unit))
    return found


def only_lessons(version: Version, lessons: Collection[str]) -> Version:
    kept = tuple(lesson for lesson in version.table.lessons if lesson.id in lessons)
    return structs.replace(version, table=structs.replace(version.table, lessons=kept))


def first_date(term: Term, version: Version) -> date:
    """The first date that a version counts for; the first version counts for the whole term."""
    if version.valid_from is not None:
        return date.fromisoformat(version.valid_from)
    return date.fromisoformat(term.first_day) if version.number == 1 else local_date(version.at)


def kept_day(days: dict[date, T], day: date, value: T) -> T:
    """The value, kept for the next time; a county's whole term would fill the memory."""
    while len(days) >= DAYS_KEPT:
        days.pop(next(iter(days)), None)
    days[day] = value
    return value
