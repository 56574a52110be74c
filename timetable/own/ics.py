"""This module owns a teacher's or room's existing calendar (RFC 5545) as proposals of weekly taken times.

What returns week after week is proposed, for odd or even weeks only where it falls on those; what happens now and then
is named and left to people. Lessons of our own feeds are skipped: they are in the table anyway.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal, NamedTuple

import icalendar
from icalendar.prop import vBroken
from msgspec import Struct, structs

from timetable.errors import NotFound
from timetable.export.feeds import DOMAIN
from timetable.model import BusyTime, Finding, Register, Term, Weeks, clock
from timetable.register.cells import shown
from timetable.register.findings import finding
from timetable.register.rows import Source
from timetable.term import TIME_ZONE, parity, teaching_day, week_of

ERRORS: Mapping[str, str] = {
    "ics_unreadable": "the bytes are no calendar",
    "ics_cut_off": "the bytes end before the calendar does",
    "ics_too_big": "more bytes or events than a person's calendar has",
}
WARNINGS: Mapping[str, str] = {
    "ics_nothing": "nothing in the calendar returns weekly in the term",
    "ics_irregular": "an event in too few weeks of the term to be a rule",
    "ics_rule_unsupported": "a rule of recurrence other than daily or weekly",
    "ics_event_unreadable": "an event without a beginning that can be read",
    "ics_own": "events of our own feeds were skipped",
    "ics_whole_day": "an event of whole days returns weekly: the whole day would be taken",
}

MOST_BYTES = 16 * 2**20
MOST_EVENTS = 20_000
MOST_STEPS = 5_000
"""Recurrences that are followed of one event; a count from long ago could go on for ever."""
MOST_INTERVAL = 60
"""Days or weeks between recurrences: no term has more."""
WORTH_NAMING = 3
"""Times in a term from which on an event that is no rule is named."""
REASON = "日历"
"""How the reason of a time begins that was taken from a calendar: taken again, it is replaced."""
USUAL = 0.6
"""Part of the weeks in which something has to fall to be a rule."""
SELDOM = 0.25
"""Part of the other weeks in which it may fall and still be a rule of odd or of even weeks."""
WEEKDAY_NAMES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
DAY = 24 * 60
LAST_MINUTE = DAY - 1
LONGEST = 14 * DAY
"""Minutes of one event."""


class Proposal(Struct, frozen=True, kw_only=True, rename="camel"):
    """A weekly time that is taken: in `held` of the `possible` weeks of the term."""

    busy: BusyTime
    held: int
    possible: int


class CalendarImport(Struct, frozen=True, kw_only=True):
    proposals: tuple[Proposal, ...]
    findings: tuple[Finding, ...]

    @property
    def has_errors(self) -> bool:
        return any(finding.severity == "error" for finding in self.findings)


class _Stretch(NamedTuple):
    """What an event takes of one date, in minutes."""

    day: date
    start: int
    end: int
    name: str


def read_calendar(name: str, content: bytes, term: Term) -> CalendarImport:
    """What the calendar in the file `name` takes of every week of the term. Whatever is wrong is a finding, never an
    exception."""
    if not content:
        return CalendarImport(proposals=(), findings=(finding("file_empty", Source(name, "", 0)),))
    if len(content) > MOST_BYTES:
        return CalendarImport(proposals=(), findings=(_finding(name, "ics_too_big"),))
    try:
        calendars = icalendar.Calendar.from_ical(content, multiple=True)
        components = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    except Exception as error:  # the parser raises whatever a broken line leads it to
        return CalendarImport(proposals=(), findings=(_finding(name, "ics_unreadable", reason=shown(str(error))),))
    if not calendars:
        return CalendarImport(proposals=(), findings=(_finding(name, "ics_cut_off"),))
    if len(components) > MOST_EVENTS:
        return CalendarImport(proposals=(), findings=(_finding(name, "ics_too_big"),))
    reading = _Reading(name, term)
    proposals = tuple(reading.proposals(reading.stretches(components)))
    if not proposals:
        reading.report("ics_nothing")
    return CalendarImport(proposals=proposals, findings=tuple(reading.found))


def with_calendar(
    register: Register, noun: Literal["teacher", "room"], id: str, proposals: Iterable[Proposal]
) -> Register:
    """The register in which these times are taken, in place of those of an earlier calendar. Raises NotFound."""
    times = [proposal.busy for proposal in proposals]
    if noun == "teacher":
        if all(teacher.id != id for teacher in register.teachers):
            raise NotFound(noun, id)
        teachers = (
            structs.replace(teacher, unavailable=(*_others(teacher.unavailable), *times))
            if teacher.id == id
            else teacher
            for teacher in register.teachers
        )
        return structs.replace(register, teachers=tuple(teachers))
    if all(room.id != id for room in register.rooms):
        raise NotFound(noun, id)
    kept = [(room, busy) for room, busy in register.busy_rooms if room != id or not busy.reason.startswith(REASON)]
    return structs.replace(register, busy_rooms=(*kept, *((id, busy) for busy in times)))


def _others(times: Iterable[BusyTime]) -> list[BusyTime]:
    return [busy for busy in times if not busy.reason.startswith(REASON)]


def _finding(file: str, code: str, /, **values: str | int) -> Finding:
    return Finding(code=code, values=values, file=file, severity="warning" if code in WARNINGS else "error")


class _Reading:
    def __init__(self, name: str, term: Term) -> None:
        self._name = name
        self._term = term
        self._first, self._last = date.fromisoformat(term.first_day), date.fromisoformat(term.last_day)
        self.found: list[Finding] = []
        self._possible: dict[int, set[int]] = defaultdict(set)
        for number in range((self._last - self._first).days + 1):
            day = self._first + timedelta(days=number)
            if self._counts(day):
                self._possible[day.isoweekday()].add(week_of(term, day))

    def report(self, code: str, /, **values: str | int) -> None:
        self.found.append(_finding(self._name, code, **values))

    def _counts(self, day: date) -> bool:
        """Whether the date is a usual one: a holiday says nothing about the week, and neither does a make-up day."""
        followed = teaching_day(self._term, day)
        return followed is not None and not followed.make_up

    # Events to stretches --------------------------------------------------------------------------------------------

    def stretches(self, components: Sequence[Any]) -> Iterator[_Stretch]:
        """Everything that the events take of the term's dates."""
        own = 0
        moved: dict[str, set[date]] = defaultdict(set)
        for event in components:
            if (at := _moment(_value(event, "RECURRENCE-ID"))) is not None:
                moved[_text(event, "UID")].add(at[0])
        for event in components:
            uid = _text(event, "UID")
            if uid.endswith(f"@{DOMAIN}"):
                own += 1
            elif not _is_free(event):
                yield from self._of_event(event, moved[uid] if _value(event, "RECURRENCE-ID") is None else set())
        if own:
            self.report("ics_own", events=own)

    def _of_event(self, event: Any, without: set[date]) -> Iterator[_Stretch]:
        name = shown(" ".join(_text(event, "SUMMARY").split()))
        begin = _moment(_value(event, "DTSTART"))
        if begin is None:
            self.report("ics_event_unreadable", name=name)
            return
        length = _length(event, begin)
        left_out = without | set(_dates(_value(event, "EXDATE")))
        for day in dict.fromkeys((*self._days(event, begin[0], name), *_dates(_value(event, "RDATE")))):
            if day not in left_out and self._first <= day <= self._last:
                yield from self._cut(day, begin[1], length, name)

    def _cut(self, day: date, start: int, length: int, name: str) -> Iterator[_Stretch]:
        """The stretch by dates; one that goes on over midnight takes part of the next."""
        while length > 0 and day <= self._last:
            end = min(start + length, DAY)
            if self._counts(day) and start < min(end, LAST_MINUTE):
                yield _Stretch(day, start, min(end, LAST_MINUTE), name)
            length -= end - start
            day, start = day + timedelta(days=1), 0

    def _days(self, event: Any, first: date, name: str) -> Iterator[date]:
        """The dates on which an event begins, as far as they matter to the term."""
        rule = _value(event, "RRULE")
        if isinstance(rule, list):
            rule = rule[0] if len(rule) == 1 else None
        if rule is None:
            yield first
            return
        try:
            steps = _Rule.of(rule)
        except (ValueError, TypeError, AttributeError, OverflowError):
            self.report("ics_rule_unsupported", name=name)
            yield first
            return
        yield from steps.days(first, self._first, self._last)

    # Stretches to proposals -----------------------------------------------------------------------------------------

    def proposals(self, stretches: Iterable[_Stretch]) -> Iterator[Proposal]:
        weeks: dict[tuple[int, int, int], dict[int, str]] = defaultdict(dict)
        for stretch in stretches:
            at = (stretch.day.isoweekday(), stretch.start, stretch.end)
            weeks[at].setdefault(week_of(self._term, stretch.day), stretch.name)
        for (weekday, start, end), held in sorted(weeks.items()):
            possible = self._possible[weekday]
            name = Counter(held.values()).most_common(1)[0][0]
            found = _pattern(set(held), possible)
            if found is None:
                if len(held) >= WORTH_NAMING:
                    share = f"{len(held)}/{len(possible)}"
                    self.report("ics_irregular", name=name, weekday=weekday, start=clock(start), weeks=share)
                continue
            if end - start >= LAST_MINUTE:
                self.report("ics_whole_day", name=name, weekday=weekday)
            reason = f"{REASON}：{name}" if name else REASON
            busy = BusyTime(weekday=weekday, start=clock(start), end=clock(end), weeks=found, reason=reason)
            here = {week for week in possible if found in ("all", parity(week))}
            yield Proposal(busy=busy, held=len(here & set(held)), possible=len(here))


