"""This module owns the choice of slots for lost lessons: the free ones with their points and reasons, such that the
first choices of all lessons hold together.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

from msgspec import Struct

from timetable.days.closings import Closing
from timetable.days.cover import Reason
from timetable.days.dated import DatedTables
from timetable.days.day_book import DayBook, Seat
from timetable.days.day_stays import Kept
from timetable.days.grounds import Grounds
from timetable.days.openings import of_day
from timetable.days.scene import needs_of
from timetable.days.standing import Standing, held
from timetable.model import Finding, Lesson, clock
from timetable.term import moment
from timetable.turns import led_by

LOOK_BACK_DAYS, LOOK_AHEAD_DAYS = 7, 28
"""How far before and after a closing slots are looked for."""
MOST_CHOICES = 4
MOST_REFUSALS = 3
NEVER = frozenset({"amend_overlap", "amend_no_period", "amend_closed"})
"""What no other lesson's leaving could mend; said last."""

BASE = 100
A_DAY_AWAY = 2
USUAL_TIME = 12
BEFORE_NEXT = 12
TWICE_A_DAY = 16
LONGER_DAY = 6
GIVEN_DAY = 12
TEACHER_COMES = 5
SAME_CLASS_MAKES_UP = 15
SAME_UNIT_MAKES_UP = 4
"""Points, of which reasons are shown."""


class Choice(Struct, frozen=True, kw_only=True, rename="camel"):
    """A slot in which a lost lesson could be held."""

    date: str
    period: int
    start: str
    end: str
    points: int
    reasons: tuple[Reason, ...]


class _Option(Struct, frozen=True):
    day: date
    period: int
    seat: Seat
    points: int
    reasons: tuple[Reason, ...]


