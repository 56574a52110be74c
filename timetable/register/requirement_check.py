"""This module owns whether the rows of what must be taught fit together and fit the places and people.

That a row refers to something that is not there is left to `names`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from timetable.model import ROTATING_KINDS, Community, Finding, SchoolClass, minutes
from timetable.register.findings import finding
from timetable.register.names import NOUNS, Names
from timetable.register.rows import BellRow, PartyRow, RequirementRow, Rows, Source, TeacherRow, TermRow, UnitRow, of
from timetable.register.sheet_format import BY_KEY
from timetable.weeks import WeekSet, held_in, weeks_of

LESSONS = {"local", "sync", "dedicated"}


@dataclass(frozen=True, slots=True)
class _Side:
    """One party of a requirement and where it is written; `called` is its unit for a sentence."""

    unit: str
    called: str
    classes: tuple[str, ...]
    teachers: tuple[str, ...]
    source: Source
    sheet: str

    def title(self, field: str) -> str:
        return BY_KEY[self.sheet].by_name[field].title


@dataclass(frozen=True, slots=True)
class _Fixed:
    """A slot that is fixed for a teacher or a class: minutes of a weekday."""

    weekday: int
    start: int
    end: int
    weeks: WeekSet
    requirement: str

    def meets(self, other: _Fixed) -> bool:
        together = self.weekday == other.weekday and bool(self.weeks & other.weeks)
        return together and self.start < other.end and other.start < self.end


def check_requirements(rows: Rows, names: Names) -> list[Finding]:
    """All findings about requirements and their parties; `names` are of the same rows."""
    return list(_Check(rows, names).findings())


class _Check:
    def __init__(self, rows: Rows, names: Names) -> None:
        self._rows = rows
        self._called = names.called
        self._units = {row.id for row, _ in of(rows, "units", UnitRow)}
        self._classes = {row.id: row.unit for row, _ in of(rows, "classes", SchoolClass)}
        self._posts = {row.id: row.posts for row, _ in of(rows, "teachers", TeacherRow)}
        self._communities = {row.id: row.units for row, _ in of(rows, "communities", Community)}
        self._bells: dict[str, list[BellRow]] = defaultdict(list)
        for bell, _ in of(rows, "bells", BellRow):
            self._bells[bell.unit].append(bell)
        self._term_weeks = range(1, max((_weeks_of(term) for term, _ in of(rows, "term", TermRow)), default=60) + 1)
        self._members: dict[str, list[_Side]] = defaultdict(list)
        for party, source in of(rows, "parties", PartyRow):
            self._members[party.requirement].append(self._side_of(party, source, "parties"))

    def findings(self) -> Iterator[Finding]:
        known = set()
        busy: dict[tuple[str, str], list[_Fixed]] = defaultdict(list)
        for row, source in of(self._rows, "requirements", RequirementRow):
            known.add(row.id)
            host = self._side_of(row, source, "requirements")
            sides = [host, *self._members[row.id]]
            for side in sides:
                yield from self._side(row, side)
            yield from _kind(row, sides)
            yield from _units_once(sides)
            yield from self._turns(row, host, sides)
            yield from self._weeks(row, host)
            yield from self._locks(row, host, busy)
        for party, source in of(self._rows, "parties", PartyRow):
            if party.requirement not in known:
                field = BY_KEY["parties"].by_name["requirement"].title
                yield finding("unknown_requirement", source, field, id=party.requirement)

    def _side_of(self, row: RequirementRow | PartyRow, source: Source, sheet: str) -> _Side:
        return _Side(row.unit, self._called("units", row.unit), row.classes, row.teachers, source, sheet)

    def _side(self, row: RequirementRow, side: _Side) -> Iterator[Finding]:
        """Whether what one party refers to is its own and listed once."""
        if side.unit in self._units and side.unit not in self._communities.get(row.community, (side.unit,)):
            field, community = side.title("unit"), self._called("communities", row.community)
            yield finding("unit_not_in_community", side.source, field, id=side.called, community=community)
        for field, ids in (("classes", side.classes), ("teachers", side.teachers)):
            for id in sorted({id for id in ids if ids.count(id) > 1}):
                yield finding("listed_twice", side.source, side.title(field), id=self._called(field, id))
        if side.unit not in self._units:
            return
        for id in side.classes:
            if self._classes.get(id, side.unit) != side.unit:
                called = self._called("classes", id)
                yield finding("class_of_other_unit", side.source, side.title("classes"), id=called, unit=side.called)
        for id in side.teachers:
            if side.unit not in self._posts.get(id, (side.unit,)):
                called = self._called("teachers", id)
                yield finding("teacher_without_post", side.source, side.title("teachers"), id=called, unit=side.called)

    def _turns(self, row: RequirementRow, host: _Side, sides: Sequence[_Side]) -> Iterator[Finding]:
        """Who takes turns: units of the requirement with somebody to lead, each once."""
        field = host.title("rotation")
        if row.rotation and row.kind not in ROTATING_KINDS:
            yield finding("rotation_not_for_kind", host.source, field, id=row.id)
        leading = {side.unit for side in sides if side.teachers}
        for unit in dict.fromkeys(row.rotation):
            called = self._called("units", unit)
            if unit in self._units and unit not in leading:
                yield finding("rotation_without_teacher", host.source, field, id=row.id, unit=called)
            elif row.rotation.count(unit) > 1:
                yield finding("unit_named_twice", host.source, field, id=called)

    def _weeks(self, row: RequirementRow, host: _Side) -> Iterator[Finding]:
        """The weeks that are named: of the term, and of the parity that is asked for."""
        for week in row.only_weeks:
            if week not in self._term_weeks or not held_in(row.weeks, (), week):
                yield finding("week_not_held", host.source, host.title("only_weeks"), id=row.id, week=week)

    def _locks(self, row: RequirementRow, host: _Side, busy: dict[tuple[str, str], list[_Fixed]]) -> Iterator[Finding]:
        """The fixed slots: few enough, real periods, and nobody in two places by the host's clock."""
        field = host.title("locked")
        if len(row.locked) > row.weekly:
            yield finding("locked_more_than_weekly", host.source, field, locked=len(row.locked), weekly=row.weekly)
        for slot in row.locked:
            rung = [bell for bell in self._bells[row.unit] if slot.weekday in bell.weekdays]
            numbers = range(slot.period, slot.period + row.block)
            taken = [bell for bell in rung if bell.period in numbers]
            if not taken or {bell.period for bell in taken} != set(numbers):
                if row.unit in self._units:
                    weekday, period = slot.weekday, slot.period
                    yield finding("locked_no_period", host.source, field, weekday=weekday, period=period)
                continue
            start = min(minutes(bell.start) for bell in taken)
            end = max(minutes(bell.end) for bell in taken)
            fixed = _Fixed(slot.weekday, start, end, weeks_of(row), row.id)
            yield from self._twice(row, host, fixed, busy)

    def _twice(
        self, row: RequirementRow, host: _Side, fixed: _Fixed, busy: dict[tuple[str, str], list[_Fixed]]
    ) -> Iterator[Finding]:
        sides = (host, *self._members[row.id])
        people = [("teachers", id) for side in sides for id in side.teachers]
        for sheet, id in [*people, *(("classes", id) for side in sides for id in side.classes)]:
            for other in busy[sheet, id]:
                if fixed.meets(other):
                    where, weekday = host.title("locked"), fixed.weekday
                    code, called = f"locked_{NOUNS[sheet]}_twice", self._called(sheet, id)
                    yield finding(code, host.source, where, id=called, weekday=weekday, other=other.requirement)
                    break
            busy[sheet, id].append(fixed)


