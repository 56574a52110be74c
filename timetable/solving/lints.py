"""This module owns the counting lints: mistakes in a register that simple sums prove, found before any search.

Every finding of severity `error` proves that no table exists; a `warning` says what is doubtful. The register's
references are taken to be sound (`references` checks them).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from timetable import bell_changes, bells
from timetable.model import SHARED_KINDS, Finding, Requirement, clock
from timetable.placement import Demand, Placement
from timetable.problem import Problem
from timetable.travel import DEFAULT_TRAVEL
from timetable.weeks import WeekSet, parted, sum_in, weeks_of

CODES: Mapping[str, str] = {
    "class_overloaded": "a class has more lessons a week than periods",
    "teacher_over_week": "a teacher's lessons exceed the weekly maximum",
    "teacher_over_days": "a teacher's lessons exceed what the daily maximum allows in a week",
    "teacher_over_periods": "a teacher has more lessons than periods in which any of them can stand",
    "no_remote_room": "a unit has shared lessons and no remote room",
    "no_link": "a unit has shared lessons and a line that carries none",
    "remote_rooms_overbooked": "a unit's shared lessons exceed what its remote rooms and line hold in a week",
    "windows_never_meet": "the bells of a shared requirement's units never meet long enough, and one shift cannot help",
    "windows_never_meet_earlier": "they never meet, but would if one unit rang that many minutes earlier",
    "windows_never_meet_later": "they never meet, but would if one unit rang that many minutes later",
    "windows_meet_rarely": "they meet in fewer periods than the requirement has lessons",
    "no_slot_left": "unavailable times and other tables leave a requirement fewer periods than lessons",
    "locked_slot_impossible": "a locked slot is not a period in which the requirement could stand",
    "too_many_locked": "a requirement has more locked slots than lessons",
    "locked_twice": "a class, or a teacher at one unit, has two locked lessons in one period",
    "travel_unknown": "a teacher works on two campuses whose distance is not given",
}
"""Every code that this module can report."""


def lint(problem: Problem) -> list[Finding]:
    """All findings about the problem, errors first."""
    checks: tuple[Callable[[Problem], Iterable[Finding]], ...] = (
        _classes,
        _teachers,
        _remote_rooms,
        _windows,
        _locks,
        _travel,
    )
    found = [finding for check in checks for finding in check(problem)]
    return sorted(found, key=lambda finding: finding.severity != "error")


def _finding(code: str, **values: str | int) -> Finding:
    return Finding(code=code, values=values)


def _load(requirement: Requirement) -> int:
    return requirement.weekly * requirement.block


def _placeable(problem: Problem) -> list[Demand]:
    """The demands that `_windows` has nothing to say about: counting the others again would only repeat it."""
    return [demand for demand in problem.demands if len(demand.placements) >= demand.requirement.weekly]


def _classes(problem: Problem) -> Iterable[Finding]:
    for school_class, load in problem.class_loads.items():
        periods = problem.class_periods(school_class)
        if load > periods:
            name = problem.classes[school_class].name
            yield _finding("class_overloaded", school_class=name, lessons=load, periods=periods)


def _teachers(problem: Problem) -> Iterable[Finding]:
    demands: dict[str, list[Demand]] = defaultdict(list)
    for demand in _placeable(problem):
        for id in {t for party in demand.requirement.parties for t in party.teachers}:
            demands[id].append(demand)
    for id, theirs in demands.items():
        teacher = problem.teachers[id]
        sets = {demand.requirement.id: weeks_of(demand.requirement) for demand in theirs}
        for weeks in parted(problem.weeks_elsewhere(id) | frozenset(sets.values())):
            now = [demand for demand in theirs if sets[demand.requirement.id] & weeks]
            load = sum(_load(demand.requirement) for demand in now)
            elsewhere = {day: problem.periods_elsewhere(id, day, weeks) for day in problem.weekdays}
            days = sum(max(0, teacher.max_per_day - taken) for taken in elsewhere.values())
            starts = {(p.weekday, p.sides[0].window.start) for demand in now for p in demand.placements}
            lessons = sum(demand.requirement.weekly for demand in now)
            if load + sum(elsewhere.values()) > teacher.max_per_week:
                most = teacher.max_per_week
                yield _finding("teacher_over_week", teacher=teacher.name, lessons=load, most=most)
            elif load > days:
                yield _finding("teacher_over_days", teacher=teacher.name, lessons=load, most=days)
            elif lessons > len(starts):
                yield _finding("teacher_over_periods", teacher=teacher.name, lessons=lessons, periods=len(starts))
            else:
                continue
            break


def _remote_rooms(problem: Problem) -> Iterable[Finding]:
    loads: dict[str, dict[WeekSet, int]] = defaultdict(lambda: defaultdict(int))
    cells: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for demand in _placeable(problem):
        requirement = demand.requirement
        if requirement.kind in SHARED_KINDS:
            for index, party in enumerate(requirement.parties):
                loads[party.unit][weeks_of(requirement)] += _load(requirement)
                for placement in demand.placements:
                    cells[party.unit].update((placement.weekday, p) for p in placement.sides[index].periods)
    for id, load in loads.items():
        unit, rooms = problem.units[id], problem.remote_rooms[id]
        if not rooms:
            yield _finding("no_remote_room", unit=unit.name)
            continue
        if unit.link_capacity == 0:
            yield _finding("no_link", unit=unit.name)
            continue
        windows = [(weekday, problem.bells.windows(id, weekday, period)) for weekday, period in cells[id]]
        for weeks in parted(frozenset(load) | {held for room in rooms for held in problem.weeks_held(room.id)}):
            lessons = sum_in(load.items(), weeks)
            free = (sum(problem.room_free(room.id, *cell, weeks) for room in rooms) for cell in windows)
            places = sum(min(unit.link_capacity, rooms_free) for rooms_free in free)
            if lessons > places:
                yield _finding("remote_rooms_overbooked", unit=unit.name, lessons=lessons, places=places)
                break


def _windows(problem: Problem) -> Iterable[Finding]:
    told: set[tuple[str, ...]] = set()
    for demand in problem.demands:
        requirement = demand.requirement
        parted = _parted(problem, demand)
        if parted is not None:
            yield parted
        elif demand.by_clock == 0 and len(requirement.parties) > 1:
            units = tuple(party.unit for party in requirement.parties)
            if units not in told:
                told.add(units)
                yield _never_meet(problem, requirement)
        elif demand.by_clock < requirement.weekly:
            yield _finding(
                "windows_meet_rarely",
                requirement=requirement.id,
                subject=requirement.subject,
                periods=demand.by_clock,
                lessons=requirement.weekly,
            )
        elif len(demand.placements) < requirement.weekly:
            yield _finding(
                "no_slot_left",
                requirement=requirement.id,
                subject=requirement.subject,
                periods=len(demand.placements),
                lessons=requirement.weekly,
            )


def _parted(problem: Problem, demand: Demand) -> Finding | None:
    """Whether only a change of bells in mid-term leaves the requirement too few periods."""
    if demand.by_clock >= demand.requirement.weekly or len(problem.bells.seasons) == 1:
        return None
    names = {id: unit.name for id, unit in problem.units.items()}
    return bell_changes.parted_requirement(
        problem.bells, demand.requirement, problem.weekdays, problem.slack_of(demand.requirement), names
    )


def _never_meet(problem: Problem, requirement: Requirement) -> Finding:
    units = list(dict.fromkeys(party.unit for party in requirement.parties))
    names = "、".join(problem.units[unit].name for unit in units)
    values: dict[str, str | int] = {"requirement": requirement.id, "subject": requirement.subject, "units": names}
    days = {unit: [problem.bells.day(unit, weekday) for weekday in problem.weekdays] for unit in units}
    host, *others = units
    shift = bells.smallest_shift(days[host], {unit: days[unit] for unit in others}, problem.slack_of(requirement))
    if shift is None:
        return Finding(code="windows_never_meet", values=values)
    values |= {"unit": problem.units[shift.unit].name, "minutes": shift.minutes}
    return Finding(code=f"windows_never_meet_{shift.direction}", values=values)


def _locks(problem: Problem) -> Iterable[Finding]:
    taken: dict[tuple[str, str, int, int], list[Requirement]] = defaultdict(list)
    told: set[tuple[str, int, str, str]] = set()
    for demand in _placeable(problem):
        requirement = demand.requirement
        slots = {(slot.weekday, slot.period) for slot in requirement.locked}
        if len(slots) > requirement.weekly:
            yield _finding("too_many_locked", requirement=requirement.id, locked=len(slots), lessons=requirement.weekly)
        standing = {(p.weekday, p.period): p for p in demand.placements}
        for weekday, period in sorted(slots):
            placement = standing.get((weekday, period))
            if placement is None:
                yield _finding(
                    "locked_slot_impossible",
                    requirement=requirement.id,
                    subject=requirement.subject,
                    weekday=weekday,
                    period=period,
                )
                continue
            for cell in _cells(requirement, placement):
                name = _name(problem, cell[0])
                together = (o for o in taken[cell] if o.id != requirement.id and weeks_of(o) & weeks_of(requirement))
                other = next(together, None)
                taken[cell].append(requirement)
                if other is not None and (key := (name, weekday, requirement.id, other.id)) not in told:
                    told.add(key)
                    start = clock(placement.sides[0].window.start)
                    yield _finding(
                        "locked_twice", name=name, weekday=weekday, start=start, requirement=key[2], other=key[3]
                    )


def _cells(requirement: Requirement, placement: Placement) -> Iterable[tuple[str, str, int, int]]:
    """What a placement takes: (class or teacher, unit, weekday, period)."""
    for party, side in zip(requirement.parties, placement.sides, strict=True):
        for who in dict.fromkeys((*party.classes, *party.teachers)):
            for number in side.periods:
                yield who, party.unit, placement.weekday, number


def _name(problem: Problem, id: str) -> str:
    return problem.classes[id].name if id in problem.classes else problem.teachers[id].name


def _travel(problem: Problem) -> Iterable[Finding]:
    campuses: dict[str, set[str]] = defaultdict(set)
    for requirement in problem.requirements:
        for party in requirement.parties:
            for teacher in party.teachers:
                campuses[teacher].add(problem.units[party.unit].campus)
    told: set[tuple[str, str]] = set()
    names = {campus.id: campus.name for campus in problem.register.campuses}
    for places in campuses.values():
        for a in sorted(places):
            for b in sorted(places):
                if a < b and (a, b) not in told and not problem.travel.known(a, b):
                    told.add((a, b))
                    values: dict[str, str | int] = {"from": names[a], "to": names[b], "minutes": DEFAULT_TRAVEL}
                    yield Finding(code="travel_unknown", values=values, severity="warning")
