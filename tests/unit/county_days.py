"""A county on one Thursday, in memory, for the tests of what its pages show."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from server.auth.principal import Principal
from server.county import County
from server.shapes.people import Grant, PersonRole
from signaling.plan import SessionPlan, SessionRecord
from signaling.wire import SessionState
from tests.county_server import county_register, county_table
from timetable.agreement.negotiation import Negotiation, begin
from timetable.agreement.service import Draft
from timetable.days.dated import DatedTables
from timetable.days.versions import Diff, Version
from timetable.model import Closure, Lesson, Table
from timetable.term import Occurrence, moment, occurrences_on

THURSDAY = date(2026, 11, 19)


def county(*closures: Closure) -> County:
    register = county_register(THURSDAY)
    return County(msgspec.structs.replace(register, term=msgspec.structs.replace(register.term, closures=closures)))


def table(of: County, community: str = "A") -> Table:
    return county_table(of.register, community, THURSDAY.isoweekday())


def dated(of: County, *lessons: Lesson) -> DatedTables:
    """The community's lessons as a version that counts for the whole term."""
    known = Table(community="A", term=of.register.term.id, lessons=lessons)
    version = Version(community="A", number=1, author="排课", at=0.0, table=known, diff=Diff())
    return DatedTables(of.register.term, [[version]])


def occurrence(of: County, lesson: Lesson, day: date = THURSDAY) -> Occurrence:
    [found] = occurrences_on(of.register.term, [lesson], day)
    return found


def at(clock: str, day: date = THURSDAY) -> float:
    return moment(day, clock)


def record(plan: SessionPlan, state: SessionState, review: str | None = None) -> SessionRecord:
    kind: Literal["lesson", "rehearsal"] = "rehearsal" if plan.lesson.rehearsal else "lesson"
    return SessionRecord(plan=plan, kind=kind, state=state, journal="j", review=review)


def draft(of: County, negotiation: Negotiation | None = None) -> Draft:
    community = of.community("A")
    return Draft(
        community="A",
        revision=3,
        table=table(of),
        author="排课",
        negotiation=negotiation or begin(community, 1, community.units),
    )


def person(unit: str | None, role: PersonRole, *, community: str | None = None) -> Principal:
    return Principal(
        kind="person",
        id=f"p.{unit or community}",
        name="某人",
        unit=unit,
        grants=(Grant(role=role, unit=unit, community=community),),
    )
