"""This module owns the names of occurrences: the identity that survives every change, and the id that says its date."""

import re
from datetime import date, timedelta

from msgspec import Struct

from timetable.model import Term
from timetable.term import teaching_day, week_of

OCCURRENCE_ID = re.compile(r"(?P<lesson>.+)\.(?P<planned>\d{4}-\d{2}-\d{2})(?P<extra>\.x\d+)?")
UID_WEEK = re.compile(r"\.w(-?\d+)(?:m\d)?(?:\.x\d+)?$")


def uid_of(term: Term, lesson: str, planned: date) -> str:
    """The identity of a lesson's occurrence: the lesson and the term week, and the weekday of a make-up day. It
    survives moves and is never used for another occurrence."""
    day = teaching_day(term, planned)
    made_up = f"m{planned.isoweekday()}" if day is not None and day.make_up else ""
    return f"{lesson}.{term.id}.w{week_of(term, planned)}{made_up}"


def days_of(term: Term, uid: str) -> tuple[date, ...]:
    """The seven days of the term week that an identity names."""
    week = UID_WEEK.search(uid)
    return week_days(date.fromisoformat(term.week_one) + timedelta(weeks=int(week[1]) - 1)) if week else ()


def extra_ids(term: Term, lesson: str, planned: date, number: int) -> tuple[str, str]:
    """Identity and id of the lesson that makes up for the occurrence planned on that date, by amendment `number`."""
    return f"{uid_of(term, lesson, planned)}.x{number}", f"{lesson}.{planned.isoformat()}.x{number}"


class Named(Struct, frozen=True):
    """What the id of an occurrence says."""

    uid: str
    lesson: str
    planned: date


def named_occurrence(term: Term, occurrence: str) -> Named | None:
    """What an occurrence's id says, or None where it is no such id."""
    parts = OCCURRENCE_ID.fullmatch(occurrence)
    if parts is None:
        return None
    try:
        planned = date.fromisoformat(parts["planned"])
    except ValueError:
        return None
    return Named(f"{uid_of(term, parts['lesson'], planned)}{parts['extra'] or ''}", parts["lesson"], planned)


def week_days(near: date) -> tuple[date, ...]:
    """Monday to Sunday of the week of a date."""
    monday = near - timedelta(days=near.weekday())
    return tuple(monday + timedelta(days=n) for n in range(7))
