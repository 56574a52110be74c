"""This module owns taking a register apart into rows and putting rows together again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from timetable.model import (
    BellSchedule,
    BusyTime,
    Campus,
    Closure,
    Community,
    Id,
    MakeUpDay,
    Party,
    Period,
    Register,
    Requirement,
    Room,
    SchoolClass,
    SchoolUnit,
    Shortage,
    Teacher,
    Term,
    Travel,
)
from timetable.register.rows import (
    STANDING,
    BellRow,
    BusyRoomRow,
    PartyRow,
    RequirementRow,
    Rows,
    Sourced,
    TeacherRow,
    TermRow,
    TravelRow,
    UnavailableRow,
    UnitRow,
    WishRow,
    of,
    plain,
)

R = TypeVar("R", bound=Struct)
K = TypeVar("K")

# A register to rows -------------------------------------------------------------------------------------------------

LISTS: Mapping[str, Any] = {
    "communities": Community,
    "campuses": Campus,
    "travel": Travel,
    "units": SchoolUnit,
    "rooms": Room,
    "busy_rooms": tuple[Id, BusyTime],
    "teachers": Teacher,
    "classes": SchoolClass,
    "shortages": Shortage,
    "requirements": Requirement,
}
"""The lists of a register and what each of their items is."""


def rows_of(register: Register) -> Rows:
    """The register as rows of what the county has already."""
    rows: Rows = {}
    parts = [term_rows(register.county, register.term, register.weekdays, register.main_subjects)]
    parts += [item_rows(name, item) for name in LISTS for item in getattr(register, name)]
    for part in parts:
        for sheet, row in part:
            rows.setdefault(sheet, []).append(Sourced(sheet, row, STANDING))
    return rows


def term_rows(
    county: str, term: Term, weekdays: tuple[int, ...], main_subjects: tuple[str, ...]
) -> Iterator[tuple[str, Struct]]:
    """The rows of the county's term, each with the key of its sheet."""
    row = TermRow(
        county=county,
        id=term.id,
        name=term.name,
        first_day=term.first_day,
        last_day=term.last_day,
        week_one=term.week_one,
        provisional_from=term.provisional_from,
        weekdays=weekdays,
        main_subjects=main_subjects,
    )
    yield "term", row
    for closure in term.closures:
        yield "closures", closure
    for day in term.make_up_days:
        yield "make_up_days", day


def item_rows(name: str, item: Any) -> Iterator[tuple[str, Struct]]:
    """The rows of one item of the register's list `name`, each with the key of its sheet."""
    if isinstance(item, Travel):
        yield name, _travel_row(item)
    elif isinstance(item, SchoolUnit):
        yield name, _unit_row(item)
        yield from (("bells", row) for row in _bell_rows(item))
        yield from (("wishes", WishRow(unit=item.id, **msgspec.structs.asdict(wish))) for wish in item.wishes)
    elif isinstance(item, Teacher):
        yield name, _teacher_row(item)
        yield from (("unavailable", row) for row in _unavailable_rows(item))
    elif isinstance(item, Requirement):
        yield name, _requirement_row(item)
        yield from (("parties", row) for row in _party_rows(item))
    elif isinstance(item, tuple):
        room, busy = item
        yield name, BusyRoomRow(room=room, **msgspec.structs.asdict(busy))
    else:
        yield name, item


def _travel_row(travel: Travel) -> TravelRow:
    a, b = travel.campuses
    return TravelRow(campus_a=a, campus_b=b, minutes=travel.minutes)


def _unit_row(unit: SchoolUnit) -> UnitRow:
    return UnitRow(
        id=unit.id,
        name=unit.name,
        short_name=unit.short_name,
        code=unit.code,
        campus=unit.campus,
        stage=unit.stage,
        link_capacity=unit.link_capacity,
        phone=unit.phone,
    )


def _bell_rows(unit: SchoolUnit) -> Iterator[BellRow]:
    for schedule in unit.bells:
        for period in schedule.periods:
            yield BellRow(
                unit=unit.id,
                weekdays=schedule.weekdays,
                period=period.number,
                start=period.start,
                end=period.end,
                valid_from=schedule.valid_from,
                valid_to=schedule.valid_to,
            )


def _teacher_row(teacher: Teacher) -> TeacherRow:
    return TeacherRow(
        id=teacher.id,
        name=teacher.name,
        posts=teacher.posts,
        subjects=teacher.subjects,
        max_per_day=teacher.max_per_day,
        max_per_week=teacher.max_per_week,
    )


def _unavailable_rows(teacher: Teacher) -> Iterator[UnavailableRow]:
    for busy in teacher.unavailable:
        yield UnavailableRow(teacher=teacher.id, **msgspec.structs.asdict(busy))


def _requirement_row(requirement: Requirement) -> RequirementRow:
    host = requirement.parties[0]
    return RequirementRow(
        id=requirement.id,
        kind=requirement.kind,
        subject=requirement.subject,
        unit=host.unit,
        community=requirement.community,
        weekly=requirement.weekly,
        classes=host.classes,
        teachers=host.teachers,
        weeks=requirement.weeks,
        block=requirement.block,
        only_weeks=requirement.only_weeks,
        rotation=requirement.rotation,
        locked=requirement.locked,
        overlap_conceded=requirement.overlap_conceded,
        topic=requirement.topic,
    )