def _pattern(held: set[int], possible: set[int]) -> Weeks | None:
    """The weeks for which something that happened in `held` is a rule; None for no rule."""
    shares: dict[str, float] = {}
    for which in ("odd", "even"):
        weeks = {week for week in possible if parity(week) == which}
        shares[which] = len(held & weeks) / len(weeks) if weeks else 0.0
    if min(shares.values()) >= USUAL:
        return "all"
    if shares["odd"] >= USUAL and shares["even"] <= SELDOM:
        return "odd"
    if shares["even"] >= USUAL and shares["odd"] <= SELDOM:
        return "even"
    return None


# Parts of an event --------------------------------------------------------------------------------------------------


class _Rule(NamedTuple):
    """A rule of recurrence by days or weeks. `weekdays` are ISO; empty: that of the beginning."""

    weekly: bool
    interval: int
    weekdays: tuple[int, ...]
    times: int | None
    until: date | None

    @classmethod
    def of(cls, rule: Any) -> _Rule:
        """Raises ValueError for any other rule."""
        parts = {str(key).upper(): list(value) for key, value in rule.items()}
        frequency = str(parts.pop("FREQ", [""])[0]).upper()
        interval, count = (int(parts.pop(key, [default])[0]) for key, default in (("INTERVAL", 1), ("COUNT", 0)))
        until = _moment(parts.pop("UNTIL", [None])[0])
        weekdays = tuple(WEEKDAY_NAMES.index(str(day).upper()) + 1 for day in parts.pop("BYDAY", []))
        parts.pop("WKST", None)
        if frequency not in ("DAILY", "WEEKLY") or parts or not 1 <= interval <= MOST_INTERVAL:
            raise ValueError(frequency)
        return cls(frequency == "WEEKLY", interval, weekdays, count or None, until[0] if until else None)

    def days(self, first: date, wanted: date, last: date) -> Iterator[date]:
        """The dates from `first` on; without a count those before `wanted` may be left out."""
        end = last if self.until is None else min(last, self.until)
        weekdays = sorted(set(self.weekdays)) or ([first.isoweekday()] if self.weekly else list(range(1, 8)))
        step = 7 * self.interval if self.weekly else self.interval
        base = first - timedelta(days=first.isoweekday() - 1) if self.weekly else first
        number = 0 if self.times else max(0, (wanted - base).days // step - 1)
        left = self.times or MOST_STEPS
        for index in range(number, number + MOST_STEPS):
            begin = base + timedelta(days=step * index)
            if begin > end or not left:
                return
            inside = (begin + timedelta(days=day - 1) for day in weekdays) if self.weekly else iter((begin,))
            for day in inside:
                if first <= day <= end and day.isoweekday() in weekdays and left:
                    left -= 1
                    yield day


def _value(event: Any, name: str) -> Any:
    """A property that could be read, or None."""
    value = event.get(name)
    values = value if isinstance(value, list) else [value]
    return None if any(isinstance(one, vBroken) for one in values) else value


def _text(event: Any, name: str) -> str:
    return str(_value(event, name) or "")


def _moment(value: Any) -> tuple[date, int] | None:
    """The date and minute in the county; None for what is no date or time."""
    found = getattr(value, "dt", value)
    if isinstance(found, datetime):
        try:
            local = found.astimezone(TIME_ZONE) if found.tzinfo else found
        except (OverflowError, ValueError):
            return None
        return local.date(), local.hour * 60 + local.minute
    return (found, 0) if isinstance(found, date) else None


def _dates(values: Any) -> Iterator[date]:
    """The dates of EXDATE or RDATE, which is one list or several."""
    for value in values if isinstance(values, list) else [values]:
        for single in getattr(value, "dts", ()):
            # a period's beginning
            moment = single.dt[0] if isinstance(getattr(single, "dt", None), tuple) else single
            if (found := _moment(moment)) is not None:
                yield found[0]


def _length(event: Any, begin: tuple[date, int]) -> int:
    """Minutes from the beginning to the end."""
    end = _moment(_value(event, "DTEND"))
    if end is not None:
        return min(LONGEST, (end[0] - begin[0]).days * DAY + end[1] - begin[1])
    duration = getattr(_value(event, "DURATION"), "dt", None)
    if isinstance(duration, timedelta):
        return min(LONGEST, int(duration / timedelta(minutes=1)))
    whole = not isinstance(getattr(_value(event, "DTSTART"), "dt", None), datetime)
    return DAY if whole else 0


def _is_free(event: Any) -> bool:
    """Whether the event takes no time: called off, or shown as free."""
    cancelled = _text(event, "STATUS").upper() == "CANCELLED"
    return cancelled or _text(event, "TRANSP").upper() == "TRANSPARENT"
