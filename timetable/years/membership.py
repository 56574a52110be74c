"""This module owns what a school that joins or leaves a community in mid-term means for what must be taught there.

Who joins brings its places, people and requirements; who leaves takes them along. Lessons shared with it go on without
it where they can. Where the lessons then stand is found by `timetable.refit`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct, structs

from timetable.errors import InputRefused, NotFound
from timetable.model import (
    SHARED_KINDS,
    Campus,
    Finding,
    Id,
    IsoDate,
    Model,
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
from timetable.titles import short_title

CODES: Mapping[str, str] = {
    "membership_core": "the core school cannot leave",
    "membership_last": "nobody would be left to share a table with",
    "membership_other": "the unit is of another community",
    "membership_already": "the unit is of the community already",
    "membership_stage": "the unit is of another stage than the community",
    "membership_one": "the files put no unit, or several, into the community",
    "membership_nothing": "the unit brings no lessons",
    "membership_lesson_lost": "classes lose a lesson because its host leaves (a warning)",
    "membership_goes_on": "a lesson goes on without the school that leaves (a warning)",
    "membership_own_now": "a shared lesson becomes its host's own (a warning)",
    "membership_teacher_stays": "a teacher of the unit still teaches for others of the community (a warning)",
    "membership_over": "a change that was carried out or withdrawn cannot be withdrawn",
    "membership_outside_term": "the first day is not in the term",
    "membership_past": "the first day has passed: the change counts from its publication on (a warning)",
    "membership_published": "a unit whose joining is published can only leave",
}
"""Every code that this module can report."""

R = TypeVar("R", bound=Struct)


class Leave(Model, frozen=True, kw_only=True, tag_field="kind", tag="leave"):
    """The unit's lessons end with the day before `first`."""

    unit: Id
    first: IsoDate


