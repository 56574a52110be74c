"""This module owns the check's view of the term's weeks: a few weeks that stand for all.

Two weeks are alike when the same lessons take place in both, and then one of them is enough to look at.
"""

from collections.abc import Iterable

from timetable.model import MOST_WEEKS, BusyTime, Lesson, Weeks

Asked = tuple[Weeks, tuple[int, ...]]
"""All, odd or even weeks, and the only ones of these where some are named."""


class Calendar:
    """The weeks that have to be looked at for these lessons: the first of every kind."""

    def __init__(self, lessons: Iterable[Lesson]) -> None:
        asked: set[Asked] = {("all", ()), ("odd", ()), ("even", ())}
        asked |= {(lesson.weeks, lesson.only_weeks) for lesson in lessons}
        kinds: dict[tuple[bool, ...], int] = {}
        for week in range(1, MOST_WEEKS + 1):
            kinds.setdefault(tuple(_held(one, week) for one in asked), week)
        self.weeks = tuple(kinds.values())
        self._held = {one: frozenset(week for week in self.weeks if _held(one, week)) for one in asked}

    def of(self, lesson: Lesson) -> frozenset[int]:
        """The weeks among these in which the lesson takes place."""
        return self._held[lesson.weeks, lesson.only_weeks]

    def of_busy(self, busy: BusyTime) -> frozenset[int]:
        """The weeks among these in which the time is taken."""
        return self._held[busy.weeks, ()]


def _held(asked: Asked, week: int) -> bool:
    weeks, only = asked
    if weeks == "odd" and week % 2 == 0:
        return False
    if weeks == "even" and week % 2 == 1:
        return False
    return not only or week in only
