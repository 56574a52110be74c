"""This module owns how lost lessons are held on another date (补课): one by one with all who share it, or those that a
school has by itself, all by one act."""

from collections.abc import Mapping
from datetime import date

from timetable.days.changes import MakeUp, MakeUpOwn, MakeUpPlace
from timetable.days.day_book import DayBook, Seat
from timetable.days.effects import Placed
from timetable.days.scene import Outcome, Refused, Scene, Touched
from timetable.days.standing import attending, held
from timetable.errors import NotFound
from timetable.identity import extra_ids, named_occurrence
from timetable.model import Finding, Lesson, clock
from timetable.term import week_of
from timetable.turns import in_week
from timetable.weeks import held_in


def make_up(scene: Scene, change: MakeUp) -> Outcome:
    day, planned, lesson = _again(scene, change, _extras(scene))
    return _outcome(scene, (_placed(scene, planned, lesson, day, scene.seat(day, lesson, change.period)),))


def make_up_own(scene: Scene, change: MakeUpOwn) -> Outcome:
    """They keep their rooms, so that where each stands by the clock does not depend on the others; whether they are in
    each other's way is seen when all of them stand."""
    named = (named_occurrence(scene.grounds.term, one.occurrence) for one in change.lessons)
    tables = scene.tables.only({one.lesson for one in named if one is not None})
    alone = Scene(scene.community, scene.number, scene.grounds, tables, scene.now)
    extras = _extras(alone)
    books: dict[date, DayBook | None] = {}
    found: dict[str, Placed] = {}
    for one in change.lessons:
        day, planned, lesson = _again(alone, one, extras)
        if [party.unit for party in lesson.parties] != [change.unit]:
            raise Refused(Finding(code="amend_not_own", values={"title": scene.grounds.title(lesson)}))
        if day not in books:
            books[day] = DayBook.of_date(scene.grounds, day, (), scene.tables.closings)
        book = books[day]
        seat = book.seat(lesson, one.period) if book is not None else []
        if not isinstance(seat, Seat):
            raise Refused(*seat)
        placed = _placed(scene, planned, lesson, day, seat)
        if placed.uid in found:
            raise Refused(Finding(code="amend_made_up", values=_where(scene, lesson, planned)))
        found[placed.uid] = placed
    return _outcome(scene, tuple(found.values()))


Extras = Mapping[tuple[str, str], list[str]]
"""(lesson, lost date) -> the identities that make up for it."""


def _again(scene: Scene, wanted: MakeUp | MakeUpPlace, extras: Extras) -> tuple[date, date, Lesson]:
    """The new date, the lost one, and the lesson as it is held on the new date."""
    lost = scene.tables.find(wanted.occurrence)
    if lost is not None and not lost.cancelled:
        raise Refused(scene.finding("amend_takes_place", lost.occurrence))
    planned, lesson = _lost(scene, wanted.occurrence)
    day = scene.day(wanted.date)
    for uid in extras.get((lesson.id, planned.isoformat()), ()):
        standing = scene.tables.standing(uid)
        if held(standing):
            raise Refused(scene.finding("amend_made_up", standing.occurrence))
    return day, planned, in_week(scene.lesson(lesson.id, day), week_of(scene.grounds.term, planned))


def _extras(scene: Scene) -> Extras:
    found: dict[tuple[str, str], list[str]] = {}
    for made in scene.tables.applied:
        for effect in made.effects:
            if isinstance(effect, Placed) and effect.extra:
                found.setdefault((effect.lesson, effect.planned), []).append(effect.uid)
    return found


def _placed(scene: Scene, planned: date, lesson: Lesson, day: date, seat: Seat) -> Placed:
    uid, id = extra_ids(scene.grounds.term, lesson.id, planned, scene.number)
    return Placed(
        uid=uid,
        occurrence=id,
        lesson=lesson.id,
        planned=planned.isoformat(),
        date=day.isoformat(),
        start=clock(seat.window.start),
        end=clock(seat.window.end),
        parties=seat.parties,
        extra=True,
    )


def _outcome(scene: Scene, placed: tuple[Placed, ...]) -> Outcome:
    after = scene.after(placed)
    alone = after.only({one.lesson for one in placed})
    return scene.outcome(after, [Touched(before=None, after=alone.standing(one.uid)) for one in placed], effects=placed)


def _where(scene: Scene, lesson: Lesson, planned: date) -> dict[str, str | int]:
    return {"title": scene.grounds.title(lesson), "date": planned.isoformat(), "start": lesson.start}


def _lost(scene: Scene, occurrence: str) -> tuple[date, Lesson]:
    """The planned date and the lesson of an occurrence that does not take place: called off, or on a closed day."""
    term = scene.grounds.term
    named = named_occurrence(term, occurrence)
    if named is None:
        raise NotFound("occurrence", occurrence)
    lesson = in_week(scene.lesson(named.lesson, named.planned), week_of(term, named.planned))
    if scene.tables.find(occurrence) is None:
        planned = term.first_day <= named.planned.isoformat() <= term.last_day
        due = lesson.weekday == named.planned.isoweekday()
        due = due and held_in(lesson.weeks, lesson.only_weeks, week_of(term, named.planned))
        if not planned or not due or attending(term, lesson.parties, named.planned):
            raise NotFound("occurrence", occurrence)
    found = scene.tables.lesson(named.lesson, named.planned)
    if found is not None:
        scene.own(found[0], lesson)
    return named.planned, lesson
