"""This module owns the make-up plan (补课): for every shared lesson that a closing has taken, when it could be held
instead, the best first and why.

All slots of a plan hold together: each is found beside those that were chosen before it, so that a director may accept
them one by one or all at once. The same input gives the same plan.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

from timetable.days.changes import MakeUp
from timetable.days.closings import Closing
from timetable.days.cover import Reason
from timetable.days.dated import Applied, DatedTables, Placed, Standing, held
from timetable.days.day_book import DayBook, Kept, Seat
from timetable.days.grounds import Grounds
from timetable.days.openings import of_day
from timetable.days.outcomes import work_out
from timetable.days.scene import needs_of
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

State = Literal["open", "asked", "made_up"]


class Choice(Struct, frozen=True, kw_only=True, rename="camel"):
    """A slot in which a lost lesson could be held."""

    date: str
    period: int
    start: str
    end: str
    points: int
    reasons: tuple[Reason, ...]


class LostLesson(Struct, frozen=True, kw_only=True, rename="camel"):
    """One shared lesson that a closing has taken."""

    occurrence: str
    lesson: str
    title: str
    kind: str
    date: str
    start: str
    end: str
    units: tuple[str, ...]
    state: State
    choices: tuple[Choice, ...] = ()
    """The best first; it holds together with the first choices of all the others."""
    findings: tuple[Finding, ...] = ()
    """Where there is no choice: what stands against the slots that come nearest."""


class MakeUpPlan(Struct, frozen=True, kw_only=True, rename="camel"):
    closing: str
    community: str
    lost: tuple[LostLesson, ...]
    own: int
    """Lessons of single schools that were lost, too; those are their own affair."""


def plan(
    grounds: Grounds,
    tables: DatedTables,
    closing: Closing,
    community: str,
    now: float,
    waiting: Iterable[MakeUp] = (),
) -> MakeUpPlan:
    """When the community's lessons that `closing` took could be made up, after `now` (unix seconds). The slots that
    `waiting` asks for already are left to them."""
    lost = [
        standing
        for day in closing.days
        for standing in tables.on(day)
        if standing.community == community
        and standing.cancelled
        and standing.closing is not None
        and standing.closing.id == closing.id
    ]
    asked = {change.occurrence: change for change in waiting}
    shared = [standing for standing in lost if len(standing.occurrence.lesson.parties) > 1]
    planner = _Planner(grounds, _reserved(grounds, tables, community, asked.values(), now), closing, now)
    rows = {standing.uid: _state(tables, standing, asked) for standing in shared}
    chosen = planner.choose([standing for standing in shared if rows[standing.uid] == "open"])
    return MakeUpPlan(
        closing=closing.id,
        community=community,
        lost=tuple(
            _row(grounds, standing, rows[standing.uid], *chosen.get(standing.uid, ((), ()))) for standing in shared
        ),
        own=len(lost) - len(shared),
    )


class _Option(Struct, frozen=True):
    day: date
    period: int
    seat: Seat
    points: int
    reasons: tuple[Reason, ...]


class _Planner:
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

    def choose(self, lost: Sequence[Standing]) -> Mapping[str, tuple[tuple[Choice, ...], tuple[Finding, ...]]]:
        """Choices for each, by uid; those with the fewest options choose first."""
        if not lost:
            return {}
        needs = {need for one in lost for need in needs_of(self._grounds, self._tables, one.occurrence.lesson)}
        ids = {one.occurrence.lesson.id for one in lost}
        self._tables = self._tables.only(self._tables.meeting(needs) | ids)
        options, refusals = {}, {}
        for one in lost:
            options[one.uid], refusals[one.uid] = self._options(one)
        found: dict[str, tuple[tuple[Choice, ...], tuple[Finding, ...]]] = {}
        for one in sorted(lost, key=lambda s: (len(options[s.uid]), s.starts, s.uid)):
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
            for opening in of_day(book, day, lesson, ""):
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
        same = sum(self._classes[id, option.day] for party in seat.parties for id in party.classes)
        near = sum(self._units[party.unit, option.day] for party in seat.parties) - same
        points = option.points - SAME_CLASS_MAKES_UP * same - SAME_UNIT_MAKES_UP * near
        more = (Reason("other_make_ups", {"count": same + near}),) if same + near else ()
        return _Option(option.day, option.period, seat, points, (*option.reasons, *more))

    def _take(self, lost: Standing, option: _Option) -> None:
        lesson = self._lesson(lost, option.day)
        assert lesson is not None
        self._kept.setdefault(option.day, []).append(Kept(f"{lost.uid}.x", lesson, option.seat.parties))
        self._books.pop(option.day, None)
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


def _reserved(
    grounds: Grounds, tables: DatedTables, community: str, waiting: Iterable[MakeUp], now: float
) -> DatedTables:
    """The tables as if what was asked for were agreed already."""
    for number, change in enumerate(waiting, 1):
        outcome = work_out(change, community=community, number=-number, grounds=grounds, tables=tables, now=now)
        if outcome.possible:
            tables = tables.with_applied(Applied(community=community, number=-number, at=now, effects=outcome.effects))
    return tables


def _state(tables: DatedTables, lost: Standing, asked: Mapping[str, MakeUp]) -> State:
    if lost.occurrence.id in asked:
        return "asked"
    return "made_up" if makes_up_for(tables, lost.uid) else "open"


def makes_up_for(tables: DatedTables, uid: str) -> list[tuple[str, int]]:
    """Community and number of the amendments by which the occurrence of this identity is made up."""
    return [
        (one.community, one.number)
        for one in tables.applied
        for effect in one.effects
        if isinstance(effect, Placed)
        and effect.extra
        and effect.uid.startswith(f"{uid}.x")
        and held(tables.standing(effect.uid))
    ]


def _row(
    grounds: Grounds, lost: Standing, state: State, choices: tuple[Choice, ...], findings: tuple[Finding, ...]
) -> LostLesson:
    occurrence, lesson = lost.occurrence, lost.occurrence.lesson
    return LostLesson(
        occurrence=occurrence.id,
        lesson=lesson.id,
        title=grounds.title(lesson),
        kind=lesson.kind,
        date=_date(lost).isoformat(),
        start=lesson.start,
        end=lesson.end,
        units=tuple(party.unit for party in lesson.parties),
        state=state,
        choices=choices,
        findings=findings,
    )


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
