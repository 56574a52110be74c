"""This module owns sudden closings (停课): schools that are shut for some dates, or for part of them, by one act.

A closing names no lesson. Whatever stands in the closed time is off while the closing counts, also what is put there
later, and comes back by itself when the schools open again. What had begun when it was declared stays as it was.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from timetable.model import ClockTime, Finding, Id, IsoDate, MakeUpDay, PlacedParty, Term, minutes
from timetable.term import Occurrence, teaching_day

CODES: Mapping[str, str] = {
    "closing_dates": "the dates run backwards or lie outside the term",
    "closing_too_long": "a closing lasts longer than allowed",
    "closing_empty": "the closed time of a day runs backwards",
    "closing_make_up_day": "a given make-up day has school already, or lies outside the term",
    "closing_past": "all of it has passed",
}
"""Every code that this module can report."""

MOST_DAYS = 60
MIDNIGHT = 24 * 60

Reason = Annotated[str, Meta(min_length=1, max_length=200)]


class Closing(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Units that are shut from `first` at `start` to `last` at `end`; without times for the whole of these days.

    It counts for what begins after `at` and, where the schools have opened again, not after `reopened_at`; both in
    unix seconds.
    """

    id: str
    units: tuple[Id, ...]
    first: IsoDate
    last: IsoDate
    reason: Reason
    by: str
    at: float
    revision: int = 1
    start: ClockTime | None = None
    end: ClockTime | None = None
    make_up_days: tuple[MakeUpDay, ...] = ()
    """Free days on which lost lessons may be made up, by the bells of another weekday."""
    reopened_at: float | None = None
    reopened_by: str = ""

    def hours(self, day: date) -> tuple[int, int] | None:
        """The closed minutes of that day, or None."""
        text = day.isoformat()
        if not self.first <= text <= self.last:
            return None
        since = minutes(self.start) if self.start is not None and text == self.first else 0
        until = minutes(self.end) if self.end is not None and text == self.last else MIDNIGHT
        return since, until

    def meets(self, unit: str, day: date, start: int, end: int) -> bool:
        """Whether the unit is shut for any of these minutes."""
        hours = self.hours(day) if unit in self.units else None
        return hours is not None and start < hours[1] and hours[0] < end

    def counts_for(self, starts: float) -> bool:
        """Whether what begins at `starts` is off by it: the past is never rewritten."""
        return self.at < starts and (self.reopened_at is None or starts <= self.reopened_at)

    @property
    def days(self) -> tuple[date, ...]:
        first, last = date.fromisoformat(self.first), date.fromisoformat(self.last)
        return tuple(first + timedelta(days=n) for n in range((last - first).days + 1))


class Closings:
    """All closings, by their days. Never changes."""

    def __init__(self, closings: Iterable[Closing] = ()) -> None:
        self.all = tuple(closings)
        self._days: dict[date, list[Closing]] = defaultdict(list)
        self._given: dict[date, int] = {}
        for closing in self.all:
            for day in closing.days:
                self._days[day].append(closing)
            for given in closing.make_up_days:
                self._given[date.fromisoformat(given.date)] = given.follows_weekday
        self._days.default_factory = None

    def on(self, day: date) -> Sequence[Closing]:
        return self._days.get(day, ())

    def find(self, id: str) -> Closing | None:
        return next((closing for closing in self.all if closing.id == id), None)

    def bells_of(self, day: date) -> int | None:
        """The weekday whose bells ring on a given make-up day."""
        return self._given.get(day)

    def shut(self, unit: str, day: date, start: int, end: int) -> bool:
        """Whether the unit is shut for any of these minutes of a day to come."""
        return any(one.reopened_at is None and one.meets(unit, day, start, end) for one in self.on(day))

    def attending(self, occurrence: Occurrence) -> tuple[tuple[PlacedParty, ...], Closing | None]:
        """Who can come to an occurrence, and the closing that keeps the others away. Nobody comes where the host
        cannot, or where nobody is left to share with."""
        day, parties, why = occurrence.day.date, occurrence.parties, None
        for closing in self.on(day):
            if not closing.counts_for(occurrence.starts):
                continue
            open_parties = tuple(p for p in parties if not closing.meets(p.unit, day, minutes(p.start), minutes(p.end)))
            if len(open_parties) < len(parties):
                parties, why = open_parties, closing
        host = occurrence.parties[0]
        if why is not None and (host not in parties or len(parties) < min(2, len(occurrence.lesson.parties))):
            return (), why
        return parties, why


def faults(closing: Closing, term: Term, weekdays: Collection[int], now: float) -> list[Finding]:
    """What is wrong with a closing that is to be declared at `now`; nothing: it can be."""
    dates = {"first": closing.first, "last": closing.last}
    try:
        backwards = date.fromisoformat(closing.last) < date.fromisoformat(closing.first)
    except ValueError:
        backwards = True
    if backwards or closing.last < term.first_day or closing.first > term.last_day:
        return [Finding(code="closing_dates", values=dict(dates))]
    found: list[Finding] = []
    if len(closing.days) > MOST_DAYS:
        found.append(Finding(code="closing_too_long", values={"days": len(closing.days), "most": MOST_DAYS}))
    hours = closing.hours(closing.days[-1])
    if hours is not None and hours[1] <= hours[0]:
        found.append(Finding(code="closing_empty", values={"start": closing.start or "", "end": closing.end or ""}))
    for given in closing.make_up_days:
        found += _given_faults(given, term, weekdays)
    return found


def _given_faults(given: MakeUpDay, term: Term, weekdays: Collection[int]) -> list[Finding]:
    try:
        day = date.fromisoformat(given.date)
    except ValueError:
        return [Finding(code="closing_make_up_day", values={"date": given.date})]
    followed = teaching_day(term, day)
    free = followed is not None and not followed.make_up and followed.weekday not in weekdays
    if free and given.follows_weekday in weekdays:
        return []
    return [Finding(code="closing_make_up_day", values={"date": given.date})]
