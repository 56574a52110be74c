"""The term's calendar: which table a date follows, and the occurrences of lessons on dates.

Weeks count from the term's week 1; odd and even weeks are the parity of that count. On a make-up working day (调休)
the table of another weekday is followed, by the
bells of the date itself. China keeps one time zone without daylight saving: +08:00.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta, timezone

from msgspec import Struct

from timetable.model import Lesson, PlacedParty, Term, minutes
from timetable.turns import in_week
from timetable.weeks import held_in

TIME_ZONE = timezone(timedelta(hours=8), "Asia/Shanghai")


class TeachingDay(Struct, frozen=True, kw_only=True):
    """What a date means for the table: it follows `weekday` of term week `week`."""

    date: date
    weekday: int
    week: int
    make_up: bool
    provisional: bool


class Occurrence(Struct, frozen=True, kw_only=True):
    """A lesson on one date (课次). `id` is made of the lesson and that date and never used for another."""

    id: str
    lesson: Lesson
    day: TeachingDay
    parties: tuple[PlacedParty, ...]
    """Those of the lesson whose unit is open that day, the host first."""

    @property
    def starts(self) -> float:
        """Unix seconds at which the shared window opens."""
        return moment(self.day.date, self.lesson.start)

    @property
    def ends(self) -> float:
        """Unix seconds at which the shared window closes."""
        return moment(self.day.date, self.lesson.end)


def moment(day: date, clock_time: str) -> float:
    """Unix seconds of "HH:MM" on `day`."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=TIME_ZONE)
    return (midnight + timedelta(minutes=minutes(clock_time))).timestamp()


def local_date(unix: float) -> date:
    """The date in the county at that moment."""
    return datetime.fromtimestamp(unix, TIME_ZONE).date()


def week_of(term: Term, day: date) -> int:
    """The term week of `day`: 1 in the first week, 0 and below before it."""
    return (day - date.fromisoformat(term.week_one)).days // 7 + 1


def weeks(term: Term) -> int:
    """How many weeks the term has."""
    return week_of(term, date.fromisoformat(term.last_day))


def parity(week: int) -> str:
    return "odd" if week % 2 else "even"


def teaching_day(term: Term, day: date, unit: str | None = None) -> TeachingDay | None:
    """What `day` means for `unit` (absent: for the county), or None when there is no school."""
    text = day.isoformat()
    if not term.first_day <= text <= term.last_day:
        return None
    provisional = term.provisional_from is not None and text >= term.provisional_from
    for made_up in term.make_up_days:
        if made_up.date == text:
            week = made_up.follows_week or week_of(term, day)
            return TeachingDay(
                date=day, weekday=made_up.follows_weekday, week=week, make_up=True, provisional=provisional
            )
    for closure in term.closures:
        if closure.first <= text <= closure.last and (not closure.units or unit in closure.units):
            return None
    return TeachingDay(
        date=day, weekday=day.isoweekday(), week=week_of(term, day), make_up=False, provisional=provisional
    )


def occurrences_on(term: Term, lessons: Iterable[Lesson], day: date) -> list[Occurrence]:
    """The lessons that take place on `day`, by their start. A shared lesson goes on without a unit that is closed,
    but not without its host, and not with nobody to share it with."""
    followed = teaching_day(term, day)
    if followed is None:
        return []
    open_units: dict[str, bool] = {}
    found = []
    for planned in lessons:
        if planned.weekday != followed.weekday or not held_in(planned.weeks, planned.only_weeks, followed.week):
            continue
        lesson = in_week(planned.by_date(day.isoformat()), followed.week)
        for party in lesson.parties:
            if party.unit not in open_units:
                open_units[party.unit] = teaching_day(term, day, party.unit) is not None
        parties = tuple(party for party in lesson.parties if open_units[party.unit])
        shared = len(lesson.parties) > 1
        if not parties or parties[0] != lesson.host or (shared and len(parties) == 1):
            continue
        found.append(Occurrence(id=f"{lesson.id}.{day.isoformat()}", lesson=lesson, day=followed, parties=parties))
    found.sort(key=lambda occurrence: (occurrence.lesson.start, occurrence.id))
    return found


def occurrences(term: Term, lessons: Iterable[Lesson]) -> Iterator[Occurrence]:
    """Every occurrence of the term, day by day."""
    kept = tuple(lessons)
    day, last = date.fromisoformat(term.first_day), date.fromisoformat(term.last_day)
    while day <= last:
        yield from occurrences_on(term, kept, day)
        day += timedelta(days=1)
