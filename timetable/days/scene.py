"""This module owns what a change comes to: which occurrences it touches, whose day that is, what stands against it.

It is judged against everything in force, every time anew: when it is asked for and when it is applied.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date

from msgspec import Struct

from timetable.days.dated import DatedTables
from timetable.days.day_book import DayBook, Seat
from timetable.days.day_stays import kept_of
from timetable.days.effects import Applied, Effect
from timetable.days.grounds import Grounds
from timetable.days.published import Hold, holds_of
from timetable.days.standing import Standing, held
from timetable.days.versions import Version
from timetable.errors import NotFound
from timetable.identity import week_days
from timetable.model import Finding, Lesson
from timetable.term import Occurrence, teaching_day, week_of


class Touched(Struct, frozen=True, kw_only=True):
    """One occurrence before and after; absent where there was none, or is none any more."""

    before: Standing | None
    after: Standing | None


class Outcome(Struct, frozen=True, kw_only=True):
    """What a change comes to. With a finding of severity `error` it cannot be made."""

    findings: tuple[Finding, ...]
    effects: tuple[Effect, ...] = ()
    version: Version | None = None
    """The next version, of a lasting change."""
    undone: int | None = None
    """The number of the amendment that it takes back."""
    touched: tuple[Touched, ...] = ()
    affected: tuple[str, ...] = ()
    """The units whose own day changes, or whose teacher is lent."""
    earliest: float = 0.0
    """Unix seconds of the first lesson that is touched."""

    @property
    def possible(self) -> bool:
        return all(finding.severity != "error" for finding in self.findings)


class Stand(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where an occurrence stands and who teaches it, as people are shown it."""

    date: str
    start: str
    end: str
    units: tuple[str, ...]
    teachers: tuple[str, ...]


class Line(Struct, frozen=True, kw_only=True, rename="camel"):
    """What becomes of one occurrence; no `before` of one that is added, no `after` of one that is called off."""

    occurrence: str
    lesson: str
    title: str
    before: Stand | None
    after: Stand | None


class Refused(Exception):
    """A change cannot even be worked out; caught by `work_out`."""

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings


