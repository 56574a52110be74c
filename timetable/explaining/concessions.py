"""This module owns what could be conceded when a register has no table: each concession as the smallest change of the
register, with its sentence and its price, for the lessons that found no place.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from msgspec import structs

from timetable import bells
from timetable.explaining import teachers
from timetable.explaining.candidate import PRICES, Candidate, priced
from timetable.model import (
    SHARED_KINDS,
    BellSchedule,
    Register,
    Requirement,
    Room,
    SchoolUnit,
    Slot,
    clock,
    minutes,
)
from timetable.problem import Problem
from timetable.repairing.slots import needed_shift
from timetable.titles import short_title

MINUTES_LESS = (5, 10, 15)
"""Minutes of overlap that may be given up for one requirement, the smallest that help first."""

MOST_CONCEDED = 20

MOST_OF_A_KIND = 12
"""Candidates of one kind that are looked at, the nearest first."""

MOST_NAMED = 5
"""Lessons that one sentence names."""

OF_TEACHERS = (teachers.unavailable, teachers.more_a_day, teachers.more_a_week)


def title(problem: Problem, requirement: Requirement) -> str:
    """Subject and classes: 科学 五(2)班; of several schools 科学 西河 五(2)班、固隆 五(1)班; without classes what it is
    and whose."""
    several = len(requirement.parties) > 1
    names = (
        f"{f'{problem.units[party.unit].short_name} ' if several else ''}{problem.classes[c].name}"
        for party in requirement.parties
        for c in party.classes
    )
    return short_title(requirement, names, problem.units[requirement.parties[0].unit].short_name)


def candidates(problem: Problem, culprits: Sequence[Requirement], fewer: int) -> list[Candidate]:
    """What could be conceded so that the culprits find their places, the cheapest first; `fewer` lessons have none."""
    near = _near(problem, culprits)
    found: list[Candidate] = []
    for kind in (_locked, _busy_rooms, *OF_TEACHERS, _overlaps, _links, _bells, _remote_rooms):
        found += list(kind(problem, culprits, near))[:MOST_OF_A_KIND]
    found += list(_weekly(problem, near, fewer))[:MOST_OF_A_KIND]
    return sorted(found, key=lambda candidate: candidate.concession.price)


def _people(party: object) -> tuple[str, ...]:
    return (*getattr(party, "classes", ()), *getattr(party, "teachers", ()))


def _near(problem: Problem, culprits: Sequence[Requirement]) -> list[Requirement]:
    """The culprits, then the requirements that share a class or a teacher with one of them."""
    people = {one for requirement in culprits for party in requirement.parties for one in _people(party)}
    ids = {requirement.id for requirement in culprits}
    others = [
        requirement
        for requirement in problem.requirements
        if requirement.id not in ids and any(not people.isdisjoint(_people(party)) for party in requirement.parties)
    ]
    return [*culprits, *others]


def _units(requirements: Sequence[Requirement]) -> list[str]:
    shared = (r for r in requirements if r.kind in SHARED_KINDS)
    return list(dict.fromkeys(party.unit for r in shared for party in r.parties))


def _with_requirement(problem: Problem, changed: Requirement, id: str) -> Callable[[], Register]:
    def change() -> Register:
        register = problem.register
        requirements = tuple(changed if r.id == id else r for r in register.requirements)
        return structs.replace(register, requirements=requirements)

    return change


def _with_unit(problem: Problem, changed: SchoolUnit) -> Callable[[], Register]:
    def change() -> Register:
        units = tuple(changed if unit.id == changed.id else unit for unit in problem.register.units)
        return structs.replace(problem.register, units=units)

    return change


def _locked(problem: Problem, culprits: Sequence[Requirement], near: Sequence[Requirement]) -> Iterator[Candidate]:
    units = set(_units(culprits))
    shared = [
        r
        for r in problem.requirements
        if r.kind in SHARED_KINDS and r not in near and any(party.unit in units for party in r.parties)
    ]
    for requirement in (*near, *shared):
        for slot in requirement.locked:
            yield unlocked(problem, requirement, slot)


def unlocked(problem: Problem, requirement: Requirement, slot: Slot) -> Candidate:
    """Giving up one lock."""
    left = tuple(other for other in requirement.locked if other != slot)
    concession = priced("locked", title=title(problem, requirement), weekday=slot.weekday, period=slot.period)
    changed = _with_requirement(problem, structs.replace(requirement, locked=left), requirement.id)
    return Candidate(concession, changed, frozenset({requirement.id}))


def _busy_rooms(problem: Problem, culprits: Sequence[Requirement], near: Sequence[Requirement]) -> Iterator[Candidate]:
    register = problem.register
    usable = {room.id for unit in _units(culprits) for room in problem.remote_rooms[unit]}
    usable |= {problem.classes[c].room for r in culprits for party in r.parties for c in party.classes}
    names = {room.id: room.name for room in register.rooms}
    for index, (room, busy) in enumerate(register.busy_rooms):
        if room in usable:
            left = (*register.busy_rooms[:index], *register.busy_rooms[index + 1 :])
            concession = priced("busy_room", name=names[room], weekday=busy.weekday, start=busy.start, end=busy.end)
            yield Candidate(concession, partial(structs.replace, register, busy_rooms=left))


def _overlaps(problem: Problem, culprits: Sequence[Requirement], near: Sequence[Requirement]) -> Iterator[Candidate]:
    for requirement in culprits:
        units = tuple(party.unit for party in requirement.parties)
        if len(set(units)) < 2:
            continue
        now = len(problem.by_clock(requirement))
        for less in MINUTES_LESS:
            wider = structs.replace(requirement, overlap_conceded=requirement.overlap_conceded + less)
            if wider.overlap_conceded <= MOST_CONCEDED and len(problem.by_clock(wider)) > now:
                concession = priced("overlap", title=title(problem, requirement), minutes=less)
                changed = _with_requirement(problem, wider, requirement.id)
                yield Candidate(concession, changed, frozenset({requirement.id}))
                break


def _links(problem: Problem, culprits: Sequence[Requirement], near: Sequence[Requirement]) -> Iterator[Candidate]:
    for id in _units(culprits):
        unit = problem.units[id]
        if unit.link_capacity < 64:
            more = structs.replace(unit, link_capacity=unit.link_capacity + 1)
            concession = priced("link", unit=unit.name, most=more.link_capacity)
            yield Candidate(concession, _with_unit(problem, more))


def _bells(problem: Problem, culprits: Sequence[Requirement], near: Sequence[Requirement]) -> Iterator[Candidate]:
    """The smallest shift of one unit's bells, in either direction, by which it meets its host more often."""
    told: set[tuple[str, int]] = set()
    for requirement in culprits:
        host, *others = dict.fromkeys(party.unit for party in requirement.parties)
        for unit in others:
            shifts = {
                needed_shift(rung, window, problem.slack_of(requirement))
                for weekday in problem.weekdays
                for rung in problem.bells.day(host, weekday).values()
                for window in problem.bells.day(unit, weekday).values()
            }
            useful = sorted((s for s in shifts if 0 < abs(s) <= bells.MOST_MINUTES_OF_SHIFT), key=abs)
            for shift in useful[:1]:
                if (unit, shift) in told:
                    continue
                told.add((unit, shift))
                known = problem.units[unit]
                rung_anew = tuple(_rung(schedule, shift) for schedule in known.bells)
                code = "bells_later" if shift > 0 else "bells_earlier"
                concession = priced("bells", code, unit=known.name, minutes=abs(shift))
                changed = _with_unit(problem, structs.replace(known, bells=rung_anew))
                yield Candidate(concession, changed, moves_bells=True)