def _party_rows(requirement: Requirement) -> Iterator[PartyRow]:
    for party in requirement.parties[1:]:
        yield PartyRow(requirement=requirement.id, unit=party.unit, classes=party.classes, teachers=party.teachers)


# Rows to a register -------------------------------------------------------------------------------------------------


def assemble(rows: Rows) -> Register:
    """The register that these rows write; they must have been checked, and hold a term."""
    term = next(row for row, _ in of(rows, "term", TermRow))
    bells = _grouped_by(plain(rows, "bells", BellRow), lambda row: row.unit)
    wishes = _grouped_by(plain(rows, "wishes", WishRow), lambda row: row.unit)
    unavailable = _grouped_by(plain(rows, "unavailable", UnavailableRow), lambda row: row.teacher)
    parties = _grouped_by(plain(rows, "parties", PartyRow), lambda row: row.requirement)
    return Register(
        county=term.county,
        term=Term(
            id=term.id,
            name=term.name,
            first_day=term.first_day,
            last_day=term.last_day,
            week_one=term.week_one,
            closures=plain(rows, "closures", Closure),
            make_up_days=plain(rows, "make_up_days", MakeUpDay),
            provisional_from=term.provisional_from,
        ),
        communities=plain(rows, "communities", Community),
        campuses=plain(rows, "campuses", Campus),
        travel=tuple(
            Travel(campuses=(row.campus_a, row.campus_b), minutes=row.minutes)
            for row in plain(rows, "travel", TravelRow)
        ),
        units=tuple(_unit(row, bells.get(row.id, ()), wishes.get(row.id, ())) for row in plain(rows, "units", UnitRow)),
        rooms=plain(rows, "rooms", Room),
        teachers=tuple(_teacher(row, unavailable.get(row.id, ())) for row in plain(rows, "teachers", TeacherRow)),
        classes=plain(rows, "classes", SchoolClass),
        requirements=tuple(
            _requirement(row, parties.get(row.id, ())) for row in plain(rows, "requirements", RequirementRow)
        ),
        shortages=plain(rows, "shortages", Shortage),
        main_subjects=term.main_subjects,
        weekdays=term.weekdays,
        busy_rooms=tuple((row.room, _busy_time(row)) for row in plain(rows, "busy_rooms", BusyRoomRow)),
    )


def _grouped_by(rows: Iterable[R], key: Callable[[R], K]) -> dict[K, list[R]]:
    found: dict[K, list[R]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def _busy_time(row: UnavailableRow | BusyRoomRow | WishRow) -> BusyTime:
    return BusyTime(weekday=row.weekday, start=row.start, end=row.end, weeks=row.weeks, reason=row.reason)


def _unit(row: UnitRow, bells: Iterable[BellRow], wishes: Iterable[WishRow]) -> SchoolUnit:
    kept = tuple(_busy_time(wish) for wish in wishes)
    return SchoolUnit(**msgspec.structs.asdict(row), bells=tuple(_schedules(list(bells))), wishes=kept)


def _schedules(bells: list[BellRow]) -> Iterator[BellSchedule]:
    """The rows as schedules. A day has one schedule, so rows whose days only partly coincide (a morning for all days,
    an afternoon without Friday) are put together day by day."""
    by_days = _grouped_by(bells, lambda bell: bell.schedule)
    days = [(weekday, since) for weekdays, since, _ in by_days for weekday in weekdays]
    if len(set(days)) < len(days):
        single = (msgspec.structs.replace(bell, weekdays=(day,)) for bell in bells for day in bell.weekdays)
        by_days = _grouped_by(single, lambda bell: bell.schedule)
    for (weekdays, since, until), rows in by_days.items():
        periods = tuple(Period(number=row.period, start=row.start, end=row.end) for row in rows)
        yield BellSchedule(weekdays=weekdays, periods=periods, valid_from=since, valid_to=until)


def _teacher(row: TeacherRow, unavailable: Iterable[UnavailableRow]) -> Teacher:
    return Teacher(**msgspec.structs.asdict(row), unavailable=tuple(_busy_time(busy) for busy in unavailable))


def _requirement(row: RequirementRow, parties: Iterable[PartyRow]) -> Requirement:
    host = Party(unit=row.unit, classes=row.classes, teachers=row.teachers)
    others = (Party(unit=party.unit, classes=party.classes, teachers=party.teachers) for party in parties)
    return Requirement(
        id=row.id,
        kind=row.kind,
        subject=row.subject,
        parties=(host, *others),
        weekly=row.weekly,
        community=row.community,
        weeks=row.weeks,
        block=row.block,
        only_weeks=row.only_weeks,
        rotation=row.rotation,
        locked=row.locked,
        overlap_conceded=row.overlap_conceded,
        topic=row.topic,
    )
