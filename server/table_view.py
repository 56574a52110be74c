"""What the timetable page shows: a draft or a version together with the names it needs."""

from collections.abc import Iterable, Sequence
from datetime import date

from server.auth.policy import speaks_for
from server.auth.principal import Principal
from server.consent_view import consent_row
from server.county import County, reference
from server.shapes.table import (
    ClassRef,
    ConsentRow,
    NameRef,
    NegotiationView,
    RungFrom,
    TableStatus,
    TermChoice,
    TermRef,
    TimetableView,
    UnitRef,
    VersionRow,
)
from server.storage.draft_history import Steps
from timetable.agreement import negotiation as talks
from timetable.agreement.service import Draft
from timetable.bell_changes import parted_lessons
from timetable.bells import periods, seasons
from timetable.days.versions import Version
from timetable.model import Community, Lesson, Period, SchoolUnit, Table, Term, clock
from timetable.term import parity, teaching_day, week_of, weeks


def timetable_view(
    county: County,
    community: Community,
    *,
    draft: Draft | None,
    shown: Version | None,
    history: Sequence[Version],
    asker: Principal,
    today: date,
    now: float,
    terms: Sequence[TermChoice] = (),
    steps: Steps | None = None,
) -> TimetableView:
    """`shown` is the version to show; without it the draft is shown. `county` is that of the term."""
    table: Table | None = shown.table if shown else draft.table if draft else None
    lessons = table.lessons if table else ()
    may_build = speaks_for(asker, community.core, community.units, community.id) == community.core
    return TimetableView(
        community=reference(community),
        status=_status(draft, shown),
        version=shown.number if shown else history[0].number if history else 0,
        revision=draft.revision if draft else 0,
        term=term_reference(county, today),
        units=tuple(unit_reference(unit, community, county.register.term) for unit in county.units_of(community)),
        classes=tuple(
            ClassRef(id=c.id, name=c.name, unit=c.unit, grade=c.grade)
            for c in county.register.classes
            if c.unit in community.units
        ),
        teachers=_teachers(county, community, lessons),
        rooms=tuple(
            NameRef(id=room.id, name=room.name, unit=room.unit)
            for room in county.register.rooms
            if room.unit in community.units
        ),
        lessons=tuple(lessons),
        cost=table.cost if table else 0,
        cost_by_rule=table.cost_by_rule if table else (),
        may_build=may_build,
        may_undo=may_build and steps is not None and steps.back,
        may_redo=may_build and steps is not None and steps.forward,
        warnings=tuple(parted_lessons(county.register, table)) if table else (),
        negotiation=negotiation_view(draft, community, asker, now) if draft else None,
        versions=tuple(version_row(version) for version in history),
        term_id=county.register.term.id,
        terms=tuple(terms),
    )


def negotiation_view(draft: Draft, community: Community, asker: Principal, now: float) -> NegotiationView:
    """Where every unit stands on the draft, and what the asker's unit may do."""
    standing = draft.negotiation
    unit = speaks_for(asker, community.core, community.units, community.id)
    return NegotiationView(
        state=standing.state.value,
        draft=standing.draft,
        author=draft.author,
        mode=standing.mode,
        deadline=standing.deadline,
        consents=tuple(_consent(standing, unit_id) for unit_id in community.units),
        may=talks.possible(standing, unit, now) if unit else (),  # type: ignore[arg-type]
        missing=len(talks.missing(standing, now)) if standing.state is not talks.State.PUBLISHED else 0,
    )


def term_reference(county: County, today: date) -> TermRef:
    term = county.register.term
    week = min(max(week_of(term, today), 1), weeks(term))
    day = teaching_day(term, today)
    return TermRef(
        name=term.name,
        week_one=term.week_one,
        weeks=weeks(term),
        today=today.isoformat(),
        week=week,
        parity="odd" if parity(week) == "odd" else "even",
        provisional=bool(day and day.provisional),
    )


def unit_reference(unit: SchoolUnit, community: Community, term: Term, today: date | None = None) -> UnitRef:
    """The unit with its bells of the whole term, or with those of today alone."""
    first, last = (today.isoformat(),) * 2 if today else (term.first_day, term.last_day)
    rung = [RungFrom(first=day, periods=_rung(unit, day)) for day in seasons((unit,), first, last)]
    return UnitRef(
        id=unit.id,
        name=unit.name,
        short_name=unit.short_name,
        code=unit.code,
        core=unit.id == community.core,
        periods=rung[0].periods,
        later=tuple(rung[1:]),
    )


def _rung(unit: SchoolUnit, on: str) -> tuple[Period, ...]:
    """The periods of an ordinary weekday on a date."""
    weekday = next((day for day in range(1, 8) if periods(unit, day, on)), 1)
    found = periods(unit, weekday, on).items()
    return tuple(Period(number=n, start=clock(window.start), end=clock(window.end)) for n, window in found)


def version_row(version: Version) -> VersionRow:
    change = version.diff
    return VersionRow(
        number=version.number,
        author=version.author,
        at=version.at,
        added=len(change.added),
        moved=len(change.moved),
        cancelled=len(change.cancelled),
        valid_from=version.valid_from,
    )


def _status(draft: Draft | None, shown: Version | None) -> TableStatus:
    if shown is not None:
        return "published"
    return draft.negotiation.state.value if draft else "none"


def _consent(standing: talks.Negotiation, unit: str) -> ConsentRow:
    if unit not in standing.affected:
        return ConsentRow(unit=unit, answer="unaffected")
    return consent_row(unit, standing.answer(unit))


def _teachers(county: County, community: Community, lessons: Iterable[Lesson]) -> tuple[NameRef, ...]:
    """The teachers of the community's units, and those of other communities who teach in its table."""
    units = set(community.units)
    named = {id for lesson in lessons for party in lesson.parties for id in party.teachers}
    named |= {left.teacher for lesson in lessons for party in lesson.parties for left in party.leftover if left.teacher}
    return tuple(
        NameRef(id=teacher.id, name=teacher.name, unit=next((u for u in teacher.posts if u in units), teacher.posts[0]))
        for teacher in county.register.teachers
        if teacher.id in named or units.intersection(teacher.posts)
    )
