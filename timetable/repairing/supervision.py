"""This module owns who supervises the leftover minutes of a standing table's lessons (看护): found anew where a lesson
moved, and where whoever had them teaches now."""

from collections import defaultdict
from collections.abc import Collection

from timetable.bells import Window, near
from timetable.model import Lesson, PlacedParty, clock, minutes
from timetable.repairing.arrangement import Arrangement
from timetable.timing import timed
from timetable.weeks import weeks_of


def supervised(arrangement: Arrangement, anew: Collection[str]) -> tuple[Lesson, ...]:
    """The lessons of the table with somebody for their leftover minutes: found anew for those of these ids, and where
    whoever had them teaches now."""
    return _Supervision(arrangement).lessons(anew)


class _Supervision:
    def __init__(self, arrangement: Arrangement) -> None:
        self._arrangement = arrangement
        self._problem = arrangement.problem
        self._watching: dict[tuple[str, int, int], list[tuple[Window, Lesson, str]]] = defaultdict(list)
        """(teacher, weekday, season) -> which leftover minutes, of which lesson and unit, the teacher supervises."""

    def lessons(self, anew: Collection[str]) -> tuple[Lesson, ...]:
        lessons = self._arrangement.table.lessons
        for lesson in lessons:
            if lesson.id not in anew:
                self._keep(lesson)
        return tuple(self._supervised(lesson, lesson.id in anew) for lesson in lessons)

    def _keep(self, lesson: Lesson) -> None:
        """Note who supervises the leftover minutes of a lesson that stays."""
        for season, first in enumerate(self._problem.bells.seasons):
            for party in lesson.by_date(first).parties:
                for left in party.leftover:
                    if left.teacher is not None and left.teacher not in party.teachers:
                        window = Window(minutes(left.start), minutes(left.end))
                        self._watching[left.teacher, lesson.weekday, season].append((window, lesson, party.unit))

    def _supervised(self, lesson: Lesson, moved: bool) -> Lesson:
        """The lesson with somebody for its leftover minutes in every season: whoever had them, where it was not moved
        and that still goes; else the party's own teacher, else another teacher of the class who is free."""
        seasons = self._problem.bells.seasons
        dated = [lesson.by_date(first) for first in seasons] if lesson.later else [lesson] * len(seasons)
        if not any(party.leftover for one in dated for party in one.parties):
            return lesson

        def supervisor(index: int, season: int, part: Window) -> str | None:
            party = dated[season].parties[index]
            had = next((left.teacher for left in party.leftover if left.start == clock(part.start)), None)
            if not moved and (had is None or self._free(had, lesson, party, part, season)):
                return had
            found = self._found(lesson, party, part, season)
            if found is not None and found not in party.teachers:
                self._watching[found, lesson.weekday, season].append((part, lesson, party.unit))
            return found

        return timed(lesson, self._arrangement.standing(lesson), seasons, supervisor)

    def _found(self, lesson: Lesson, party: PlacedParty, part: Window, season: int) -> str | None:
        if party.teachers:
            return party.teachers[0]
        for school_class in party.classes:
            for other in self._arrangement.of_class.get(school_class, ()):
                for side in self._arrangement.lessons[other].parties:
                    if school_class in side.classes:
                        for teacher in side.teachers:
                            if self._free(teacher, lesson, party, part, season):
                                return teacher
        return None

    def _free(self, teacher: str, lesson: Lesson, party: PlacedParty, part: Window, season: int) -> bool:
        if teacher in party.teachers:
            return True
        problem = self._problem
        campus = problem.units[party.unit].campus
        stays = self._arrangement.stays.of_teacher.get((teacher, lesson.weekday), ())
        held = ((stay.windows, stay.weeks, stay.campus) for stay in stays)
        elsewhere = ((c.windows, c.weeks, c.campus) for c in problem.held_of(teacher) if c.weekday == lesson.weekday)
        weeks = weeks_of(lesson)
        watching = (
            (window, weeks_of(one), problem.units[unit].campus)
            for window, one, unit in self._watching[teacher, lesson.weekday, season]
            if (one.id, unit, window) != (lesson.id, party.unit, part)
        )
        there = ((windows[season], own, other) for windows, own, other in (*held, *elsewhere))
        return not any(
            own & weeks and near((part,), (window,), problem.travel.between(campus, other))
            for window, own, other in (*there, *watching)
        )