def _rung(schedule: BellSchedule, shift: int) -> BellSchedule:
    periods = tuple(
        structs.replace(p, start=clock(minutes(p.start) + shift), end=clock(minutes(p.end) + shift))
        for p in schedule.periods
    )
    return structs.replace(schedule, periods=periods)


def _remote_rooms(
    problem: Problem, culprits: Sequence[Requirement], near: Sequence[Requirement]
) -> Iterator[Candidate]:
    register = problem.register
    for id in _units(culprits):
        unit = problem.units[id]
        number = 1 + sum(room.unit == id and room.kind == "remote" for room in register.rooms)
        taken = {room.id for room in register.rooms}
        new = next(name for n in itertools.count(number) if (name := f"{id}.remote{n}") not in taken)
        room = Room(id=new, name=f"远程教室{number}", unit=id, campus=unit.campus, kind="remote")
        concession = priced("remote_room", unit=unit.name)
        yield Candidate(concession, partial(structs.replace, register, rooms=(*register.rooms, room)))


def _weekly(problem: Problem, near: Sequence[Requirement], fewer: int) -> Iterator[Candidate]:
    for requirement in near:
        if 0 < fewer <= requirement.weekly:
            yield reduced(problem, requirement, fewer)


def reduced(problem: Problem, requirement: Requirement, fewer: int) -> Candidate:
    """Teaching so many lessons fewer a week; none at all is left of it where that is all."""
    left = requirement.weekly - fewer
    concession = priced(
        "weekly",
        price=PRICES["weekly"] * fewer,
        title=title(problem, requirement),
        fewer=fewer,
        lessons=requirement.weekly,
        left=left,
    )
    changed = partial(given_up, problem, {requirement.id: fewer}, ())
    return Candidate(concession, changed, frozenset({requirement.id}))


def given_up(problem: Problem, missing: Mapping[str, int], broken: Sequence[tuple[Requirement, Slot]]) -> Register:
    """The register without so many lessons of these requirements, and without these locks."""
    open_slots = {(requirement.id, slot) for requirement, slot in broken}

    def left(requirement: Requirement) -> Requirement | None:
        weekly = requirement.weekly - missing.get(requirement.id, 0)
        if weekly == 0:
            return None
        locked = tuple(slot for slot in requirement.locked if (requirement.id, slot) not in open_slots)
        return structs.replace(requirement, weekly=weekly, locked=locked[:weekly])

    kept = (left(requirement) for requirement in problem.register.requirements)
    return structs.replace(problem.register, requirements=tuple(one for one in kept if one is not None))


def together(problem: Problem, missing: Mapping[str, int], broken: Sequence[tuple[Requirement, Slot]]) -> Candidate:
    """Giving up these lessons and locks at once."""
    requirements = {requirement.id: requirement for requirement in problem.requirements}
    titles = [f"{title(problem, requirements[id])} ×{count}" for id, count in missing.items()]
    titles += [f"{title(problem, r)} ({slot.weekday}/{slot.period})" for r, slot in broken]
    if len(titles) > MOST_NAMED:
        titles = [*titles[:MOST_NAMED], "…"]
    lessons = sum(missing.values()) + len(broken)
    price = PRICES["lessons"] * sum(missing.values()) + PRICES["locked"] * len(broken)
    concession = priced("lessons", price=price, lessons=lessons, titles="；".join(titles))
    return Candidate(concession, partial(given_up, problem, missing, broken))