class Join(Model, frozen=True, kw_only=True, tag_field="kind", tag="join"):
    """The unit's lessons begin on `first`. Rows that the register has already are replaced, such as the requirement of
    a shared lesson in which the unit now takes part."""

    unit: Id
    first: IsoDate
    campuses: tuple[Campus, ...] = ()
    travel: tuple[Travel, ...] = ()
    units: tuple[SchoolUnit, ...] = ()
    rooms: tuple[Room, ...] = ()
    teachers: tuple[Teacher, ...] = ()
    classes: tuple[SchoolClass, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    shortages: tuple[Shortage, ...] = ()


Membership = Join | Leave


def changed(register: Register, community: str, change: Membership) -> tuple[Register, tuple[Finding, ...]]:
    """The register with the change made, and what is to be said of it; with an error it is not made. Raises NotFound
    for an unknown community, or an unknown unit that leaves."""
    if not any(known.id == community for known in register.communities):
        raise NotFound("community", community)
    if isinstance(change, Leave):
        return _left(register, community, change.unit)
    return _joined(register, community, change)


def timely(term: Term, change: Membership, today: IsoDate | None = None) -> tuple[Finding, ...]:
    """What is to be said of the change's first day; without `today` any day of the term is to come."""
    if not term.first_day <= change.first <= term.last_day:
        values: dict[str, str | int] = {"date": change.first, "first": term.first_day, "last": term.last_day}
        return (Finding(code="membership_outside_term", values=values),)
    if today is not None and change.first < today:
        return (_warning("membership_past", date=change.first),)
    return ()


def withdrawn(register: Register, before: Register, community: str, change: Join) -> Register:
    """The register as if the unit had not joined: the rows that it brought are again as in `before`, or gone."""
    brought_roads = {frozenset(road.campuses) for road in change.travel}
    earlier_roads = {frozenset(road.campuses): road for road in before.travel}
    roads = {
        ends: earlier_roads.get(ends, road) if ends in brought_roads else road
        for road in register.travel
        if (ends := frozenset(road.campuses)) not in brought_roads or ends in earlier_roads
    }
    return structs.replace(
        register,
        communities=tuple(
            structs.replace(c, members=tuple(m for m in c.members if m != change.unit)) if c.id == community else c
            for c in register.communities
        ),
        campuses=_back(register.campuses, before.campuses, change.campuses),
        travel=tuple(roads.values()),
        units=_back(register.units, before.units, change.units),
        rooms=_back(register.rooms, before.rooms, change.rooms),
        teachers=_back(register.teachers, before.teachers, change.teachers),
        classes=_back(register.classes, before.classes, change.classes),
        requirements=_back(register.requirements, before.requirements, change.requirements),
        shortages=tuple(s for s in register.shortages if s not in change.shortages or s in before.shortages),
    )


def brought(standing: Register, planned: Register, community: str, first: str) -> Join:
    """The change by which a unit joins with all rows that an import would add or replace. Raises InputRefused unless
    the import puts exactly one unit more into the community."""
    before = {unit for known in standing.communities if known.id == community for unit in known.units}
    after = [unit for known in planned.communities if known.id == community for unit in known.units]
    new = [unit for unit in after if unit not in before]
    if len(new) != 1:
        raise InputRefused([Finding(code="membership_one", values={"units": len(new)})])
    return Join(
        unit=new[0],
        first=first,
        campuses=_new(standing.campuses, planned.campuses),
        travel=_new(standing.travel, planned.travel),
        units=_new(standing.units, planned.units),
        rooms=_new(standing.rooms, planned.rooms),
        teachers=_new(standing.teachers, planned.teachers),
        classes=_new(standing.classes, planned.classes),
        requirements=_new(standing.requirements, planned.requirements),
        shortages=_new(standing.shortages, planned.shortages),
    )


def _back(standing: Sequence[R], before: Sequence[R], given: Sequence[R]) -> tuple[R, ...]:
    """The standing rows with those of the given ids as they were before, and without those that were not there."""
    ids = {row.id for row in given}  # type: ignore[attr-defined]
    earlier = {row.id: row for row in before if row.id in ids}  # type: ignore[attr-defined]
    kept = (earlier.get(row.id, row) for row in standing if row.id not in ids or row.id in earlier)  # type: ignore[attr-defined]
    return tuple(kept)


def _new(standing: Sequence[R], planned: Sequence[R]) -> tuple[R, ...]:
    return tuple(row for row in planned if row not in standing)


def _left(register: Register, community: str, unit: str) -> tuple[Register, tuple[Finding, ...]]:
    known = next(c for c in register.communities if c.id == community)
    if unit not in known.units:
        raise NotFound("unit", unit)
    name = _name(register, unit)
    if unit == known.core:
        return register, (Finding(code="membership_core", values={"unit": name}),)
    if len(known.units) < 3:
        return register, (Finding(code="membership_last", values={"unit": name}),)
    findings: list[Finding] = []
    requirements = []
    for requirement in register.requirements:
        if requirement.community == community:
            left = _without(requirement, unit, findings, register)
            if left is not None:
                requirements.append(left)
        else:
            requirements.append(requirement)
    communities = tuple(
        structs.replace(c, members=tuple(m for m in c.members if m != unit)) if c.id == community else c
        for c in register.communities
    )
    staying = {t for r in requirements for p in r.parties for t in p.teachers if r.community == community}
    for teacher in register.teachers:
        if teacher.posts[0] == unit and teacher.id in staying:
            findings.append(_warning("membership_teacher_stays", name=teacher.name, unit=name))
    return structs.replace(register, communities=communities, requirements=tuple(requirements)), tuple(findings)


def _without(requirement: Requirement, unit: str, findings: list[Finding], register: Register) -> Requirement | None:
    """What is left of a requirement without the unit."""
    if all(party.unit != unit for party in requirement.parties):
        return requirement
    host, *others = requirement.parties
    name, subject = _name(register, unit), requirement.subject
    if host.unit == unit:
        for party in others:
            if party.classes:
                values: dict[str, str | int] = {
                    "unit": _name(register, party.unit),
                    "subject": subject,
                    "lessons": requirement.weekly,
                }
                findings.append(_warning("membership_lesson_lost", host=name, **values))
        return None
    parties = tuple(party for party in requirement.parties if party.unit != unit)
    rotation = tuple(one for one in requirement.rotation if one != unit)
    if len(parties) > 1 or requirement.kind not in SHARED_KINDS:
        findings.append(_warning("membership_goes_on", title=_title(register, requirement)))
        return structs.replace(requirement, parties=parties, rotation=rotation)
    if not host.classes:
        return None
    findings.append(_warning("membership_own_now", subject=subject, unit=_name(register, host.unit)))
    return structs.replace(requirement, kind="local", parties=parties, rotation=(), overlap_conceded=0)


def _joined(register: Register, community: str, change: Join) -> tuple[Register, tuple[Finding, ...]]:
    units = _over(register.units, change.units)
    unit = next((one for one in units if one.id == change.unit), None)
    if unit is None:
        raise NotFound("unit", change.unit)
    known = next(c for c in register.communities if c.id == community)
    home = next((c for c in register.communities if change.unit in c.units), None)
    findings = []
    if home is not None:
        code = "membership_already" if home.id == community else "membership_other"
        findings.append(Finding(code=code, values={"unit": unit.short_name, "community": home.name}))
    if unit.stage != known.stage:
        findings.append(Finding(code="membership_stage", values={"unit": unit.short_name}))
    if not any(party.unit == unit.id for r in change.requirements for party in r.parties):
        findings.append(Finding(code="membership_nothing", values={"unit": unit.short_name}))
    if findings:
        return register, tuple(findings)
    roads = {frozenset(road.campuses): road for road in (*register.travel, *change.travel)}
    return structs.replace(
        register,
        communities=tuple(
            structs.replace(c, members=(*c.members, unit.id)) if c.id == community else c for c in register.communities
        ),
        campuses=_over(register.campuses, change.campuses),
        travel=tuple(roads.values()),
        units=units,
        rooms=_over(register.rooms, change.rooms),
        teachers=_over(register.teachers, change.teachers),
        classes=_over(register.classes, change.classes),
        requirements=_over(register.requirements, change.requirements),
        shortages=tuple(dict.fromkeys((*register.shortages, *change.shortages))),
    ), ()


def _over(standing: Sequence[R], given: Sequence[R]) -> tuple[R, ...]:
    """The standing rows with the given ones in place of those of the same id, new ones at the end."""
    return tuple(_merged(standing, given))


def _merged(standing: Sequence[R], given: Sequence[R]) -> Iterator[R]:
    new = {row.id: row for row in given}  # type: ignore[attr-defined]
    for row in standing:
        yield new.pop(row.id, row)  # type: ignore[attr-defined]
    yield from new.values()


def _name(register: Register, unit: str) -> str:
    return next((one.short_name for one in register.units if one.id == unit), unit)


def _title(register: Register, requirement: Requirement) -> str:
    """Subject and classes: 科学 五(2)班; of what has no class what it is and whose."""
    names = {school_class.id: school_class.name for school_class in register.classes}
    first = next((party.classes for party in requirement.parties if party.classes), ())
    return short_title(requirement, (names.get(id, id) for id in first), _name(register, requirement.parties[0].unit))


def _warning(code: str, **values: str | int) -> Finding:
    return Finding(code=code, values=values, severity="warning")
