"""This module owns the slots in which one occurrence could stand, and what stands in the way in each of the others."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta

from msgspec import Struct

from timetable.days.dated import DatedTables
from timetable.days.day_book import DayBook, Seat
from timetable.days.day_stays import Kept
from timetable.days.effects import Taught, taught_by
from timetable.days.grounds import Grounds
from timetable.days.scene import needs_of
from timetable.days.standing import Standing
from timetable.model import Finding, Lesson, clock
from timetable.term import moment
from timetable.turns import led_by


class Opening(Struct, frozen=True, kw_only=True, rename="camel"):
    """A period of the host on a date. Without findings the lesson can stand there."""

    date: str
    period: int
    start: str
    end: str
    findings: tuple[Finding, ...] = ()


def openings(
    grounds: Grounds, tables: DatedTables, standing: Standing, first: date, last: date, now: float
) -> list[Opening]:
    """Every period from `first` to `last` for a lesson that moves, but those that have begun at `now` and the one in
    which it stands."""
    found = []
    day, lesson_id = first, standing.occurrence.lesson.id
    tables = tables.only(tables.meeting(needs_of(grounds, tables, standing.occurrence.lesson)) | {lesson_id})
    while day <= last:
        lesson = tables.lesson(lesson_id, day)
        book = DayBook.of_date(grounds, day, tables.on(day), tables.closings)
        if lesson is not None and book is not None:
            led = led_by(lesson[1], standing.occurrence.lesson.host.unit)
            for opening in of_day(book, day, led, standing.uid, standing.taught):
                here = (opening.date, opening.start) == (
                    standing.occurrence.day.date.isoformat(),
                    standing.occurrence.lesson.start,
                )
                if moment(day, opening.start) > now and not (here and not standing.cancelled):
                    found.append(opening)
        day += timedelta(days=1)
    return found


def of_day(
    book: DayBook,
    day: date,
    lesson: Lesson,
    uid: str,
    taught: Sequence[Taught] = (),
    periods: Collection[int] | None = None,
) -> Iterator[Opening]:
    """Every period of the host that day, of these where some are named, as if the occurrence `uid` were gone from where
    it stands."""
    for period, window in book.periods(lesson.host.unit).items():
        if periods is not None and period not in periods:
            continue
        seat = book.seat(lesson, period, apart=(uid,))
        if isinstance(seat, Seat):
            parties = taught_by(seat.parties, taught)
            findings = book.obstacles(Kept(uid, lesson, parties))
            window = seat.window
        else:
            findings = seat
        yield Opening(
            date=day.isoformat(),
            period=period,
            start=clock(window.start),
            end=clock(window.end),
            findings=tuple(findings),
        )