class Scene:
    """Where a change is worked out: everything in force at `now`, for amendment `number` of a community."""

    def __init__(self, community: str, number: int, grounds: Grounds, tables: DatedTables, now: float) -> None:
        self.community = community
        self.number = number
        self.grounds = grounds
        self.tables = tables
        self.now = now

    # Looking up -----------------------------------------------------------------------------------------------------

    def standing(self, occurrence: str) -> Standing:
        """The occurrence, which must take place."""
        standing = self.tables.find(occurrence)
        if standing is None:
            raise NotFound("occurrence", occurrence)
        if standing.cancelled:
            raise Refused(self.finding("amend_not_standing", standing.occurrence))
        self.own(standing.community, standing.occurrence.lesson)
        return standing

    def own(self, community: str, lesson: Lesson) -> None:
        """The lesson must be one of the community's."""
        if community != self.community:
            raise Refused(Finding(code="amend_other_community", values={"title": self.grounds.title(lesson)}))

    def lesson(self, id: str, on: date) -> Lesson:
        """The lesson as its table has it on that date."""
        found = self.tables.lesson(id, on)
        if found is None:
            raise NotFound("lesson", id)
        return found[1]

    def teacher(self, id: str) -> None:
        if id not in self.grounds.teachers:
            raise NotFound("teacher", id)

    def day(self, text: str) -> date:
        """A date of the term on which there is school."""
        term = self.grounds.term
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise Refused(Finding(code="amend_outside_term", values={"date": text})) from None
        if not term.first_day <= text <= term.last_day:
            raise Refused(Finding(code="amend_outside_term", values={"date": text}))
        if teaching_day(term, day) is None:
            raise Refused(Finding(code="amend_no_school", values={"date": text}))
        return day

    def book(self, day: date, lesson: Lesson) -> DayBook:
        """Who and what is where that day, as far as it concerns finding a place for the lesson."""
        return self._book(day, self.tables.only(self.tables.meeting(needs_of(self.grounds, self.tables, lesson))))

    def _book(self, day: date, tables: DatedTables) -> DayBook:
        found = DayBook.of_date(self.grounds, day, tables.on(day), tables.closings)
        if found is None:
            raise Refused(Finding(code="amend_no_school", values={"date": day.isoformat()}))
        return found

    def seat(self, day: date, lesson: Lesson, period: int, apart: Collection[str] = ()) -> Seat:
        """Where the lesson can stand in that period of its host, as if the occurrences in `apart` were gone."""
        seat = self.book(day, lesson).seat(lesson, period, apart=apart)
        if not isinstance(seat, Seat):
            raise Refused(*seat)
        return seat

    def after(self, effects: tuple[Effect, ...]) -> DatedTables:
        """What is in force once these effects count."""
        return self.tables.with_applied(
            Applied(community=self.community, number=self.number, at=self.now, effects=effects)
        )

    def finding(self, code: str, occurrence: Occurrence, **values: str | int) -> Finding:
        """A finding about one occurrence."""
        where: dict[str, str | int] = {
            "title": self.grounds.title(occurrence.lesson),
            "date": occurrence.day.date.isoformat(),
            "start": occurrence.lesson.start,
        }
        return Finding(code=code, values={**where, **values})

    # Judging --------------------------------------------------------------------------------------------------------

    def outcome(
        self,
        after: DatedTables,
        touched: Sequence[Touched],
        *,
        effects: tuple[Effect, ...] = (),
        undone: int | None = None,
        version: Version | None = None,
        lent_by: Collection[str] = (),
    ) -> Outcome:
        """The outcome of a change after which `after` is in force."""
        both = [s.occurrence for pair in touched for s in (pair.before, pair.after) if held(s)]
        starts = [occurrence.starts for occurrence in both]
        near = after.meeting({hold for occurrence in both for hold in holds_of(occurrence.lesson)})
        old, new = self.tables.only(near), after.only(near)
        return Outcome(
            findings=(*self._too_late(touched), *self._obstacles(old, new, touched), *self._loads(new, touched)),
            effects=effects,
            version=version,
            undone=undone,
            touched=tuple(touched),
            affected=tuple(sorted({*units_of(touched), *lent_by})),
            earliest=min(starts, default=self.now),
        )

    def _too_late(self, touched: Iterable[Touched]) -> Iterator[Finding]:
        for pair in touched:
            before, after = pair.before, pair.after
            if held(before) and before.occurrence.starts <= self.now:
                yield self.finding("amend_past", before.occurrence)
            elif held(after) and after.occurrence.starts <= self.now:
                yield self.finding("amend_past_slot", after.occurrence)

    def _obstacles(self, old: DatedTables, new: DatedTables, touched: Iterable[Touched]) -> list[Finding]:
        """What stands in the way afterwards and did not before: a change answers for nothing but itself."""
        found: list[Finding] = []
        books: dict[date, DayBook] = {}
        for pair in touched:
            if not held(pair.after):
                continue
            day = pair.after.occurrence.day.date
            if day not in books:
                books[day] = self._book(day, new)
            obstacles = books[day].obstacles(kept_of(pair.after))
            if obstacles and held(pair.before):
                before = self._book(pair.before.occurrence.day.date, old).obstacles(kept_of(pair.before))
                obstacles = [finding for finding in obstacles if finding not in before]
            found += [finding for finding in obstacles if finding not in found]
        return found

    def _loads(self, after: DatedTables, touched: Iterable[Touched]) -> Iterator[Finding]:
        """A warning for every teacher who gets more lessons in a week than agreed."""
        seen: set[tuple[str, int]] = set()
        for pair in touched:
            if not held(pair.after):
                continue
            day = pair.after.occurrence.day.date
            week = week_of(self.grounds.term, day)
            for id in teachers_of(pair.after) - (teachers_of(pair.before) if self._same_week(pair) else set()):
                teacher = self.grounds.teachers.get(id)
                if teacher is None or (id, week) in seen:
                    continue
                seen.add((id, week))
                lessons = week_load(self.grounds, after, id, day)
                if lessons > teacher.max_per_week:
                    values: dict[str, str | int] = {
                        "name": teacher.name,
                        "week": week,
                        "lessons": lessons,
                        "most": teacher.max_per_week,
                    }
                    yield Finding(code="amend_teacher_week", values=values, severity="warning")

    def _same_week(self, pair: Touched) -> bool:
        term = self.grounds.term
        days = [s.occurrence.day.date for s in (pair.before, pair.after) if held(s)]
        return len(days) == 2 and week_of(term, days[0]) == week_of(term, days[1])


