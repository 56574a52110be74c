"""This module owns the cover plan (代课): for an absent teacher, who could stand in for each lesson, and why.

Candidates are free then, by the clock and the way; they are ranked by points whose reasons are shown. Where nobody can
stand in, the plan names the nearest slots in which the lesson could be made up. The same input gives the same plan.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

from timetable.bells import Window
from timetable.days.changes import Substitute
from timetable.days.dated import DatedTables
from timetable.days.day_book import DayBook
from timetable.days.grounds import Grounds
from timetable.days.openings import of_day
from timetable.days.outcomes import lender
from timetable.days.scene import teachers_of
from timetable.days.standing import Standing
from timetable.errors import NotFound
from timetable.identity import week_days
from timetable.model import PlacedParty, Teacher, clock, minutes

Role = Literal["teaches", "assists", "supervises"]

IN_THE_ROOM = 50
SAME_SUBJECT: Mapping[Role, int] = {"teaches": 40, "assists": 10, "supervises": 0}
SAME_UNIT = 20
POST_HERE = 15
POOLED = 5
KNOWS_CLASS = 15
CAMPUS_TODAY = 5
TRAVEL_MINUTES_A_POINT = 5
OVER_THE_WEEK = 20
"""Points taken off where the week would have more lessons than agreed."""
AGAIN = 10
"""Points, for the suggestion only, of whoever stands in for the same lesson already."""

MOST_CANDIDATES = 8
MOST_PROPOSALS = 5
LOOK_AHEAD_DAYS = 21
"""How far after the absence a slot for making up is looked for."""


class Reason(Struct, frozen=True, rename="camel"):
    """One thing that speaks for or against a candidate; `code` has a sentence (`cover.reason.<code>`)."""

    code: str
    values: dict[str, str | int] = {}


class Candidate(Struct, frozen=True, kw_only=True, rename="camel"):
    teacher: str
    points: int
    reasons: tuple[Reason, ...]


class Proposal(Struct, frozen=True, kw_only=True, rename="camel"):
    """A slot in which the lesson could be made up."""

    date: str
    period: int
    start: str
    end: str


class CoverNeed(Struct, frozen=True, kw_only=True, rename="camel"):
    """One lesson of the absent teacher."""

    occurrence: str
    lesson: str
    title: str
    date: str
    start: str
    end: str
    unit: str
    role: Role
    candidates: tuple[Candidate, ...]
    """The best first; nobody: the lesson is cancelled and made up."""
    suggested: str | None
    """Whom to take so that nobody is in two places when all lessons of the plan are covered."""
    make_up: tuple[Proposal, ...]


class CoverPlan(Struct, frozen=True, kw_only=True, rename="camel"):
    teacher: str
    first: str
    last: str
    needs: tuple[CoverNeed, ...]


def plan(grounds: Grounds, tables: DatedTables, teacher: str, first: date, last: date, now: float) -> CoverPlan:
    """Who could stand in for `teacher` from `first` to `last`, for every lesson that has not begun at `now` (unix
    seconds). Raises NotFound for an unknown teacher."""
    if teacher not in grounds.teachers:
        raise NotFound("teacher", teacher)
    planner = _Planner(grounds, tables, teacher, last)
    term = grounds.term
    day = max(first, date.fromisoformat(term.first_day))
    end = min(last, date.fromisoformat(term.last_day))
    needs = []
    while day <= end:
        for standing in tables.on(day):
            if not standing.cancelled and standing.occurrence.starts > now:
                needs += [planner.need(standing, index) for index in _absences(standing, teacher)]
        day += timedelta(days=1)
    return CoverPlan(teacher=teacher, first=first.isoformat(), last=last.isoformat(), needs=tuple(needs))


def chosen(plan: CoverPlan, need: CoverNeed, substitute: str) -> Substitute:
    """The change by which a choice of the plan is asked for."""
    return Substitute(lesson=need.lesson, absent=plan.teacher, substitute=substitute, first=need.date, last=need.date)


class _Planner:
    def __init__(self, grounds: Grounds, tables: DatedTables, absent: str, last: date) -> None:
        self._grounds = grounds
        self._tables = tables
        self._absent = absent
        self._last = last
        self._books: dict[date, DayBook | None] = {}
        self._loads: dict[date, Mapping[str, int]] = {}
        self._teaches = _teachers_of_classes(tables)
        self._taken: dict[tuple[str, date], list[tuple[Window, str | None, int]]] = defaultdict(list)
        self._again: dict[tuple[str, str], str] = {}

    def need(self, standing: Standing, index: int) -> CoverNeed:
        occurrence = standing.occurrence
        party = occurrence.parties[index]
        role = _role(party, index, self._absent)
        window = _window(party, role, self._absent)
        candidates = sorted(self._candidates(standing, party, role, window), key=lambda one: (-one.points, one.teacher))
        suggested = self._suggested(standing, party, role, window, candidates)
        return CoverNeed(
            occurrence=occurrence.id,
            lesson=occurrence.lesson.id,
            title=self._grounds.title(occurrence.lesson),
            date=occurrence.day.date.isoformat(),
            start=clock(window.start),
            end=clock(window.end),
            unit=party.unit,
            role=role,
            candidates=tuple(candidates[:MOST_CANDIDATES]),
            suggested=suggested,
            make_up=() if candidates or role == "supervises" else self._proposals(standing),
        )

    # Who could ------------------------------------------------------------------------------------------------------

    def _candidates(self, standing: Standing, party: PlacedParty, role: Role, window: Window) -> Iterator[Candidate]:
        day = standing.occurrence.day.date
        book = self._book(day)
        block = self._grounds.block(standing.occurrence.lesson)
        for teacher in self._grounds.teachers.values():
            lent_by = lender(self._grounds, standing.community, teacher.id, party.unit)
            if teacher.id == self._absent or lent_by is None or book is None:
                continue
            in_the_room = teacher.id in party.teachers
            apart = (standing.uid,) if in_the_room else ()
            if book.teacher(teacher.id, party.unit, window, apart=apart):
                continue
            periods = book.periods_of(teacher.id, apart=apart) + block
            if role != "supervises" and periods > teacher.max_per_day:
                continue
            yield self._candidate(teacher, standing, party, role, lent_by, book)

    def _candidate(
        self, teacher: Teacher, standing: Standing, party: PlacedParty, role: Role, lent_by: set[str], book: DayBook
    ) -> Candidate:
        grounds, lesson = self._grounds, standing.occurrence.lesson
        load = self._load(standing.occurrence.day.date).get(teacher.id, 0)
        points, reasons = -load, [Reason("load", {"lessons": load, "most": teacher.max_per_week})]
        if load + (0 if role == "supervises" else grounds.block(lesson)) > teacher.max_per_week:
            points -= OVER_THE_WEEK
        if teacher.id in party.teachers:
            points += IN_THE_ROOM
            reasons.append(Reason("in_the_room"))
        if lesson.subject in teacher.subjects:
            points += SAME_SUBJECT[role]
            reasons.append(Reason("same_subject", {"subject": lesson.subject}))
        elif role == "teaches":
            reasons.append(Reason("other_subject", {"subject": lesson.subject}))
        home = teacher.posts[0]
        if home == party.unit:
            points += SAME_UNIT
            reasons.append(Reason("same_unit"))
        elif party.unit in teacher.posts:
            points += POST_HERE
            reasons.append(Reason("post_here"))
        elif lent_by:
            reasons.append(Reason("lent", {"unit": grounds.unit_name(home)}))
        else:
            points += POOLED
            reasons.append(Reason("pooled", {"unit": grounds.unit_name(home)}))
        if any(teacher.id in self._teaches.get(school_class, ()) for school_class in party.classes):
            points += KNOWS_CLASS
            reasons.append(Reason("knows_class"))
        campus = grounds.campus(party.unit)
        if campus in book.campuses_of(teacher.id):
            points += CAMPUS_TODAY
            reasons.append(Reason("campus_today"))
        elif (way := grounds.travel.between(grounds.campus(home), campus)) > 0:
            points -= way // TRAVEL_MINUTES_A_POINT
            reasons.append(Reason("travel", {"minutes": way}))
        return Candidate(teacher=teacher.id, points=points, reasons=(*reasons[1:], reasons[0]))

    def _suggested(
        self, standing: Standing, party: PlacedParty, role: Role, window: Window, candidates: Iterable[Candidate]
    ) -> str | None:
        """The best who is not needed elsewhere by the plan; for the same lesson rather the same person again."""
        occurrence = standing.occurrence
        key, day, campus = (occurrence.lesson.id, party.unit), occurrence.day.date, self._grounds.campus(party.unit)
        block = 0 if role == "supervises" else self._grounds.block(occurrence.lesson)
        ranked = sorted(
            candidates,
            key=lambda one: (-one.points - (AGAIN if self._again.get(key) == one.teacher else 0), one.teacher),
        )
        book = self._book(day)
        for one in ranked:
            taken = self._taken[one.teacher, day]
            if any(
                window.start < other.end + (way := self._grounds.travel.between(campus, there))
                and other.start - way < window.end
                for other, there, _ in taken
            ):
                continue
            periods = (book.periods_of(one.teacher) if book else 0) + sum(n for _, _, n in taken) + block
            in_the_room = one.teacher in party.teachers
            if block and not in_the_room and periods > self._grounds.teachers[one.teacher].max_per_day:
                continue
            taken.append((window, campus, 0 if in_the_room else block))
            self._again[key] = one.teacher
            return one.teacher
        return None

    # When else ------------------------------------------------------------------------------------------------------

    def _proposals(self, standing: Standing) -> tuple[Proposal, ...]:
        """The nearest slots after the absence in which the lesson could be held with its own teachers."""
        found: list[Proposal] = []
        end = min(date.fromisoformat(self._grounds.term.last_day), self._last + timedelta(days=LOOK_AHEAD_DAYS))
        day = self._last + timedelta(days=1)
        while day <= end and len(found) < MOST_PROPOSALS:
            lesson, book = self._tables.lesson(standing.occurrence.lesson.id, day), self._book(day)
            if lesson is not None and book is not None:
                found += [
                    Proposal(date=one.date, period=one.period, start=one.start, end=one.end)
                    for one in of_day(book, day, lesson[1], standing.uid)
                    if not one.findings
                ]
            day += timedelta(days=1)
        return tuple(found[:MOST_PROPOSALS])

    def _book(self, day: date) -> DayBook | None:
        if day not in self._books:
            self._books[day] = DayBook.of_date(self._grounds, day, self._tables.on(day), self._tables.closings)
        return self._books[day]

    def _load(self, day: date) -> Mapping[str, int]:
        """Everybody's periods in the week of a date."""
        monday = day - timedelta(days=day.weekday())
        known = self._loads.get(monday)
        if known is None:
            counted: dict[str, int] = defaultdict(int)
            for other in week_days(day):
                for standing in self._tables.on(other):
                    for teacher in teachers_of(standing):
                        counted[teacher] += self._grounds.block(standing.occurrence.lesson)
            known = self._loads[monday] = counted
        return known


def _absences(standing: Standing, teacher: str) -> list[int]:
    """The parties in which the teacher is missing."""
    return [
        index
        for index, party in enumerate(standing.occurrence.parties)
        if teacher in party.teachers or any(left.teacher == teacher for left in party.leftover)
    ]


def _role(party: PlacedParty, index: int, teacher: str) -> Role:
    if teacher not in party.teachers:
        return "supervises"
    return "teaches" if index == 0 else "assists"


def _window(party: PlacedParty, role: Role, teacher: str) -> Window:
    if role != "supervises":
        return Window(minutes(party.start), minutes(party.end))
    parts = [left for left in party.leftover if left.teacher == teacher]
    return Window(min(minutes(left.start) for left in parts), max(minutes(left.end) for left in parts))


def _teachers_of_classes(tables: DatedTables) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for community in tables.communities:
        newest = tables.newest(community)
        for lesson in newest.table.lessons if newest else ():
            for party in lesson.parties:
                for school_class in party.classes:
                    found[school_class].update(party.teachers)
    return found