def _kind(row: RequirementRow, sides: Sequence[_Side]) -> Iterator[Finding]:
    """What each kind of requirement needs of its parties."""
    host, *members = sides
    if row.kind in {"sync", "dedicated"} and not members:
        yield finding("party_missing", host.source, host.title("kind"), id=row.id)
    if row.kind == "local":
        for member in members:
            yield finding("party_too_many", member.source, member.title("unit"), id=row.id)
    for side in sides:
        wants_class = row.kind in LESSONS and not (row.kind == "dedicated" and side is host)
        if wants_class and not side.classes:
            yield finding("class_missing", side.source, side.title("classes"), id=row.id, unit=side.called)
        if not wants_class and side.classes and row.kind != "common_test":
            yield finding("class_not_expected", side.source, side.title("classes"), id=row.id, unit=side.called)
        if not side.teachers and (side is host or row.kind in {"research", "joint_preparation", "joint_meeting"}):
            yield finding("teacher_missing", side.source, side.title("teachers"), id=row.id, unit=side.called)


def _weeks_of(term: TermRow) -> int:
    """How many weeks the term has, as far as its dates make sense."""
    try:
        days = date.fromisoformat(term.last_day) - date.fromisoformat(term.week_one)
    except ValueError:
        return 60
    return days.days // 7 + 1


def _units_once(sides: Sequence[_Side]) -> Iterator[Finding]:
    seen: set[str] = set()
    for side in sides:
        if side.unit in seen:
            yield finding("unit_named_twice", side.source, side.title("unit"), id=side.called)
        seen.add(side.unit)