def clashes(grounds: Grounds, tables: DatedTables, effects: Iterable[Effect], now: float) -> tuple[Finding, ...]:
    """What stands in the way of occurrences to come that these effects have changed: a version that was published
    later knows nothing of them."""
    found: list[Finding] = []
    for uid, lesson in {effect.uid: effect.lesson for effect in effects}.items():
        standing = tables.only({lesson}).standing(uid)
        if held(standing) and standing.occurrence.starts > now:
            near = tables.only(tables.meeting(holds_of(standing.occurrence.lesson)))
            day = standing.occurrence.day.date
            book = DayBook.of_date(grounds, day, near.on(day), tables.closings)
            found += book.obstacles(kept_of(standing)) if book is not None else []
    return tuple(found)


def lines_of(grounds: Grounds, outcome: Outcome) -> tuple[Line, ...]:
    """What the outcome does, for people. Of a lasting change the first week stands for all."""
    found: dict[str, Line] = {}
    for pair in outcome.touched:
        one = pair.after or pair.before
        if one is None:
            continue
        lesson = one.occurrence.lesson
        key = lesson.id if outcome.version is not None else one.uid
        if key not in found:
            found[key] = Line(
                occurrence=one.occurrence.id,
                lesson=lesson.id,
                title=grounds.title(lesson),
                before=_stand(pair.before),
                after=_stand(pair.after),
            )
    return tuple(found.values())


# What is touched ----------------------------------------------------------------------------------------------------


def units_of(touched: Iterable[Touched]) -> set[str]:
    """The units whose side of an occurrence is another one afterwards; all of it where its time is."""
    found: set[str] = set()
    for pair in touched:
        before = _sides(pair.before)
        after = _sides(pair.after)
        found |= {unit for unit in before.keys() | after.keys() if before.get(unit) != after.get(unit)}
    return found


def slot_of(occurrence: Occurrence) -> tuple[str, str, str]:
    return occurrence.day.date.isoformat(), occurrence.lesson.start, occurrence.lesson.end


def teachers_of(standing: Standing | None) -> set[str]:
    """Everybody who teaches or assists; nobody where it does not take place."""
    return {id for party in standing.occurrence.parties for id in party.teachers} if held(standing) else set()


def needs_of(grounds: Grounds, tables: DatedTables, lesson: Lesson) -> set[Hold]:
    """What may matter to finding a place for a lesson: what it holds, every remote room that it could take, and
    everybody who could supervise its leftover minutes."""
    found = holds_of(lesson)
    if len(lesson.parties) == 1:
        return found  # it keeps its room, and nothing is left over
    classes = {school_class for party in lesson.parties for school_class in party.classes}
    for party in lesson.parties:
        found |= {("room", room) for room in grounds.remote_rooms.get(party.unit, ())}
    for community in tables.communities:
        newest = tables.newest(community)
        for other in newest.table.lessons if newest is not None else ():
            if any(not classes.isdisjoint(side.classes) for side in other.parties):
                found |= {("teacher", id) for side in other.parties for id in side.teachers}
    return found


def week_load(grounds: Grounds, tables: DatedTables, teacher: str, near: date) -> int:
    """Periods that the teacher teaches or assists in the week of a date."""
    return sum(
        grounds.block(standing.occurrence.lesson)
        for day in week_days(near)
        for standing in tables.on(day)
        if teacher in teachers_of(standing)
    )


def _stand(standing: Standing | None) -> Stand | None:
    if not held(standing):
        return None
    day, start, end = slot_of(standing.occurrence)
    return Stand(
        date=day,
        start=start,
        end=end,
        units=tuple(party.unit for party in standing.occurrence.parties),
        teachers=tuple(dict.fromkeys(id for party in standing.occurrence.parties for id in party.teachers)),
    )


def _sides(standing: Standing | None) -> dict[str, tuple[object, ...]]:
    if not held(standing):
        return {}
    slot = slot_of(standing.occurrence)
    return {party.unit: (slot, party) for party in standing.occurrence.parties}