class SlotPlanner:
    def __init__(self, grounds: Grounds, tables: DatedTables, closing: Closing, now: float) -> None:
        self._grounds = grounds
        self._tables = tables
        self._closing = closing
        self._now = now
        self._days = self._horizon()
        self._kept: dict[date, list[Kept]] = {}
        self._books: dict[date, DayBook | None] = {}
        self._classes: dict[tuple[str, date], int] = defaultdict(int)
        self._units: dict[tuple[str, date], int] = defaultdict(int)
        self._following: dict[str, date | None] = {}

    def choose(self, lost: Sequence[Standing]) -> Mapping[str, tuple[tuple[Choice, ...], tuple[Finding, ...]]]:
        """Choices for each, by uid. Shared lessons choose before those of single schools, and of both those with the
        fewest options first."""
        if not lost:
            return {}
        needs = {need for one in lost for need in needs_of(self._grounds, self._tables, one.occurrence.lesson)}
        ids = {one.occurrence.lesson.id for one in lost}
        self._tables = self._tables.only(self._tables.meeting(needs) | ids)
        options, refusals = {}, {}
        for one in lost:
            options[one.uid], refusals[one.uid] = self._options(one)
        found: dict[str, tuple[tuple[Choice, ...], tuple[Finding, ...]]] = {}
        for one in sorted(lost, key=lambda s: (_own(s), len(options[s.uid]), s.starts, s.uid)):
            ranked = sorted(
                (again for option in options[one.uid] if (again := self._still(one, option)) is not None),
                key=lambda option: (-option.points, option.day, option.period),
            )
            if ranked:
                self._take(one, ranked[0])
            found[one.uid] = (
                tuple(_choice(option) for option in ranked[:MOST_CHOICES]),
                () if ranked else refusals[one.uid],
            )
        return found

    def _horizon(self) -> list[date]:
        term = self._grounds.term
        first = max(self._closing.days[0] - timedelta(days=LOOK_BACK_DAYS), date.fromisoformat(term.first_day))
        last = min(self._closing.days[-1] + timedelta(days=LOOK_AHEAD_DAYS), date.fromisoformat(term.last_day))
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]

    def _options(self, lost: Standing) -> tuple[list[_Option], tuple[Finding, ...]]:
        """Every free slot with its points, and what stands against the nearest others."""
        found: list[_Option] = []
        refused: list[tuple[tuple[bool, int, int], tuple[Finding, ...]]] = []
        for day in self._days:
            lesson, book = self._lesson(lost, day), self._book(day)
            if lesson is None or book is None:
                continue
            free: Collection[int] | None = None
            if _own(lost):  # on most days most classes have no free period: nothing else need be looked at
                day_of = book.periods(lesson.host.unit)
                free = [number for number, window in day_of.items() if book.class_free(lesson.host.classes, window)]
            for opening in of_day(book, day, lesson, "", periods=free):
                if moment(day, opening.start) <= self._now:
                    continue
                if opening.findings:
                    never = any(finding.code in NEVER for finding in opening.findings)
                    away = abs((day - _date(lost)).days)
                    refused.append(((never, len(opening.findings), away), opening.findings))
                elif isinstance(seat := book.seat(lesson, opening.period), Seat):
                    points, reasons = self._judged(lost, lesson, day, seat, book)
                    found.append(_Option(day, opening.period, seat, points, reasons))
        refused.sort(key=lambda one: one[0])
        return found, tuple(finding for _, findings in refused[:MOST_REFUSALS] for finding in findings)

    def _lesson(self, lost: Standing, day: date) -> Lesson | None:
        """The lesson as the table has it on a date, led by the unit whose turn was lost."""
        table = self._tables.lesson(lost.occurrence.lesson.id, day)
        return led_by(table[1], lost.occurrence.lesson.host.unit) if table is not None else None

    def _judged(
        self, lost: Standing, lesson: Lesson, day: date, seat: Seat, book: DayBook
    ) -> tuple[int, tuple[Reason, ...]]:
        occurrence, was = lost.occurrence, _date(lost)
        away = (day - was).days
        points = BASE - A_DAY_AWAY * abs(away)
        reasons = [Reason("days_after" if away >= 0 else "days_before", {"days": abs(away)})]
        if clock(seat.window.start) == occurrence.lesson.start:
            points += USUAL_TIME
            reasons.append(Reason("usual_time"))
        following = self._next(lost)
        if following is not None and was <= day < following:
            points += BEFORE_NEXT
            reasons.append(Reason("before_next"))
        classes = [school_class for party in seat.parties for school_class in party.classes]
        there = {id: book.lessons_of(id) for id in classes}
        if any(other.subject == lesson.subject for found in there.values() for other, _ in found):
            points -= TWICE_A_DAY
            reasons.append(Reason("twice_a_day", {"subject": lesson.subject}))
        if any(found and seat.window.start >= max(window.end for _, window in found) for found in there.values()):
            points -= LONGER_DAY
            reasons.append(Reason("longer_day"))
        if self._tables.closings.bells_of(day) is not None:
            points -= GIVEN_DAY
            reasons.append(Reason("given_day"))
        for party in seat.parties:
            for teacher in party.teachers:
                if self._grounds.campus(party.unit) not in book.campuses_of(teacher):
                    points -= TEACHER_COMES
                    reasons.append(Reason("teacher_comes", {"name": self._grounds.teacher_name(teacher)}))
        return points, tuple(reasons)

    def _next(self, lost: Standing) -> date | None:
        """The next date of a lesson of the same requirement."""
        if lost.uid not in self._following:
            self._following[lost.uid] = self._next_of(lost)
        return self._following[lost.uid]

    def _next_of(self, lost: Standing) -> date | None:
        requirement = lost.occurrence.lesson.requirement
        for day in self._days:
            if day > _date(lost) and any(
                held(one) and not one.made_up and one.occurrence.lesson.requirement == requirement
                for one in self._tables.on(day)
            ):
                return day
        return None

    def _still(self, lost: Standing, option: _Option) -> _Option | None:
        """The option beside what was chosen meanwhile, with what that takes off; None where it is gone."""
        book, lesson = self._book(option.day), self._lesson(lost, option.day)
        if book is None or lesson is None:
            return None
        seat = book.seat(lesson, option.period)
        if not isinstance(seat, Seat) or book.obstacles(Kept("", lesson, seat.parties)):
            return None
        if _own(lost) and self._tables.closings.bells_of(option.day) is not None:
            return option  # the whole school comes that day
        same = sum(self._classes[id, option.day] for party in seat.parties for id in party.classes)
        near = 0 if _own(lost) else sum(self._units[party.unit, option.day] for party in seat.parties) - same
        points = option.points - SAME_CLASS_MAKES_UP * same - SAME_UNIT_MAKES_UP * near
        more = (Reason("other_make_ups", {"count": same + near}),) if same + near else ()
        return _Option(option.day, option.period, seat, points, (*option.reasons, *more))

    def _take(self, lost: Standing, option: _Option) -> None:
        lesson = self._lesson(lost, option.day)
        assert lesson is not None
        kept = Kept(f"{lost.uid}.x", lesson, option.seat.parties)
        self._kept.setdefault(option.day, []).append(kept)
        if (book := self._books.get(option.day)) is not None:
            book.enter(kept)
        for party in option.seat.parties:
            self._units[party.unit, option.day] += 1
            for school_class in party.classes:
                self._classes[school_class, option.day] += 1

    def _book(self, day: date) -> DayBook | None:
        if day not in self._books:
            tables = self._tables
            book = DayBook.of_date(self._grounds, day, tables.on(day), tables.closings)
            if book is not None:
                for kept in self._kept.get(day, ()):
                    book.enter(kept)
            self._books[day] = book
        return self._books[day]


def _choice(option: _Option) -> Choice:
    return Choice(
        date=option.day.isoformat(),
        period=option.period,
        start=clock(option.seat.window.start),
        end=clock(option.seat.window.end),
        points=option.points,
        reasons=option.reasons,
    )


def _date(standing: Standing) -> date:
    return standing.occurrence.day.date


def _own(standing: Standing) -> bool:
    """Whether it is a lesson of a single school."""
    return len(standing.occurrence.lesson.parties) == 1
